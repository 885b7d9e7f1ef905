// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// maxProbe bounds one try to connect.
const maxProbe = time.Second

// defaultProbes is how many probes in a row change a verdict.
const defaultProbes = 2

// health is what probes found of one backend.
type health struct {
	down bool
	run  int // of results against the verdict
}

// take notes a result and reports whether the verdict changed.
func (h *health) take(ok bool, up, down int) bool {
	if ok != h.down {
		h.run = 0
		return false
	}
	h.run++
	needed := down
	if h.down {
		needed = up
	}
	if h.run < needed {
		return false
	}
	h.down, h.run = !h.down, 0
	return true
}

// probe starts a prober for each balancer that checks its backends.
func (n *Network) probe(ctx context.Context) {
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, e := range n.drawing.edges {
		for _, r := range e.routers {
			if r.box.Balancer != nil && r.box.Balancer.Check > 0 {
				n.probes.Go(func() { n.watch(ctx, r.name, r.box.Balancer) })
			}
		}
	}
}

// watch connects to each backend of a balancer again and again, and keeps new connections away from
// those that do not answer. Connections that exist go on.
func (n *Network) watch(ctx context.Context, router string, v *Balancer) {
	states := make([]health, len(v.Backends))
	ticker := time.NewTicker(v.Check)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		changed := false
		var living []netip.Addr
		for i, backend := range v.Backends {
			ok := n.answers(ctx, router, backend, v)
			if ctx.Err() != nil {
				return
			}
			changed = states[i].take(ok, orProbes(v.Up), orProbes(v.Down)) || changed
			if !states[i].down {
				living = append(living, backend)
			}
		}
		if !changed {
			continue
		}
		if err := rules(ctx, "balance "+router, n.space(router), v.rebalance(living)); err != nil && ctx.Err() == nil {
			n.fail(err)
		}
	}
}

// fail keeps an error for Close to tell.
func (n *Network) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.broken = errors.Join(n.broken, err)
}

func orProbes(n int) int {
	if n > 0 {
		return n
	}
	return defaultProbes
}

func (n *Network) answers(ctx context.Context, router string, backend netip.Addr, v *Balancer) bool {
	ctx, cancel := context.WithTimeout(ctx, min(maxProbe, v.Check))
	defer cancel()
	conn, err := dial(ctx, n.space(router), net.JoinHostPort(backend.String(), strconv.Itoa(int(v.CheckPort))))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
