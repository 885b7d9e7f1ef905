// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command log holds script output against a network that cuts: the real server, real agents and
// scripts that print, through a relay that ends every connection after a while, and programs killed
// with SIGKILL in between. `make torture-log` runs it.
//
// It does not damage bytes on the way or on disk; torture-transfer and torture-disk do.
//
//  1. What a script wrote is hashed by the script itself, each stream for itself, and compared with
//     what the server's log holds: nothing lost, nothing repeated, nothing out of order.
//  2. The seed decides what is printed and when who is cut or killed, not how far the programs are
//     by then.
//  3. Everything lies below one folder; every process is found by it and ended with the run.
//
// main.go is the command line, arena.go the programs under test and who disturbs them, relay.go the
// cable, printer.go what scripts print, verify.go what the log holds.
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
	exitBroken   = 1 // output was lost, repeated or changed
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
	mebibytes int
	tickets   int
	agents    int
	cutFrom   time.Duration
	cutTo     time.Duration
	kills     int
	rate      float64
	seed      uint64
	dir       string
	keep      bool
	patience  time.Duration
	print     string
	printSize int64
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("log", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.mebibytes, "n", 100, "MiB of output in all; 1024 is a release's")
	f.IntVar(&o.tickets, "tickets", 8, "how many scripts print it; an agent keeps 256 MiB of each")
	f.IntVar(&o.agents, "agents", 2, "how many agents, each behind a relay of its own")
	f.DurationVar(&o.cutFrom, "from", 300*time.Millisecond, "shortest life of a connection")
	f.DurationVar(&o.cutTo, "to", 3*time.Second, "longest life of a connection")
	f.IntVar(&o.kills, "kills", 4, "how often the server or an agent is killed")
	f.Float64Var(&o.rate, "rate", 8, "MB/s that a relay carries")
	f.Uint64Var(&o.seed, "seed", 0, "of output and cuts; 0 draws one")
	f.StringVar(&o.dir, "dir", "", "make the homes below this `folder`; memory (/dev/shm) unless told otherwise")
	f.BoolVar(&o.keep, "keep", false, "leave homes and logs where they are")
	f.DurationVar(&o.patience, "patience", 10*time.Minute, "how long all of it may take")
	f.StringVar(&o.print, "print", "", "be a script: print, and note what was printed in this `file`")
	f.Int64Var(&o.printSize, "bytes", 0, "that a script prints")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	fewest := min(o.mebibytes, o.tickets, o.agents)
	if f.NArg() > 0 || fewest < 1 || o.rate <= 0 || o.cutFrom <= 0 || o.cutTo < o.cutFrom {
		return o, fmt.Errorf("arguments %q: there are flags only, counts are 1 or more, -from is not above -to", f.Args())
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
	if err == nil && o.print != "" {
		if err = printOutput(o.print, o.seed, o.printSize); err == nil {
			return exitFine
		}
	}
	var breaches []string
	if err == nil {
		const text = "%d MiB of output by %d scripts on %d agents, seed %d\n"
		fmt.Fprintf(stdout, text, o.mebibytes, o.tickets, o.agents, o.seed)
		breaches, err = torture(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture-log:", err)
		return exitNoResult
	}
	for _, b := range breaches {
		fmt.Fprintln(stdout, "BROKEN:", b)
	}
	if len(breaches) > 0 {
		const text = "again: go run ./internal/torture/log -n %d -tickets %d -agents %d -from %v -to %v -kills %d -seed %d\n"
		fmt.Fprintf(stdout, text, o.mebibytes, o.tickets, o.agents, o.cutFrom, o.cutTo, o.kills, o.seed)
		return exitBroken
	}
	return exitFine
}

// torture is one run: scripts print while connections and programs end, then the logs are read.
func torture(ctx context.Context, o options, stdout io.Writer) (breaches []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
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
	jobs, err := a.storm(ctx, stdout)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	var all tally
	for _, j := range jobs {
		got, err := readLog(a.logs(), j.task)
		if err != nil {
			return nil, err
		}
		all.add(got)
		breaches = append(breaches, j.judge(got)...)
	}
	a.print(stdout, all, took)
	return breaches, nil
}
