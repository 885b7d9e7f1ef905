// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"time"

	"fairlead/netem"
)

// TLSListener ends TLS with a certificate of its own and carries the plain bytes to a server, as AWS's
// network balancer with a TLS listener. The client's certificate is not asked for.
type TLSListener struct {
	// Authority issues the certificate for Name.
	Authority *Authority
	Name      string
	// To, Idle, Connect and SendProxy are as TCPProxy's.
	To            []string
	Idle, Connect time.Duration
	SendProxy     int
	// Expiry is what happens to a connection that was quiet for too long: EndsBoth, ResetsBoth, or that
	// it is forgotten, and the next packet answered with RST.
	Expiry netem.Expiry
	Trouble
	turn rotation
}

func (p *TLSListener) serve(v *visit) {
	certificate, err := p.Authority.Certificate(p.Name)
	if err != nil {
		return
	}
	client, err := endTLS(v.client, serverTerms(certificate))
	if err != nil {
		return
	}
	trouble := p.now()
	v.pause(trouble.Delay)
	server, err := p.turn.dial(v, p.To, p.Connect)
	if err != nil || trouble.Status != 0 {
		return
	}
	if p.SendProxy != 0 && introduce(server, v.client, p.SendProxy) != nil {
		return
	}
	v.carry(client, server, terms{idle: p.Idle, expiry: p.Expiry, trouble: trouble})
}
