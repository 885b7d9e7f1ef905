// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

const (
	// pingSeconds lie between two pings of an idle line: link.PingAfter less the servant's lead.
	pingSeconds = 24
	// pingTime is how long the floor's pings are watched.
	pingTime = 3 * time.Second
)

// memoryOfOne is one server with its connections.
type memoryOfOne struct {
	Natural  float64 `json:"natural_bytes"` // for each connection, right after the last came
	Settled  float64 `json:"settled_bytes"` // after the collector has run and memory was given back
	Anon     float64 `json:"settled_anon_bytes"`
	Heap     float64 `json:"heap_bytes"`
	Span     float64 `json:"heap_inuse_bytes"`
	Other    float64 `json:"runtime_bytes"`
	Stack    float64 `json:"stack_bytes"`
	Routines float64 `json:"goroutines"`
	// CPU of the server for each connection that came, with all that follows from it.
	AcceptCPU float64 `json:"accept_cpu_us"`
	Seconds   float64 `json:"connect_seconds"`
	// Minute is the CPU of a minute of pings, floor only.
	Minute float64 `json:"ping_minute_ms"`
}

// memory compares what an idle agent takes of the server with a bare connection.
func (b *bench) memory(ctx context.Context) error {
	empty, err := b.emptyServer(ctx)
	if err != nil {
		return err
	}
	var floors, candidates []memoryOfOne
	for round := range b.rounds {
		floor, err := b.bareMemory(ctx)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		candidate, err := b.serverMemory(ctx, round, empty)
		if err != nil {
			return err
		}
		floors, candidates = append(floors, floor), append(candidates, candidate)
		b.say(
			"memory %d/%d: floor %.0f B, server %.0f B for each agent",
			round+1,
			b.rounds,
			floor.Settled,
			candidate.Settled,
		)
	}
	b.pingMinute = median(column(floors, func(m memoryOfOne) float64 { return m.Minute }))
	b.report.Raw["memory"] = map[string]any{"floor": floors, "candidate": candidates, "empty_server": empty}
	both := func(of func(memoryOfOne) float64) pairs { return pairs{column(floors, of), column(candidates, of)} }
	b.report.judge(fmt.Sprintf("server RSS for one of %d idle agents, settled", b.agents), "<= 1.3x", "B",
		both(func(m memoryOfOne) float64 { return m.Settled }), func(ratio float64) bool { return ratio <= 1.3 })
	b.report.judge(
		"the same right after they came",
		"-",
		"B",
		both(func(m memoryOfOne) float64 { return m.Natural }),
		nil,
	)
	b.report.judge(
		"server CPU for one agent that comes",
		"-",
		"us",
		both(func(m memoryOfOne) float64 { return m.AcceptCPU }),
		nil,
	)
	b.report.judge(fmt.Sprintf("time until %d agents are there", b.agents), "-", "s",
		both(func(m memoryOfOne) float64 { return m.Seconds }), nil)
	return nil
}

// emptyServer is a server that knows no machine.
func (b *bench) emptyServer(ctx context.Context) (usage, error) {
	p, _, err := b.openServer(ctx, filepath.Join(b.work, "empty"), "127.0.0.1:0")
	if err != nil {
		return usage{}, err
	}
	defer p.kill()
	time.Sleep(time.Second)
	return ask[usage](p, "collect", nil)
}

func (b *bench) bareMemory(ctx context.Context) (m memoryOfOne, err error) {
	server, err := start(ctx, b.work, "bare-server")
	if err != nil {
		return m, err
	}
	defer server.kill()
	opened, err := ask[openedServer](server, "open", openBareServer{b.roster, b.agents, true})
	if err != nil {
		return m, err
	}
	before, err := ask[usage](server, "collect", nil)
	if err != nil {
		return m, err
	}
	callers, err := start(ctx, b.work, "bare-callers")
	if err != nil {
		return m, err
	}
	defer callers.kill()
	began := time.Now()
	err = callers.tell("open", openBareCallers{
		Link: opened.Link, Roster: b.roster, Pin: opened.Pin, Count: b.agents, AtOnce: connectAtOnce,
	})
	if err != nil {
		return m, err
	}
	if err := server.tell("await", b.agents); err != nil {
		return m, err
	}
	took := time.Since(began)
	return m, m.fill(server, before, b.agents, took, func() error { return m.ping(server, b.agents) })
}

// ping sends a round of pings at once, and then for some time as many as the line would.
func (m *memoryOfOne) ping(server *process, count int) error {
	if _, err := ask[pings](server, "ping", pace{count, 1}); err != nil {
		return err
	}
	calm, err := ask[pings](server, "ping", pace{max(1, count/pingSeconds), pingTime.Seconds()})
	if err != nil {
		return err
	}
	m.Minute = calm.CPU.Seconds() * 1e3 * float64(time.Minute) / float64(pingTime)
	return nil
}

func (b *bench) serverMemory(ctx context.Context, round int, empty usage) (m memoryOfOne, err error) {
	b.fleet.kill()
	b.fleet = nil
	began := time.Now()
	f, err := b.startFleet(ctx, fmt.Sprintf("memory-%d", round), openAgents{Count: b.agents, AtOnce: connectAtOnce})
	if err != nil {
		return m, err
	}
	b.fleet = f
	took := time.Since(began)
	time.Sleep(b.settle)
	return m, m.fill(f.server, empty, b.agents, took, func() error { return nil })
}

// fill reads the figures; exercise is what the connections do before memory settles.
func (m *memoryOfOne) fill(
	server *process,
	before usage,
	count int,
	took time.Duration,
	exercise func() error,
) error {
	n := float64(count)
	natural, err := ask[usage](server, "usage", nil)
	if err != nil {
		return err
	}
	if err := exercise(); err != nil {
		return err
	}
	settled, err := ask[usage](server, "collect", nil)
	if err != nil {
		return err
	}
	m.Natural = float64(natural.RSSBytes-before.RSSBytes) / n
	m.Settled = float64(settled.RSSBytes-before.RSSBytes) / n
	m.Anon = float64(settled.AnonBytes-before.AnonBytes) / n
	m.Span = (float64(settled.SpanBytes) - float64(before.SpanBytes)) / n
	m.Other = (float64(settled.OtherBytes) - float64(before.OtherBytes)) / n
	m.Heap = (float64(settled.HeapBytes) - float64(before.HeapBytes)) / n
	m.Stack = (float64(settled.StackBytes) - float64(before.StackBytes)) / n
	m.Routines = float64(settled.Goroutines-before.Goroutines) / n
	m.AcceptCPU = float64((natural.CPU - before.CPU).Microseconds()) / n
	m.Seconds = took.Seconds()
	return nil
}
