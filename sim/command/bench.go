// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fairlead/internal/cli"
	"fairlead/sim/plan"
	"fairlead/sim/search"
	"fairlead/sim/worker"
)

// The two sites that speed is measured on: a fleet that idles, and a small one with every sort of
// trouble within ten minutes.
const (
	idleFleet = `
name = "idle fleet"
safety = "1h"
settle = "1s"
expect = { online = "any" }
[[net]]
name = "internet"
[[server]]
name = "srv-1"
latency = "5ms"
[[agents]]
name = "web"
count = 100
latency = "20ms"
jitter = "5ms"
`
	faultyFleet = `
name = "faulty fleet"
safety = "6m"
settle = "4m"
[[net]]
name = "internet"
[[net]]
name = "ward"
prefix = "192.168.7.0/24"
[[edge]]
from = "ward"
to = "internet"
latency = "20ms"
jitter = "5ms"
boxes = ["nat"]
[[box]]
name = "nat"
kind = "nat"
public = "203.0.113.7"
idle = "240s"
[[server]]
name = "srv-1"
[[agents]]
name = "web"
count = 10
on = "ward"
[[op]]
at = "10s"
every = "90s"
do = "script"
lasts = "20s"
[[fault]]
at = "1m"
for = "70s"
kind = "partition"
on = "web"
[[fault]]
at = "3m"
kind = "server.crash"
[[fault]]
at = "5m"
kind = "nat.flush"
`
)

// speed is what bench prints.
type speed struct {
	Processes        int     `json:"processes"`
	AgentHours       float64 `json:"agent_hours_per_minute"`
	IdleEvents       float64 `json:"idle_events_per_second"`
	ScenariosPerSec  float64 `json:"scenarios_per_second"`
	VirtualPerSecond float64 `json:"virtual_hours_per_second"`
	SearchedPerSec   float64 `json:"searched_plans_per_second"`
	// What one takes of a processor, which other work on the machine hardly changes.
	IdleCPU     float64 `json:"idle_cpu_ms_per_agent_hour"`
	ScenarioCPU float64 `json:"scenario_cpu_ms"`
	SearchedCPU float64 `json:"searched_plan_cpu_ms"`
}

func (d desk) bench() cli.Command {
	var budget time.Duration
	var processes int
	var profile string
	return cli.Command{
		Name: "bench", Summary: "measure agent-hours a minute and scenarios a second",
		Details: "Three things, each for a third of the budget: 100 idle agents in each process; a scenario of ten minutes " +
			"with ten agents, a crash, a partition, a NAT that restarts, and scripts; what search draws.",
		Examples: []string{"fairlead-sim bench", "fairlead-sim bench --budget 3m --json"},
		Flags: func(fs *flag.FlagSet) {
			fs.DurationVar(&budget, "budget", defaultBudget, "measure for this `duration`")
			fs.IntVar(&processes, "processes", defaultProcesses, "run in so many processes; each takes one processor")
			fs.StringVar(&profile, "cpuprofile", "", "write where each part's time goes into `file`.PART.PID, for go tool pprof")
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			s := speed{Processes: processes}
			part := func(name string, next func(n int) (plan.Plan, error)) (search.Tally, error) {
				return d.profiled(profile, name).measure(ctx, std, processes, budget/3, next)
			}
			idle, err := part("idle", fixed(idleFleet))
			if err != nil {
				return err
			}
			faulty, err := part("faulty", fixed(faultyFleet))
			if err != nil {
				return err
			}
			drawn, err := part("drawn", func(n int) (plan.Plan, error) { return search.Draw(search.Profiles()[0], 1, n) })
			if err != nil {
				return err
			}
			s.AgentHours = idle.AgentHours / idle.Real.Minutes()
			s.IdleEvents = float64(idle.Events) / idle.Real.Seconds()
			s.ScenariosPerSec = float64(faulty.Runs) / faulty.Real.Seconds()
			s.VirtualPerSecond = faulty.Virtual.Hours() / faulty.Real.Seconds()
			s.SearchedPerSec = float64(drawn.Runs) / drawn.Real.Seconds()
			s.IdleCPU = milliseconds(idle.CPU) / idle.AgentHours
			s.ScenarioCPU = milliseconds(faulty.CPU) / float64(faulty.Runs)
			s.SearchedCPU = milliseconds(drawn.CPU) / float64(drawn.Runs)
			return std.Show(s, s.text())
		},
	}
}

func (s speed) text() string {
	return fmt.Sprintf("%10.0f agent-hours a minute, idle, 100 agents a process (%.0f events a second)\n"+
		"%10.1f scenarios a second: 10 agents, 10 minutes, crash, partition, NAT, scripts (%.1f virtual hours a second)\n"+
		"%10.1f plans a second as search draws them\n%10d processes\n"+
		"processor time: %.2f ms an agent-hour, %.1f ms a scenario, %.1f ms a plan of search\n",
		s.AgentHours, s.IdleEvents, s.ScenariosPerSec, s.VirtualPerSecond, s.SearchedPerSec, s.Processes,
		s.IdleCPU, s.ScenarioCPU, s.SearchedCPU)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// profiled is the desk whose processes write profiles of a part of bench; it is the desk itself for the
// path "".
func (d desk) profiled(path, part string) desk {
	if path != "" {
		d.far.Args = append(slices.Clone(d.far.Args), "--cpuprofile", path+"."+part)
	}
	return d
}

// fixed gives one plan with one seed after the other.
func fixed(text string) func(n int) (plan.Plan, error) {
	return func(n int) (plan.Plan, error) {
		p, err := plan.Parse([]byte(text))
		p.Seed = uint64(n)
		return p, err
	}
}

// measure runs plans for some time. The first run of each process, which makes the sites, is not counted.
func (d desk) measure(
	ctx context.Context, std *cli.IO, processes int, budget time.Duration, next func(int) (plan.Plan, error),
) (tally search.Tally, err error) {
	progress := std.Progress("measuring")
	defer progress.Done()
	err = d.with(processes, worker.Limits{}, func(workers []*worker.Worker) error {
		c := search.Campaign{
			Runners: runners(workers),
			Next: func(n int) (plan.Plan, bool, error) {
				p, err := next(n)
				return p, n < processes, err
			},
		}
		if _, _, err := c.Run(ctx); err != nil {
			return err
		}
		c = search.Campaign{
			Runners: runners(workers), Budget: budget, Sure: processes,
			Next: func(n int) (plan.Plan, bool, error) {
				p, err := next(n)
				return p, true, err
			},
			Tell: func(t search.Tally) { progress.Say(fmt.Sprintf("%d runs", t.Runs)) },
		}
		tally, _, err = c.Run(ctx)
		return err
	})
	if err == nil {
		err = interrupted(ctx)
	}
	return tally, err
}

func number(n int) string { return strconv.Itoa(n) }
