// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command server holds deployments against a dying server: the real programs, deployments of several
// steps on two agents, and a server that is killed with SIGKILL at points drawn from a seed, while it
// starts included. `make torture-server` runs it.
//
// It harms neither agents nor lines nor disks: other torture programs and the simulator do.
//
//  1. What a step did is read from a file that only scripts write to, never from what Fairlead says.
//  2. The seed decides how long each server lives, not when a process runs: a seed brings the same
//     kills again, not the same run.
//  3. Everything lies below one folder; every process is found by it and ended with the run.
//
// main.go is the command line, arena.go the programs under test, work.go keeps deployments coming,
// storm.go kills and looks how soon the next server goes on, check.go judges what came of it (pure),
// report.go prints.
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
	exitBroken   = 1 // something ran twice or not at all, or the server took too long
	exitNoResult = 2 // the run could not be carried out
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	kills    int
	budget   time.Duration
	seed     uint64
	dir      string
	keep     bool
	patience time.Duration
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.kills, "n", 1000, "how often the server is killed")
	f.DurationVar(&o.budget, "budget", 0, "kill no more after this time; 0: until all kills are done")
	f.Uint64Var(&o.seed, "seed", 0, "of the kills; 0 draws one")
	f.StringVar(&o.dir, "dir", "", "make the homes below this `folder`; memory (/dev/shm) unless told otherwise")
	f.BoolVar(&o.keep, "keep", false, "leave homes and logs where they are")
	f.DurationVar(&o.patience, "patience", time.Minute, "how long after the last kill every deployment must have ended")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.kills < 1 || o.budget < 0 {
		return o, fmt.Errorf("arguments %q: there are flags only, and -n is 1 or more", f.Args())
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
		fmt.Fprintf(stdout, "%d kills, seed %d\n", o.kills, o.seed)
		found, err = torture(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture-server:", err)
		return exitNoResult
	}
	found.print(stdout)
	if len(found.breaches) > 0 {
		fmt.Fprintf(stdout, "again: go run ./internal/torture/server -n %d -seed %d\n", o.kills, o.seed)
		return exitBroken
	}
	return exitFine
}

// torture is one run: kills and work together, then calm, then the judgement.
func torture(ctx context.Context, o options, stdout io.Writer) (r result, err error) {
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
		err = errors.Join(err, a.close(context.WithoutCancel(ctx), keep))
	}()
	if err := a.open(ctx); err != nil {
		return r, err
	}
	w := newWork(a)
	stop := w.begin(ctx)
	s := &storm{arena: a, work: w, dice: rand.New(rand.NewPCG(o.seed, 1)), out: stdout}
	err = s.rage(ctx, o)
	stop()
	if err != nil {
		return r, err
	}
	e, err := w.gather(ctx, o.patience)
	if err != nil {
		return r, err
	}
	breaches := append(e.check(), slowStarts(s.took)...)
	return result{evidence: e, kills: s.kills, early: s.early, took: s.took, breaches: breaches}, nil
}
