// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command bench measures Fairlead beside its floors: bare programs that do the same work with
// crypto/tls and nothing else, run in turn with it in the same job. `make bench` runs it.
//
// It does not profile libraries; the packages' own benchmarks do.
//
//  1. Both ends of every connection are processes of their own, so that a server's memory holds
//     nothing of the other end. All of them are this program in another role.
//  2. What is measured is the server's daemon as customers run it, with the real store, fleet, port
//     and line, and agents that are real down to the calls.
//  3. A goal is judged by the median of the ratios of neighbouring runs, and only when floor against
//     floor is between 0.9 and 1.1. The exit code is 1 when a goal is missed, 2 when measuring was
//     not possible.
//
// main.go is the command line and the order of the goals; memory.go, dispatch.go, push.go,
// package.go, ingest.go, script.go, agent.go, storm.go and api.go measure one goal each; summary.go and report.go
// judge and print.
// process.go and role.go start the other processes and speak with them; candidate.go, agents.go
// bare.go and web.go are what those do, with roster.go, stock.go, network.go, pacing.go and usage.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the flags.
type options struct {
	role                              string
	goals                             string
	json                              string
	profile                           string
	dir                               string
	agents                            int
	machines, projects, tasks, blocks int    // of the api goal
	stock                             string // folder of a home to measure, filled before when it is there
	rounds                            int
	windows                           int
	window                            time.Duration
	idle                              time.Duration
	size                              int64
	large                             int64
	lines                             int
	settle                            time.Duration
	keep                              bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	var short bool
	var mebibytes, large int64
	f.StringVar(&o.goals, "goals", "size,memory,agent,dispatch,storm,push,packages,ingest,script,api",
		"what to measure, in this order")
	f.StringVar(&o.json, "json", "", "save all figures to this `file`")
	f.StringVar(&o.profile, "profile", "",
		"save CPU and heap profiles of the server, and of who receives a push, to this `folder`")
	f.StringVar(
		&o.dir,
		"dir",
		"",
		"keep what is pushed below this `folder`; memory (/dev/shm) if there is room, else the temporary folder",
	)
	f.IntVar(&o.agents, "agents", 5000, "how many agents are idle; a process has 20,000 files at most")
	f.IntVar(&o.rounds, "rounds", 5, "pairs of the memory and push goals")
	f.IntVar(&o.windows, "windows", 15, "pairs of the dispatch goal")
	f.DurationVar(&o.window, "window", 2*time.Second, "length of one window of the dispatch goal")
	f.DurationVar(
		&o.idle,
		"idle",
		30*time.Second,
		"how long the agent and the server idle before their memory counts",
	)
	f.DurationVar(&o.settle, "settle", 2*time.Second, "wait after the last agent has come on line")
	f.Int64Var(&mebibytes, "size", 1024, "MiB that one push has")
	f.StringVar(&o.stock, "stock", "", "keep the home of the api goal in this `folder`, and take it when it is there")
	f.IntVar(&o.machines, "machines", 10_000, "machines in the store of the api goal")
	f.IntVar(&o.projects, "projects", 1_000, "projects there, each with releases")
	f.IntVar(&o.tasks, "tasks", 100_000, "deployments there, each with its task and event")
	f.IntVar(&o.blocks, "blocks", 12, "blocks of 25 requests for each address of the api goal")
	f.IntVar(&o.lines, "lines", 500_000, "lines that one script of the ingest goal prints")
	f.Int64Var(&large, "large", 4096, "MiB of the push at which the agent's memory is watched")
	f.BoolVar(&short, "short", false, "a look in a minute: few agents, few rounds")
	f.BoolVar(&o.keep, "keep", false, "leave the work folder with the logs of all processes")
	f.StringVar(&o.role, "role", "", "be one of the other processes; the bench uses it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("argument %q: there are flags only", f.Arg(0))
	}
	if short {
		o.agents, o.rounds, o.windows, o.window, o.idle, mebibytes = 500, 2, 3, time.Second, 5*time.Second, 128
		large = 256
	}
	if short {
		o.machines, o.projects, o.tasks, o.blocks = 1_000, 100, 5_000, 2
	}
	if short && o.lines > 200_000 {
		o.lines = 200_000
	}
	o.size, o.large = mebibytes<<20, large<<20
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && o.role != "" {
		err = play(ctx, o.role, stdout)
	} else if err == nil {
		var missedGoals int
		if missedGoals, err = measure(ctx, o, stdout, stderr); err == nil && missedGoals > 0 {
			return 1
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	return 0
}

// play is what the other processes do.
func play(ctx context.Context, name string, stdout io.Writer) error {
	roles := map[string]func() *role{
		"server": candidateRole, "agents": agentsRole, "bare-server": bareServerRole, "bare-callers": bareCallersRole,
		"bare-web": bareWebRole,
	}
	make, ok := roles[name]
	if !ok {
		return fmt.Errorf("no such role: %s", name)
	}
	return make().serve(ctx, os.Stdin, stdout)
}

// bench is one run.
type bench struct {
	options
	work   string // folder of this run
	roster string
	report *report
	fleet  *fleet // a server with all agents on line, or nil
	stderr io.Writer

	pingMinute float64 // the floor's CPU for a minute of pings, in ms; 0 when it was not measured
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.stderr, format+"\n", args...)
}

func measure(ctx context.Context, o options, stdout, stderr io.Writer) (misses int, err error) {
	b := &bench{options: o, report: newReport(), stderr: stderr}
	goals, err := b.chosen()
	if err != nil {
		return 0, err
	}
	if b.work, err = os.MkdirTemp("", "fairlead-bench-"); err != nil {
		return 0, err
	}
	defer func() {
		b.fleet.kill()
		if o.keep || err != nil {
			b.say("logs and homes lie in %s", b.work)
			return
		}
		err = os.RemoveAll(b.work)
	}()
	began := time.Now()
	b.roster = b.work + "/roster"
	if err := makeRoster(b.roster, o.agents); err != nil {
		return 0, err
	}
	if err := b.all(ctx, goals); err != nil {
		return 0, errors.Join(err, b.report.print(stdout))
	}
	b.report.Load = append(b.report.Load, loadAverage())
	b.report.Seconds = time.Since(began).Seconds()
	if err := b.report.print(stdout); err != nil {
		return 0, err
	}
	if o.json != "" {
		err = b.report.save(o.json)
	}
	return b.report.misses(), err
}

// goal is one thing to measure.
type goal struct {
	name    string
	measure func(context.Context) error
}

// chosen lists the goals that were asked for, always in the same order.
func (b *bench) chosen() (chosen []goal, err error) {
	wanted := strings.Split(b.goals, ",")
	for _, g := range []goal{
		{"size", b.sizes},
		{"memory", b.memory},
		{"agent", b.agent},
		{"dispatch", b.dispatch},
		{"storm", b.storm},
		{"push", b.push},
		{"packages", b.packages},
		{"ingest", b.ingest},
		{"script", b.script},
		{"api", b.api},
	} {
		if slices.Contains(wanted, g.name) {
			chosen = append(chosen, g)
		}
	}
	if len(chosen) != len(wanted) {
		return nil, fmt.Errorf(
			"goals %q: want some of size, memory, agent, dispatch, storm, push, packages, ingest, script and api, each once",
			b.goals,
		)
	}
	return chosen, nil
}

func (b *bench) all(ctx context.Context, goals []goal) error {
	for _, g := range goals {
		load, began := loadAverage(), time.Now()
		b.report.Load = append(b.report.Load, load)
		if err := g.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		b.say("%s took %.0f s; load before it %.1f", g.name, time.Since(began).Seconds(), load)
	}
	return nil
}
