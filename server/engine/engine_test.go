// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
	"fairlead/server/engine"
	"fairlead/server/target"
	"fairlead/server/tasks"
)

// rig is a server without its edges: a store and logs that survive, machines that survive, and
// engines that are killed at named points and made anew.
type rig struct {
	t        *rapid.T
	store    store.Store
	logs     *tasklog.Folder
	machines map[deploy.MachineID]*fakeMachine
	owner    int
}

// killed fences everything an engine could act on, from one moment on: what a process that was
// killed can no longer do.
type killed struct {
	mu   sync.Mutex
	dead bool
	left int // points until the kill; negative means never
	stop context.CancelFunc
}

func (k *killed) point(string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == 0 {
		k.dead = true
		k.stop()
	}
	k.left--
}

func (k *killed) err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		return errkind.Unavailable.Errorf("this process is dead")
	}
	return nil
}

type fencedStore struct {
	store.Store
	k *killed
}

func (s fencedStore) Update(ctx context.Context, f func(store.Writer) error) error {
	if err := s.k.err(); err != nil {
		return err
	}
	return s.Store.Update(ctx, f)
}

type fencedReach struct {
	r *rig
	k *killed
}

func (f fencedReach) Target(id deploy.MachineID) (target.Target, string, error) {
	if err := f.k.err(); err != nil {
		return nil, "", err
	}
	m := f.r.machines[id]
	if m.absent() {
		return nil, "", errkind.Unavailable.Errorf("%s is off line", id)
	}
	return fencedTarget{m, f.k}, "state-1", nil
}

func (f fencedReach) Changed(deploy.MachineID) <-chan struct{} { return nil }

// runOnce runs one engine until the task is done or the engine is killed.
func (r *rig) runOnce(kill int) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	k := &killed{left: kill, stop: stop}
	r.owner++
	fenced := fencedStore{r.store, k}
	env := host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: k.point}
	e := engine.New(engine.Deps{
		Store: fenced, Queue: tasks.NewQueue(fenced, time.Now, fmt.Sprint("owner-", r.owner), 5), Logs: r.logs,
		Reach: fencedReach{r, k}, Env: env,
	})
	var group sync.WaitGroup
	group.Go(func() { _ = e.Run(ctx) })
	time.Sleep(time.Second)
	for ctx.Err() == nil && !r.task().State.IsCompleted() {
		time.Sleep(time.Second)
	}
	stop()
	group.Wait()
}

func (r *rig) task() (task deploy.Task) {
	err := r.store.View(context.Background(), func(s store.Reader) (err error) {
		task, err = s.Task("ServerTasks-1")
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return task
}

// TestKilledEngineRepeatsAndSkipsNothing kills the engine at drawn points while machines come and
// go and calls break before or after their effect. Whatever happens: one start for each ticket,
// every line of output once and in order, steps in order, and the end that the scripts deserve.
func TestKilledEngineRepeatsAndSkipsNothing(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		plan := drawPlan(rt)
		seed := rapid.Uint64().Draw(rt, "seed")
		kills := rapid.SliceOfN(rapid.IntRange(0, 12), 0, 4).Draw(rt, "kills")
		failing := rapid.IntRange(-1, 6).Draw(rt, "failing")
		var failure func()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(rt, t, filepath.Join(dir, fmt.Sprint(runs)), plan, seed, failing)
			defer r.store.Close()
			for _, kill := range kills {
				r.runOnce(kill)
			}
			r.runOnce(-1)
			r.runOnce(-1)
			failure = r.judge(plan)
		})
		if failure != nil {
			failure()
		}
	})
}

func drawPlan(t *rapid.T) deploy.Plan {
	plan := deploy.Plan{}
	for i := range rapid.IntRange(1, 3).Draw(t, "steps") {
		step := deploy.PlannedStep{
			Number: i + 1, Name: fmt.Sprint("step-", i+1), Window: rapid.IntRange(1, 2).Draw(t, "window"), Condition: deploy.OnSuccess,
			Actions: []deploy.Action{{
				ID: fmt.Sprint("action-", i), Name: "a", Kind: deploy.ScriptAction,
				Properties: map[string]string{deploy.PropScriptBody: "echo"},
			}},
		}
		for m := range rapid.IntRange(1, 3).Draw(t, "machines") {
			step.Machines = append(step.Machines, deploy.MachineID(fmt.Sprint("Machines-", m+1)))
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan
}

func newRig(rt *rapid.T, t *testing.T, dir string, plan deploy.Plan, seed uint64, failing int) *rig {
	r := &rig{t: rt, machines: map[deploy.MachineID]*fakeMachine{}}
	logs, err := tasklog.Open(filepath.Join(dir, "logs"), host.Fsync{}, time.Now)
	if err != nil {
		rt.Fatal(err)
	}
	r.logs = logs
	if r.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "db"), sqlite.Options{}); err != nil {
		rt.Fatal(err)
	}
	err = r.store.Update(t.Context(), func(w store.Writer) error {
		for i := range 3 {
			id := deploy.MachineID(fmt.Sprint("Machines-", i+1))
			m := deploy.Machine{
				ID: id, Space: deploy.DefaultSpace, Name: fmt.Sprint("m-", i+1), Style: deploy.Polling, Pin: fmt.Sprintf("%064d", i+1),
			}
			r.machines[id] = &fakeMachine{
				name:   m.Name,
				rng:    rand.New(rand.NewPCG(seed, uint64(i))),
				known:  map[contract.TicketID]*fakeRun{},
				failAt: failing,
			}
			if err := w.PutMachine(m); err != nil {
				return err
			}
		}
		id, err := w.NextID("ServerTasks")
		if err != nil {
			return err
		}
		return w.PutTask(deploy.Task{
			ID: deploy.TaskID(id), Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, Description: "try",
			State: deploy.TaskQueued, Plan: plan, QueuedAt: time.Now(),
		})
	})
	if err != nil {
		rt.Fatal(err)
	}
	return r
}

// judge compares what the machines did, what the store holds and what the log says. It returns
// how to fail, as a failure inside the bubble would end in a deadlock report.
func (r *rig) judge(plan deploy.Plan) func() {
	fail := func(format string, args ...any) func() { return func() { r.t.Fatalf(format, args...) } }
	task := r.task()
	if !task.State.IsCompleted() {
		return fail("the task ended as %s", task.State)
	}
	lines, _, err := r.logs.Read(task.ID, 0, 64<<20)
	if err != nil {
		return fail("read log: %v", err)
	}
	output := map[contract.TicketID][]string{}
	for _, line := range lines {
		if line.Ticket != "" && line.Category == tasklog.Info {
			output[line.Ticket] = append(output[line.Ticket], line.Text)
		}
	}
	if err := r.logEnds(task.ID); err != nil {
		return fail("the log does not end: %v", err)
	}
	failed := false
	for id, m := range r.machines {
		ofStep := map[int]contract.TicketID{} // an agent starts a ticket once: a second start is a second ticket
		for ticket, run := range m.known {
			if other, twice := ofStep[run.step]; twice {
				return fail("%s: step %d was started as %s and as %s", id, run.step, other, ticket)
			}
			ofStep[run.step] = ticket
			if run.late > 0 {
				return fail("%s: the order of ticket %s was sent %d times after it was forgotten", id, ticket, run.late)
			}
			failed = failed || run.code != 0
			if got, want := fmt.Sprint(output[ticket]), fmt.Sprint(run.lines()); got != want {
				return fail("%s: the log of %s is %s, want %s", id, ticket, got, want)
			}
		}
	}
	for id, m := range r.machines {
		if !failed && m.maxStep() != lastStepOf(plan, id) {
			return fail("%s stopped at step %d of %d", id, m.maxStep(), lastStepOf(plan, id))
		}
	}
	if want := (map[bool]deploy.TaskState{false: deploy.TaskSuccess, true: deploy.TaskFailed})[failed]; task.State != want {
		return fail("the task ended as %s (%s), want %s", task.State, task.Error, want)
	}
	return nil
}

// logEnds follows the log of an ended task: a server that starts anew must have ended it.
func (r *rig) logEnds(id deploy.TaskID) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return r.logs.Follow(ctx, id, 0, func([]tasklog.Line, int64) error { return nil })
}

func lastStepOf(plan deploy.Plan, id deploy.MachineID) (last int) {
	for _, step := range plan.Steps {
		for _, m := range step.Machines {
			if m == id {
				last = step.Number
			}
		}
	}
	return last
}

func seeded(string) *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
