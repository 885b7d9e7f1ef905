// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// Runner carries plans out, one after the other, as *worker.Worker does.
type Runner interface {
	Run(ctx context.Context, p plan.Plan, files worker.Files, tell func(time.Duration)) (worker.Outcome, error)
}

// digestID stands in a violation of a plan whose two runs were not the same.
const digestID = "digest"

// Campaign runs one plan after the other.
type Campaign struct {
	// Runners work side by side.
	Runners []Runner
	// Next gives the plan of a number, from 0; more is false when there are no more. One goroutine at a
	// time calls it.
	Next func(number int) (p plan.Plan, more bool, err error)
	// Sure is how many plans run whatever the budget says.
	Sure int
	// Budget is in real time: no run begins after it. 0 is without end.
	Budget time.Duration
	// Twice says which plans run twice, to see whether the runs are the same; nil for none.
	Twice func(number int) bool
	// Stop ends the campaign after so many violations of different making; 0 for never.
	Stop int
	// BlackBox is a folder that holds, while a run lasts, its plan; "" for none.
	BlackBox string
	// Tell, if not nil, gets the tally after each run, one call at a time. Saw gets each outcome in the
	// same way.
	Tell func(Tally)
	Saw  func(number int, p plan.Plan, o worker.Outcome)
}

// march is one campaign on its way.
type march struct {
	Campaign
	began time.Time

	mu       sync.Mutex
	next     int
	again    []job
	over     bool
	tally    Tally
	failures []Failure
	seen     map[string]bool // violations by what they have in common
	broken   []error
}

// job is a plan to run. One that runs for the second time has the first report.
type job struct {
	number int
	plan   plan.Plan
	first  *report.Report
}

// Run leads the campaign. It returns the first failure of each making. Errors: Internal, when the
// campaign itself broke; Denied, for the black box.
func (c Campaign) Run(ctx context.Context) (Tally, []Failure, error) {
	m := &march{
		Campaign: c, began: time.Now(), seen: map[string]bool{},
		tally: Tally{Faults: map[string]int{}, Goals: map[string]int{}},
	}
	if c.BlackBox != "" {
		if err := os.MkdirAll(c.BlackBox, 0o755); err != nil {
			return m.tally, nil, errkind.Denied.Errorf("make a folder for the plans that run: %w", err)
		}
	}
	var group sync.WaitGroup
	for i, r := range c.Runners {
		group.Go(func() { m.work(ctx, r, i) })
	}
	group.Wait()
	m.tally.Real = time.Since(m.began)
	return m.tally, m.failures, errors.Join(m.broken...)
}

// work leads one runner.
func (m *march) work(ctx context.Context, r Runner, place int) {
	for ctx.Err() == nil {
		j, more := m.take()
		if !more {
			return
		}
		box, err := m.open(place, j.plan)
		if err == nil {
			var o worker.Outcome
			if o, err = r.Run(ctx, j.plan, worker.Files{}, nil); err == nil && o.Fate != worker.Stopped {
				m.record(j, o)
			}
			box()
		}
		if err != nil {
			m.mu.Lock()
			m.broken, m.over = append(m.broken, err), true
			m.mu.Unlock()
		}
	}
}

// take gives the next job: plans that wait for their second run come first.
func (m *march) take() (j job, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	late := m.Budget > 0 && time.Since(m.began) >= m.Budget
	if n := len(m.again); n > 0 && !m.over {
		j = m.again[n-1]
		m.again = m.again[:n-1]
		return j, true
	}
	if m.over || late && m.next >= m.Sure {
		return j, false
	}
	p, more, err := m.Next(m.next)
	if err != nil {
		m.broken = append(m.broken, err)
	}
	if err != nil || !more {
		m.over = true
		return j, false
	}
	m.next++
	return job{number: m.next - 1, plan: p}, true
}

// open writes the plan down that is about to run, so that it is known whatever ends this program; the
// function takes it away.
func (m *march) open(place int, p plan.Plan) (closed func(), err error) {
	if m.BlackBox == "" {
		return func() {}, nil
	}
	path := filepath.Join(m.BlackBox, "running-"+strconv.Itoa(place)+".toml")
	if err := os.WriteFile(path, p.Format(), 0o644); err != nil {
		return nil, errkind.Denied.Errorf("write down which plan runs: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil // a plan too many misleads nobody: its date tells
}

// record counts an outcome, and what is wrong with it.
func (m *march) record(j job, o worker.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tally.add(o.Report)
	wrong := o.Wrong()
	switch {
	case j.first != nil && o.Fate != worker.Done:
		m.tally.Twice++ // it broke the second time alone, and there is no digest to compare
	case j.first != nil:
		m.tally.Twice++
		if differs := Differs(j.first.Digest, o.Report.Digest); differs != "" {
			wrong = []check.Violation{{ID: digestID, What: "two runs of the plan differ in " + differs}}
		} else {
			wrong = nil // the first run has told it
		}
	default:
		m.tally.Plans++
		if m.Twice != nil && m.Twice(j.number) && o.Fate == worker.Done {
			m.again = append(m.again, job{number: j.number, plan: j.plan, first: &o.Report})
		}
	}
	if len(wrong) > 0 {
		m.blame(j, o, wrong)
	}
	m.tally.Real = time.Since(m.began)
	if m.Tell != nil {
		m.Tell(m.tally)
	}
	if m.Saw != nil && j.first == nil {
		m.Saw(j.number, j.plan, o)
	}
}

// blame keeps a failure if none of its making is known.
func (m *march) blame(j job, o worker.Outcome, wrong []check.Violation) {
	m.tally.Violated++
	if key := worker.Same(wrong[0]); !m.seen[key] {
		m.seen[key] = true
		f := failureOf(j.plan, o)
		f.Violated = wrong
		m.failures = append(m.failures, f)
	}
	if m.Stop > 0 && len(m.failures) >= m.Stop {
		m.over = true
	}
}
