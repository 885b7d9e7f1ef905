// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/cli"
	"fairlead/sim/plan"
	"fairlead/sim/search"
	"fairlead/sim/sweep"
	"fairlead/sim/worker"
)

// swept is what a sweep prints as JSON.
type swept struct {
	sweep.Count
	Missed   []string `json:"missed,omitempty"`
	Failures []saved  `json:"failures,omitempty"`
}

func (d desk) sweep() cli.Command {
	var only, keep string
	var processes int
	return cli.Command{
		Name: "sweep", Summary: "let somebody die once at every crash point of every workload",
		Details: "Runs each workload, and then again for each crash point that its programs passed: with the program " +
			"killed there and with the power gone, at the first and at the last pass. Ends with 1 when a statement is " +
			"violated, and when there is a point at which nobody died.",
		Examples: []string{"fairlead-sim sweep", "fairlead-sim sweep --only cancel"},
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&only, "only", "", "sweep this `workload` alone; points that it does not pass are no fault then")
			fs.StringVar(&keep, "keep", "found", "write what went wrong into this `folder`")
			fs.IntVar(&processes, "processes", defaultProcesses, "run in so many processes; each takes one processor")
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			all, err := workloads(only)
			if err != nil {
				return err
			}
			if err := keepable("keep", keep); err != nil {
				return err
			}
			out := swept{Count: sweep.NewCount()}
			err = d.with(processes, worker.Limits{}, func(workers []*worker.Worker) error {
				return out.all(ctx, std, workers, all, keep)
			})
			if err != nil {
				return err
			}
			if only == "" {
				out.Missed = out.Count.Missed()
			}
			if err := std.Show(out, out.text(std)); err != nil {
				return err
			}
			switch {
			case len(out.Failures) > 0:
				return violated("%d of %d runs went wrong", out.Wrong, out.Jobs)
			case len(out.Missed) > 0:
				return violated("nobody died at %s", strings.Join(out.Missed, ", "))
			}
			return interrupted(ctx)
		},
	}
}

// workloads are all, or one. Errors: NotFound, with the nearest.
func workloads(only string) ([]sweep.Workload, error) {
	all, err := sweep.Workloads()
	if err != nil || only == "" {
		return all, err
	}
	return sweep.Named(all, only)
}

// all sweeps the workloads.
func (s *swept) all(
	ctx context.Context, std *cli.IO, workers []*worker.Worker, all []sweep.Workload, keep string,
) error {
	progress := std.Progress("sweeping")
	defer progress.Done()
	var jobs []sweep.Job
	before := map[string]int{}
	first := func(n int) (p plan.Plan, more bool, err error) {
		if n < len(all) {
			p = all[n].Plan
		}
		return p, n < len(all), nil
	}
	sure := search.Campaign{Runners: runners(workers), Next: first}
	whole := make([]worker.Outcome, len(all))
	sure.Saw = func(n int, _ plan.Plan, o worker.Outcome) { whole[n] = o }
	if err := s.march(ctx, sure, keep); err != nil {
		return err
	}
	for n, w := range all {
		before[w.Name] = len(whole[n].Report.Deaths)
		jobs = append(jobs, sweep.Jobs(w, whole[n].Report.Passes)...)
	}
	next := func(n int) (p plan.Plan, more bool, err error) {
		if n < len(jobs) {
			p = jobs[n].Plan
		}
		return p, n < len(jobs), nil
	}
	c := search.Campaign{Runners: runners(workers), Next: next}
	c.Saw = func(n int, _ plan.Plan, o worker.Outcome) {
		s.Add(jobs[n], o.Report, len(o.Wrong()) > 0, before[jobs[n].Workload])
	}
	c.Tell = func(t search.Tally) {
		progress.Say(fmt.Sprintf("%d of %d deaths, %d violations", t.Runs, len(jobs), t.Violated))
	}
	return s.march(ctx, c, keep)
}

// march runs plans and keeps what went wrong.
func (s *swept) march(ctx context.Context, c search.Campaign, keep string) error {
	_, failures, err := c.Run(ctx)
	for _, f := range failures {
		path, failed := f.Save(keep)
		if failed != nil {
			return failed
		}
		s.Failures = append(s.Failures, saved{File: path, Violated: f.Violated[0].String()})
	}
	return err
}

func (s *swept) text(std *cli.IO) string {
	var b strings.Builder
	t := cli.Table{Columns: []cli.Column{{Title: "CRASH POINT", Keep: true}, {Title: "DEATHS", Right: true}}}
	for _, point := range sweep.Points() {
		t.Add(point, number(s.At[point]))
	}
	b.WriteString(t.Text(std))
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "%s %s\n  fairlead-sim replay %s\n",
			std.Paint(cli.Red, "violated:"), cli.Printable(f.Violated), f.File)
	}
	gaps := sweep.Gaps()
	for _, point := range slices.Sorted(maps.Keys(gaps)) {
		fmt.Fprintf(&b, "not swept: %s: %s\n", point, gaps[point])
	}
	fmt.Fprintf(&b, "%d points, %d runs, %d deaths, %d runs went wrong\n",
		len(s.At), s.Jobs, s.Died, s.Wrong)
	return b.String()
}
