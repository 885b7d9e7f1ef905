// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"fairlead/internal/host"
	"fairlead/netem"
)

// Machine is one simulated machine.
type Machine struct {
	name   string
	net    *netem.Host
	seed   uint64
	log    *slog.Logger
	owned  sync.WaitGroup
	stop   context.CancelFunc
	booted time.Time
	bells  bells
	exec   processes

	mu     sync.Mutex
	drawn  map[string]uint64 // generators that were made, by purpose
	offset time.Duration     // of the wall clock
	point  func(string)
}

// NewMachine makes a machine with a host's network. The log gets what its programs say. ctx ends
// the machine as Stop does.
func NewMachine(ctx context.Context, h *netem.Host, seed uint64, log *slog.Logger) *Machine {
	ctx, stop := context.WithCancel(ctx)
	m := &Machine{
		name: h.Name(), net: h, seed: seed, log: log, stop: stop, booted: time.Now(),
		drawn: map[string]uint64{}, point: func(string) {},
	}
	m.bells = bells{net: h, byPath: map[string]*bell{}}
	m.exec = processes{machine: m, ctx: ctx, living: map[int]*process{}}
	return m
}

// Env is what a daemon on the machine gets.
func (m *Machine) Env() host.Env {
	return host.Env{
		Net: m.net, Exec: &m.exec, Bells: &m.bells, Disk: host.Fsync{}, Facts: m.facts, Vitals: m.vitals, Wall: m.wall,
		Log: m.log, Rand: m.rand,
		Point: func(name string) {
			m.mu.Lock()
			point := m.point
			m.mu.Unlock()
			point(name)
		},
	}
}

// Shift sets the wall clock this much before or after the time of the others.
func (m *Machine) Shift(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset = by
}

// Stop ends the machine's processes and waits for them. Daemons are the caller's to end.
func (m *Machine) Stop() {
	m.stop()
	m.owned.Wait()
}

func (m *Machine) wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.offset).UTC()
}

func (m *Machine) facts() host.Facts {
	return host.Facts{
		Hostname: m.name, OS: "linux", Distribution: "Simulated GNU/Linux 1", Arch: "amd64", BootID: m.name + "-boot-1",
	}
}

// vitals are those of a machine with little to do that was booted when it was made.
func (m *Machine) vitals(string) host.Vitals {
	return host.Vitals{
		Load1: 0.05, UptimeSeconds: int64(time.Since(m.booted).Seconds()), MemoryFreeBytes: 1 << 30,
		DiskFreeBytes: 20 << 30, DiskTotalBytes: 40 << 30,
	}
}

// rand makes a generator that depends on seed, machine, purpose and how many were made for it.
func (m *Machine) rand(purpose string) *rand.Rand {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drawn[purpose]++
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(m.name + "\x00" + purpose + "\x00"))
	_, _ = sum.Write(binary.LittleEndian.AppendUint64(nil, m.drawn[purpose]))
	return rand.New(rand.NewPCG(m.seed, sum.Sum64()))
}
