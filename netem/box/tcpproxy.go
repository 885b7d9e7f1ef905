// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"fairlead/netem"
)

// TCPProxy ends TCP and carries the bytes to a server, as HAProxy in mode tcp and nginx's stream.
type TCPProxy struct {
	// To are the servers, "host:port", in turn. One that cannot be reached is left out.
	To []string
	// ByName sends TLS clients that name one of these servers (SNI) there instead.
	ByName map[string]string
	// Idle ends a connection without bytes, and Tunnel takes its place once both ends have spoken; 0
	// is never. Connect bounds the way to a server (0: 60 s), Preread the wait for a client's first
	// bytes where ByName needs them (0: 30 s).
	Idle, Tunnel, Connect, Preread time.Duration
	// SendProxy is the version of the PROXY header that goes before each connection: 1, 2, or 0 for
	// none.
	SendProxy int
	Trouble
	turn rotation
}

// rotation hands servers out in turn.
type rotation struct{ next atomic.Uint64 }

// dial reaches the first server in turn that can be had.
func (r *rotation) dial(v *visit, to []string, limit time.Duration) (c net.Conn, err error) {
	err = errors.New("dial a server: there is none")
	first := r.next.Add(1) - 1
	for i := range uint64(len(to)) {
		if c, err = v.dial(to[(first+i)%uint64(len(to))], limit); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func (p *TCPProxy) serve(v *visit) {
	trouble := p.now()
	v.pause(trouble.Delay)
	to, client := p.To, v.client
	if len(p.ByName) > 0 {
		g, again, err := greet(v.client, p.Preread)
		if err != nil {
			return
		}
		client = again
		if named, is := p.ByName[g.name]; is {
			to = []string{named}
		}
	}
	if trouble.Status != 0 {
		return
	}
	if trouble.WrongHost != "" {
		to = []string{trouble.WrongHost}
	}
	server, err := p.turn.dial(v, to, p.Connect)
	if err != nil {
		return
	}
	if p.SendProxy != 0 && introduce(server, v.client, p.SendProxy) != nil {
		return
	}
	v.carry(client, server, terms{idle: p.Idle, tunnel: p.Tunnel, expiry: netem.EndsBoth, trouble: trouble})
}

// introduce puts the PROXY header before a connection to the server.
func introduce(server, client net.Conn, version int) error {
	from, isFrom := client.RemoteAddr().(*net.TCPAddr)
	to, isTo := client.LocalAddr().(*net.TCPAddr)
	header := netem.LocalProxyHeader(version)
	if isFrom && isTo {
		header = netem.ProxyHeader(version, from.AddrPort(), to.AddrPort())
	}
	_, err := server.Write(header)
	return err
}
