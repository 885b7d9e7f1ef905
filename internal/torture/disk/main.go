// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command disk holds the real server and the real agent against disks that are full, fail or lose
// power: no space at the n-th write, EIO at the n-th sync, a cut that forgets what was not synced, and
// a disk that others fill. `make torture-disk` runs it.
//
// Each program's home lies on a small file system in memory, shown by faultfs, which fails on command.
// It needs root; without /dev/fuse only the rounds with a filled disk are run, and it says so.
//
//  1. What a script did is read from a file that only scripts write to, on a sound disk.
//  2. A round is over when the programs work again: then there is space, or a restart on a sound disk.
//  3. The seed decides which rounds there are and when power is cut, not when a process runs.
//
// main.go is the command line, mount.go one disk, site.go the programs on it, round.go what is done to
// them, evidence.go gathers what happened, check.go judges it (pure).
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
	exitBroken   = 1 // a promise was broken
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
	rounds int
	budget time.Duration
	seed   uint64
	keep   bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("disk", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.rounds, "n", 24, "how many rounds; 400 meets every write and sync of a script")
	f.DurationVar(&o.budget, "budget", 0, "begin no round after this time; 0 is no limit")
	f.Uint64Var(&o.seed, "seed", 0, "of the rounds; 0 draws one")
	f.BoolVar(&o.keep, "keep", false, "leave logs and the file of effects where they are")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 {
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
	if err == nil && os.Geteuid() != 0 {
		fmt.Fprintln(stdout, "torture-disk is skipped: it mounts file systems, which takes root")
		return exitFine
	}
	var breaches []string
	if err == nil {
		breaches, err = torture(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture-disk:", err)
		return exitNoResult
	}
	for _, b := range breaches {
		fmt.Fprintln(stdout, "BROKEN", b)
	}
	if len(breaches) > 0 {
		fmt.Fprintf(stdout, "again: go run ./internal/torture/disk -n %d -seed %d\n", o.rounds, o.seed)
		return exitBroken
	}
	return exitFine
}

// torture is one run: programs, rounds, judgement.
func torture(ctx context.Context, o options, stdout io.Writer) (breaches []string, err error) {
	s, err := newSite(ctx, stdout)
	if err != nil {
		return nil, err
	}
	defer func() {
		keep := o.keep || err != nil || len(breaches) > 0
		if keep {
			fmt.Fprintln(stdout, "logs and effects lie in", s.dir)
		}
		err = errors.Join(err, s.close(ctx, keep))
	}()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	t := &trial{site: s, options: o, dice: rand.New(rand.NewPCG(o.seed, 0)), out: stdout, began: time.Now()}
	if err := t.carryOut(ctx); err != nil {
		return nil, err
	}
	e, err := s.gather(ctx, t.acked)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(stdout, e.tally())
	return append(t.breaches, e.check()...), nil
}
