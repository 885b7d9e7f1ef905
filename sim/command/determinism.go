// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"flag"
	"fmt"

	"fairlead/internal/cli"
	"fairlead/netem"
	"fairlead/sim/plan"
	"fairlead/sim/scenario"
	"fairlead/sim/search"
	"fairlead/sim/worker"
)

// sameness is how many different digests the runs of a scenario had.
type sameness struct {
	Name    string `json:"name"`
	Runs    int    `json:"runs"`
	Shape   int    `json:"shape"`
	Meta    int    `json:"meta"`
	Content int    `json:"content"`
}

func (d desk) determinism() cli.Command {
	var runs, processes int
	var only string
	return cli.Command{
		Name: "determinism", Summary: "run each scenario in many processes and compare the digests",
		Details: "Each run has a process of its own, with its own hash seeds and addresses. One digest for a scenario is " +
			"what there should be; shape covers times, kinds and hosts, meta offsets and lengths, content every byte.",
		Examples: []string{"fairlead-sim determinism --runs 50", "fairlead-sim determinism --only ward-nat-forgets"},
		Flags: func(fs *flag.FlagSet) {
			fs.IntVar(&runs, "runs", 50, "run each scenario so many `times`")
			fs.StringVar(&only, "only", "", "run this `scenario` alone")
			fs.IntVar(&processes, "processes", defaultProcesses, "run so many processes at once")
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			all, err := scenario.All()
			if err != nil {
				return err
			}
			if only != "" {
				s, err := scenario.Named(only)
				if err != nil {
					return err
				}
				all = []scenario.Scenario{s}
			}
			digests := make([]map[netem.Digest]int, len(all))
			for i := range digests {
				digests[i] = map[netem.Digest]int{}
			}
			progress := std.Progress("comparing")
			err = d.with(processes, worker.Limits{Runs: 1}, func(workers []*worker.Worker) error {
				c := search.Campaign{
					Runners: runners(workers),
					Next: func(n int) (p plan.Plan, more bool, err error) {
						if more = n < runs*len(all); more {
							p = all[n%len(all)].Plan
						}
						return p, more, nil
					},
					Saw: func(n int, _ plan.Plan, o worker.Outcome) { digests[n%len(all)][o.Report.Digest]++ },
					Tell: func(t search.Tally) {
						progress.Say(fmt.Sprintf("%d of %d runs", t.Runs, runs*len(all)))
					},
				}
				_, _, err := c.Run(ctx)
				return err
			})
			progress.Done()
			if err != nil {
				return err
			}
			if err := interrupted(ctx); err != nil {
				return err
			}
			return showSameness(std, all, digests)
		},
	}
}

func showSameness(std *cli.IO, all []scenario.Scenario, digests []map[netem.Digest]int) error {
	var rows []sameness
	t := cli.Table{Columns: []cli.Column{
		{Title: "SCENARIO", Keep: true},
		{Title: "RUNS", Right: true},
		{Title: "SHAPES", Right: true},
		{Title: "METAS", Right: true},
		{Title: "CONTENTS", Right: true},
	}}
	runs, differing := 0, 0
	for i, s := range all {
		row := sameness{Name: s.Name}
		shapes, metas, contents := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for digest, n := range digests[i] {
			row.Runs += n
			shapes[digest.Shape], metas[digest.Meta], contents[digest.Content] = true, true, true
		}
		row.Shape, row.Meta, row.Content = len(shapes), len(metas), len(contents)
		runs += row.Runs
		if row.Content > 1 || row.Meta > 1 || row.Shape > 1 {
			differing++
		}
		rows = append(rows, row)
		t.Add(s.Name, number(row.Runs), number(row.Shape), number(row.Meta), number(row.Content))
	}
	last := fmt.Sprintf("%d scenarios, %d processes, %d scenarios with more than one digest\n", len(all), runs, differing)
	if err := std.Show(rows, t.Text(std)+last); err != nil {
		return err
	}
	if differing > 0 {
		return violated("%d of %d scenarios had more than one digest", differing, len(all))
	}
	return nil
}
