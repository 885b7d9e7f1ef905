// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// poll leads the one outbound line to the server, again and again.
func (d *Daemon) poll(ctx context.Context) error {
	log := d.env.Log.With("server", d.settings.Server)
	if d.settings.Proxy != "" {
		log = log.With("proxy", d.settings.Proxy)
	}
	redial.Keep(ctx, redial.Terms{
		Net: d.settings.way(d.env.Net, d.home), Rand: d.env.Rand("line.backoff"), Address: d.settings.Server,
		Dialler: func() (*trust.Dialler, error) {
			return trust.NewDialler(trust.DialTerms{
				Identity: d.identity, Pins: d.pins(), Accept: d.accept, Role: trust.RoleServer,
				Protocol: trust.LinkProtocol, Wall: d.env.Wall, KeyLog: d.env.KeyLog,
			})
		},
		Serve: d.serve,
		Ended: func(err error, wait time.Duration) {
			d.state.trouble(err, wait)
			log.Warn("line is down", diagnosis.Attr(err), "err", err, "hint", errkind.Hint(err),
				"retry_in_ms", wait.Milliseconds())
		},
	})
	return nil
}
