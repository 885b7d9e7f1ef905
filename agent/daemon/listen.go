// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/link"
	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// Limits of strangers at a listening agent. Source: security.md 1.4.
const (
	maxStrangers          = 32
	maxStrangersPerSource = 8
)

// listen waits for the server to dial.
func (d *Daemon) listen(ctx context.Context) error {
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{d.identity} },
		Links:      d.accept, LinkRole: trust.RoleServer, Wall: d.env.Wall,
	})
	if err != nil {
		return err
	}
	listener, err := d.env.Net.Listen(ctx, "tcp", d.settings.Listen)
	if err != nil {
		return listenError(d.settings.Listen, err)
	}
	d.env.Log.Info("listening for the server", "address", listener.Addr().String(), "pin", d.identity.Pin.Short())
	d.state.listening(listener.Addr().String())
	return port.New(port.Terms{
		Door: door, MaxStrangers: maxStrangers, MaxStrangersPerSource: maxStrangersPerSource, Log: d.env.Log,
		Handlers: map[string]port.Handler{
			trust.LinkProtocol: func(ctx context.Context, conn *tls.Conn, peer trust.Peer) {
				err := d.serve(ctx, conn, peer, link.PingAfter)
				d.env.Log.Info("line ended", "remote", conn.RemoteAddr().String(), "err", err)
			},
		},
	}).Serve(ctx, listener)
}

// listenError says what keeps a port from being opened.
func listenError(address string, err error) error {
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // the address is said already
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errkind.Hinted(errkind.Conflict.Errorf("listen on %s: %w", address, err),
			"another program has this port: stop it (ss -ltnp shows it) or choose another port")
	case errors.Is(err, syscall.EACCES):
		return errkind.Hinted(errkind.Denied.Errorf("listen on %s: %w", address, err),
			"ports below 1024 need the right to bind them: choose a higher one")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errkind.Hinted(errkind.Invalid.Errorf("listen on %s: %w", address, err),
			"this machine has no such address: 0.0.0.0 means all of its addresses")
	}
	return errkind.Invalid.Errorf("listen on %s: %w", address, err)
}
