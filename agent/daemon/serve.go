// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
	"fairlead/internal/trust"
)

// serve answers the server over one session, whoever dialled.
func (d *Daemon) serve(ctx context.Context, conn *tls.Conn, peer trust.Peer, ping time.Duration) error {
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		_ = conn.Close()
		return err
	}
	if warning := peer.Warning(); warning != "" {
		d.env.Log.Warn("server's certificate", "pin", peer.Pin().Short(), "warning", warning)
	}
	ctx, over := d.untilStorageFails(ctx)
	defer over()
	remote := conn.RemoteAddr().String()
	session := link.NewSession(conn, link.Options{
		Role: link.Servant, Keeper: d.keeper,
		Settings: link.Settings{
			Binding: binding, PingAfter: ping,
			Phase: time.Duration(d.env.Rand("line.ping").Int64N(int64(ping / 2))),
		},
		Serve: func(ctx context.Context, stream contract.Stream) {
			d.state.connected(remote)
			if err := d.mux.Serve(ctx, stream); err != nil && ctx.Err() == nil {
				d.env.Log.Debug("call ended", "kind", errkind.Of(err).String(), "err", err)
			}
		},
	})
	err = refused(session.Run(ctx))
	closed, is := errors.AsType[*link.CloseError](err)
	if is && closed.ByPeer && closed.Goodbye.Code == link.GoodbyeRevoked {
		err = sentAway(err, closed.Goodbye.Code, d.settings.Name)
	}
	d.state.disconnected(remote, err)
	return err
}

// untilStorageFails is a context that ends when the disk fails, so that the line comes back and the
// server hears of it in the next hello. It goes on when the disk has failed already.
func (d *Daemon) untilStorageFails(ctx context.Context) (_ context.Context, over func()) {
	if d.disk.Err() != nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-d.disk.Failed():
			d.env.Log.Error("storage failed: nothing is started any more", "err", d.disk.Err())
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watch.Wait()
	}
}

// refused looks for the alert by which a server turns this agent away: in TLS 1.3 it comes behind
// the handshake, as the first thing that a session reads.
func refused(err error) error {
	closed, is := errors.AsType[*link.CloseError](err)
	if !is || closed.Reason != link.ReasonLost {
		return err
	}
	if said := trust.Explain(closed.Err); errkind.Of(said) == errkind.Untrusted {
		return said
	}
	return err
}

// hello answers the server's first call.
func (d *Daemon) hello(ctx context.Context, args contract.HelloArgs) (contract.Facts, error) {
	if args.Machine != "" { // a server that only asks whether we are alive says no name
		d.env.Log.Info("line is up", "machine", args.Machine, "server_id", args.ServerID, "server_version", args.Version)
	}
	d.state.greeted(args)
	facts := d.facts
	facts.StorageFailed = d.storageFailed()
	var err error
	facts.Journal, err = d.scripts.Position(ctx)
	return facts, err
}
