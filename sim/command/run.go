// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/sim/plan"
	timeline "fairlead/sim/view"
	"fairlead/sim/worker"
)

// leavings are the flags that say what a run leaves behind.
type leavings struct {
	worker.Files
	view string
}

func (l *leavings) flags(fs *flag.FlagSet) {
	fs.StringVar(&l.Trace, "trace", "", "write each event as a JSON line into this `file`")
	fs.StringVar(&l.Capture, "pcap", "", "write the packets, with their TLS secrets, into this `file` for Wireshark")
	fs.StringVar(&l.Log, "log", "", "write what the programs say into this `file`")
	fs.StringVar(&l.view, "view", "", "draw the time line into this HTML `file`")
}

// check sees that all of it can be written. Errors: Invalid.
func (l *leavings) check() error {
	return errors.Join(
		writable("trace", l.Trace), writable("pcap", l.Capture), writable("log", l.Log), writable("view", l.view))
}

// seeded puts another seed into a plan; "" keeps its own.
func seeded(p *plan.Plan, text string) error {
	if text == "" {
		return nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return errkind.Invalid.Errorf("--seed %q: want a whole number, not negative", text)
	}
	p.Seed = seed
	return nil
}

func (d desk) run() cli.Command {
	var leave leavings
	var seed string
	return cli.Command{
		Name: "run", Summary: "carry one plan out and say what the network does to the agents", Usage: "FILE|NAME",
		Details: "Takes a TOML file, or the name of a scenario (fairlead-sim list). Prints findings for the people who own " +
			"the network, and the verdict on each statement that was judged.\nEnds with 1 when a statement is violated, " +
			"with 2 when the plan cannot be carried out.",
		Examples: []string{
			"fairlead-sim run ward-nat-forgets",
			"fairlead-sim run site.toml --seed 8 --view site.html --pcap site.pcapng",
		},
		Flags: func(fs *flag.FlagSet) {
			leave.flags(fs)
			fs.StringVar(&seed, "seed", "", "decide chance by this `number` in place of the plan's")
		},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			f, err := find(args[0])
			if err != nil {
				return err
			}
			if err := seeded(&f.plan, seed); err != nil {
				return err
			}
			o, err := d.one(ctx, std, f.plan, leave)
			if err != nil {
				return err
			}
			if err := tell(std, f.plan, o); err != nil {
				return err
			}
			return verdict(o)
		},
	}
}

// one carries a plan out by itself and draws its time line if wanted.
func (d desk) one(ctx context.Context, std *cli.IO, p plan.Plan, leave leavings) (o worker.Outcome, err error) {
	if err := leave.check(); err != nil {
		return o, err
	}
	files := leave.Files
	if leave.view != "" && files.Trace == "" {
		dir, err := os.MkdirTemp("", "fairlead-sim-trace-")
		if err != nil {
			return o, errkind.Internal.Errorf("make a folder for the trace: %w", err)
		}
		defer os.RemoveAll(dir)
		files.Trace = filepath.Join(dir, "trace.jsonl")
	}
	for _, path := range []*string{&files.Trace, &files.Capture, &files.Log} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return o, errkind.Internal.Errorf("path of %s: %w", *path, err)
			}
		}
	}
	progress := std.Progress("running " + p.Name)
	whole := plan.Duration(p.Safety.D() + p.Settle.D())
	err = d.with(1, worker.Limits{}, func(workers []*worker.Worker) (err error) {
		o, err = workers[0].Run(ctx, p, files, func(at time.Duration) {
			progress.Say(plan.Duration(at.Round(time.Second)).String() + " of " + whole.String())
		})
		return err
	})
	progress.Done()
	if err := errors.Join(err, interrupted(ctx)); err != nil {
		return o, err
	}
	if leave.view == "" || o.Fate != worker.Done {
		return o, nil
	}
	return o, draw(files.Trace, leave.view)
}

// draw writes the time line of a trace.
func draw(trace, to string) error {
	in, err := os.Open(trace)
	if err != nil {
		return errkind.NotFound.Errorf("draw a time line: %w", err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return errkind.Denied.Errorf("draw a time line: %w", err)
	}
	return errors.Join(page(out, in), out.Close())
}

// page writes the time line of a trace.
func page(out io.Writer, trace io.Reader) error {
	if err := timeline.Write(out, trace); err != nil {
		return errkind.Corrupt.Errorf("draw a time line: %w", err)
	}
	return nil
}

// verdict is the error of a run whose plan was violated or could not be carried out; nil for one that is
// all right.
func verdict(o worker.Outcome) error {
	wrong := o.Wrong()
	switch {
	case len(wrong) == 0:
		return nil
	case o.Fate == worker.Done && o.Report.Trouble != "":
		return errkind.Invalid.Errorf("the plan cannot be carried out: %s", o.Report.Trouble)
	case len(wrong) == 1:
		return violated("1 violation")
	}
	return violated("%d violations", len(wrong))
}
