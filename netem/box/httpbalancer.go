// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"fairlead/netem"
)

// HTTPBalancer is an application balancer: it ends TLS with a certificate of its own, reads HTTP/1.1
// requests and forwards them by plain HTTP. What is no HTTP gets 400. A client's certificate is not
// asked for, and no later hop can know it.
type HTTPBalancer struct {
	// Authority issues the certificate for Name. Without it the balancer speaks plain HTTP.
	Authority *Authority
	Name      string
	// To are the servers, "host:port", in turn.
	To []string
	// Idle ends a connection on which no byte moved, in the middle of a request too; 0 is never. Connect
	// bounds the way to a server, 0: 60 s.
	Idle, Connect time.Duration
	Trouble
	turn rotation
}

// exchange is one client's requests.
type exchange struct {
	p      *HTTPBalancer
	v      *visit
	watch  *watch
	client net.Conn
	scheme string
	heads  *io.LimitedReader
	in     *bufio.Reader
	// The server, once there was a request.
	server  net.Conn
	answers *bufio.Reader
}

func (p *HTTPBalancer) serve(v *visit) {
	w := newWatch(cmp.Or(p.now().Idle, p.Idle), 0, func() { v.expire(netem.EndsBoth) })
	defer w.stop()
	e := &exchange{p: p, v: v, watch: w, client: &watched{v.client, w, fromClient}, scheme: "http"}
	if p.Authority != nil {
		certificate, err := p.Authority.Certificate(p.Name)
		if err != nil {
			return
		}
		t, err := endTLS(e.client, serverTerms(certificate))
		if err != nil {
			return
		}
		defer func() { _ = t.Close() }() // with a close_notify; the connection ends anyway
		e.client, e.scheme = t, "https"
	}
	e.heads = &io.LimitedReader{R: e.client}
	e.in = bufio.NewReader(e.heads)
	for e.one() {
	}
}

// one forwards a request and its answer, and reports whether there may be another.
func (e *exchange) one() bool {
	e.heads.N = headBytes
	request, err := http.ReadRequest(e.in)
	switch {
	case errors.Is(err, io.EOF):
		return false
	case err != nil:
		_ = refuse(e.client, http.StatusBadRequest) // it ends either way
		return false
	}
	e.heads.N = math.MaxInt64
	trouble := e.p.now()
	e.v.pause(trouble.Delay)
	if trouble.Status != 0 {
		_ = refuse(e.client, trouble.Status)
		return false
	}
	if status := e.reach(trouble); status != 0 {
		_ = refuse(e.client, status)
		return false
	}
	return e.forward(request)
}

// reach connects to a server unless that was done. The result is the status of a failure.
func (e *exchange) reach(trouble Misbehaviour) int {
	if e.server != nil {
		return 0
	}
	to := e.p.To
	if trouble.WrongHost != "" {
		to = []string{trouble.WrongHost}
	}
	if len(to) == 0 {
		return http.StatusServiceUnavailable
	}
	server, err := e.p.turn.dial(e.v, to, e.p.Connect)
	if err != nil {
		return http.StatusBadGateway
	}
	e.server = &watched{server, e.watch, fromServer}
	e.answers = bufio.NewReader(e.server)
	return 0
}

func (e *exchange) forward(request *http.Request) bool {
	if from, _, err := net.SplitHostPort(e.v.client.RemoteAddr().String()); err == nil {
		request.Header.Add("X-Forwarded-For", from)
	}
	request.Header.Set("X-Forwarded-Proto", e.scheme)
	if request.Header.Get("Expect") != "" {
		request.Header.Del("Expect")
		if _, err := io.WriteString(e.client, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	var sending sync.WaitGroup
	var sent error
	sending.Go(func() { sent = request.Write(e.server) })
	answer, err := http.ReadResponse(e.answers, request)
	if err != nil {
		_ = refuse(e.client, http.StatusBadGateway)
		e.v.expire(netem.EndsBoth) // or the request would go on
		sending.Wait()
		return false
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		sending.Wait()
		return e.upgrade(answer)
	}
	err = answer.Write(e.client)
	_ = answer.Body.Close()
	if err != nil || answer.Close || request.Close {
		e.v.expire(netem.EndsBoth)
		sending.Wait()
		return false
	}
	sending.Wait()
	return sent == nil
}

// upgrade carries the bytes of what is no HTTP any more.
func (e *exchange) upgrade(answer *http.Response) bool {
	// The body is the connection itself here: only the head is to be written.
	answer.Body = http.NoBody
	if answer.Write(e.client) == nil {
		(&tunnel{
			client: &readFrom{e.client, e.in}, server: &readFrom{e.server, e.answers}, watch: e.watch,
		}).run()
	}
	return false
}
