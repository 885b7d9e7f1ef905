// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"errors"
	"sync"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/worker"
)

// Shrinker makes plans small.
type Shrinker struct {
	// Runners try candidates side by side. What comes out does not hang on how many there are, unless the
	// budget ends first: what lies behind the candidate that is taken counts as not tried.
	Runners []Runner
	// Runs and Budget bound the work; 0 means 600 runs, and 2 min of real time. A candidate that must run
	// twice counts twice.
	Runs   int
	Budget time.Duration
	// Tell, if not nil, hears after each try how many there were, and the smallest plan so far.
	Tell func(runs int, p plan.Plan)
}

const (
	defaultShrinkRuns   = 600
	defaultShrinkBudget = 2 * time.Minute
)

// shrinking is one plan on its way down.
type shrinking struct {
	Shrinker
	ctx    context.Context
	key    string // what violations must have in common with the first
	best   Failure
	runs   int
	until  time.Time
	tried  map[string]bool // plans by hash
	broken error
}

// Shrink returns the smallest plan it could find that is violated in the same way, and how many runs
// that took. Errors: NotFound, when the plan itself does not violate anything now; Internal.
func (s Shrinker) Shrink(ctx context.Context, p plan.Plan) (Failure, int, error) {
	if s.Runs == 0 {
		s.Runs = defaultShrinkRuns
	}
	if s.Budget == 0 {
		s.Budget = defaultShrinkBudget
	}
	r := &shrinking{Shrinker: s, ctx: ctx, until: time.Now().Add(s.Budget), tried: map[string]bool{}}
	first, err := r.first(p)
	if err != nil {
		return Failure{Plan: p}, r.runs, err
	}
	r.best, r.key = first, worker.Same(first.Violated[0])
	for r.pass() {
	}
	return r.best, r.runs, r.broken
}

// first sees what the plan violates.
func (r *shrinking) first(p plan.Plan) (Failure, error) {
	for _, twice := range []bool{false, true} {
		r.runs += cost(twice)
		f, wrong, err := r.try(r.Runners[0], p, twice)
		switch {
		case err != nil:
			return f, err
		case wrong:
			return f, nil
		}
	}
	return Failure{}, errkind.NotFound.Errorf("shrink %s: it violates nothing now", p.Name)
}

// pass goes through all steps once. It reports whether the plan became smaller.
func (r *shrinking) pass() (smaller bool) {
	for _, step := range steps {
		for r.improve(step) {
			smaller = true
			if r.spent() {
				return false
			}
		}
	}
	return smaller && !r.spent()
}

func (r *shrinking) spent() bool {
	return r.broken != nil || r.ctx.Err() != nil || r.runs+cost(r.twice()) > r.Runs || time.Now().After(r.until)
}

// twice reports whether candidates must run twice: what is looked for is a difference.
func (r *shrinking) twice() bool { return r.key == digestID }

// cost is how many runs a candidate takes.
func cost(twice bool) int {
	if twice {
		return 2
	}
	return 1
}

// improve tries a step's candidates in order, some at a time, and takes the first that is violated in
// the same way.
func (r *shrinking) improve(step step) bool {
	var open []plan.Plan
	for _, p := range step(r.best.Plan) {
		p, fit := tidy(p)
		if hash := p.Hash(); fit && !r.tried[hash] {
			open = append(open, p)
		}
	}
	for len(open) > 0 && !r.spent() {
		each := cost(r.twice())
		batch := open[:min(len(open), len(r.Runners), (r.Runs-r.runs)/each)]
		open = open[len(batch):]
		if r.batch(batch) {
			return true
		}
	}
	return false
}

// batch tries plans side by side.
func (r *shrinking) batch(plans []plan.Plan) (found bool) {
	type result struct {
		failure Failure
		wrong   bool
		err     error
	}
	results := make([]result, len(plans))
	var group sync.WaitGroup
	for i, p := range plans {
		group.Go(func() {
			one := &results[i]
			one.failure, one.wrong, one.err = r.try(r.Runners[i], p, r.twice())
		})
	}
	group.Wait()
	for i, one := range results {
		r.tried[plans[i].Hash()] = true
		r.runs += cost(r.twice())
		r.broken = errors.Join(r.broken, one.err)
		if one.wrong && worker.Same(one.failure.Violated[0]) == r.key {
			r.best, found = one.failure, true
			break
		}
	}
	if r.Tell != nil {
		r.Tell(r.runs, r.best.Plan)
	}
	return found
}

// try runs a plan and says what is wrong with it: with violations of the making that is looked for at
// the front.
func (r *shrinking) try(runner Runner, p plan.Plan, twice bool) (f Failure, wrong bool, err error) {
	o, err := runner.Run(r.ctx, p, worker.Files{}, nil)
	if err != nil {
		return f, false, err
	}
	f = failureOf(p, o)
	if twice {
		second, err := runner.Run(r.ctx, p, worker.Files{}, nil)
		if err != nil {
			return f, false, err
		}
		if differs := Differs(o.Report.Digest, second.Report.Digest); differs != "" {
			f.Violated = []check.Violation{{ID: digestID, What: "two runs of the plan differ in " + differs}}
		}
	}
	for i, v := range f.Violated {
		if worker.Same(v) == r.key {
			f.Violated[0], f.Violated[i] = f.Violated[i], f.Violated[0]
			break
		}
	}
	return f, len(f.Violated) > 0, nil
}
