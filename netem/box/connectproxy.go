// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"fairlead/netem"
)

const (
	// headBytes is the longest head of a request or an answer.
	headBytes = 64 << 10
	// maxAttempts is how many requests a connection may make before one succeeds.
	maxAttempts = 8
	// requestWait is how long one may take unless told otherwise. Source: squid, request_timeout.
	requestWait = 5 * time.Minute
)

// ConnectProxy is an HTTP proxy that opens tunnels (CONNECT), as squid. Anything but CONNECT gets 405.
type ConnectProxy struct {
	// User and Password are asked for by 407 and Basic when User is not empty.
	User, Password string
	// Allow lists the ports that a tunnel may lead to; others get 403. None means all.
	Allow []uint16
	// Idle ends a tunnel without bytes, Lifetime any tunnel; 0 is never. Connect bounds the way to the
	// server (0: 60 s), Request the wait for the client's (0: 5 min).
	Idle, Lifetime, Connect, Request time.Duration
	Trouble
}

func (p *ConnectProxy) serve(v *visit) {
	within(v.client, cmp.Or(p.Request, requestWait))
	head := &io.LimitedReader{R: v.client}
	client := bufio.NewReader(head)
	for range maxAttempts {
		head.N = headBytes
		request, err := http.ReadRequest(client)
		if err != nil {
			return // gone, or no HTTP
		}
		trouble := p.now()
		v.pause(trouble.Delay)
		status := cmp.Or(trouble.Status, p.judge(request))
		if status == http.StatusOK {
			head.N = math.MaxInt64
			p.open(v, client, request.Host, trouble)
			return
		}
		if refuse(v.client, status) != nil || status != http.StatusProxyAuthRequired {
			return
		}
	}
}

// judge is the status that a request gets before anything is dialled.
func (p *ConnectProxy) judge(r *http.Request) int {
	if p.User != "" {
		basic := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		if user, password, ok := basic.BasicAuth(); !ok || user != p.User || password != p.Password {
			return http.StatusProxyAuthRequired
		}
	}
	if r.Method != http.MethodConnect {
		return http.StatusMethodNotAllowed
	}
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		return http.StatusBadRequest
	}
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil:
		return http.StatusBadRequest
	case len(p.Allow) > 0 && !slices.Contains(p.Allow, uint16(number)):
		return http.StatusForbidden
	}
	return http.StatusOK
}

// open makes the tunnel.
func (p *ConnectProxy) open(v *visit, client io.Reader, address string, trouble Misbehaviour) {
	server, err := v.dial(cmp.Or(trouble.WrongHost, address), p.Connect)
	if err != nil {
		status := http.StatusBadGateway
		if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
			status = http.StatusGatewayTimeout
		}
		_ = refuse(v.client, status) // the connection ends either way
		return
	}
	if _, err := io.WriteString(v.client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	within(v.client, 0)
	v.carry(&readFrom{v.client, client}, server, terms{
		idle: p.Idle, lifetime: p.Lifetime, expiry: netem.EndsBoth, trouble: trouble,
	})
}

// refuse answers with a status and nothing else.
func refuse(c io.Writer, status int) error {
	extra := "Connection: close\r\n"
	if status == http.StatusProxyAuthRequired {
		extra = "Proxy-Authenticate: Basic realm=\"proxy\"\r\n"
	}
	_, err := fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\n\r\n", status, http.StatusText(status), extra)
	return err
}
