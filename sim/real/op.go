// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// people is how the history calls who asks.
const people = "desk"

// at does something when it is due, unless ctx ends before.
func (r *rig) at(ctx context.Context, due time.Duration, do func()) {
	r.mu.Lock()
	r.pending++
	r.mu.Unlock()
	r.owned.Go(func() {
		if pause(ctx, time.Until(r.base.Add(due))) == nil {
			do()
		}
		r.mu.Lock()
		r.pending--
		r.mu.Unlock()
	})
}

// schedule puts what people do and what goes wrong on the clock.
func (r *rig) schedule(ctx context.Context) {
	for i, op := range r.plan.Ops {
		r.at(ctx, op.At.D(), func() { r.do(ctx, op, opName(i)) })
	}
	for _, f := range r.plan.Faults {
		for _, on := range r.plan.Places(f) {
			one := f
			one.On = on
			r.at(ctx, f.At.D(), func() { r.inflict(ctx, one) })
		}
	}
}

func (r *rig) do(ctx context.Context, op plan.Op, name string) {
	switch op.Do {
	case plan.DoScript:
		r.script(ctx, op, name)
	case plan.DoRestart:
		v := r.serving()
		r.fail(v.stop())
		r.fail(v.start(ctx))
	case plan.DoFailover:
		r.failover(ctx)
	}
}

// failover ends the server, if it still runs, and starts the next with the same disk.
func (r *rig) failover(ctx context.Context) {
	from := r.serving()
	r.fail(from.stop())
	r.mu.Lock()
	to := r.servers[(r.active+1)%len(r.servers)]
	r.mu.Unlock()
	r.fail(to.start(ctx))
	r.speakTo(to)
}

// startsFile is where scripts note that they were started.
func (r *rig) startsFile() string { return filepath.Join(r.dir, "starts") }

// body is a script that notes its start, says its lines and ends with its code.
func (r *rig) body(op plan.Op, name string) string {
	var out strings.Builder
	if op.Ignores {
		out.WriteString("trap '' TERM\n")
	}
	const note = "echo \"%s #{Octopus.Machine.Name} $(get_octopusvariable Fairlead.Ticket) $(date +%%s%%N) $$\" >>'%s'\n"
	fmt.Fprintf(&out, note, name, r.startsFile())
	lines := max(1, op.Lines)
	fmt.Fprintf(&out, "for i in $(seq 1 %d); do echo %s-#{Octopus.Machine.Name}-$i; sleep %.3f; done\nexit %d\n",
		lines, name, op.Lasts.D().Seconds()/float64(lines), op.Exit)
	return out.String()
}

// script queues a script and looks at its task until it has ended.
func (r *rig) script(ctx context.Context, op plan.Op, name string) {
	r.record(history.Event{Kind: history.Asked, Who: people, Text: "script " + name})
	task, err := r.people().RunScript(ctx, name, r.body(op, name), machines(r.plan, op.On)...)
	answer := history.Event{
		Kind: history.Answered, Who: people, Task: deploy.TaskID(task), Text: "script " + name, Code: http.StatusOK,
	}
	if err != nil {
		answer.Text += ": " + err.Error()
		answer.Code = 0
		if said, is := errors.AsType[*demo.StatusError](err); is {
			answer.Code = said.Status
		}
	}
	r.record(answer)
	last := ""
	for err == nil {
		t, lookErr := r.people().Task(ctx, task)
		if lookErr == nil && t.State != last {
			last = t.State
			r.record(history.Event{Kind: history.Seen, Who: people, Task: deploy.TaskID(task), Text: last})
		}
		if lookErr == nil && t.IsCompleted || pause(ctx, lookEvery) != nil {
			return
		}
	}
}
