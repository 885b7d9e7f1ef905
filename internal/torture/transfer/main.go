// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command transfer holds packages against a bad network: the real server sends packages to real agents
// through relays that cut connections and change bytes, and agents die with SIGKILL while the beginning
// that lies on their disk is damaged. `make torture-transfer` runs it.
//
//  1. What arrived is read from the installed files, how much was sent from the relays, never from what
//     Fairlead says.
//  2. Each disturbance may cost one chunk of 4 MiB. Everything beyond is a breach.
//  3. The seed decides who is disturbed how and after how many bytes, not when a process runs.
//
// main.go is the command line, arena.go the programs under test, relay.go the cable, storm.go what
// happens to it, load.go the packages, check.go judges and prints.
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
	exitBroken   = 1 // bytes were lost, taken though changed, or sent again too often
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
	mebibytes int64
	agents    int
	size      int64 // MiB of one package
	every     int64 // MiB between two disturbances of one agent, on average
	seed      uint64
	dir       string
	keep      bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("transfer", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Int64Var(&o.mebibytes, "n", 288, "MiB that are to arrive, all agents together; 2048 is a release's")
	f.IntVar(&o.agents, "agents", 3, "how many agents; each gets every package")
	f.Int64Var(&o.size, "size", 32, "MiB of one package")
	f.Int64Var(&o.every, "every", 8, "MiB between two disturbances of one agent, on average")
	f.Uint64Var(&o.seed, "seed", 0, "of the storm; 0 draws one")
	f.StringVar(&o.dir, "dir", "", "make the homes below this `folder`; memory (/dev/shm) unless told otherwise")
	f.BoolVar(&o.keep, "keep", false, "leave homes and logs where they are")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.mebibytes < 1 || o.agents < 1 || o.size < 1 || o.every < 1 {
		return o, fmt.Errorf("arguments %q: there are flags only, and all numbers are 1 or more", f.Args())
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
	var breaches []string
	if err == nil {
		fmt.Fprintf(stdout, "%d MiB to %d agents in packages of %d MiB, seed %d\n", o.mebibytes, o.agents, o.size, o.seed)
		breaches, err = torture(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture-transfer:", err)
		return exitNoResult
	}
	if len(breaches) > 0 {
		fmt.Fprintf(stdout, "again: go run ./internal/torture/transfer -n %d -agents %d -size %d -every %d -seed %d\n",
			o.mebibytes, o.agents, o.size, o.every, o.seed)
		return exitBroken
	}
	return exitFine
}

// torture is one run.
func torture(ctx context.Context, o options, stdout io.Writer) (breaches []string, err error) {
	a, err := newArena(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			fmt.Fprint(stdout, a.site.LastWords(5))
		}
		keep := o.keep || err != nil || len(breaches) > 0
		if keep {
			fmt.Fprintln(stdout, "homes and logs lie in", a.site.Dir)
		}
		err = errors.Join(err, a.close(ctx, keep))
	}()
	if err := a.open(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	report, err := a.carryOut(ctx, o, stdout)
	if err != nil {
		return nil, err
	}
	report.took = time.Since(began)
	report.print(stdout)
	return report.breaches(), nil
}
