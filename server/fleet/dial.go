// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// dialling is the goroutine that keeps the line to one listening agent.
type dialling struct {
	address string
	pin     string
	cancel  context.CancelFunc
}

// dial starts and stops diallers so that each enabled listening machine has one.
func (f *Fleet) dial(ctx context.Context, group *sync.WaitGroup) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, d := range f.dialled {
		m, ok := f.known[id]
		if !ok || m.style != deploy.Listening || m.isDisabled || m.address != d.address || m.pin != d.pin {
			d.cancel()
			delete(f.dialled, id)
		}
	}
	var missing []deploy.MachineID
	for id, m := range f.known {
		if _, ok := f.dialled[id]; !ok && m.style == deploy.Listening && !m.isDisabled {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	for _, id := range missing {
		m := f.known[id]
		own, cancel := context.WithCancel(ctx)
		f.dialled[id] = &dialling{address: m.address, pin: m.pin, cancel: cancel}
		f.presenceLocked(id)
		group.Go(func() {
			defer cancel()
			f.keepLine(own, id, m)
		})
	}
}

// keepLine dials one listening agent again and again.
func (f *Fleet) keepLine(ctx context.Context, id deploy.MachineID, m member) {
	redial.Keep(ctx, redial.Terms{
		Net: f.Env.Net, Rand: f.Env.Rand("fleet.dial." + string(id)), Address: m.address,
		Dialler: func() (*trust.Dialler, error) { return f.dialler(m) },
		Serve: func(ctx context.Context, conn *tls.Conn, peer trust.Peer, ping time.Duration) error {
			return trust.Explain(f.serve(ctx, conn, peer, ping))
		},
		Ended: func(err error, wait time.Duration) {
			f.note(id, err)
			f.log.Debug(
				"listening agent is dialled again later",
				"machine",
				id,
				"wait_ms",
				wait.Milliseconds(),
				"err",
				err,
			)
		},
	})
}

func (f *Fleet) dialler(m member) (*trust.Dialler, error) {
	pin, err := trust.ParsePin(m.pin)
	if err != nil {
		return nil, err
	}
	return trust.NewDialler(trust.DialTerms{
		Identity: f.Server.Identity, Pins: []trust.Pin{pin}, Accept: f.Accept, Role: trust.RoleAgent,
		Protocol: trust.LinkProtocol, Wall: f.Env.Wall, KeyLog: f.Env.KeyLog,
	})
}
