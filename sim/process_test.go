// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/netem"
	"fairlead/sim"
	"fairlead/sim/history"
)

// machine makes a machine on the bench whose recorder is record.
func (b *bench) machine(record func(history.Event)) *sim.Machine {
	b.t.Helper()
	b.lives++
	h := b.net.Host("machine-"+strconv.Itoa(b.lives), netem.HostSpec{Addr: netip.AddrFrom4([4]byte{10, 1, 0, byte(b.lives)})})
	m, err := sim.NewMachine(b.t.Context(), h, sim.Options{
		Seed: 1, Log: slog.New(slog.DiscardHandler), Dir: b.t.TempDir(), Record: record,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

func (b *bench) begin(m *sim.Machine, kind string) *sim.Life {
	b.t.Helper()
	life, err := m.Begin(kind)
	if err != nil {
		b.t.Fatal(err)
	}
	return life
}

// TestARecorderMayAskTheMachine: no lock of the machine is held while an event is recorded.
func TestARecorderMayAskTheMachine(t *testing.T) {
	onBench(t, func(b *bench) {
		var m *sim.Machine
		var life *sim.Life
		heard := map[history.Kind]int{}
		m = b.machine(func(e history.Event) {
			heard[e.Kind]++
			life.Env().Exec.Alive(host.ProcessID{Pid: e.N})
			m.KillShim(life)
			m.Lives(sim.ShimLife)
		})
		defer m.Stop()
		life = b.begin(m, sim.ShimLife)
		p, err := life.Env().Exec.Start(host.Command{Path: "bash", Args: []string{"-c", "exit 3"}})
		if err != nil {
			t.Fatal(err)
		}
		if exit, err := p.Wait(); err != nil || exit.Code != 3 || heard[history.Started] != 1 || heard[history.Finished] != 1 {
			t.Errorf("got %+v, %v, heard %v", exit, err, heard)
		}
		life.Stop()
		life.Wait()
	})
}

// TestABellHasAnOwnerFromTheStart: two that open and ring one bell at once get it, or are refused.
func TestABellHasAnOwnerFromTheStart(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.machine(nil)
		defer m.Stop()
		one, other := b.begin(m, sim.AgentLife), b.begin(m, sim.AgentLife)
		var owned, tried sync.WaitGroup
		var mu sync.Mutex
		opened := 0
		tried.Add(2)
		for _, life := range []*sim.Life{one, other} {
			owned.Go(func() {
				bell, err := life.Env().Bells.Open(life.Home() + "/bell")
				tried.Done()
				if err == nil {
					mu.Lock()
					opened++
					mu.Unlock()
					tried.Wait() // so that the other meets it
					err = bell.Close()
				}
				if err != nil && errkind.Of(err) != errkind.Conflict {
					t.Error(err)
				}
			})
		}
		owned.Wait()
		if opened != 1 {
			t.Errorf("%d opened the bell, want 1", opened)
		}
		for _, life := range []*sim.Life{one, other} {
			life.Stop()
			life.Wait()
		}
	})
}
