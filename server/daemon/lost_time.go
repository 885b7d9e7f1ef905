// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/fleet"
)

// What a server did between its backup and its restore is lost to it, not to the machines: tasks
// that the backup has at work may have ended since, ids that it would give next have been given, and agents have
// seen higher epochs. Source: security.md 3.3 row 20, 3.11.
const (
	// leastJump and jumpPerSecond are how far the ids of every collection jump: so many, and so many more
	// for each second between the backup and the restore.
	leastJump     = 100_000
	jumpPerSecond = 10
	// epochJump is how far the lease epochs of tasks jump that the backup has unfinished: each start of
	// a server raises one by 1.
	epochJump = 1_000_000
	// timeLayout is how sentences name the time of a backup.
	timeLayout = "2006-01-02 15:04:05 MST"
)

// idJump is how many ids of each collection are left out.
func idJump(backup, now time.Time) int64 {
	return leastJump + jumpPerSecond*int64(max(0, now.Sub(backup))/time.Second)
}

// lostTime is the gap of one restore.
type lostTime struct {
	backup, now time.Time
}

// sentence says what is not known of a task, or of one of its tickets.
func (l lostTime) sentence(what string) string {
	return fmt.Sprintf("the server was restored from a backup of %s: what happened to this %s after that is not known",
		l.backup.UTC().Format(timeLayout), what)
}

// mark makes a copied database that of a restored server: held until a person accepts it, with ids
// and epochs out of reach of the lost time, no task left to go on with, and nothing valid that the list revokes. It
// returns the tasks that it ended, and in words what it revoked again.
func (l lostTime) mark(ctx context.Context, db store.Store, list []revocation) (
	ended map[deploy.TaskID]bool, revoked []string, err error,
) {
	err = db.Update(ctx, func(w store.Writer) (err error) {
		ended = map[deploy.TaskID]bool{}
		if err := l.hold(w); err != nil {
			return err
		}
		left, _, err := w.Tasks(store.TaskFilter{States: unfinished()})
		if err != nil {
			return err
		}
		for _, task := range left {
			if err := l.end(w, task); err != nil {
				return err
			}
			ended[task.ID] = true
		}
		revoked, err = l.revokeAgain(w, list)
		return err
	})
	return ended, revoked, err
}

func (l lostTime) hold(w store.Writer) error {
	row, err := w.Installation()
	if err != nil {
		return err
	}
	row.Restores++
	row.RestoredAt, row.BackupAt, row.AcceptedAt = l.now, l.backup, time.Time{}
	jump := idJump(l.backup, l.now)
	return errors.Join(w.PutInstallation(row), w.JumpIDs(jump, deploy.Event{
		At: l.now, User: "system", Category: "ServerRestored", Subject: row.ID,
		Message: fmt.Sprintf("the server was restored from a backup of %s, for the %d. time; "+
			"%d ids of each kind are left out", l.backup.UTC().Format(timeLayout), row.Restores, jump),
	}))
}

// end ends a task and rules on its tickets: a machine may have done any of them, so it is asked for
// each when it comes on line.
func (l lostTime) end(w store.Writer, task deploy.Task) error {
	tickets, err := w.Tickets(task.ID)
	if err != nil {
		return err
	}
	for _, ticket := range tickets {
		if ticket.Verdict != nil {
			continue
		}
		if ticket, err = l.rule(w, ticket); err != nil {
			return err
		}
		if err := w.PutTicket(ticket); err != nil {
			return err
		}
	}
	task.State, task.Error, task.CompletedAt = deploy.TaskFailed, l.sentence("task"), l.now
	task.HasWarnings = true
	task.LeaseOwner, task.LeaseEpoch = "", task.LeaseEpoch+epochJump
	if err := w.PutTask(task); err != nil {
		return err
	}
	_, err = w.AddEvent(deploy.Event{
		At: l.now, Space: task.Space, User: "system", Category: "TaskFailed", Subject: string(task.ID),
		Message: task.Description + ": Failed: " + task.Error,
	})
	return err
}

func (l lostTime) rule(w store.Writer, ticket deploy.Ticket) (deploy.Ticket, error) {
	ticket.Verdict = &contract.Verdict{Outcome: contract.Indeterminate, Reason: l.sentence("ticket")}
	ticket.Ruling, ticket.State, ticket.EndedAt = deploy.RulingFinal, deploy.TicketFinished, l.now
	if ticket.StateID != "" {
		return ticket, nil
	}
	// It may have been sent since: to the journal that the machine had.
	machine, err := w.Machine(ticket.Machine)
	if errkind.Of(err) == errkind.NotFound {
		return ticket, nil
	}
	ticket.StateID = fleet.JournalID(machine.Facts.StateID, machine.Facts.Rewinds)
	return ticket, err
}

// tell writes the last line of a task's log.
func (l lostTime) tell(folder *tasklog.Folder, task deploy.TaskID) error {
	log, err := folder.Writer(task)
	if err != nil {
		return err
	}
	return errors.Join(log.Append(tasklog.Line{
		At: l.now, Category: tasklog.Fatal, Text: "Failed: " + l.sentence("task") + ".",
	}), log.Finish(), log.Close())
}
