// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// Limits of strangers at the agents' port. Source: security.md 1.4.
const (
	maxStrangers          = 512
	maxStrangersPerSource = 32
)

// newLine makes the agents' port: the line, joining, and the portal for whoever brings a browser.
func (d *Daemon) newLine() (*port.Port, error) {
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{d.identity} },
		Links:      d.fleet.Accept, LinkRole: trust.RoleAgent, Applicants: true, Portal: true, Wall: d.env.Wall,
		KeyLog: d.env.KeyLog,
	})
	if err != nil {
		return nil, err
	}
	balancers, err := d.options.Settings.balancers()
	if err != nil {
		return nil, err
	}
	return port.New(port.Terms{
		Door: door, MaxStrangers: maxStrangers, MaxStrangersPerSource: maxStrangersPerSource, Balancers: balancers,
		Log: d.log.With("part", "port"),
		Handlers: map[string]port.Handler{
			trust.LinkProtocol: d.fleet.Serve,
			trust.JoinProtocol: d.fleet.Join,
			trust.PortalProtocol: func(ctx context.Context, conn *tls.Conn, _ trust.Peer) {
				d.toPortal.give(ctx, conn)
			},
		},
	}), nil
}

// opened are the listeners of a running server.
type opened struct {
	link, web, admin net.Listener // admin may be nil
}

// listen opens all ports or none.
func (d *Daemon) listen(ctx context.Context) (o opened, err error) {
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if o.link, err = port.Listen(ctx, d.env.Net, d.options.Settings.Link, "--link"); err != nil {
		return o, err
	}
	if o.web, err = port.Listen(ctx, d.env.Net, d.options.Settings.HTTP, "--http"); err != nil {
		return o, err
	}
	if !d.options.NoAdminSocket {
		if o.admin, err = listenAdmin(d.options.Home.admin()); err != nil {
			return o, err
		}
	}
	d.mu.Lock()
	d.bound = Bound{HTTP: o.web.Addr().String(), Link: o.link.Addr().String()}
	d.mu.Unlock()
	close(d.boundSet)
	d.log.Info("server is up", "http", d.bound.HTTP, "link", d.bound.Link, "version", d.options.Version,
		"home", string(d.options.Home), "pin", d.identity.Pin.Short())
	return o, nil
}

func (o opened) close() {
	for _, l := range []net.Listener{o.link, o.web, o.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// handedOver is a listener whose connections were accepted, and proved, by somebody else.
type handedOver struct {
	conns chan net.Conn // capacity 0: who gives waits for who takes
	once  sync.Once
	done  chan struct{}
}

func newHandedOver() *handedOver {
	return &handedOver{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (h *handedOver) give(ctx context.Context, conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-ctx.Done():
		_ = conn.Close()
	case <-h.done:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements net.Listener.
func (h *handedOver) Addr() net.Addr { return handedAddr{} }

type handedAddr struct{}

func (handedAddr) Network() string { return "tcp" }
func (handedAddr) String() string  { return "link" }
