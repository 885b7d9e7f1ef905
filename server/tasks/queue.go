// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasks

import (
	"context"
	"errors"
	"slices"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// Queue hands tasks to one owner.
type Queue struct {
	// Ended, unless nil, is told of each task in the transaction that ends it. What it returns fails
	// the transaction. It must be set before the first Adopt.
	Ended func(w store.Writer, task deploy.Task) error

	store store.Store
	wall  func() time.Time
	owner string
	limit int
}

// NewQueue makes the queue of one owner, whose name is different at each start of the server.
func NewQueue(s store.Store, wall func() time.Time, owner string, limit int) *Queue {
	return &Queue{store: s, wall: wall, owner: owner, limit: limit}
}

var running = []deploy.TaskState{deploy.TaskExecuting, deploy.TaskCancelling}

// Adopt takes over what earlier owners left running. Only the one process that holds the home
// may call it, before its first Claim.
func (q *Queue) Adopt(ctx context.Context) (adopted []deploy.Task, err error) {
	err = q.store.Update(ctx, func(w store.Writer) error {
		adopted = nil
		left, _, err := w.Tasks(store.TaskFilter{States: running})
		if err != nil {
			return err
		}
		slices.Reverse(left)
		for _, task := range left {
			if err := q.claim(w, &task); err != nil {
				return err
			}
			adopted = append(adopted, task)
		}
		return nil
	})
	return adopted, err
}

// Resume takes a running task up again that this owner left under an epoch. Errors: Conflict (it has
// ended, or its lease went to somebody else), NotFound.
func (q *Queue) Resume(ctx context.Context, id deploy.TaskID, epoch int64) (task deploy.Task, err error) {
	err = q.store.Update(ctx, func(w store.Writer) (err error) {
		if task, err = w.Task(id); err != nil {
			return err
		}
		if task.State.IsCompleted() || task.LeaseOwner != q.owner || task.LeaseEpoch != epoch {
			return errkind.Conflict.Errorf("resume %s of epoch %d: it is %s, with %s of epoch %d",
				id, epoch, task.State, task.LeaseOwner, task.LeaseEpoch)
		}
		return q.claim(w, &task)
	})
	return task, err
}

// Claim starts what may start now. Next is when to look again at the latest; zero means when
// something changes.
func (q *Queue) Claim(ctx context.Context) (claimed []deploy.Task, next time.Time, err error) {
	now := q.wall()
	// Mostly nothing is to be started, and to see that takes no commit.
	var ahead Schedule
	err = q.store.View(ctx, func(r store.Reader) error {
		b, err := readBacklog(r)
		ahead = NewSchedule(now, b.queued, b.active, q.limit)
		return err
	})
	if err != nil || len(ahead.Start)+len(ahead.Late) == 0 {
		return nil, ahead.Next, err
	}
	err = q.store.Update(ctx, func(w store.Writer) error {
		claimed = nil
		b, err := readBacklog(w)
		if err != nil {
			return err
		}
		schedule := NewSchedule(now, b.queued, b.active, q.limit)
		next = schedule.Next
		for _, task := range b.queued {
			if slices.Contains(schedule.Late, task.ID) {
				if err := q.lapse(w, task, now); err != nil {
					return err
				}
			}
			if !slices.Contains(schedule.Start, task.ID) {
				continue
			}
			task.State, task.StartedAt = deploy.TaskExecuting, now
			if err := q.claim(w, &task); err != nil {
				return err
			}
			claimed = append(claimed, task)
		}
		return nil
	})
	return claimed, next, err
}

// lapse ends a task whose time to start has passed. Octopus Deploy calls that a time-out too.
func (q *Queue) lapse(w store.Writer, task deploy.Task, now time.Time) error {
	task.State, task.CompletedAt = deploy.TaskTimedOut, now
	task.Error = "it was not to start after " + task.NotAfter.UTC().Format(time.RFC3339)
	if err := w.PutTask(task); err != nil {
		return err
	}
	_, err := w.AddEvent(deploy.Event{
		At: now, Space: task.Space, User: "system", Category: "TaskTimedOut", Subject: string(task.ID),
		Message: sentence(task),
	})
	if err != nil || q.Ended == nil {
		return err
	}
	return q.Ended(w, task)
}

// Waits tells why each queued task waits.
func (q *Queue) Waits(ctx context.Context) (waits map[deploy.TaskID]string, err error) {
	err = q.store.View(ctx, func(r store.Reader) error {
		b, err := readBacklog(r)
		if err != nil {
			return err
		}
		waits = NewSchedule(q.wall(), b.queued, b.active, q.limit).Waits
		for id, space := range b.stopped {
			waits[id] = "The task queue of space " + space + " is stopped."
		}
		return nil
	})
	return waits, err
}

// backlog is the tasks that have not ended.
type backlog struct {
	queued, active []deploy.Task
	// stopped are the names of the spaces of further queued tasks, which do not begin: their queues are stopped.
	stopped map[deploy.TaskID]string
}

func readBacklog(r store.Reader) (b backlog, err error) {
	names := map[deploy.SpaceID]string{}
	spaces, err := r.Spaces()
	for _, s := range spaces {
		if s.IsStopped {
			names[s.ID] = s.Name
		}
	}
	if err != nil {
		return b, err
	}
	all, _, err := r.Tasks(store.TaskFilter{States: []deploy.TaskState{deploy.TaskQueued}})
	if err != nil {
		return b, err
	}
	b.stopped = map[deploy.TaskID]string{}
	for _, t := range slices.Backward(all) {
		if name := names[t.Space]; name != "" {
			b.stopped[t.ID] = name
		} else {
			b.queued = append(b.queued, t)
		}
	}
	b.active, _, err = r.Tasks(store.TaskFilter{States: running})
	return b, err
}

func (q *Queue) claim(w store.Writer, task *deploy.Task) error {
	task.LeaseOwner = q.owner
	task.LeaseEpoch++
	return w.PutTask(*task)
}

// End is how a task ends.
type End struct {
	State       deploy.TaskState
	Reason      string // of a failure
	HasWarnings bool   // its log has warnings or errors
}

// Finish ends a task. Errors: Conflict (the lease went to somebody else).
func (q *Queue) Finish(
	ctx context.Context,
	id deploy.TaskID,
	epoch int64,
	end End,
) error {
	now := q.wall()
	return q.store.Update(ctx, func(w store.Writer) error {
		task, err := w.Task(id)
		if err != nil {
			return err
		}
		if task.State.IsCompleted() {
			return errkind.Conflict.Errorf("finish %s as %s: it is %s already", id, end.State, task.State)
		}
		tickets, err := w.Tickets(id)
		if err != nil {
			return err
		}
		task.HasWarnings = end.HasWarnings || slices.ContainsFunc(tickets, func(t deploy.Ticket) bool {
			return t.Verdict != nil && (t.Verdict.Reason != "" || t.Verdict.Outcome != contract.Succeeded)
		})
		if err := withdraw(w, id, now); err != nil {
			return err
		}
		task.State, task.Error, task.CompletedAt, task.LeaseEpoch = end.State, end.Reason, now, epoch
		if err := w.PutTaskLeased(task); err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: now, Space: task.Space, User: "system", Category: "Task" + string(end.State), Subject: string(id),
			Message: sentence(task),
		})
		if err != nil || q.Ended == nil {
			return err
		}
		return q.Ended(w, task)
	})
}

// withdraw ends the questions of a task that has ended.
func withdraw(w store.Writer, task deploy.TaskID, now time.Time) error {
	pending, err := w.Interruptions(store.InterruptionFilter{Task: task, IsPending: true})
	for _, i := range pending {
		i.Choice, i.AnsweredAt = deploy.ChoiceWithdrawn, now
		err = errors.Join(err, w.PutInterruption(i))
	}
	return err
}

func sentence(task deploy.Task) string {
	text := task.Description + ": " + string(task.State)
	if task.Error != "" {
		text += ": " + task.Error
	}
	return text
}
