// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/demo"
	"fairlead/internal/errkind"
	"fairlead/sim/bubble"
	"fairlead/sim/mutant"
	"fairlead/sim/plan"
	"fairlead/sim/search"
	"fairlead/sim/worker"
)

const (
	// mutantVariable chooses a mutant: package active, which only a build with mutants has.
	mutantVariable = "FAIRLEAD_MUTANT"
	// mutantRuns is how many seeds of its plan a mutant is tried with.
	mutantRuns = 40
)

// caught is what became of a mutant.
type caught struct {
	Name    string        `json:"name"`
	Story   string        `json:"story"`
	Caught  bool          `json:"caught"`
	By      string        `json:"by,omitempty"`
	Runs    int           `json:"runs"`
	Virtual time.Duration `json:"virtual"`
	Real    time.Duration `json:"real"`
}

func (d desk) mutants() cli.Command {
	var only, root string
	var each time.Duration
	var processes int
	return cli.Command{
		Name: "mutants", Summary: "break the product in known ways; each must be caught",
		Details: "Builds the simulator with all mutants in it (this needs the sources and the go command), sees that the " +
			"product as it is passes the plans, and then runs each mutant in its plan, with one seed after the other, until a " +
			"statement finds it.\nEnds with 1 when a mutant is not found within its budget.",
		Examples: []string{"fairlead-sim mutants", "fairlead-sim mutants --only claim-rename"},
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&only, "only", "", "try this `mutant` alone")
			fs.DurationVar(&each, "budget-each", 30*time.Second, "give up on a mutant after this `duration`")
			fs.StringVar(&root, "root", ".", "the sources are in this `folder`, or above it")
			fs.IntVar(&processes, "processes", defaultProcesses, "run in so many processes; each takes one processor")
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			list := mutant.Table()
			if only != "" {
				m, err := mutant.Named(only)
				if err != nil {
					return err
				}
				list = []mutant.Mutant{m}
			}
			dir, err := os.MkdirTemp("", "fairlead-sim-mutants-")
			if err != nil {
				return errkind.Internal.Errorf("make a folder for the mutants: %w", err)
			}
			defer os.RemoveAll(dir)
			program, err := buildMutants(ctx, std, root, dir)
			if err != nil {
				return err
			}
			return hunting{program, each, processes}.all(ctx, std, list)
		},
	}
}

// buildMutants builds this program with all mutants in it.
func buildMutants(ctx context.Context, std *cli.IO, from, dir string) (program string, err error) {
	root, err := demo.FindRoot(from)
	if err != nil {
		return "", errkind.Hinted(err, "run it from the folder of the sources, or name that with --root")
	}
	overlay, err := mutant.Overlay(root, dir)
	if err != nil {
		return "", err
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", errkind.Internal.Errorf("ask the go command for GOROOT: %w", err)
	}
	if overlay, err = bubble.Overlay(strings.TrimSpace(string(goroot)), dir, overlay); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "fairlead-sim-mutants")
	progress := std.Progress("building the mutants")
	progress.Say("with go build")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "mutant", "-overlay", overlay,
		"-ldflags", "-X testing.testBinary=1", "-o", program, "./sim/fairlead-sim")
	build.Dir = root
	out, err := build.CombinedOutput()
	progress.Done()
	if err != nil {
		return "", errkind.Internal.Errorf("%s: %w: %s", strings.Join(build.Args, " "), err, strings.TrimSpace(string(out)))
	}
	return program, nil
}

// hunting looks for mutants.
type hunting struct {
	program   string
	each      time.Duration
	processes int
}

func (h hunting) all(ctx context.Context, std *cli.IO, list []mutant.Mutant) error {
	if err := h.sound(ctx, std, list); err != nil {
		return err
	}
	var rows []caught
	t := cli.Table{Columns: []cli.Column{
		{Title: "MUTANT", Keep: true},
		{Title: "CAUGHT BY", Keep: true},
		{Title: "RUNS", Right: true},
		{Title: "VIRTUAL H", Right: true},
		{Title: "SECONDS", Right: true},
		{Title: "WHAT IT DOES"},
	}}
	progress := std.Progress("hunting")
	missed := 0
	for _, m := range list {
		progress.Say(fmt.Sprintf("%s, %d of %d", m.Name, len(rows)+1, len(list)))
		row, err := h.one(ctx, m)
		if err := errors.Join(err, interrupted(ctx)); err != nil {
			return err
		}
		by := row.By
		if !row.Caught {
			missed++
			by = "NOBODY"
		}
		rows = append(rows, row)
		t.Add(m.Name, by, number(row.Runs), fmt.Sprintf("%.2f", row.Virtual.Hours()),
			fmt.Sprintf("%.1f", row.Real.Seconds()), m.Story)
	}
	progress.Done()
	last := fmt.Sprintf("%d mutants, %d caught, %d not\n", len(rows), len(rows)-missed, missed)
	if err := std.Show(rows, t.Text(std)+last); err != nil {
		return err
	}
	if missed > 0 {
		return violated("%d of %d mutants were not caught: the statements do not see them", missed, len(rows))
	}
	return nil
}

// crewOf are workers that are one mutant, or with "" the product as it is.
func (h hunting) crewOf(name string, f func([]*worker.Worker) error) error {
	c := worker.Command{Path: h.program, Args: []string{farCommand}, Env: append(os.Environ(), mutantVariable+"="+name)}
	return desk{far: c}.with(h.processes, worker.Limits{}, f)
}

// sound sees that without a mutant the plans violate nothing: otherwise they prove nothing.
func (h hunting) sound(ctx context.Context, std *cli.IO, list []mutant.Mutant) error {
	var plans []plan.Plan
	seen := map[string]bool{}
	for _, m := range list {
		p, err := m.Hunt()
		if err != nil {
			return err
		}
		if !seen[m.Plan] {
			seen[m.Plan], plans = true, append(plans, p)
		}
	}
	progress := std.Progress("running the plans without a mutant")
	defer progress.Done()
	return h.crewOf("", func(workers []*worker.Worker) error {
		c := search.Campaign{
			Runners: runners(workers),
			Next: func(n int) (p plan.Plan, more bool, err error) {
				if n < len(plans) {
					p = plans[n]
				}
				return p, n < len(plans), nil
			},
			Tell: func(t search.Tally) { progress.Say(fmt.Sprintf("%d of %d", t.Runs, len(plans))) },
		}
		_, failures, err := c.Run(ctx)
		if err == nil && len(failures) > 0 {
			err = violated("without a mutant, plan %q: %s", failures[0].Plan.Name, failures[0].Violated[0])
		}
		return err
	})
}

// one runs a mutant in its plan until it is caught.
func (h hunting) one(ctx context.Context, m mutant.Mutant) (caught, error) {
	row := caught{Name: m.Name, Story: m.Story}
	p, err := m.Hunt()
	if err != nil {
		return row, err
	}
	began := time.Now()
	err = h.crewOf(m.Name, func(workers []*worker.Worker) error {
		c := search.Campaign{
			Runners: runners(workers), Budget: h.each, Sure: 1,
			Next: func(n int) (plan.Plan, bool, error) {
				q := p
				q.Seed += uint64(n)
				return q, n < mutantRuns && row.By == "", nil
			},
		}
		c.Saw = func(_ int, _ plan.Plan, o worker.Outcome) {
			for _, v := range o.Wrong() {
				if row.By == "" && slices.Contains(m.Caught, v.ID) {
					row.By, row.Caught = v.ID, true
				}
			}
		}
		tally, _, err := c.Run(ctx)
		row.Runs, row.Virtual = tally.Runs, tally.Virtual
		return err
	})
	row.Real = time.Since(began)
	return row, err
}
