// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command tickets holds the delivery contract against dying programs: the real server, real agents
// and real scripts, killed with SIGKILL and cut off at points drawn from a seed. `make
// torture-tickets` runs it.
//
// It does not damage disks or machines, nor what travels; other torture programs and the simulator do.
//
//  1. What a script did is read from a file that only scripts write to, never from what Fairlead says.
//  2. The seed decides which jobs there are and who is disturbed how, not when a process runs: a seed
//     brings the same storm again, not the same run.
//  3. Everything lies below one folder; every process is found by it and ended with the run.
//
// main.go is the command line, folder.go the place of a run, arena.go the programs under test, relay.go the
// cable between an agent and the server, storm.go who disturbs, job.go the work, evidence.go gathers what
// happened, check.go judges it (pure), report.go prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Codes of the program's end.
const (
	exitFine     = 0
	exitBroken   = 1 // the contract was broken
	exitNoResult = 2 // the run could not be carried out, or not whole
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	tickets  int
	agents   int
	atOnce   int
	seed     uint64
	dir      string
	keep     bool
	calm     bool
	patience time.Duration
	budget   time.Duration
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("tickets", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.tickets, "n", 5000, "how many tickets; 100000 is a release's")
	f.IntVar(&o.agents, "agents", 8, "how many agents; a job has one ticket on each")
	f.IntVar(&o.atOnce, "jobs", 12, "how many jobs are in work at once")
	f.Uint64Var(&o.seed, "seed", 0, "of the storm; 0 draws one")
	f.StringVar(&o.dir, "dir", "", "make the homes below this `folder`; memory (/dev/shm) unless told otherwise")
	f.BoolVar(&o.keep, "keep", false, "leave homes and logs where they are")
	f.BoolVar(&o.calm, "calm", false, "disturb nobody: how fast the tickets are by themselves")
	f.DurationVar(&o.budget, "budget", 0, "queue no more after so long, and fail if tickets are missing; 0 is for ever")
	f.DurationVar(&o.patience, "patience", time.Minute, "how long after the storm every verdict must be there")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.tickets < 1 || o.agents < 1 || o.atOnce < 1 {
		return o, fmt.Errorf("arguments %q: there are flags only, and -n, -agents and -jobs are 1 or more", f.Args())
	}
	for o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000)
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	var found result
	if err == nil {
		fmt.Fprintf(stdout, "%d tickets on %d agents, seed %d\n", o.tickets, o.agents, o.seed)
		found, err = torture(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture-tickets:", err)
		return exitNoResult
	}
	found.print(stdout)
	if len(found.breaches) > 0 {
		fmt.Fprintf(stdout, "again: go run ./internal/torture/tickets -n %d -agents %d -jobs %d -seed %d\n",
			o.tickets, o.agents, o.atOnce, o.seed)
		return exitBroken
	}
	if missing := found.missing(); missing > 0 {
		fmt.Fprintf(stderr, "torture-tickets: %d of %d tickets were not carried out in %s: use fewer or a longer budget\n",
			missing, o.tickets, o.budget)
		return exitNoResult
	}
	return exitFine
}

// torture is one run: programs, work and storm together, then calm, then the judgement.
func torture(ctx context.Context, o options, stdout io.Writer) (r result, err error) {
	began := time.Now()
	a, err := newArena(ctx, o)
	if err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			fmt.Fprint(stdout, a.site.LastWords(5))
		}
		keep := o.keep || err != nil || len(r.breaches) > 0
		if keep {
			fmt.Fprintln(stdout, "homes and logs lie in", a.site.Dir)
		}
		err = errors.Join(err, a.close(ctx, keep))
	}()
	if err := a.open(ctx); err != nil {
		return r, err
	}
	w := newWork(a, o)
	stop := w.announce(stdout)
	err = w.carryOut(ctx)
	stop()
	if err != nil {
		return r, err
	}
	e, err := a.gather(ctx, w)
	if err != nil {
		return r, err
	}
	r = result{tally: e.tally(), breaches: e.check(), storm: a.storm.count(), took: time.Since(began), work: w.took}
	r.wanted = o.tickets
	return r, nil
}
