// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/netem"
	"fairlead/sim"
)

// bench is a network without links on which machines live and die.
type bench struct {
	t     *testing.T
	world *netem.World
	net   *netem.Net
	lives int
}

// boot is one life of an agent's scripts on a machine, whose shims write to its disk.
type boot struct {
	host.Exec // of the machine
	machine   *sim.Machine
	life      *sim.Life
	env       host.Env
	service   *script.Service
	stop      context.CancelFunc
	owned     sync.WaitGroup

	mu     sync.Mutex
	starts int // of scripts
}

func onBench(t *testing.T, f func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, world: netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})}
		b.net = b.world.Net("bench", netip.MustParsePrefix("10.0.0.0/8"))
		defer b.world.Close()
		f(b)
	})
}

// boot starts a life on what lies in a disk; point is told each crash point it passes.
func (b *bench) boot(root string, disk *sim.Disk, point func(string)) *boot {
	b.t.Helper()
	b.lives++
	ctx, stop := context.WithCancel(context.WithoutCancel(b.t.Context()))
	h := b.net.Host(fmt.Sprintf("life-%d", b.lives), netem.HostSpec{
		Addr: netip.AddrFrom4([4]byte{10, 0, byte(b.lives >> 8), byte(b.lives)}),
	})
	m, err := sim.NewMachine(ctx, h, sim.Options{Seed: 1, Log: slog.New(slog.DiscardHandler), Dir: b.t.TempDir()})
	if err != nil {
		b.t.Fatal(err)
	}
	life, err := m.Begin(sim.AgentLife)
	if err != nil {
		b.t.Fatal(err)
	}
	l := &boot{machine: m, life: life, env: life.Env(), stop: stop}
	l.Exec, l.env.Exec, l.env.Disk, l.env.Point = l.env.Exec, l, disk, point
	if l.service, err = script.New(root, l.env, script.Options{}); err != nil {
		b.t.Fatal(err)
	}
	l.owned.Go(func() {
		if err := l.service.Run(ctx); err != nil {
			b.t.Errorf("scripts: %v", err)
		}
	})
	return l
}

// end ends the life. What it did after the power was cut is nobody's.
func (l *boot) end() {
	l.stop()
	l.owned.Wait()
	l.life.Wait()
	l.machine.Stop()
}

// Start implements host.Exec: shims get the disk and the points of this life.
func (l *boot) Start(c host.Command) (host.Process, error) {
	if len(c.Args) != 2 || c.Args[0] != "shim" {
		l.mu.Lock()
		l.starts++
		l.mu.Unlock()
		return l.Exec.Start(c)
	}
	p := &shimProcess{ended: make(chan struct{}), id: host.ProcessID{Pid: 1, Start: "shim", BootID: l.env.Facts().BootID}}
	l.owned.Go(func() {
		defer close(p.ended)
		env := script.ShimEnv{
			Exec: l, Bells: l.env.Bells, Disk: l.env.Disk, Wall: l.env.Wall, Point: l.env.Point, Process: p.id,
		}
		p.err = script.RunShim(context.Background(), c.Args[1], env)
	})
	return p, nil
}

// Alive implements host.Exec: a shim lives as long as its life.
func (l *boot) Alive(id host.ProcessID) bool {
	return id.BootID == l.env.Facts().BootID && (id.Start == "shim" || l.Exec.Alive(id))
}

type shimProcess struct {
	id    host.ProcessID
	ended chan struct{}
	err   error
}

func (p *shimProcess) ID() host.ProcessID { return p.id }

func (p *shimProcess) Wait() (host.Exit, error) {
	<-p.ended
	return host.Exit{}, p.err
}

// moment is what was known when the power was cut.
type moment struct {
	point   string
	acked   bool // the start was acknowledged
	claimed bool // a shim had it
	exited  bool // the verdict was durable
	gone    bool // the server was told that it is forgotten
}

func (l *boot) await(t *testing.T, id contract.TicketID) contract.Verdict {
	t.Helper()
	for range 1000 {
		s, err := l.service.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Verdict != nil {
			return *s.Verdict
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s has no verdict after 100 s", id)
	return contract.Verdict{}
}

// cut is what a power cut left, and what had been promised by then.
type cut struct {
	moment
	root string
	disk *sim.Disk
}

// saw cuts the power again and again while a life goes on.
type saw struct {
	t    *testing.T
	root string
	disk *sim.Disk

	mu   sync.Mutex // points are passed by the agent and by the shim
	now  moment
	cuts []cut
}

// waysCount is how many outcomes of each cut are looked at; in the first all is lost.
const waysCount = 8

// pass cuts the power here.
func (s *saw) pass(point string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.point = point
	s.now.acked = s.now.acked || point == "acknowledged"
	s.now.claimed = s.now.claimed || point == "script.claimed"
	s.now.exited = s.now.exited || point == "script.exit"
	s.now.gone = s.now.gone || point == "forgotten"
	for way := range uint64(waysCount) {
		chance := dice(way)
		if way == 0 {
			chance = nil
		}
		to := fmt.Sprintf("%s-%d", s.root, len(s.cuts))
		next, err := s.disk.PowerLoss(to, chance)
		if err != nil {
			s.t.Errorf("cut the power at %s: %v", point, err)
			return
		}
		s.cuts = append(s.cuts, cut{s.now, to, next})
	}
}

// TestWhatWasAcknowledgedSurvivesThePower cuts the power at each point that an agent and its shim
// pass with one ticket, each time in several ways, and lets another life go on with what is left.
func TestWhatWasAcknowledgedSurvivesThePower(t *testing.T) {
	const body = "echo hello\necho ##octopus[setVariable name='QQ==' value='MQ==']"
	raw, err := json.Marshal(contract.Order{
		Ticket: "t1", Task: "ServerTasks-1", Name: "power", Script: &contract.Script{Interpreter: "bash", Body: body},
		Isolation: contract.Isolation{Level: contract.IsolationFull}, Variables: map[string]string{}, GraceMS: 300,
	})
	if err != nil {
		t.Fatal(err)
	}
	onBench(t, func(b *bench) {
		t := b.t
		disk, root := plate(t)
		s := &saw{t: t, root: root, disk: disk}
		first := b.boot(root, disk, s.pass)
		if _, err := first.service.Start(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		s.pass("acknowledged")
		verdict := first.await(t, "t1")
		s.pass("followed")
		if err := first.service.Forget(t.Context(), "t1"); err != nil {
			t.Fatal(err)
		}
		s.pass("forgotten")
		first.end()
		seen := map[string]int{}
		for _, c := range s.cuts {
			seen[c.point]++
			b.check(c.moment, raw, verdict, c.root, c.disk)
		}
		for _, name := range []string{
			"script.intent", "script.launch", "script.launched", "script.shim", "script.locked", "script.claimed", "script.exec",
			"script.running", "script.ended", "script.result", "script.log", "script.exit", "script.finished", "script.forgotten",
		} {
			if seen[name] != waysCount {
				t.Errorf("the power was cut %d times at %s, want %d", seen[name], name, waysCount)
			}
		}
	})
}

// check lets a second life take over and compares it with what was promised before the cut.
func (b *bench) check(m moment, raw []byte, verdict contract.Verdict, root string, disk *sim.Disk) {
	t := b.t
	t.Helper()
	ticket := filepath.Join(root, "tickets", "t1")
	intent, err := os.ReadFile(filepath.Join(ticket, "order.json"))
	if m.acked && !m.gone && m.point != "script.forgotten" && (err != nil || !bytes.Equal(intent, raw)) {
		t.Errorf("%s, %+v: the intent is %.40q, %v", root, m, intent, err)
	}
	second := b.boot(root, disk, func(string) {})
	defer second.end()
	_, err = second.service.Start(t.Context(), raw)
	if m.gone {
		if errkind.Of(err) != errkind.Conflict || second.starts != 0 {
			t.Errorf("%s, %+v: a forgotten ticket was started: %v", root, m, err)
		}
		return
	}
	if err != nil {
		if m.point != "script.forgotten" { // which is durable, and nobody was told of it
			t.Errorf("%s, %+v: start again: %v", root, m, err)
		}
		return
	}
	got := second.await(t, "t1")
	switch {
	case m.exited && !cmp.Equal(got, verdict):
		t.Errorf("%s, %+v: the verdict is %+v and was %+v", root, m, got, verdict)
	case m.claimed && !m.exited && got.Outcome != contract.Indeterminate, m.claimed && second.starts != 0:
		t.Errorf("%s, %+v: a script that may have run was started %d times; verdict %+v", root, m, second.starts, got)
	case !m.claimed && (got.Outcome != contract.Succeeded || second.starts != 1):
		t.Errorf("%s, %+v: the order was started %d times; verdict %+v", root, m, second.starts, got)
	}
	log, err := os.ReadFile(filepath.Join(ticket, "log"))
	if got.LogEnd > int64(len(log)) {
		t.Errorf("%s, %+v: the log has %d bytes (%v) and the verdict speaks of %d", root, m, len(log), err, got.LogEnd)
		return
	}
	sum := sha256.Sum256(log[:got.LogEnd])
	if hex.EncodeToString(sum[:]) != got.LogSHA256 {
		t.Errorf("%s, %+v: the log is not the verdict's", root, m)
	}
	if got.Outcome == contract.Succeeded {
		result, err := os.ReadFile(filepath.Join(ticket, "result"))
		const want = `{"outputs":[{"name":"A","value":"1"}]}`
		if sum := sha256.Sum256(result); err != nil || string(result) != want || got.Result == nil ||
			got.Result.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s, %+v: the result is %q (%v), the verdict says %+v", root, m, result, err, got.Result)
		}
	}
	if got.Outcome == contract.Succeeded && !bytes.Contains(log, []byte("hello")) {
		t.Errorf("%s, %+v: the log of a success holds %q", root, m, log)
	}
}
