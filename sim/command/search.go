// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/sim/plan"
	"fairlead/sim/scenario"
	"fairlead/sim/search"
	"fairlead/sim/worker"
)

// hunt is what searches and campaigns are asked for.
type hunt struct {
	budget    time.Duration
	seed      uint64
	profile   string
	processes int
	stop      int
	keep      string
	twice     int
	goals     bool
	shrinking time.Duration
}

const (
	defaultBudget    = time.Minute
	defaultProcesses = 2
	defaultTwice     = 20 // one plan in so many
	defaultStop      = 3
	defaultShrinking = time.Minute
)

func (h *hunt) flags(fs *flag.FlagSet) {
	fs.DurationVar(&h.budget, "budget", defaultBudget, "begin no run after this `duration`")
	fs.Uint64Var(&h.seed, "seed", 1, "draw by this `number`: another one draws other plans")
	fs.StringVar(&h.profile, "profile", search.Profiles()[0].Name, "draw by this `profile`: "+profileNames())
	fs.IntVar(&h.processes, "processes", defaultProcesses, "run in so many processes; each takes one processor")
	fs.IntVar(&h.stop, "stop", defaultStop, "stop after so many `violations` of different making; 0 goes on")
	fs.StringVar(&h.keep, "keep", "found", "write what went wrong, and the plans that run, into this `folder`")
	fs.IntVar(&h.twice, "twice", defaultTwice, "run one plan in so `many` twice and compare; 0: regressions alone")
	fs.BoolVar(&h.goals, "goals", false, "a goal that was never reached is a violation (fairlead-sim statements)")
	fs.DurationVar(&h.shrinking, "shrink", defaultShrinking, "make each failure small for this `duration`; 0 leaves it")
}

func profileNames() string {
	var names []string
	for _, p := range search.Profiles() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func (d desk) search() cli.Command {
	var h hunt
	var about strings.Builder
	about.WriteString("Draws plans, runs them and judges them. What violates a statement, crashes or hangs is made " +
		"small and written down with the command that replays it.\n\nProfiles:\n")
	for _, p := range search.Profiles() {
		fmt.Fprintf(&about, "%s: %s\n", p.Name, p.About)
	}
	return cli.Command{
		Name: "search", Summary: "look for plans that violate a statement",
		Details: strings.TrimSpace(about.String()),
		Examples: []string{
			"fairlead-sim search", "fairlead-sim search --budget 8h --profile crashes --seed 2026 --stop 0",
		},
		Flags: h.flags,
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			profile, err := search.NamedProfile(h.profile)
			if err != nil {
				return err
			}
			return d.hunt(ctx, std, h, nil, func(number int) (plan.Plan, error) {
				return search.Draw(profile, h.seed, number)
			})
		},
	}
}

// campaign is what "make sim" runs.
func (d desk) campaign() cli.Command {
	var h hunt
	return cli.Command{
		Name: "campaign", Summary: "run every scenario, then search until the budget is spent",
		Details: "Runs all curated scenarios and regressions, whatever the budget, and then as search does. The last line " +
			"counts.",
		Examples: []string{"fairlead-sim campaign --budget 60s"},
		Flags:    h.flags,
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			profile, err := search.NamedProfile(h.profile)
			if err != nil {
				return err
			}
			known, err := scenario.All()
			if err != nil {
				return err
			}
			return d.hunt(ctx, std, h, known, func(number int) (plan.Plan, error) {
				return search.Draw(profile, h.seed, number)
			})
		},
	}
}

// outcome is what a search prints as JSON.
type outcome struct {
	search.Tally
	Missed   []string `json:"goals_missed,omitempty"`
	Failures []saved  `json:"failures,omitempty"`
}

// saved is a failure that was written down.
type saved struct {
	File     string `json:"file"`
	Violated string `json:"violated"`
	Runs     int    `json:"runs"` // that it took to make it small
}

// hunt runs scenarios that are known, the regressions among them twice, and then drawn plans.
func (d desk) hunt(
	ctx context.Context, std *cli.IO, h hunt, known []scenario.Scenario, draw func(int) (plan.Plan, error),
) error {
	if err := keepable("keep", h.keep); err != nil {
		return err
	}
	next := func(n int) (p plan.Plan, more bool, err error) {
		if n < len(known) {
			return known[n].Plan, true, nil
		}
		p, err = draw(n - len(known))
		return p, true, err
	}
	twice := func(n int) bool {
		return h.twice > 0 && n%h.twice == 0 || n < len(known) && known[n].Regression
	}
	var out outcome
	err := d.with(h.processes, worker.Limits{}, func(workers []*worker.Worker) error {
		progress := std.Progress("searching")
		c := search.Campaign{
			Runners: runners(workers), Next: next, Sure: len(known), Budget: h.budget, Twice: twice, Stop: h.stop,
			BlackBox: h.keep,
			Tell: func(t search.Tally) {
				progress.Say(fmt.Sprintf("%d runs, %.1f virtual hours, %d violations", t.Runs, t.Virtual.Hours(), t.Violated))
			},
		}
		tally, failures, err := c.Run(ctx)
		progress.Done()
		out.Tally, out.Missed = tally, tally.Missed()
		for _, f := range failures {
			one, saveErr := h.small(ctx, std, workers, f)
			out.Failures, err = append(out.Failures, one), errors.Join(err, saveErr)
		}
		return err
	})
	if err := errors.Join(err, std.Show(out, out.text(std, h)), interrupted(ctx)); err != nil {
		return err
	}
	switch {
	case out.Violated > 0:
		return violated("%d of %d plans went wrong", out.Violated, out.Plans)
	case h.goals && len(out.Missed) > 0:
		return violated("no run reached %s", strings.Join(out.Missed, ", "))
	}
	return nil
}

// small makes a failure small and writes it down.
func (h hunt) small(ctx context.Context, std *cli.IO, workers []*worker.Worker, f search.Failure) (saved, error) {
	runs := 0
	if h.shrinking > 0 && ctx.Err() == nil {
		smaller, n, err := h.shrink(ctx, std, workers, f.Plan, 0)
		// A failure that does not come again is told as it was.
		if runs = n; err == nil {
			f = smaller
		}
	}
	path, err := f.Save(h.keep)
	return saved{File: path, Violated: f.Violated[0].String(), Runs: runs}, err
}

func (o outcome) text(std *cli.IO, h hunt) string {
	var b strings.Builder
	for _, f := range o.Failures {
		fmt.Fprintf(&b, "%s %s\n  fairlead-sim replay %s   # made small in %d runs\n",
			std.Paint(cli.Red, "violated:"), cli.Printable(f.Violated), f.File, f.Runs)
	}
	if len(o.Faults) > 0 {
		fmt.Fprintf(&b, "faults: %s\n", counts(o.Faults))
	}
	if len(o.Goals) > 0 {
		fmt.Fprintf(&b, "goals:  %s\n", counts(o.Goals))
	}
	if len(o.Missed) > 0 {
		fmt.Fprintf(&b, "never:  %s\n", strings.Join(o.Missed, ", "))
	}
	fmt.Fprintf(&b, "%s, seed %d\n", o.Tally, h.seed)
	return b.String()
}

func runners(workers []*worker.Worker) (all []search.Runner) {
	for _, w := range workers {
		all = append(all, w)
	}
	return all
}
