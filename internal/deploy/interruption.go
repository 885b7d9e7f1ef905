// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
)

// Interruption is a question that a task waits for people to answer.
type Interruption struct {
	ID    InterruptionID
	Space SpaceID
	Task  TaskID
	Kind  InterruptionKind
	// Slot is the action that asks; of a failure, the ticket that failed.
	Slot Slot
	// Title and Instructions are what people read; what a script prints does not stand in them.
	Title        string
	Instructions string
	Teams        []string // ids of those who may answer; none: everybody who may answer at all
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero: it does not
	Responsible  UserID    // "" until somebody has taken it
	// ResponsibleName is that user's name, as it was when he took it.
	ResponsibleName string
	Choice          Choice // "" while it is pending
	Notes           string
	AnsweredBy      string // user name
	AnsweredAt      time.Time
}

// InterruptionKind says what is asked.
type InterruptionKind string

// The kinds.
const (
	ManualInterruption  InterruptionKind = "manual"  // shall the deployment go on?
	FailureInterruption InterruptionKind = "failure" // what about this failure?
)

// Choice is the answer to an interruption. The words are the wire's.
type Choice string

// The choices. Withdrawn is nobody's answer: the task has ended.
const (
	ChoiceProceed   Choice = "Proceed"
	ChoiceAbort     Choice = "Abort"
	ChoiceFail      Choice = "Fail"
	ChoiceRetry     Choice = "Retry"
	ChoiceIgnore    Choice = "Ignore"
	ChoiceExclude   Choice = "Exclude" // the machine, from the rest of the deployment
	ChoiceWithdrawn Choice = "Withdrawn"
)

// MaxNotesBytes is the longest note with an answer: 64 KiB.
const MaxNotesBytes = 64 << 10

// IsPending reports whether it waits for an answer.
func (i Interruption) IsPending() bool { return i.Choice == "" }

// Choices are what may be answered.
func (i Interruption) Choices() []Choice {
	if i.Kind == ManualInterruption {
		return []Choice{ChoiceProceed, ChoiceAbort}
	}
	return []Choice{ChoiceFail, ChoiceRetry, ChoiceIgnore, ChoiceExclude}
}

// ChoiceNamed finds a choice by its word, whatever its case.
func (i Interruption) ChoiceNamed(word string) (Choice, bool) {
	all := i.Choices()
	at := slices.IndexFunc(all, func(c Choice) bool { return strings.EqualFold(string(c), strings.TrimSpace(word)) })
	if at < 0 {
		return "", false
	}
	return all[at], true
}

// Unanswered is what no answer in time comes to.
func (i Interruption) Unanswered() Choice {
	if i.Kind == ManualInterruption {
		return ChoiceAbort
	}
	return ChoiceFail
}

// HasExpired reports whether it is too late to answer.
func (i Interruption) HasExpired(now time.Time) bool {
	return i.IsPending() && !i.ExpiresAt.IsZero() && !now.Before(i.ExpiresAt)
}

// Said tells the answer in a sentence.
func (i Interruption) Said() string {
	text := fmt.Sprintf("%s answered %s.", i.AnsweredBy, i.Choice)
	switch {
	case i.Choice == ChoiceWithdrawn:
		text = "It was withdrawn when the task ended."
	case i.AnsweredBy == "":
		text = fmt.Sprintf("Nobody answered in time: %s.", i.Choice)
	}
	if i.Notes != "" {
		text += " Notes: " + i.Notes
	}
	return text
}

// Decision is what the condition of a step came to. It is made once and kept, so that a restart does
// not decide otherwise.
type Decision struct {
	Step    int
	Machine MachineID // "" for a manual step
	Runs    bool
	// Fault says why the expression could not be worked out; then the step fails. "" when it could.
	Fault string
}

// Outputs are the output variables that one ticket set. They are kept until their task is.
type Outputs struct {
	Ticket contract.TicketID
	Task   TaskID
	Slot   Slot
	Values []OutputValue // by name
}

// OutputValue is one output variable; Value is "" where Sealed holds it.
type OutputValue struct {
	Name   string
	Value  string
	Sealed string
}

// SealedAs is the place that the sealed value of a name is bound to.
func (o Outputs) SealedAs(name string) string {
	return "output " + string(o.Ticket) + " " + strings.ToLower(name)
}
