// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"

	"fairlead/internal/errkind"
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
	})
	if err != nil {
		return nil, err
	}
	return port.New(port.Terms{
		Door: door, MaxStrangers: maxStrangers, MaxStrangersPerSource: maxStrangersPerSource, Log: d.log.With("part", "port"),
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
	if o.link, err = d.env.Net.Listen(ctx, "tcp", d.options.Settings.Link); err != nil {
		return o, listenError("link", d.options.Settings.Link, err)
	}
	if o.web, err = d.env.Net.Listen(ctx, "tcp", d.options.Settings.HTTP); err != nil {
		return o, listenError("http", d.options.Settings.HTTP, err)
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

// listenError says what keeps a port from being opened.
func listenError(key, address string, err error) error {
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // the address is said already
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errkind.Hinted(errkind.Conflict.Errorf("listen on %s: %w", address, err),
			"another program has this port (ss -ltnp shows it): stop it, or choose another one with --%s", key)
	case errors.Is(err, syscall.EACCES):
		return errkind.Hinted(errkind.Denied.Errorf("listen on %s: %w", address, err),
			"ports below 1024 need the right to bind them: choose a higher one with --%s", key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errkind.Hinted(errkind.Invalid.Errorf("listen on %s: %w", address, err),
			"this machine has no such address: 0.0.0.0 means all of its addresses")
	}
	return errkind.Invalid.Errorf("listen on %s: %w", address, err)
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
