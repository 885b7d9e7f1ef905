// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"fairlead/sim/plan"
	"fairlead/sim/report"
)

// Job is one run in which somebody dies.
type Job struct {
	Workload string
	Life     string // "server", "agent", "shim" or "step"
	Point    string
	Nth      int    // pass, counted from the beginning of the safety phase
	Death    string // kind of fault
	Plan     plan.Plan
}

// String names the job: "script: server.crash at engine.ticket.sent, pass 1".
func (j Job) String() string {
	return j.Workload + ": " + j.Death + " at " + j.Point + ", pass " + strconv.Itoa(j.Nth)
}

// kills are the faults that end a program alone. A step is never killed alone: its shim is, or the power goes.
var kills = map[string]string{"server": "server.crash", "agent": "agent.crash", "shim": "shim.crash"}

// Jobs are the deaths for a workload that passed these points, "life point", when nobody died. A machine
// passes a share of them: the last pass is that of one machine of those that do.
func Jobs(w Workload, passes map[string]int) (jobs []Job) {
	for _, key := range slices.Sorted(maps.Keys(passes)) {
		life, point, _ := strings.Cut(key, " ")
		if !slices.Contains(Points(), point) {
			continue
		}
		machines, on := len(w.Plan.Servers), w.Plan.Servers[0].Name
		if life != "server" {
			machines, on = w.Plan.Machines(), w.Plan.Agents[0].Name+"-1"
		}
		deaths := []string{"host.power"}
		if kill := kills[life]; kill != "" {
			deaths = append(deaths, kill)
		}
		for _, nth := range slices.Compact([]int{1, max(1, passes[key]/machines)}) {
			for _, death := range deaths {
				p := w.Plan
				p.Faults = append(slices.Clone(p.Faults), plan.Fault{Kind: death, On: on, Point: point, Nth: nth})
				p.Name += ": " + death + " at " + point
				jobs = append(jobs, Job{w.Name, life, point, nth, death, p})
			}
		}
	}
	return jobs
}

// Count is what came of the jobs.
type Count struct {
	Jobs  int            `json:"jobs"`
	Died  int            `json:"died"`  // runs in which somebody died at the point
	Wrong int            `json:"wrong"` // runs that violated a statement
	At    map[string]int `json:"at"`    // deaths by point, all points
}

// NewCount counts nothing yet.
func NewCount() Count {
	c := Count{At: map[string]int{}}
	for _, point := range Points() {
		c.At[point] = 0
	}
	return c
}

// Add counts a job. before is how many died in the workload without it.
func (c *Count) Add(j Job, r report.Report, wrong bool, before int) {
	c.Jobs++
	if wrong {
		c.Wrong++
	}
	if len(r.Deaths) > before {
		c.Died++
		c.At[j.Point]++
	}
}

// Missed lists the points at which nobody died, sorted, and the gaps that are none.
func (c Count) Missed() (points []string) {
	gaps := Gaps()
	for _, point := range slices.Sorted(maps.Keys(c.At)) {
		_, gap := gaps[point]
		switch {
		case c.At[point] == 0 && !gap:
			points = append(points, point)
		case c.At[point] > 0 && gap:
			points = append(points, point+" (a gap that is none: take it out)")
		}
	}
	return points
}
