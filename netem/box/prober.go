// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"time"

	"fairlead/netem"
)

// The defaults of a health check are those of AWS's network balancer.
const (
	defaultCheckEvery   = 30 * time.Second
	defaultCheckTimeout = 10 * time.Second
	defaultCheckTimes   = 3
)

// Prober checks the backends of a netem.Balancer, each by a connection that is made and closed, and
// tells the balancer what it found. Backends are healthy to begin with.
type Prober struct {
	World    *netem.World
	Balancer *netem.Balancer
	// Port is what is dialled on each backend.
	Port uint16
	// Check is how; zero fields are 30 s, 10 s, and three times. The first probes are spread over the
	// time between two.
	Check netem.HealthCheck
	// SendProxy is the version of the PROXY header that each probe sends, 1 or 2; 0 is none.
	SendProxy int
}

// Probing is a Prober at work.
type Probing struct {
	p      Prober
	on     Network
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup
}

// Start begins to probe from a host, which stands for the balancer's own addresses in the backends'
// segment. Close ends it, and so does the end of ctx.
func (p Prober) Start(ctx context.Context, on Network) *Probing {
	p.Check.Every = cmp.Or(p.Check.Every, defaultCheckEvery)
	p.Check.Timeout = cmp.Or(p.Check.Timeout, defaultCheckTimeout)
	p.Check.Up = cmp.Or(p.Check.Up, defaultCheckTimes)
	p.Check.Down = cmp.Or(p.Check.Down, defaultCheckTimes)
	w := &Probing{p: p, on: on}
	w.ctx, w.cancel = context.WithCancel(ctx)
	backends := p.Balancer.Backends()
	for i, backend := range backends {
		first := p.Check.Every * time.Duration(i) / time.Duration(len(backends))
		w.owned.Go(func() { w.check(backend, first) })
	}
	return w
}

// Close ends the probing and waits for it. A second call does nothing.
func (w *Probing) Close() error {
	w.cancel()
	w.owned.Wait()
	return nil
}

// check probes one backend until the end.
func (w *Probing) check(backend netip.Addr, first time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	healthy, against := true, 0
	for {
		select {
		case <-timer.C:
		case <-w.ctx.Done():
			return
		}
		timer.Reset(w.p.Check.Every)
		found := w.probe(backend)
		if w.ctx.Err() != nil {
			return
		}
		if found == healthy {
			against = 0
			continue
		}
		against++
		if needed := w.needed(found); against < needed {
			continue
		}
		healthy, against = found, 0
		w.p.World.Do(func() { w.p.Balancer.SetHealthy(backend, found) })
	}
}

// needed is how many probes in a row make a backend healthy, or not.
func (w *Probing) needed(healthy bool) int {
	if healthy {
		return w.p.Check.Up
	}
	return w.p.Check.Down
}

// probe reports whether a connection can be made.
func (w *Probing) probe(backend netip.Addr) bool {
	ctx, cancel := context.WithTimeout(w.ctx, w.p.Check.Timeout)
	defer cancel()
	c, err := w.on.DialContext(ctx, "tcp", netip.AddrPortFrom(backend, w.p.Port).String())
	if err != nil {
		return false
	}
	if w.p.SendProxy != 0 {
		_ = c.SetWriteDeadline(time.Now().Add(w.p.Check.Timeout))
		_, err = c.Write(netem.LocalProxyHeader(w.p.SendProxy))
	}
	return c.Close() == nil && err == nil
}
