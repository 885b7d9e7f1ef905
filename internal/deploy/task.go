// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"time"

	"fairlead/internal/contract"
)

// TaskKind says what a task does.
type TaskKind string

// The kinds; the words are the wire's.
const (
	DeployTask TaskKind = "Deploy"
	ScriptTask TaskKind = "AdHocScript"
	HealthTask TaskKind = "Health"
	// RetentionTask deletes what lifecycles do not keep any more.
	RetentionTask TaskKind = "Retention"
)

// TaskState is where a task stands.
type TaskState string

// The states; the words are the wire's.
const (
	TaskQueued     TaskState = "Queued"
	TaskExecuting  TaskState = "Executing"
	TaskCancelling TaskState = "Cancelling"
	TaskSuccess    TaskState = "Success"
	TaskFailed     TaskState = "Failed"
	TaskCanceled   TaskState = "Canceled"
	TaskTimedOut   TaskState = "TimedOut"
)

// OpenStates are those of tasks that have not ended.
func OpenStates() []TaskState { return []TaskState{TaskQueued, TaskExecuting, TaskCancelling} }

// IsCompleted reports whether the state is final.
func (s TaskState) IsCompleted() bool {
	switch s {
	case TaskSuccess, TaskFailed, TaskCanceled, TaskTimedOut:
		return true
	case TaskQueued, TaskExecuting, TaskCancelling:
		return false
	}
	return false
}

// Task is queued work.
type Task struct {
	ID          TaskID
	Space       SpaceID
	Kind        TaskKind
	Description string
	State       TaskState
	// Error says in a sentence why a task failed.
	Error       string
	HasWarnings bool
	Project     ProjectID     // "" unless Kind is DeployTask
	Environment EnvironmentID // likewise
	Deployment  DeploymentID  // likewise
	Plan        Plan          // what is carried out; a deployment's task shares its plan
	QueuedAt    time.Time
	QueuedBy    string
	NotBefore   time.Time // zero: at once
	NotAfter    time.Time // it does not start later than this; zero: it does
	// Decisions are what conditions of steps came to, in the order they were made.
	Decisions    []Decision
	StartedAt    time.Time
	CompletedAt  time.Time
	CancelAsked  bool
	CancelAskers string // who asked, for the log
	// Lease: who works on the task. Epoch rises with each claim and goes along with every order.
	LeaseOwner string
	LeaseEpoch int64
}

// TicketState is where a ticket stands at the server.
type TicketState string

// The states of a ticket at the server, in order.
const (
	TicketOpen      TicketState = "open"      // committed; the machine may or may not know it
	TicketFinished  TicketState = "finished"  // the verdict is recorded
	TicketForgotten TicketState = "forgotten" // the machine was told that it may forget
)

// Ticket is the key of one start: one for each (task, step, action, machine, attempt).
type Ticket struct {
	ID      contract.TicketID
	Task    TaskID
	Step    int // index in the plan
	Action  int // index in the step
	Machine MachineID
	Attempt int // from 1
	State   TicketState
	// StateID names the agent's journal that the order was first sent to; "" until just before.
	// Without it nothing was ever sent; with another one the machine cannot know the ticket.
	StateID   string
	CreatedAt time.Time
	EndedAt   time.Time
	Verdict   *contract.Verdict
	// Ruling says that the verdict is the server's own, and of what kind.
	Ruling Ruling
	// Late is what the machine itself said of a ticket that the server had ruled on before. It
	// changes nothing any more.
	Late *contract.Verdict
	// AwaySince is since when a machine is waited for that is out of reach or that its step restarts; zero while it is
	// not.
	AwaySince time.Time
}

// Ruling is the kind of a verdict that the server gave itself.
type Ruling string

// The kinds of rulings.
const (
	RulingNone    Ruling = ""        // the verdict is the agent's
	RulingFinal   Ruling = "final"   // another attempt would end in the same way
	RulingPassing Ruling = "passing" // the cause may pass: another attempt may do better
	RulingLost    Ruling = "lost"    // the machine was out of reach for longer than its step allows
)
