// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/finding"
	"fairlead/sim/history"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/trace"
)

// Options of a run. The zero value runs without traces, below the temporary folder.
type Options struct {
	// Dir is where homes lie, a folder for this process alone; memory is best. "" is the temporary folder.
	// Runs whose paths are the same can be the same to the last byte.
	Dir string
	// Templates keeps sites that have joined from run to run; nil makes each anew.
	Templates *Templates
	// Idle is called when nothing is left to do at an instant.
	Idle func()
	// Trace gets a JSON line for each event of the network, Log what the programs say; nil for nobody.
	Trace, Log io.Writer
	// Capture collects the packets, with the TLS secrets of the servers, for Wireshark; nil for nobody.
	Capture *netem.Capture
}

// InBubble runs f in a bubble of its own whose chance is seeded, after the time that the wall clock
// shows at the beginning plus later.
func InBubble(t *testing.T, seed uint64, later time.Duration, f func(*testing.T)) {
	t.Run("bubble", func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed)
		synctest.Test(t, func(t *testing.T) {
			<-time.NewTimer(time.Until(epoch().Add(later))).C
			f(t)
		})
	})
}

// Run carries a plan out and judges it. It never fails t: what is wrong stands in the report. It must
// be called outside of a bubble.
func Run(t *testing.T, p plan.Plan, o Options) report.Report {
	began := realTime()
	r, history, err := carryOut(t, p, o)
	r.Name, r.Hash, r.Seed, r.Real = p.Name, p.Hash(), p.Seed, realTime().Sub(began)
	if err != nil {
		r.Trouble = err.Error()
		return r
	}
	r.Violations = check.Judge(history, check.All())
	if o.Trace != nil {
		if err := trace.WriteViolations(o.Trace, r.Violations); err != nil {
			r.Trouble = err.Error()
		}
	}
	r.Goals = check.Goals(history)
	r.Faults, r.Findings = faultCounts(history), finding.All(history)
	r.Passes = history.End.Passes
	for _, e := range history.Of(crashed) {
		r.Deaths = append(r.Deaths, e.Text)
	}
	return r
}

// crashed is the kind of event that tells a death.
const crashed = history.Crashed

// History carries a plan out and returns what happened, for those who judge by themselves.
func History(t *testing.T, p plan.Plan, o Options) (history.Run, error) {
	_, h, err := carryOut(t, p, o)
	return h, err
}

func carryOut(t *testing.T, p plan.Plan, o Options) (r report.Report, h history.Run, err error) {
	dir, err := makeFolder(o.Dir)
	if err != nil {
		return r, h, err
	}
	defer os.RemoveAll(dir)
	if o.Templates == nil {
		o.Templates = NewTemplates(filepath.Join(dir, "templates"))
	}
	joined, err := o.Templates.For(t, p)
	if err != nil {
		return r, h, err
	}
	ended := false
	InBubble(t, p.Seed, runsAfter, func(t *testing.T) {
		r, h, err = live(t.Context(), p, o, dir, joined)
		ended = true
	})
	if !ended && err == nil {
		err = errkind.Internal.Errorf("the run broke off: see what the test framework says")
	}
	return r, h, err
}

// makeFolder makes the folder of a run. Programs tell paths, so that the name must be the same each time
// where the folder above is.
func makeFolder(below string) (string, error) {
	name := "run"
	if below == "" {
		below, name = os.TempDir(), fmt.Sprintf("fairlead-sim-%08d", os.Getpid())
	}
	for n := range maxRuns {
		dir := filepath.Join(below, fmt.Sprintf("%s-%04d", name, n))
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", errkind.Internal.Errorf("make a folder for the run: %w", err)
		}
	}
	return "", errkind.Exhausted.Errorf("make a folder for the run: %d are there already below %s", maxRuns, below)
}

// maxRuns bounds the runs of one process at the same time.
const maxRuns = 10_000

// live is a run from inside its bubble.
func live(
	ctx context.Context, p plan.Plan, o Options, dir string, joined *template,
) (report.Report, history.Run, error) {
	var r report.Report
	s, err := newSite(ctx, p, o, dir)
	if err != nil {
		return r, history.Run{}, err
	}
	h := history.Run{Plan: p}
	if err := s.settleIn(joined); err != nil {
		s.close()
		return r, h, err
	}
	s.owned.Go(func() { s.watch(s.ctx) })
	s.phase("safety")
	s.schedule()
	s.breakAll()
	pause(s.ctx, s.base+p.Safety.D()-s.world.Now())
	s.healAll()
	h.Healed = s.world.Now()
	s.phase("settle")
	s.settle()
	s.look(s.ctx, &h.End)
	s.phase("end")
	h.Over = s.world.Now()
	r.Virtual = h.Over - s.base
	r.AgentHours = r.Virtual.Hours() * float64(len(s.agents))
	h.End.Leaks = s.close()
	if err := s.read(context.WithoutCancel(ctx), &h.End); err != nil {
		s.fail("look at what the server left: %v", err)
	}
	s.files(&h.End)
	h.End.Secrets, h.End.Peaks, h.End.Passes = s.log.leaked(), s.peaks, s.passes()
	h.Events = s.book.Events()
	h.End.Net, r.Net = s.world.Counts(), s.world.Counts()
	if r.Digest, err = s.world.Digest(); err != nil {
		s.fail("write the trace: %v", err)
	}
	if len(s.broken) > 0 {
		err = errkind.Internal.Errorf("%s", strings.Join(s.broken, "; "))
	}
	return r, h, err
}

func newSite(ctx context.Context, p plan.Plan, o Options, dir string) (*site, error) {
	s := &site{
		plan: p, o: o, dir: dir,
		nets: map[string]*netem.Net{}, edges: map[string]*netem.Edge{}, boxes: map[string]netem.Box{},
		hosts: map[string]*netem.Host{}, next: map[string]int{}, byName: map[string]*agent{}, peaks: map[string]int{},
	}
	ctx, cancel := context.WithCancel(ctx)
	s.ctx, s.cancel = ctx, cancel
	s.world = netem.New(netem.Options{
		Seed: p.Seed, Wait: synctest.Wait, Idle: o.Idle, Trace: o.Trace, Capture: o.Capture,
		Head: netem.TraceHead{Name: p.Name, Hash: p.Hash(), Program: version},
	})
	s.book = history.NewBook(s.world.Now, func(e history.Event) { s.world.Say(entryOf(e)) })
	s.log = newLogbook(o.Log, s.record)
	if err := s.build(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// entryOf is an event as it stands in the trace.
func entryOf(e history.Event) netem.Entry {
	words := []string{e.Text}
	add := func(name, value string) {
		if value != "" && value != "0" {
			words = append(words, name+"="+value)
		}
	}
	add("cause", e.Cause)
	add("task", string(e.Task))
	add("ticket", string(e.Ticket))
	add("peer", string(e.Peer))
	add("code", strconv.Itoa(e.Code))
	add("n", strconv.Itoa(e.N))
	return netem.Entry{Kind: string(e.Kind), Who: e.Who, What: strings.TrimSpace(strings.Join(words, " "))}
}

// settleIn puts the homes in place and starts everything.
func (s *site) settleIn(joined *template) error {
	s.desk.key = joined.key
	s.log.secret("API key", joined.key)
	if err := install(s.servers[0].m, joined.homes[s.plan.Servers[0].Name]); err != nil {
		return err
	}
	s.servers[0].start()
	if err := s.startPrograms(); err != nil {
		return err
	}
	for _, a := range s.agents {
		s.log.secret("proxy password", a.group.Credentials)
		if !s.plan.Join {
			if err := install(a.m, joined.homes[a.name]); err != nil {
				return err
			}
			if err := a.point(); err != nil {
				return err
			}
		}
	}
	s.base = s.world.Now()
	for _, a := range s.agents {
		s.world.At(s.base+stagger(a.m, "start"), "start "+a.name, func() {
			if !s.plan.Join || a.join(s.ctx) {
				a.start()
			}
		})
	}
	return nil
}

func (s *site) phase(name string) { s.record(history.Event{Kind: history.Phase, Text: name}) }

// How often people look at the machines while a site settles: as long as some are missing, and then.
const (
	missingEvery = 5 * time.Second
	onlineEvery  = 20 * time.Second
)

// settle lets the site come to rest, and watches how many agents are on line.
func (s *site) settle() {
	over := s.world.Now() + s.plan.Settle.D()
	last := -1
	for s.world.Now() < over {
		if names, err := s.desk.online(s.ctx); err == nil && len(names) != last {
			last = len(names)
			s.record(history.Event{Kind: history.Online, Who: s.serving().spec.Name, N: last})
		}
		again := missingEvery
		if last == len(s.agents) {
			again = onlineEvery
		}
		pause(s.ctx, min(again, over-s.world.Now()))
	}
}

// peaksEvery is how often the size of the site is looked at.
const peaksEvery = 20 * time.Second

// watch notes the highest numbers of connections and goroutines until ctx ends.
func (s *site) watch(ctx context.Context) {
	for ctx.Err() == nil {
		conns := 0
		for _, name := range slices.Sorted(maps.Keys(s.hosts)) {
			conns += s.hosts[name].Conns()
		}
		s.peaks["conns"] = max(s.peaks["conns"], conns)
		s.peaks["goroutines"] = max(s.peaks["goroutines"], runtime.NumGoroutine())
		pause(ctx, peaksEvery)
	}
}

// close ends everything, in the order in which people would.
func (s *site) close() netem.Leaks {
	s.stopPrograms()
	for _, a := range slices.Concat(s.agents, s.copies) {
		a.stop()
	}
	for _, v := range s.servers {
		v.stop()
	}
	s.cancel()
	if s.desk != nil {
		s.desk.transport.CloseIdleConnections()
	}
	for _, a := range slices.Concat(s.agents, s.copies) {
		a.m.Stop()
	}
	for _, v := range s.servers {
		v.m.Stop()
	}
	s.owned.Wait()
	return s.world.Close()
}

func faultCounts(h history.Run) map[string]int {
	counts := map[string]int{}
	for _, e := range h.Of(history.FaultOn) {
		counts[e.Text]++
	}
	return counts
}
