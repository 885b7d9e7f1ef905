// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/daemon"
)

// edit changes the database of a home in which no server runs.
func edit(t *testing.T, home string, f func(store.Writer) error) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "fairlead.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(t.Context(), f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// midway makes a home whose database has a task at work: one ticket has ended, one was sent, and one was
// committed only.
func midway(t *testing.T, home string) {
	t.Helper()
	newDaemon(t, home).Close()
	edit(t, home, func(w store.Writer) error {
		at := time.Unix(1e9, 0)
		ticket := func(id contract.TicketID, attempt int, state, journal string) deploy.Ticket {
			return deploy.Ticket{
				ID: id, Task: "ServerTasks-1", Machine: "Machines-1", Attempt: attempt, State: deploy.TicketState(state),
				StateID: journal, CreatedAt: at,
			}
		}
		ended := ticket("t-ended", 1, "finished", "j/1")
		ended.Verdict = &contract.Verdict{Outcome: contract.Failed, Code: 3}
		_, err := w.NextID("ServerTasks")
		return errors.Join(err,
			w.PutMachine(deploy.Machine{
				ID: "Machines-1", Name: "web-1", Pin: "aa", Facts: deploy.MachineFacts{StateID: "j", Rewinds: 1},
			}),
			w.PutTask(deploy.Task{
				ID: "ServerTasks-1", Kind: deploy.HealthTask, State: deploy.TaskCancelling, QueuedAt: at, LeaseEpoch: 4, LeaseOwner: "x",
			}),
			w.PutTicket(ended), w.PutTicket(ticket("t-sent", 2, "open", "j/1")), w.PutTicket(ticket("t-new", 3, "open", "")))
	})
}

// TestB2RestoreMarks covers case B2 in the store: nothing is left to be dispatched, no id and no epoch of the
// lost time comes again, and each restore counts.
func TestB2RestoreMarks(t *testing.T) {
	base := t.TempDir()
	home := filepath.Join(base, "home")
	midway(t, home)
	for restores := int64(1); restores <= 2; restores++ {
		folder, target := filepath.Join(base, fmt.Sprintf("backup-%d", restores)), filepath.Join(base, fmt.Sprintf("target-%d", restores))
		var made daemon.Backup
		must(t, &made, "backup", folder, "--home", home)
		var r daemon.Restored
		must(t, &r, "restore", folder, "--home", target)
		if want := int(2 - restores); r.Unfinished != want {
			t.Errorf("restore %d: %d tasks ended, want %d", restores, r.Unfinished, want)
		}
		edit(t, target, func(w store.Writer) error {
			row, err := w.Installation()
			if err != nil || row.Restores != restores || !row.IsHeld() || row.BackupAt.IsZero() || row.RestoredAt.Before(row.BackupAt) {
				t.Errorf("restore %d: the installation is %+v, %v", restores, row, err)
			}
			row.AcceptedAt = time.Unix(2e9, 0) // a later restore holds it again
			return w.PutInstallation(row)
		})
		home = target
	}
	edit(t, home, func(w store.Writer) error {
		marked(t, w)
		return nil
	})
	newDaemon(t, home).Close()
}

func marked(t *testing.T, w store.Writer) {
	t.Helper()
	const why = "the server was restored from a backup of "
	task, err := w.Task("ServerTasks-1")
	if err != nil || task.State != deploy.TaskFailed || !strings.HasPrefix(task.Error, why) || task.LeaseEpoch < 1_000_004 {
		t.Errorf("the task is %s, epoch %d: %q, %v", task.State, task.LeaseEpoch, task.Error, err)
	}
	for id, outcome := range map[contract.TicketID]contract.Outcome{
		"t-ended": contract.Failed, "t-sent": contract.Indeterminate, "t-new": contract.Indeterminate,
	} {
		k, err := w.Ticket(id)
		if err != nil || k.State != deploy.TicketFinished || k.Verdict.Outcome != outcome || k.StateID != "j/1" {
			t.Errorf("ticket %s is %+v, %v", id, k, err)
		}
		if isRuled := k.Ruling == deploy.RulingFinal && strings.HasPrefix(k.Verdict.Reason, why); isRuled != (id != "t-ended") {
			t.Errorf("ticket %s has the ruling %q: %s", id, k.Ruling, k.Verdict.Reason)
		}
	}
	id, err := w.NextID("ServerTasks")
	if err != nil || store.IDNumber(id) < 200_002 {
		t.Errorf("the next task is %s, %v: want a number after two jumps of 100,000", id, err)
	}
	events, err := w.Events(store.EventFilter{Category: "ServerRestored"})
	if err != nil || len(events) != 2 || events[0].Number < 200_000 || !strings.Contains(events[0].Message, "for the 2. time") {
		t.Errorf("events of the restores: %+v, %v", events, err)
	}
	if _, err := w.Ticket("t-other"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("a ticket that never was: %v", err)
	}
}
