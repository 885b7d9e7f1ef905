// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strconv"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

const (
	// defaultTail is how many lines of each node the details show.
	defaultTail = 1_000
	// maxTail is the most that can be asked for.
	maxTail = 100_000
	// detailReadBytes is read from a log at once.
	detailReadBytes = 1 << 20
	// maxDetailBytes is how much of a log the details are made from; the rest is in raw and log.
	maxDetailBytes = 64 << 20
)

// nodeTails keeps the last lines of each node of a log.
type nodeTails struct {
	keep  int
	lines map[string][]LogLine
	size  int64 // offset after the last line read
}

// readTails reads a log from its start.
func (a *api) readTails(task deploy.TaskID, keep int) (*nodeTails, error) {
	tails := &nodeTails{keep: keep, lines: map[string][]LogLine{}}
	var whole pieces
	for tails.size < maxDetailBytes {
		lines, next, err := a.Logs.Read(task, tails.size, detailReadBytes)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 || next <= tails.size {
			break
		}
		tails.size = next
		for _, line := range lines {
			if line, ok := whole.add(line); ok {
				tails.add(line)
			}
		}
	}
	for _, line := range whole.rest() {
		tails.add(line)
	}
	return tails, nil
}

// add drops the oldest half when twice as many lines are held as are wanted.
func (t *nodeTails) add(line LogLine) {
	held := append(t.lines[line.Node], line)
	if len(held) >= 2*t.keep+1 {
		held = append([]LogLine(nil), held[len(held)-t.keep:]...)
	}
	t.lines[line.Node] = held
}

func (t *nodeTails) elements(node string) []obj {
	lines := t.lines[node]
	lines = lines[max(0, len(lines)-t.keep):]
	return each(lines, func(l LogLine) obj {
		return obj{"Number": l.Number, "Category": l.Category, "OccurredAt": at(l.At), "MessageText": l.Text, "Detail": nil}
	})
}

func (a *api) taskDetails(c *call) error {
	keep, err := number(c.query(), "tail", defaultTail)
	if err != nil {
		return err
	}
	d, err := a.Catalog.TaskDetail(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	tails, err := a.readTails(d.Task.ID, min(keep, maxTail))
	if err != nil {
		return err
	}
	percent := 0
	if d.Task.State.IsCompleted() {
		percent = 100
	}
	return c.ok(obj{
		"Task": a.showTask(d.Task, standing{isAsking: d.IsAsking()}), "ActivityLogs": []obj{showTree(d, tails)},
		"PhysicalLogSize": tails.size,
		"Progress":        obj{"ProgressPercentage": percent, "EstimatedTimeRemaining": ""},
		"Links":           obj{"Self": "/api/tasks/" + string(d.Task.ID) + "/details"},
	})
}

// taskActivity is the word for the root of the tree.
func taskActivity(t deploy.Task) deploy.Activity {
	switch t.State {
	case deploy.TaskQueued:
		return deploy.ActivityPending
	case deploy.TaskExecuting, deploy.TaskCancelling:
		return deploy.ActivityRunning
	case deploy.TaskSuccess:
		return deploy.ActivitySuccess
	case deploy.TaskCanceled:
		return deploy.ActivityCanceled
	case deploy.TaskFailed, deploy.TaskTimedOut:
		return deploy.ActivityFailed
	}
	return deploy.ActivityFailed
}

// showTree shows the three levels that clients print: task, steps, machines.
func showTree(d catalog.TaskDetail, tails *nodeTails) obj {
	id := string(d.Task.ID) + "_1"
	steps := []obj{}
	for i, step := range d.Task.Plan.Steps {
		steps = append(steps, showStepActivity(d, i, step, id+"/"+strconv.Itoa(step.Number), tails))
	}
	root := showActivity(id, d.Task.Description, taskActivity(d.Task), d.Task.StartedAt, d.Task.CompletedAt)
	root["LogElements"], root["Children"] = tails.elements(""), steps
	return root
}

func showStepActivity(d catalog.TaskDetail, i int, step deploy.PlannedStep, id string, tails *nodeTails) obj {
	activity, machines := stepActivity(d, i, step)
	node := strconv.Itoa(step.Number)
	children := []obj{}
	for m, machine := range step.Machines {
		name := d.Machines[machine]
		if name == "" {
			name = string(machine)
		}
		started, ended := span(d.Tickets, i, machine)
		child := showActivity(id+"/"+string(machine), name, machines[m], started, ended)
		child["ProgressMessage"] = d.Said(i, machine)
		child["LogElements"], child["Children"] = tails.elements(node+"/"+string(machine)), []obj{}
		children = append(children, child)
	}
	started, ended := span(d.Tickets, i, "")
	shown := showActivity(id, "Step "+node+": "+step.Name, activity, started, ended)
	shown["LogElements"], shown["Children"] = tails.elements(node), children
	if i < len(d.Progress.Steps) {
		shown["ProgressMessage"] = d.Progress.Steps[i].Reason
	}
	return shown
}

// stepActivity tells how far a step has come. A health check has no tickets: its one step stands
// where the task stands.
func stepActivity(d catalog.TaskDetail, i int, step deploy.PlannedStep) (deploy.Activity, []deploy.Activity) {
	whole := taskActivity(d.Task)
	machines := make([]deploy.Activity, len(step.Machines))
	for m := range machines {
		machines[m] = whole
	}
	notBegun := d.Task.State == deploy.TaskQueued || d.Task.State.IsCompleted() && d.Task.StartedAt.IsZero()
	if d.Task.Kind == deploy.HealthTask || notBegun || i >= len(d.Progress.Steps) {
		return whole, machines
	}
	return d.Progress.Steps[i].Activity, d.Progress.Steps[i].Machines
}

func showActivity(id, name string, activity deploy.Activity, started, ended time.Time) obj {
	percent := 100
	if activity == deploy.ActivityPending || activity == deploy.ActivityRunning {
		percent, ended = 0, time.Time{}
	}
	return obj{
		"Id": id, "Name": name, "Status": activity, "Started": at(started), "Ended": at(ended),
		"ProgressPercentage": percent, "ProgressMessage": "", "ShowAtSummaryLevel": true,
	}
}

// span is when the tickets of a step began and ended, on one machine or on all ("").
func span(tickets []deploy.Ticket, step int, machine deploy.MachineID) (started, ended time.Time) {
	for _, t := range tickets {
		if t.Step != step || machine != "" && t.Machine != machine {
			continue
		}
		if started.IsZero() || t.CreatedAt.Before(started) {
			started = t.CreatedAt
		}
		if t.EndedAt.After(ended) {
			ended = t.EndedAt
		}
	}
	return started, ended
}
