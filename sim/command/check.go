// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/sim/plan"
	"fairlead/sim/search"
	"fairlead/sim/trace"
	"fairlead/sim/worker"
)

func (d desk) check() cli.Command {
	var twice bool
	return cli.Command{
		Name: "check", Summary: "say what is wrong with a plan, or print it with all defaults", Usage: "FILE|NAME",
		Details: "Names every problem at once: what is no TOML and keys that are unknown, with their line and the " +
			"nearest that is known; names that refer to nothing.\nWith --twice it runs the plan in two processes and " +
			"says where the runs part; that they are the same is what everything here stands on.",
		Examples: []string{"fairlead-sim check site.toml", "fairlead-sim check site.toml --twice"},
		Flags:    func(fs *flag.FlagSet) { fs.BoolVar(&twice, "twice", false, "run it twice and compare the runs") },
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			f, err := find(args[0])
			if problems, is := errors.AsType[plan.ProblemsError](err); is {
				return refuse(std, args[0], problems)
			}
			if err != nil {
				return err
			}
			if twice {
				return d.twice(ctx, std, f.plan)
			}
			return std.Show(map[string]any{"plan": string(f.plan.Format()), "hash": f.plan.Hash()}, string(f.plan.Format()))
		},
	}
}

// refuse prints what is wrong with a plan, a line each.
func refuse(std *cli.IO, name string, problems plan.ProblemsError) error {
	var text strings.Builder
	for _, p := range problems {
		text.WriteString(cli.Printable(p) + "\n")
	}
	count := "1 problem"
	if n := len(problems); n > 1 {
		count = fmt.Sprint(n, " problems")
	}
	return errors.Join(std.Show(map[string]any{"problems": problems}, text.String()),
		errkind.Invalid.Errorf("plan %s has %s", name, count))
}

// twice runs a plan in two processes, with traces, and shows where they part.
func (d desk) twice(ctx context.Context, std *cli.IO, p plan.Plan) error {
	dir, err := os.MkdirTemp("", "fairlead-sim-traces-")
	if err != nil {
		return errkind.Internal.Errorf("make a folder for traces: %w", err)
	}
	defer os.RemoveAll(dir)
	paths := []string{filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")}
	var runs []worker.Outcome
	for _, path := range paths {
		o, err := d.one(ctx, std, p, leavings{Files: worker.Files{Trace: path}})
		if err != nil {
			return err
		}
		if o.Fate != worker.Done || o.Report.Trouble != "" {
			return verdict(o)
		}
		runs = append(runs, o)
	}
	a, b := runs[0].Report, runs[1].Report
	differs := search.Differs(a.Digest, b.Digest)
	said := fmt.Sprintf("two runs are the same: %d events, digest %s %s %s\n",
		a.Net.Events, a.Digest.Shape, a.Digest.Meta, a.Digest.Content)
	if differs != "" {
		difference, err := compare(paths[0], paths[1])
		if err != nil {
			return err
		}
		said = difference.String()
	}
	if err := std.Show(map[string]any{"same": differs == "", "digests": []any{a.Digest, b.Digest}}, said); err != nil {
		return err
	}
	if differs != "" {
		return violated("two runs of the plan differ in %s", differs)
	}
	return nil
}

// compare finds where two traces part.
func compare(a, b string) (trace.Difference, error) {
	first, err := os.Open(a)
	if err != nil {
		return trace.Difference{}, errkind.NotFound.Errorf("compare traces: %w", err)
	}
	defer first.Close()
	second, err := os.Open(b)
	if err != nil {
		return trace.Difference{}, errkind.NotFound.Errorf("compare traces: %w", err)
	}
	defer second.Close()
	d, err := trace.Diff(first, second)
	if err != nil {
		return d, fmt.Errorf("compare %s and %s: %w", a, b, err)
	}
	return d, nil
}

func diff() cli.Command {
	return cli.Command{
		Name: "diff", Summary: "say where two traces part", Usage: "A B",
		Details:  "Shows the first line that differs, and 20 before it. Ends with 1 when there is one.",
		Examples: []string{"fairlead-sim run ward-nat-forgets --trace a.jsonl", "fairlead-sim diff a.jsonl b.jsonl"},
		Run: func(_ context.Context, std *cli.IO, args []string) error {
			d, err := compare(args[0], args[1])
			if err != nil {
				return err
			}
			if err := std.Show(d, d.String()); err != nil || d.Same {
				return err
			}
			return violated("the traces part at line %d", d.Number)
		},
	}
}

func view() cli.Command {
	var to string
	return cli.Command{
		Name: "view", Summary: "draw the time line of a trace as one HTML page", Usage: "TRACE",
		Examples: []string{"fairlead-sim view out.jsonl > out.html", "fairlead-sim view out.jsonl --out out.html"},
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&to, "out", "", "write into this `file` in place of standard output")
		},
		Run: func(_ context.Context, std *cli.IO, args []string) error {
			if err := writable("out", to); err != nil {
				return err
			}
			if to != "" {
				return draw(args[0], to)
			}
			in, err := os.Open(args[0])
			if err != nil {
				return errkind.NotFound.Errorf("draw a time line: %w", err)
			}
			return errors.Join(page(std.Out, in), in.Close())
		},
	}
}
