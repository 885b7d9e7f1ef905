// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"flag"
	"fmt"

	"fairlead/internal/cli"
	"fairlead/sim/plan"
	"fairlead/sim/search"
	"fairlead/sim/worker"
)

func (d desk) shrink() cli.Command {
	var h hunt
	var runs int
	return cli.Command{
		Name: "shrink", Summary: "make a plan that violates a statement as small as it gets", Usage: "FILE|NAME",
		Details: "Drops faults, ops, agents, boxes and edges, shortens times and simplifies wires, as long as the same " +
			"statement is violated. Prints the plan.",
		Examples: []string{"fairlead-sim shrink found/S4-0123456789ab.toml --keep sim/scenario/regression"},
		Flags: func(fs *flag.FlagSet) {
			fs.DurationVar(&h.shrinking, "budget", 2*defaultShrinking, "stop after this `duration`")
			fs.IntVar(&runs, "runs", 0, "stop after so many `runs`; 0 for 600")
			fs.IntVar(&h.processes, "processes", defaultProcesses, "run in so many processes; each takes one processor")
			fs.StringVar(&h.keep, "keep", "found", "write the plan into this `folder`")
		},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			f, err := find(args[0])
			if err != nil {
				return err
			}
			if err := keepable("keep", h.keep); err != nil {
				return err
			}
			var small search.Failure
			n := 0
			err = d.with(h.processes, worker.Limits{}, func(workers []*worker.Worker) (err error) {
				small, n, err = h.shrink(ctx, std, workers, f.plan, runs)
				return err
			})
			if err != nil {
				return err
			}
			path, err := small.Save(h.keep)
			if err != nil {
				return err
			}
			return std.Show(saved{File: path, Violated: small.Violated[0].String(), Runs: n},
				fmt.Sprintf("%s\n%s, after %d runs\n", small.Format(path), path, n))
		},
	}
}

// shrink makes a plan small that violates something.
func (h hunt) shrink(
	ctx context.Context, std *cli.IO, workers []*worker.Worker, p plan.Plan, runs int,
) (search.Failure, int, error) {
	progress := std.Progress("making " + p.Name + " small")
	defer progress.Done()
	s := search.Shrinker{Runners: runners(workers), Budget: h.shrinking, Runs: runs, Tell: func(n int, p plan.Plan) {
		progress.Say(fmt.Sprintf("%d tries: %d agents, %d ops, %d faults", n, p.Machines(), len(p.Ops), len(p.Faults)))
	}}
	return s.Shrink(ctx, p)
}

func (d desk) replay() cli.Command {
	var leave leavings
	return cli.Command{
		Name: "replay", Summary: "run a failure again and compare it with what was recorded", Usage: "FILE|NAME",
		Details: "As run does, for a file that search or shrink wrote, or a regression. Says whether the recorded " +
			"violation comes again, and where the run's digest differs from the recorded one, as it will after the product " +
			"has changed.",
		Examples: []string{"fairlead-sim replay found/S4-0123456789ab.toml --view out.html"},
		Flags:    leave.flags,
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			f, err := find(args[0])
			if err != nil {
				return err
			}
			o, err := d.one(ctx, std, f.plan, leave)
			if err != nil {
				return err
			}
			if err := tell(std, f.plan, o); err != nil {
				return err
			}
			if f.failure != nil && !std.JSON {
				if _, err := fmt.Fprint(std.Out, "\n", compared(*f.failure, o)); err != nil {
					return err
				}
			}
			return verdict(o)
		},
	}
}

// compared says how a run stands to the record of one before.
func compared(was search.Failure, now worker.Outcome) string {
	text := ""
	for _, v := range was.Violated {
		again := "does not come again"
		for _, w := range now.Wrong() {
			if w.ID == v.ID {
				again = "comes again"
			}
		}
		text += fmt.Sprintf("recorded: %s %s: %s\n", v.ID, v.What, again)
	}
	switch differs := search.Differs(was.Digest, now.Report.Digest); {
	case was.Digest.Shape == "":
		return text
	case differs == "":
		return text + "the run is the recorded one, to the last byte\n"
	default:
		return text + "the run is not the recorded one: they differ in " + differs + "\n"
	}
}
