// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"

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
		Links:      d.accept, LinkRole: trust.RoleServer, Wall: d.env.Wall, KeyLog: d.env.KeyLog,
	})
	if err != nil {
		return err
	}
	listener, err := port.Listen(ctx, d.env.Net, d.settings.Listen, "--listen")
	if err != nil {
		return err
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
