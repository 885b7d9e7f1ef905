// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/catalog"
)

// ranScripts puts scripts that ended now, each with a ticket that its machine has forgotten, an artifact and a log.
func (s *site) ranScripts(space deploy.SpaceID, ids ...int) {
	s.t.Helper()
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		var err error
		for _, n := range ids {
			id := deploy.TaskID(fmt.Sprintf("ServerTasks-%d", n))
			err = errors.Join(err, w.PutTask(deploy.Task{
				ID: id, Space: space, Kind: deploy.ScriptTask, State: deploy.TaskSuccess, QueuedAt: s.now, CompletedAt: s.now,
			}), w.PutTicket(deploy.Ticket{
				ID: contract.TicketID("t-" + string(id)), Task: id, Machine: "Machines-1", Attempt: 1, State: deploy.TicketForgotten,
			}), w.PutArtifact(deploy.Artifact{
				ID: deploy.ArtifactID(fmt.Sprintf("Artifacts-%d", n)), Space: space, Task: id, Name: "a", SHA256: strings.Repeat("a", 64),
			}))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range ids {
		s.wroteLog(deploy.TaskID(fmt.Sprintf("ServerTasks-%d", n)))
	}
}

func (s *site) wroteLog(id deploy.TaskID) {
	s.t.Helper()
	log := ok(s.logs.Writer(id))(s.t)
	if err := errors.Join(log.Append(tasklog.Line{Text: "hello"}), log.Close()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) taskIDs(space deploy.SpaceID) (ids []deploy.TaskID) {
	s.t.Helper()
	all, _, err := s.Tasks(s.ctx, root().In(space), store.TaskFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, task := range all {
		ids = append(ids, task.ID)
	}
	return ids
}

func numbers(from, to int) (all []int) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

func TestOldTasksGoWithWhatIsTheirs(t *testing.T) {
	s := newSite(t)
	s.TaskDays = 30
	ok(s.CreateSpace(s.ctx, root(), catalog.SpaceDraft{Name: "Second"}))(t)
	s.ranScripts(deploy.DefaultSpace, numbers(101, 125)...)
	s.ranScripts("Spaces-2", 201)
	s.now = s.now.Add(30*24*time.Hour + time.Second)
	if has := ok(s.HasExpired(s.ctx, root().In("Spaces-2")))(t); has {
		t.Error("the one task of its kind has expired")
	}
	if has := ok(s.HasExpired(s.ctx, root()))(t); !has {
		t.Error("nothing has expired")
	}
	said := ok(s.ApplyRetention(s.ctx, root()))(t)
	if len(said) != 1 || !strings.HasPrefix(said[0], "Deleted were 5 tasks (5 AdHocScript), with 5 tickets, 0 questions, "+
		"0 sets of output variables and 5 artifacts: they ended more than 30 days ago") {
		t.Errorf("it said %q", said)
	}
	if left := s.taskIDs(deploy.DefaultSpace); len(left) != 20 || slices.Contains(left, "ServerTasks-105") {
		t.Errorf("left are %v, want the 20 that ended last", left)
	}
	if left := s.taskIDs("Spaces-2"); len(left) != 1 {
		t.Errorf("in the other space there are %v", left)
	}
	logs := ok(s.logs.Tasks())(t)
	if len(logs) != 21 || slices.Contains(logs, "ServerTasks-101") {
		t.Errorf("logs that are left: %v", logs)
	}
	if artifacts := ok(s.ListArtifacts(s.ctx, root(), ""))(t); len(artifacts) != 20 {
		t.Errorf("%d artifacts are left, want 20", len(artifacts))
	}
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Category: "TasksDeleted"}))(t)
	if len(events) != 1 || events[0].Message != "5 tasks (5 AdHocScript), with 5 tickets, 0 questions, 0 sets of output "+
		"variables and 5 artifacts were deleted: they are kept no longer" {
		t.Errorf("the audit trail says %+v", events)
	}
	if said := ok(s.ApplyRetention(s.ctx, root()))(t); len(said) != 0 {
		t.Errorf("again, it said %q", said)
	}
}

func TestTasksAreKeptForEver(t *testing.T) {
	s := newSite(t)
	s.ranScripts(deploy.DefaultSpace, numbers(101, 125)...)
	s.now = s.now.AddDate(50, 0, 0)
	if has := ok(s.HasExpired(s.ctx, root()))(t); has {
		t.Error("something has expired")
	}
	ok(s.ApplyRetention(s.ctx, root()))(t)
	if left := s.taskIDs(deploy.DefaultSpace); len(left) != 25 {
		t.Errorf("%d tasks are left", len(left))
	}
}

// TestTasksOfDeploymentsGoWithTheRelease: not while the release is there, nor before their time, nor while a machine knows a ticket.
func TestTasksOfDeploymentsGoWithTheRelease(t *testing.T) {
	s := newSite(t)
	s.TaskDays = 1
	s.fill(step("A", scriptAction("A")))
	var tasks []deploy.TaskID
	for _, version := range []string{"1.0.0", "1.0.1"} {
		ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", Version: version}))(t)
		made := ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
			Project: "Web", Release: version, Environments: []string{"Dev"},
		}))(t)
		s.finish(made[0].Task, deploy.TaskSuccess)
		s.wroteLog(made[0].Task)
		tasks = append(tasks, made[0].Task)
	}
	s.now = s.now.Add(24 * time.Hour)
	board := s.board()
	release := s.release("Web", "1.0.0")
	if err := s.DeleteRelease(s.ctx, root(), string(release)); err != nil {
		t.Fatal(err)
	}
	ok(s.ApplyRetention(s.ctx, root()))(t)
	if left := s.taskIDs(deploy.DefaultSpace); len(left) != 2 {
		t.Fatalf("left are %v: they ended a day ago", left)
	}
	s.now = s.now.AddDate(1, 0, 0)
	ticket := deploy.Ticket{ID: "t-1", Task: tasks[0], Machine: "Machines-1", Attempt: 1, State: deploy.TicketFinished}
	put := func(t deploy.Ticket) error {
		return s.store.Update(s.ctx, func(w store.Writer) error { return w.PutTicket(t) })
	}
	if err := put(ticket); err != nil {
		t.Fatal(err)
	}
	if said := ok(s.ApplyRetention(s.ctx, root()))(t); len(said) != 0 {
		t.Errorf("while a machine knows its ticket: %q", said)
	}
	ticket.State = deploy.TicketForgotten
	if err := put(ticket); err != nil {
		t.Fatal(err)
	}
	if said := ok(s.ApplyRetention(s.ctx, root()))(t); len(said) != 1 || !strings.Contains(said[0], "1 tasks (1 Deploy)") {
		t.Errorf("it said %q", said)
	}
	if left := s.taskIDs(deploy.DefaultSpace); !slices.Equal(left, tasks[1:]) {
		t.Errorf("left are %v, want %v", left, tasks[1:])
	}
	if logs := ok(s.logs.Tasks())(t); !slices.Equal(logs, tasks[1:]) {
		t.Errorf("logs of %v are left", logs)
	}
	if now := s.board(); !slices.Equal(board, now) {
		t.Errorf("the dashboard shows %+v, before it was %+v", now, board)
	}
}

func (s *site) board() (cells []store.DashboardCell) {
	s.t.Helper()
	err := s.store.View(s.ctx, func(r store.Reader) (err error) {
		cells, err = r.LastDeployments(deploy.DefaultSpace)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return cells
}

func (s *site) release(project, version string) deploy.ReleaseID {
	s.t.Helper()
	for _, r := range ok(s.Releases(s.ctx, root(), project))(s.t) {
		if r.Version == version {
			return r.ID
		}
	}
	s.t.Fatalf("no release %s", version)
	return ""
}

// TestBigTasksGoAlone: a batch ends with the task that makes it too many rows.
func TestBigTasksGoAlone(t *testing.T) {
	s := newSite(t)
	s.TaskDays = 1
	s.ranScripts(deploy.DefaultSpace, numbers(101, 123)...)
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		var err error
		for i := range 2100 {
			err = errors.Join(err, w.PutTicket(deploy.Ticket{
				ID: contract.TicketID(fmt.Sprintf("big-%d", i)), Task: "ServerTasks-101", Machine: deploy.MachineID(fmt.Sprintf("M-%d", i)),
				Attempt: 1, State: deploy.TicketForgotten,
			}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.AddDate(0, 1, 0)
	ok(s.ApplyRetention(s.ctx, root()))(t)
	var said []string
	for _, e := range ok(s.Events(s.ctx, root(), catalog.EventFilter{Category: "TasksDeleted"}))(t) {
		said = append(said, e.Message[:strings.Index(e.Message, ", 0 questions")])
	}
	if want := []string{"2 tasks (2 AdHocScript), with 2 tickets", "1 tasks (1 AdHocScript), with 2101 tickets"}; !slices.Equal(said, want) {
		t.Errorf("the audit trail says %q, want %q", said, want)
	}
}

// unsure is a store whose writes are lost at the commit.
type unsure struct{ store.Store }

func (u unsure) Update(ctx context.Context, f func(store.Writer) error) error {
	lost := errkind.Unavailable.Errorf("no commit")
	return u.Store.Update(ctx, func(w store.Writer) error { return errors.Join(f(w), lost) })
}

// TestLogsStayWithTasksThatStay: what a lost commit did not delete keeps its log, and nobody says that it went.
func TestLogsStayWithTasksThatStay(t *testing.T) {
	s := newSite(t)
	s.TaskDays = 1
	s.ranScripts(deploy.DefaultSpace, numbers(101, 125)...)
	s.now = s.now.AddDate(0, 1, 0)
	s.Store = unsure{s.store}
	said, err := s.ApplyRetention(s.ctx, root())
	if errkind.Of(err) != errkind.Unavailable || len(said) != 0 {
		t.Errorf("%v, and it said %q", err, said)
	}
	if logs := ok(s.logs.Tasks())(t); len(logs) != 25 {
		t.Errorf("%d of 25 logs are left", len(logs))
	}
}

// TestLogsOfNobodyAreSwept: what a server that died between the commit and the files has left, and a deleted space.
func TestLogsOfNobodyAreSwept(t *testing.T) {
	s := newSite(t)
	s.ranScripts(deploy.DefaultSpace, 101)
	s.ranScripts("Spaces-9", 102)
	s.wroteLog("ServerTasks-103")
	written := ok(s.logs.Writer("ServerTasks-104"))(t)
	defer written.Close()
	if err := written.Append(tasklog.Line{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if n := ok(s.SweepLogs(s.ctx, root()))(t); n != 1 {
		t.Errorf("%d logs were removed, want 1", n)
	}
	if logs := ok(s.logs.Tasks())(t); !slices.Equal(logs, []deploy.TaskID{"ServerTasks-101", "ServerTasks-102", "ServerTasks-104"}) {
		t.Errorf("left are %v", logs)
	}
}

// TestRetentionIsTakenWithoutSpace: nothing else makes some.
func TestRetentionIsTakenWithoutSpace(t *testing.T) {
	s := newSite(t)
	s.Room = func() error { return errkind.Unavailable.Errorf("the disk is full") }
	if _, err := s.CheckHealth(s.ctx, root(), nil); errkind.Of(err) != errkind.Unavailable {
		t.Errorf("a health check: %v, want unavailable", err)
	}
	if _, err := s.QueueRetention(s.ctx, root()); err != nil {
		t.Errorf("retention: %v", err)
	}
}
