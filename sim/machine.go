// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/netem"
	"fairlead/sim/history"
)

// Options of a Machine. Dir and Log are required.
type Options struct {
	Seed uint64
	// Log gets what the machine's programs say.
	Log *slog.Logger
	// Dir is an empty folder for the machine's disks.
	Dir string
	// Record gets what the model of execution sees: scripts that start, say something and end. Nil
	// for nobody.
	Record func(history.Event)
	// KeyLog gets the secrets of the programs' TLS connections; nil for nobody.
	KeyLog io.Writer
}

// Machine is one simulated machine.
type Machine struct {
	name  string
	net   *netem.Host
	o     Options
	ctx   context.Context
	stop  context.CancelFunc
	owned sync.WaitGroup
	bells bells
	exec  processes
	files *Disk
	dir   string

	mu     sync.Mutex
	disk   string // the folder that is the disk now
	disks  int
	booted time.Time
	boots  int
	cuts   uint64 // of the power
	isOff  bool
	lives  int
	living map[int]*Life
	drawn  map[string]uint64 // generators that were made, by purpose
	offset time.Duration     // of the wall clock
	traps  []*trap
	reboot func(contract.TicketID) // what a script's reboot leads to; nil: no such command
	passes map[string]int          // crash points that were passed, by kind of life and name
}

// NewMachine makes a machine with a host's network and an empty disk. ctx ends the machine as Stop
// does. Errors: Internal, when its folder cannot be made.
func NewMachine(ctx context.Context, h *netem.Host, o Options) (*Machine, error) {
	ctx, stop := context.WithCancel(ctx)
	if o.Record == nil {
		o.Record = func(history.Event) {}
	}
	m := &Machine{
		name: h.Name(), net: h, o: o, ctx: ctx, stop: stop, dir: o.Dir, boots: 1, living: map[int]*Life{},
		drawn: map[string]uint64{}, passes: map[string]int{},
	}
	m.booted = m.clock()
	m.disk = filepath.Join(o.Dir, "disk-0")
	if err := os.MkdirAll(filepath.Join(m.disk, homeName), 0o700); err != nil {
		stop()
		return nil, errkind.Internal.Errorf("make the disk of %s: %w", m.name, err)
	}
	m.files = NewDisk(m.disk)
	if err := m.files.Settle(m.disk); err != nil { // whoever installed the program made the folder long ago
		stop()
		return nil, errkind.Internal.Errorf("settle the disk of %s: %w", m.name, err)
	}
	m.bells = bells{net: h, byPath: map[string]*bell{}}
	m.exec = processes{machine: m, living: map[int]*process{}}
	return m, nil
}

// Name returns the machine's name.
func (m *Machine) Name() string { return m.name }

// Net returns the machine's network.
func (m *Machine) Net() *netem.Host { return m.net }

// Disk returns the folder that is the machine's disk now, and the model that knows what was synced.
func (m *Machine) Disk() (folder string, files *Disk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.disk, m.files
}

// env is what a daemon gets from the machine, but for the network.
func (m *Machine) env(l *Life) host.Env {
	return host.Env{
		Exec: lifeExec{l}, Bells: lifeBells{l}, Facts: m.facts, Vitals: m.vitals, Wall: m.wall, Disk: m.files,
		Log: slog.New(lifeLog{m.o.Log.Handler(), l}), Rand: m.rand,
		Point:  func(name string) { m.passed(l, name) },
		KeyLog: m.o.KeyLog,
	}
}

// Shift sets the wall clock this much before or after the time of the others.
func (m *Machine) Shift(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset = by
}

// OnReboot says what happens when a script restarts its machine, of which it gets the ticket. It must
// see to Shutdown without waiting itself, as by netem.World.At; the script is held until that ends it.
func (m *Machine) OnReboot(reboot func(contract.TicketID)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reboot = reboot
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
	m.mu.Lock()
	defer m.mu.Unlock()
	return host.Facts{
		Hostname: m.name, OS: "linux", Distribution: "Simulated GNU/Linux 1", Arch: "amd64",
		BootID: m.name + "-boot-" + strconv.Itoa(m.boots),
	}
}

// clock is the time that no fault shifts.
func (m *Machine) clock() time.Time { return time.Now() }

// vitals are those of a machine with little to do.
func (m *Machine) vitals(string) host.Vitals {
	m.mu.Lock()
	up := time.Since(m.booted)
	m.mu.Unlock()
	return host.Vitals{
		Load1: 0.05, UptimeSeconds: int64(up.Seconds()), MemoryFreeBytes: 1 << 30,
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
	return rand.New(rand.NewPCG(m.o.Seed, sum.Sum64()))
}

// Chance is a number that depends on nothing but seed, machine and what it is for.
func (m *Machine) Chance(purpose string, ns ...uint64) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(m.name + "\x00" + purpose + "\x00"))
	for _, n := range append(ns, m.o.Seed) {
		_, _ = sum.Write(binary.LittleEndian.AppendUint64(nil, n))
	}
	return rand.NewPCG(sum.Sum64(), m.o.Seed).Uint64()
}
