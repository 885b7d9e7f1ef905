// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
	"fairlead/server/engine"
	"fairlead/server/target"
	"fairlead/server/tasks"
)

// scripted is a machine whose answers a test writes; nil fields answer as a healthy machine on
// which the script is running and says nothing.
type scripted struct {
	status func() (contract.TicketStatus, error)
	start  func(contract.Order) error
	follow func(context.Context, target.FollowFunc) error
	cancel func() error
	send   func(context.Context) error // brings a package

	result    contract.Result
	resultErr error
	// artifact answers for the bytes of an artifact.
	artifact func(contract.ArtifactArgs) (io.ReadCloser, error)
}

func running() contract.TicketStatus {
	return contract.TicketStatus{Ticket: "t", State: contract.Running}
}

func (m *scripted) Status(context.Context, contract.TicketID) (contract.TicketStatus, error) {
	if m.status == nil {
		return contract.TicketStatus{State: contract.Unknown}, nil
	}
	return m.status()
}

func (m *scripted) Start(_ context.Context, order contract.Order) (contract.TicketStatus, error) {
	if m.start == nil {
		return running(), nil
	}
	return running(), m.start(order)
}

func (m *scripted) Follow(ctx context.Context, _ contract.TicketID, _ int64, f target.FollowFunc) error {
	if m.follow == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.follow(ctx, f)
}

func (m *scripted) Cancel(context.Context, contract.TicketID, time.Duration, string) error {
	if m.cancel == nil {
		return nil
	}
	return m.cancel()
}

func (m *scripted) Result(context.Context, contract.TicketID, contract.ResultInfo) (contract.Result, error) {
	return m.result, m.resultErr
}

func (m *scripted) Artifact(_ context.Context, args contract.ArtifactArgs) (io.ReadCloser, error) {
	return m.artifact(args)
}

func (m *scripted) Forget(context.Context, contract.TicketID) error { return nil }
func (m *scripted) List(context.Context, contract.TicketID) (contract.TicketList, error) {
	return contract.TicketList{}, nil
}

func (m *scripted) Send(ctx context.Context, _ target.Content) (bool, error) {
	if m.send == nil {
		return true, nil
	}
	return true, m.send(ctx)
}

func (m *scripted) Health(context.Context) (contract.HealthReport, error) {
	return contract.HealthReport{}, nil
}
func (m *scripted) Changed(deploy.MachineID) <-chan struct{}               { return nil }
func (m *scripted) Target(deploy.MachineID) (target.Target, string, error) { return m, "state-1", nil }

// bench runs one task with one script on one machine.
type bench struct {
	t     *testing.T
	store store.Store
	logs  *tasklog.Folder
	key   secret.Key
	kept  string // folder of artifacts
	disk  host.Vitals
	runs  int
}

func newBench(t *testing.T, edit func(store.Writer) error) *bench {
	b := &bench{t: t, key: secret.NewKey(), kept: filepath.Join(t.TempDir(), "artifacts")}
	b.openLogs(host.Fsync{})
	var err error
	b.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	b.must(err)
	b.must(b.store.Update(t.Context(), func(w store.Writer) error {
		err := w.PutMachine(deploy.Machine{
			ID: "Machines-1", Space: deploy.DefaultSpace, Name: "m", Style: deploy.Polling, Pin: strings.Repeat("1", 64),
		})
		if err != nil {
			return err
		}
		return w.PutTask(deploy.Task{
			ID: "ServerTasks-1", Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, Description: "try",
			State: deploy.TaskQueued, QueuedAt: time.Now(),
			Plan: deploy.Plan{Steps: []deploy.PlannedStep{{
				Number: 1, Name: "step", Window: 1, Machines: []deploy.MachineID{"Machines-1"}, Condition: deploy.OnSuccess,
				Actions: []deploy.Action{{
					ID: "a", Name: "a", Kind: deploy.ScriptAction, Properties: map[string]string{deploy.PropScriptBody: "true"},
				}},
			}}},
		})
	}))
	if edit != nil {
		b.must(b.store.Update(t.Context(), edit))
	}
	return b
}

// openLogs gives the bench new logs, on a disk, and returns their folder.
func (b *bench) openLogs(disk host.Disk) string {
	folder := filepath.Join(b.t.TempDir(), "logs")
	var err error
	b.logs, err = tasklog.Open(folder, disk, time.Now)
	b.must(err)
	return folder
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// run runs an engine until the task is done, for five minutes, or to the named point.
func (b *bench) run(m *scripted, reach engine.Reach, killAt string, meanwhile func(*engine.Engine)) {
	ctx, stop := context.WithTimeout(b.t.Context(), 5*time.Minute)
	defer stop()
	b.runs++
	k := &killed{left: -1, stop: stop}
	point := func(name string) {
		if name == killAt {
			k.mu.Lock()
			k.dead = true
			k.mu.Unlock()
			stop()
		}
	}
	if reach == nil {
		reach = m
	}
	fenced := fencedStore{b.store, k}
	e := engine.New(engine.Deps{
		Store: fenced, Queue: tasks.NewQueue(fenced, time.Now, fmt.Sprint("owner-", b.runs), 5), Logs: b.logs, Reach: reach,
		Env:     host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: point},
		Secrets: b.key, Artifacts: b.folder(fenced), Packages: shelf{},
	})
	var group sync.WaitGroup
	group.Go(func() { _ = e.Run(ctx) })
	if meanwhile != nil {
		time.Sleep(time.Second)
		meanwhile(e)
	}
	for ctx.Err() == nil && !b.task().State.IsCompleted() {
		time.Sleep(time.Second)
	}
	stop()
	group.Wait()
}

func (b *bench) task() (task deploy.Task) {
	b.must(b.store.View(context.WithoutCancel(b.t.Context()), func(r store.Reader) (err error) {
		task, err = r.Task("ServerTasks-1")
		return err
	}))
	return task
}

func (b *bench) log() string {
	lines, _, err := b.logs.Read("ServerTasks-1", 0, 1<<20)
	b.must(err)
	var text strings.Builder
	for _, l := range lines {
		fmt.Fprintln(&text, l.Category, l.Text)
	}
	return text.String()
}

func (b *bench) cancel(e *engine.Engine) {
	b.must(b.store.Update(b.t.Context(), edited(canceled)))
	e.Wake()
}

// edited changes the bench's task.
func edited(edit func(*deploy.Task)) func(store.Writer) error {
	return func(w store.Writer) error {
		task, err := w.Task("ServerTasks-1")
		if err != nil {
			return err
		}
		edit(&task)
		return w.PutTask(task)
	}
}

func canceled(task *deploy.Task) { task.CancelAsked, task.State = true, deploy.TaskCancelling }

func verdictOf(o contract.Outcome, end int64) *contract.TicketStatus {
	return &contract.TicketStatus{
		Ticket: "t", State: contract.Finished, LogEnd: end, Verdict: &contract.Verdict{Outcome: o, LogEnd: end},
	}
}

func output(text string) []contract.Record {
	return []contract.Record{{Source: contract.Stdout, Text: []byte(text)}}
}
