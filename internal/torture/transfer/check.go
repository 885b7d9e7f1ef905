// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"fairlead/internal/contract"
)

const (
	chunkBytes = contract.ChunkBytes
	// overheadPercent is what TLS, frames and calls may add to content, and overheadBytes what each
	// connection and each round may: handshakes, hello, health, the log.
	overheadPercent = 2
	overheadBytes   = 128 << 10
	// deltaPercent is how long a delta may be, of its package: a few thousand bytes were changed.
	deltaPercent = 2
)

func (c counts) plus(o counts) counts {
	c.toAgent += o.toAgent
	c.refused += o.refused
	c.accepted += o.accepted
	c.damaged += o.damaged
	for i := range c.acts {
		c.acts[i] += o.acts[i]
	}
	return c
}

func (c counts) minus(o counts) counts {
	c.toAgent -= o.toAgent
	c.refused -= o.refused
	c.accepted -= o.accepted
	c.damaged -= o.damaged
	for i := range c.acts {
		c.acts[i] -= o.acts[i]
	}
	return c
}

// disturbed is how often something happened.
func (c counts) disturbed() (n int) {
	for _, acts := range c.acts {
		n += acts
	}
	return n
}

// round is one package brought to all agents.
type round struct {
	load   load
	agents int
	counts counts
	wrong  []string // agents that hold something else
}

// needed is how many bytes would do without disturbances.
func (r round) needed() int64 {
	n := r.load.size * int64(r.agents)
	if r.load.delta {
		n = n * deltaPercent / 100
	}
	return n + n*overheadPercent/100 + int64(r.agents+r.counts.disturbed())*overheadBytes
}

// again is how many chunks were sent again, at least.
func (r round) again() float64 { return max(0, float64(r.counts.toAgent-r.needed())/chunkBytes) }

// allowed is how many may be: one for each disturbance, and one for each beginning that was damaged.
func (r round) allowed() int { return r.counts.disturbed() + r.counts.damaged }

func (r round) breaches() (all []string) {
	name := r.load.id + " " + r.load.version
	if again := r.again(); again > float64(r.allowed()) {
		all = append(all, fmt.Sprintf("%s: %.1f chunks were sent again after %d disturbances", name, again, r.allowed()))
	}
	for _, wrong := range r.wrong {
		all = append(all, name+": "+wrong)
	}
	return all
}

// report is what a run found.
type report struct {
	rounds  []round
	arrived int64
	took    time.Duration
}

func (r *report) add(one round) {
	r.rounds = append(r.rounds, one)
	r.arrived += one.load.size * int64(one.agents)
}

func (r *report) total() (sum counts) {
	for _, one := range r.rounds {
		sum = sum.plus(one.counts)
	}
	return sum
}

func (r *report) breaches() (all []string) {
	for _, one := range r.rounds {
		all = append(all, one.breaches()...)
	}
	sum := r.total()
	if sum.accepted > 0 {
		all = append(all, fmt.Sprintf("%d connections went on after a bit had changed", sum.accepted))
	}
	if sum.disturbed() == 0 {
		all = append(all, "nothing was disturbed: the run proves nothing")
	}
	return all
}

func (r *report) print(w io.Writer) {
	var full, delta, again float64
	allowed := 0
	for _, one := range r.rounds {
		if again += one.again(); one.load.delta {
			delta += float64(one.counts.toAgent)
		} else {
			full += float64(one.counts.toAgent)
		}
		allowed += one.allowed()
	}
	sum := r.total()
	const mebi = 1 << 20
	fmt.Fprintf(w, "arrived, content equal       %d MiB in %.0f s\n", r.arrived/mebi, r.took.Seconds())
	fmt.Fprintf(w, "on the wire                  %.1f MiB first versions, %.2f MiB second versions\n",
		full/mebi, delta/mebi)
	fmt.Fprintf(w, "cuts, kills of an agent      %d, %d\n", sum.acts[cut], sum.acts[kill])
	fmt.Fprintf(w, "changed bits, refused        %d, %d\n", sum.acts[flip], sum.refused)
	fmt.Fprintf(w, "damaged beginnings on disk   %d\n", sum.damaged)
	fmt.Fprintf(w, "chunks sent again            %.1f of %d allowed\n", again, allowed)
	for _, breach := range r.breaches() {
		fmt.Fprintln(w, "BREACH:", breach)
	}
}
