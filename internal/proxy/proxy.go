// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package proxy opens connections through the outbound proxy of a site: HTTP CONNECT and SOCKS5.
//
// It does not read the environment for proxies and knows no exceptions by name: what a program
// dials through a Network goes through the proxy.
//
//  1. Names are resolved by the proxy; this side resolves that of the proxy only.
//  2. A secret is in no address, error or log line; Credentials print as a mask.
//  3. An answer has a limit in bytes and in time, and nothing that was read behind it is lost.
//  4. An error says which proxy, what was asked, what it answered, and has a cause.
//
// A Network is safe for concurrent use; all other values are immutable.
//
// proxy.go is addresses and the way through, connect.go HTTP CONNECT, socks.go SOCKS5,
// credentials.go what a proxy asks for.
package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// AnswerLimit bounds the conversation with the proxy when the dial has no earlier limit: 15 s.
const AnswerLimit = 15 * time.Second

// maxURLBytes bounds the text of an address.
const maxURLBytes = 300

// The schemes of addresses.
const (
	schemeHTTP  = "http"
	schemeSOCKS = "socks5"
)

// Proxy is the address of a proxy: what it speaks, and host:port. The zero Proxy is none.
type Proxy struct{ scheme, address string }

// Parse reads "http://proxy:3128" or "socks5://proxy:1080". An address that holds a secret is
// refused without being repeated. Errors: Invalid with a hint.
func Parse(text string) (Proxy, error) {
	u, err := url.Parse(text)
	if len(text) > maxURLBytes || err != nil { // the error of net/url quotes the text
		return Proxy{}, malformed("is no URL")
	}
	port, portErr := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.User != nil:
		return Proxy{}, errkind.Hinted(errkind.Invalid.Errorf("proxy address holds a user or a password"),
			"addresses show in process lists, settings and logs: leave it out, and give user:password in the environment "+
				"as FAIRLEAD_PROXY_CREDENTIALS when joining, or in a file (mode 0600) that proxy_credentials names")
	case u.Scheme == "https":
		return Proxy{}, malformed("begins with https://: a proxy that is itself reached over TLS is not supported")
	case u.Scheme != schemeHTTP && u.Scheme != schemeSOCKS:
		return Proxy{}, malformed("begins neither with http:// nor with socks5://")
	case u.Hostname() == "" || portErr != nil || port == 0:
		return Proxy{}, malformed("has no host, or no port from 1 to 65535")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return Proxy{}, malformed("has more than a scheme, a host and a port")
	}
	return Proxy{u.Scheme, net.JoinHostPort(u.Hostname(), u.Port())}, nil
}

func malformed(what string) error {
	return errkind.Hinted(errkind.Invalid.Errorf("proxy address %s", what),
		"write http://host:port for a proxy that does CONNECT, or socks5://host:port")
}

// String is the address as Parse reads it, without secrets; "" for none.
func (p Proxy) String() string {
	if p == (Proxy{}) {
		return ""
	}
	return p.scheme + "://" + p.address
}

// Address is host:port.
func (p Proxy) Address() string { return p.address }

// Network is a network whose connections are opened through a proxy.
type Network struct {
	host.Network
	proxy       Proxy
	credentials func() (Credentials, error)
}

// Through returns the network that lies behind a proxy. Credentials are asked for at each dial, so
// that a file which changes counts at once.
func Through(network host.Network, p Proxy, credentials func() (Credentials, error)) *Network {
	return &Network{network, p, credentials}
}

// Proxy is the proxy in the way.
func (n *Network) Proxy() Proxy { return n.proxy }

// DialContext opens a connection to address, host:port, through the proxy. Errors: Unavailable,
// Denied, Corrupt, Timeout with a cause; those of the credentials; the end of ctx.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	credentials, err := n.credentials()
	if err != nil {
		return nil, err
	}
	conn, err := n.Reach(ctx, network)
	if err != nil {
		return nil, err
	}
	tunnel, err := n.open(ctx, conn, address, credentials)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return tunnel, nil
}

// Reach opens a connection to the proxy itself. Errors: Unavailable with a cause.
func (n *Network) Reach(ctx context.Context, network string) (net.Conn, error) {
	conn, err := n.Network.DialContext(ctx, network, n.proxy.address)
	if err == nil {
		return conn, nil
	}
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // the address is said already
	}
	return nil, diagnosis.Name(errkind.Unavailable.Errorf("reach proxy %s: %w", n.proxy, err), diagnosis.OfDial(err))
}

// open talks to the proxy until the way is open. The caller closes conn on error.
func (n *Network) open(ctx context.Context, conn net.Conn, address string, c Credentials) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	ask := exchange{conn: conn, proxy: n.proxy, address: address, credentials: c}
	var tunnel net.Conn
	var err error
	if n.proxy.scheme == schemeSOCKS {
		tunnel, err = conn, ask.socks()
	} else {
		tunnel, err = ask.connect()
	}
	if !stop() { // a deadline in the past is set, or about to be
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, errkind.Canceled.Errorf("ask proxy %s for %s: %w", n.proxy, address, ctx.Err())
		}
		return nil, ask.silent(ctx.Err())
	}
	return tunnel, err
}

// exchange is one conversation with a proxy.
type exchange struct {
	conn        net.Conn
	proxy       Proxy
	address     string // where to
	credentials Credentials
}

// refused is an answer that says no.
func (e exchange) refused(kind errkind.Kind, cause diagnosis.Cause, format string, args ...any) error {
	args = append([]any{e.proxy, e.address}, args...)
	return diagnosis.Name(kind.Errorf("proxy %s, asked for %s, "+format, args...), cause)
}

func (e exchange) silent(err error) error {
	return e.refused(errkind.Timeout, diagnosis.ProxyUpstream, "gave no answer in time: %w", err)
}

// ended explains a connection that ended before the answer was there.
func (e exchange) ended(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return e.silent(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return e.refused(errkind.Unavailable, diagnosis.ProxyClosed, "closed the connection in the middle of its answer")
	}
	return e.refused(errkind.Unavailable, diagnosis.ProxyClosed, "closed the connection without an answer: %w", err)
}

// tunnel is a connection of which some bytes were read before it was given out.
type tunnel struct {
	net.Conn
	behind []byte
}

// Read gives what was read before, then what comes.
func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.behind) == 0 {
		return t.Conn.Read(p)
	}
	n := copy(p, t.behind)
	t.behind = t.behind[n:]
	return n, nil
}

// NetConn returns the connection below, as tls.Conn does.
func (t *tunnel) NetConn() net.Conn { return t.Conn }

// splitTarget takes an address apart for SOCKS5.
func splitTarget(address string) (name string, ip netip.Addr, port uint16, err error) {
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", ip, 0, errkind.Invalid.Errorf("address %.80q: %w", address, err)
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil || name == "" || len(name) > maxFieldBytes {
		return "", ip, 0, errkind.Invalid.Errorf("address %.80q: want a host of 1 to %d bytes and a port",
			address, maxFieldBytes)
	}
	ip, _ = netip.ParseAddr(name)
	return name, ip, uint16(number), nil
}
