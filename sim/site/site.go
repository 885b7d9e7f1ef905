// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fairlead/netem"
	"fairlead/sim"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// epoch is the wall clock when agents joined; runs begin runsAfter later.
func epoch() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

const (
	runsAfter   = time.Hour
	version     = "1.0.0-sim"
	webPort     = 8065
	agentPort   = 10933
	environment = "Production"
	tag         = "web"
)

// keepAlive is what the programs ask of their kernels; see internal/host.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 45 * time.Second, Interval: 15 * time.Second, Count: 4}
}

// site is one run in the making.
type site struct {
	plan   plan.Plan
	o      Options
	dir    string
	world  *netem.World
	book   *history.Book
	log    *logbook
	ctx    context.Context // ends with the run
	cancel context.CancelFunc
	owned  sync.WaitGroup
	base   time.Duration // when the safety phase began

	nets     map[string]*netem.Net
	edges    map[string]*netem.Edge
	boxes    map[string]netem.Box
	hosts    map[string]*netem.Host
	next     map[string]int // addresses given away, by segment
	programs []program
	running  []func() error // ends what the programs and probers run
	servers  []*server
	agents   []*agent
	byName   map[string]*agent
	copies   []*agent // of machines that a fault clones, by the name of the original; off until then
	desk     *desk

	mu     sync.Mutex
	active int            // index of the server that runs
	peaks  map[string]int // of watch alone until it has ended
	heals  []*healing
	broken []string // what went wrong with the simulation itself
}

// fail notes that the simulation could not do what it should.
func (s *site) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

func (s *site) record(e history.Event) { s.book.Add(e) }

// machine makes a machine with a host's network.
func (s *site) machine(h *netem.Host, keyLog io.Writer) (*sim.Machine, error) {
	dir := filepath.Join(s.dir, h.Name())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	handler := s.log.handler(h.Name())
	if s.o.Trace != nil {
		handler = &sim.LogLines{Say: s.world.Say, Who: h.Name(), Hide: s.dir, Next: handler}
	}
	return sim.NewMachine(context.WithoutCancel(s.ctx), h, sim.Options{
		Seed: s.plan.Seed, Log: slog.New(handler), Dir: dir, Record: s.record, KeyLog: keyLog,
	})
}
