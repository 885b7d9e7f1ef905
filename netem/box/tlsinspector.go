// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"crypto/tls"
	"net"
	"time"

	"fairlead/netem"
)

// TLSInspector reads along: it takes TLS connections that a netem.Intercept leads to it, shows the
// client a certificate for the name it asked for that a company's Authority has just issued, and
// speaks TLS with the server in its stead, without the client's certificate. Other connections pass.
type TLSInspector struct {
	Authority *Authority
	// To is where connections go that were not intercepted, "host:port"; "" closes them.
	To string
	// Idle ends a connection without bytes, 0 is never. Connect bounds the way to the server, 0: 60 s.
	Idle, Connect time.Duration
	Trouble
}

func (p *TLSInspector) serve(v *visit) {
	address, name := p.To, ""
	if dst, is := meant(v.client); is {
		address, name = dst.String(), dst.Addr().String()
	}
	g, client, err := greet(v.client, 0)
	if err != nil || address == "" {
		return
	}
	trouble := p.now()
	v.pause(trouble.Delay)
	if trouble.WrongHost != "" {
		address = trouble.WrongHost
	}
	server, err := v.dial(address, p.Connect)
	if err != nil {
		return
	}
	if g.tls {
		if g.name != "" {
			name = g.name
		}
		if client, server, err = p.split(client, server, name, g); err != nil {
			return
		}
	}
	v.carry(client, server, terms{idle: p.Idle, expiry: netem.EndsBoth, trouble: trouble})
}

// split makes two TLS connections of one, the server's first: the client gets the protocol that the
// server chose.
func (p *TLSInspector) split(client, server net.Conn, name string, g greeting) (c, s net.Conn, err error) {
	certificate, err := p.Authority.Certificate(name)
	if err != nil {
		return nil, nil, err
	}
	outward := tls.Client(server, &tls.Config{
		ServerName: g.name, NextProtos: g.alpn, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
	})
	within(server, greetingWait)
	if err := outward.Handshake(); err != nil {
		return nil, nil, err
	}
	within(server, 0)
	var chosen []string
	if protocol := outward.ConnectionState().NegotiatedProtocol; protocol != "" {
		chosen = []string{protocol}
	}
	inward, err := endTLS(client, serverTerms(certificate, chosen...))
	return inward, outward, err
}
