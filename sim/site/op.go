// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

const (
	// browseLimit is how long a browser waits.
	browseLimit = 30 * time.Second
	// opsApart is between people who act at the same time: whose request times out first would be up to the scheduler
	// if they began, and so ended, in one instant.
	opsApart = time.Microsecond
	// maxRepeats bounds how often one op is done.
	maxRepeats = 10_000
)

// schedule puts what people do on the clock.
func (s *site) schedule() {
	for i, op := range s.plan.Ops {
		until := op.Until.D()
		if until == 0 {
			until = s.plan.Safety.D()
		}
		at := op.At.D() + time.Duration(i)*opsApart
		for n := range maxRepeats {
			label := fmt.Sprintf("op %d", i+1)
			if op.Every > 0 {
				label = fmt.Sprintf("op %d.%d", i+1, n+1)
			}
			name := strings.NewReplacer(" ", "", ".", "x").Replace(label)
			s.world.At(s.base+at, label, func() { s.do(op, name) })
			if at += op.Every.D(); op.Every == 0 || at >= until {
				break
			}
		}
	}
}

// do does one thing and waits for what came of it.
func (s *site) do(op plan.Op, name string) {
	ctx := s.ctx
	switch op.Do {
	case plan.DoScript:
		s.follow(ctx, s.desk.script(ctx, op, name))
	case plan.DoDeploy:
		s.follow(ctx, s.desk.deploy(ctx, op, name))
	case plan.DoRedeploy:
		s.follow(ctx, s.desk.redeploy(ctx, op, name))
	case plan.DoRetention:
		s.follow(ctx, s.desk.retain(ctx, op, name))
	case plan.DoHealth:
		s.follow(ctx, s.desk.health(ctx, name))
	case plan.DoCancel:
		s.desk.cancelNewest(ctx, name)
	case plan.DoRestart:
		if v := s.serving(); v.boot == nil { // nobody restarts what has no power
			v.stop()
			v.start()
		}
	case plan.DoFailover:
		s.failover()
	case plan.DoAnswer:
		s.desk.answer(ctx, op)
	case plan.DoBrowse:
		s.desk.browse(ctx, op.URL)
	case plan.DoRemove:
		s.desk.remove(ctx, s.chosen(op, name))
	}
}

// chosen are the machines that an op is on.
func (s *site) chosen(op plan.Op, name string) (names []string) {
	all := s.agentNames()
	switch {
	case op.On != "":
		return s.plan.Places(plan.Fault{Kind: "agent.crash", On: op.On})
	case op.Any <= 0 || op.Any >= len(all):
		return all
	}
	first := int(s.serving().m.Chance(name) % uint64(len(all)))
	for i := range op.Any {
		names = append(names, all[(first+i)%len(all)])
	}
	return names
}

// agentNames lists the agents in the order of the plan.
func (s *site) agentNames() (names []string) {
	for _, a := range s.agents {
		names = append(names, a.name)
	}
	return names
}

// body is a script whose every line is unlike all others.
func body(op plan.Op, name string) string {
	var out strings.Builder
	if op.Ignores {
		out.WriteString("trap '' TERM\n")
	}
	lines := max(1, op.Lines)
	pause := op.Lasts.D().Seconds() / float64(lines)
	const few = 20
	if lines <= few {
		for n := range lines {
			fmt.Fprintf(&out, "echo %s-#{Octopus.Machine.Name}-%d\nsleep %.3f\n", name, n+1, pause)
		}
	} else {
		fmt.Fprintf(&out, "for i in $(seq 1 %d); do echo %s-#{Octopus.Machine.Name}-$i; sleep %.3f; done\n",
			lines, name, pause)
	}
	if op.Gives > 0 {
		fmt.Fprintf(&out, "give %s-#{Octopus.Machine.Name}.bin %d\n", name, op.Gives)
	}
	if op.Reboot {
		out.WriteString("reboot\n")
	}
	if op.Exit != 0 {
		fmt.Fprintf(&out, "exit %d\n", op.Exit)
	}
	return out.String()
}

func (d *desk) asked(task, what string) {
	d.s.record(history.Event{Kind: history.Asked, Who: deskName, Task: deploy.TaskID(task), Text: what})
}

func (d *desk) answered(task, what string, err error) {
	e := history.Event{Kind: history.Answered, Who: deskName, Task: deploy.TaskID(task), Text: what, Code: 200}
	if err != nil {
		e.Text, e.Code = what+": "+err.Error(), status(err)
	}
	d.s.record(e)
}

// script queues a script and returns its task, "" when that failed.
func (d *desk) script(ctx context.Context, op plan.Op, name string) string {
	d.asked("", "script "+name)
	on := d.s.chosen(op, name)
	var made struct{ Id string }
	err := d.rest().Post(ctx, "/api/tasks", map[string]any{
		"Name": "AdHocScript", "Description": name, "Arguments": map[string]any{
			"ScriptBody": body(op, name), "Syntax": "Bash", "MachineNames": on, "MaxParallelism": len(on),
			"Properties": settings(op),
		},
	}, &made)
	d.answered(made.Id, "script "+name, err)
	return made.Id
}

func (d *desk) health(ctx context.Context, name string) string {
	d.asked("", "health "+name)
	var made struct{ Id string }
	err := d.rest().Post(ctx, "/api/tasks", map[string]any{
		"Name": "Health", "Description": name, "Arguments": map[string]any{},
	}, &made)
	d.answered(made.Id, "health "+name, err)
	return made.Id
}

// remove takes machines and their trust away.
func (d *desk) remove(ctx context.Context, names []string) {
	for _, name := range names {
		d.asked("", "remove "+name)
		m, err := d.rest().Machine(ctx, name)
		if err == nil {
			err = d.rest().Delete(ctx, "/api/Spaces-1/machines/"+m.ID)
		}
		d.answered("", "remove "+name, err)
	}
}

// browse opens a page as a browser does that trusts the company's certificates.
func (d *desk) browse(ctx context.Context, url string) {
	d.asked("", "browse "+url)
	web := http.Client{Transport: d.transport, Timeout: browseLimit}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		d.answered("", "browse "+url, err)
		return
	}
	response, err := web.Do(request)
	if err != nil {
		d.answered("", "browse "+url, err)
		return
	}
	_ = response.Body.Close()
	d.s.record(history.Event{Kind: history.Answered, Who: deskName, Text: "browse " + url, Code: response.StatusCode})
}

// answer answers every question that tasks wait with, as one who reads them would.
func (d *desk) answer(ctx context.Context, op plan.Op) {
	var page struct {
		Items []struct {
			ID     string `json:"Id"`
			TaskID string `json:"TaskId"`
			Form   struct {
				Values map[string]any
			}
		}
	}
	const path = "/api/Spaces-1/interruptions"
	if err := d.rest().Get(ctx, path+"?pendingOnly=true", &page); err != nil {
		d.answered("", "answer", err)
		return
	}
	for _, q := range page.Items {
		member, choice := "Result", cmp.Or(op.Choice, string(deploy.ChoiceProceed))
		if _, isFailure := q.Form.Values["Guidance"]; isFailure {
			member, choice = "Guidance", cmp.Or(op.Guidance, string(deploy.ChoiceFail))
		}
		what := history.AnswerPrefix + q.ID + " " + choice
		d.asked(q.TaskID, what)
		err := d.rest().Post(ctx, path+"/"+q.ID+"/submit", map[string]any{member: choice, "Notes": "seen"}, nil)
		d.answered(q.TaskID, what, err)
	}
}

// cancelNewest asks for the end of the newest task that has not ended.
func (d *desk) cancelNewest(ctx context.Context, name string) {
	var page struct {
		Items []struct {
			ID          string `json:"Id"`
			IsCompleted bool
		}
	}
	if err := d.rest().Get(ctx, "/api/tasks?take=20", &page); err != nil {
		d.answered("", "cancel "+name, err)
		return
	}
	for _, t := range page.Items {
		if t.IsCompleted {
			continue
		}
		d.asked(t.ID, "cancel")
		err := d.rest().CancelTask(ctx, t.ID)
		d.answered(t.ID, "cancel", err)
		return
	}
}

// follow looks at a task until it has ended.
func (s *site) follow(ctx context.Context, task string) {
	last := ""
	for task != "" && ctx.Err() == nil {
		t, err := s.desk.rest().Task(ctx, task)
		if status(err) != 0 || err == nil && t.State != last {
			last = t.State
			s.record(history.Event{
				Kind: history.Seen, Who: deskName, Task: deploy.TaskID(task), Text: t.State, Code: status(err),
			})
		}
		if err == nil && t.IsCompleted {
			return
		}
		pause(ctx, plan.LookEvery)
	}
}
