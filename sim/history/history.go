// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package history is what happened in a run, in order, as those who judge it see it.
//
// It records and answers; it has no opinion (package check has).
//
//  1. Events are in the order in which they happened; none is changed or lost.
//  2. Nothing in it refers to the running world: a Run can be judged when all has ended.
package history

import (
	"slices"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/netem"
	"fairlead/sim/plan"
)

// Kind is what sort of thing happened.
type Kind string

// The kinds of events, with the fields that they use beside At and Who (a machine's name).
const (
	Launched Kind = "proc.start" // Text: "server" or "agent"; N: which life of it, from 1
	Crashed  Kind = "proc.crash" // Text: "server", "agent", "shim", "power", "rollback"; or "reboot", with Ticket; N: life
	Ended    Kind = "proc.exit"  // Text: the error, "" for an end in peace; N: its life
	Point    Kind = "proc.point" // Text: the life and the crash point that a fault waits at, "shim script.claimed"

	Started  Kind = "script.start" // Ticket, Task, Text: isolation as "full", "none" or "named NAME"; N: process
	Said     Kind = "script.said"  // Ticket, Text: one line of standard output; N: process
	Gave     Kind = "script.gave"  // Ticket, Text: the name of a file that is handed over, Cause: its SHA-256; N: bytes
	Set      Kind = "script.set"   // Ticket, Text: the name of an output variable, Cause: its value
	Finished Kind = "script.end"   // Ticket, Code, Text: signal or ""; N: process

	Asked    Kind = "op.asked"    // Task or "", Text: what was asked
	Answered Kind = "op.answered" // Task or "", Text: what was answered; Code: HTTP status, 0 for none
	Seen     Kind = "task.seen"   // Task, Text: state as REST names it

	LineUp   Kind = "line.up"     // an agent's line serves
	LineDown Kind = "line.down"   // a session or a try ended; Cause, Text: why; N: ms until the next try
	Entered  Kind = "fleet.enter" // Who: a server, which has greeted an agent; Peer: the machine's id
	Left     Kind = "fleet.leave" // the same session ended; Text: why
	Refused  Kind = "refused"     // the server or an agent refused a connection; Cause, Text
	Online   Kind = "online"      // Who: a server; N: how many agents it holds for on line

	FaultOn  Kind = "fault.on"  // Text: kind; Who: on what
	FaultOff Kind = "fault.off" // the same
	Phase    Kind = "phase"     // Text: "safety", "settle", "end"
)

// The names by which those who judge a deployment know its parts.
const (
	FirstStep    = "Before"  // sets the outputs
	TellStep     = "Tell"    // says a line HEARD MACHINE=VALUE for what it sees of the output Tone
	ChosenStep   = "Chosen"  // runs where the output Chosen is "yes"
	ToneOutput   = "Tone"    // set on each machine
	ChoiceOutput = "Chosen"  // set on few
	HeardPrefix  = "heard-"  // of a line of TellStep: MACHINE=VALUE by PROCESS
	PaintPrefix  = "paint-"  // of what a step sees of a variable that changes: VALUE on MACHINE by PROCESS
	AnswerPrefix = "answer " // of what was Asked and Answered: "answer Interruptions-1 Proceed"
)

// Event is one thing that happened.
type Event struct {
	At     time.Duration // since the world began
	Kind   Kind
	Who    string
	Peer   deploy.MachineID
	Task   deploy.TaskID
	Ticket contract.TicketID
	Text   string
	Cause  string
	Code   int
	N      int
}

// Book takes events while a run goes on. It is safe for concurrent use.
type Book struct {
	now    func() time.Duration
	mu     sync.Mutex
	events []Event
	heard  func(Event)
}

// NewBook makes an empty book; now is the time since the world began, heard, if not nil, gets each
// event as well.
func NewBook(now func() time.Duration, heard func(Event)) *Book { return &Book{now: now, heard: heard} }

// Add writes an event down with the time of now.
func (b *Book) Add(e Event) {
	e.At = b.now()
	b.mu.Lock()
	b.events = append(b.events, e)
	b.mu.Unlock()
	if b.heard != nil {
		b.heard(e)
	}
}

// Events returns what happened so far.
func (b *Book) Events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

// Run is a whole run.
type Run struct {
	Plan   plan.Plan
	Events []Event
	// Healed is when the last fault was healed and the settling began; Over when the run ended.
	Healed, Over time.Duration
	End          End
}

// End is how things stood when the run was over.
type End struct {
	// What the active server's store holds.
	Tasks    []deploy.Task
	Tickets  []deploy.Ticket
	Machines []deploy.Machine
	// Interruptions are the questions of tasks, oldest first; Deployments and Releases likewise.
	Interruptions []deploy.Interruption
	Deployments   []deploy.Deployment
	Releases      []deploy.Release
	Packages      []deploy.Package
	// Audit are the events that the server kept, oldest first.
	Audit []deploy.Event
	// Logs are the tasks' logs as REST serves them as text.
	Logs map[deploy.TaskID]string
	// Online names the agents that the active server holds for on line.
	Online []string
	// Agents is what each agent last said of its own line.
	Agents map[string]Agent
	// Secrets are places where something was found that must never leave the programs.
	Secrets []string
	// Artifacts are files that scripts handed over, as the active server's store has them and their content lies
	// in its home.
	Artifacts []Artifact
	// Files are installed files whose content is not what was deployed, with the reason.
	Files []string
	Leaks netem.Leaks
	Net   netem.Counts
	// Passes counts the crash points that were passed, by "LIFE POINT" as in "agent script.intent".
	Passes map[string]int
	// Peaks are the highest numbers seen: "goroutines", "conns".
	Peaks map[string]int
}

// Artifact is a file that the server keeps; Size and SHA256 are those of its content.
type Artifact struct {
	Ticket contract.TicketID
	Name   string
	Size   int
	SHA256 string
}

// Agent is what an agent's state file says.
type Agent struct {
	Connected     bool
	Trouble, Hint string
}

// Of returns the events of some kinds, in order.
func (r Run) Of(kinds ...Kind) []Event {
	var out []Event
	for _, e := range r.Events {
		if slices.Contains(kinds, e.Kind) {
			out = append(out, e)
		}
	}
	return out
}
