// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/contract"
)

// The settings of an action that say what happens when something goes wrong. Minutes are whole.
const (
	PropTimeoutMinutes = "Octopus.Action.ExecutionTimeout.Minutes" // 0 to 10,080; "" or 0: no limit
	PropRestarts       = "Fairlead.Action.RestartsMachine"         // "True": this step restarts the machine
	PropRestartMinutes = "Fairlead.Action.RestartLimit.Minutes"    // 1 to 10,080; "": DefaultRestartLimit
	PropIdempotent     = "Fairlead.Action.Idempotent"              // "True": running it twice does no harm
	PropWhenLost       = "Fairlead.Action.WhenLost"                // "Wait" (default), "Fail" or "GoOn"
	PropLostMinutes    = "Fairlead.Action.LostAfter.Minutes"       // 1 to 10,080; "": DefaultLostAfter
	PropRetries        = "Octopus.Action.AutoRetry.MaximumCount"   // 0 to 3, after a failure; "": 0
	PropRetrySeconds   = "Octopus.Action.AutoRetry.MinimumBackoff" // 0 to 3,600 before a further attempt; "": the engine's
	PropAnswerMinutes  = "Fairlead.Action.Interruption.Minutes"    // 0 to 10,080 for people to answer; "" or 0: no limit
)

const (
	// DefaultRestartLimit is how long a machine may take to come back from a restart: servers with
	// much memory test it for minutes before they boot.
	DefaultRestartLimit = 15 * time.Minute
	// DefaultLostAfter is how long a machine with a running script may be out of reach before it
	// counts as lost.
	DefaultLostAfter = 10 * time.Minute
	// MaxAttempts is how often an action is begun on a machine, the first time included, when a
	// verdict lets it be begun again.
	MaxAttempts = 3

	maxPolicyMinutes = 7 * 24 * 60
	maxRetries       = 3
	maxRetrySeconds  = 60 * 60
)

// WhenLost says what happens to an action whose machine is lost.
type WhenLost string

// The answers; the words are the wire's.
const (
	LostWaits WhenLost = "Wait" // for the machine, however long
	LostFails WhenLost = "Fail" // the machine fails; its verdict is recorded when it is back
	LostGoOn  WhenLost = "GoOn" // the deployment goes on without the machine
)

// Policy is what an action's settings come to.
type Policy struct {
	TimeLimit    time.Duration // of the script; 0 for none
	Restarts     bool          // it restarts the machine, and ends when the machine is back
	RestartLimit time.Duration
	IsIdempotent bool
	WhenLost     WhenLost
	LostAfter    time.Duration
	Retries      int // further attempts after a failure
	// RetryWait lies between an attempt and the next; negative when the action does not say.
	RetryWait   time.Duration
	AnswerLimit time.Duration // for people to answer a question about it; 0 for none
}

// NewPolicy reads an action's settings. What is wrong with them comes as clauses for people; the
// defaults stand in for it.
func NewPolicy(a Action) (p Policy, wrong []string) {
	r := policyReader{action: a}
	p = Policy{
		TimeLimit: r.minutes(PropTimeoutMinutes, 0, 0), Restarts: r.flag(PropRestarts),
		RestartLimit: r.minutes(PropRestartMinutes, 1, DefaultRestartLimit),
		IsIdempotent: r.flag(PropIdempotent), WhenLost: LostWaits,
		LostAfter: r.minutes(PropLostMinutes, 1, DefaultLostAfter), Retries: r.retries(),
		RetryWait: r.retryWait(), AnswerLimit: r.minutes(PropAnswerMinutes, 0, 0),
	}
	text := a.Properties[PropWhenLost]
	for _, known := range []WhenLost{LostWaits, LostFails, LostGoOn} {
		if strings.EqualFold(text, string(known)) {
			p.WhenLost, text = known, ""
		}
	}
	if text != "" {
		r.add("%s is %q: want %s, %s or %s", PropWhenLost, text, LostWaits, LostFails, LostGoOn)
	}
	if a.Properties[PropRestartMinutes] != "" && !p.Restarts {
		r.add("%s is set without %s", PropRestartMinutes, PropRestarts)
	}
	return p, r.wrong
}

// PolicySettings are the names of the settings that NewPolicy reads of a script: about one nobody is asked.
func PolicySettings() []string {
	return []string{
		PropTimeoutMinutes, PropRestarts, PropRestartMinutes, PropIdempotent, PropWhenLost, PropLostMinutes,
		PropRetries, PropRetrySeconds,
	}
}

// Clauses say for people what differs from the defaults.
func (p Policy) Clauses() (list []string) {
	if p.TimeLimit > 0 {
		list = append(list, "ends after "+p.TimeLimit.String()+" at the latest")
	}
	if p.Restarts {
		list = append(list, "restarts the machine, which may take "+p.RestartLimit.String())
	}
	if p.Retries > 0 {
		list = append(list, fmt.Sprintf("is tried up to %d times more when it fails", p.Retries))
	}
	if p.IsIdempotent {
		list = append(list, "may run twice")
	}
	switch p.WhenLost {
	case LostFails:
		list = append(list, "fails when the machine is lost for "+p.LostAfter.String())
	case LostGoOn:
		list = append(list, "goes on without a machine that is lost for "+p.LostAfter.String())
	case LostWaits:
	}
	return list
}

type policyReader struct {
	action Action
	wrong  []string
}

func (r *policyReader) add(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *policyReader) flag(name string) bool {
	switch text := r.action.Properties[name]; strings.ToLower(text) {
	case "true":
		return true
	case "", "false":
	default:
		r.add("%s is %q: want True or False", name, text)
	}
	return false
}

func (r *policyReader) minutes(name string, least int, unset time.Duration) time.Duration {
	if n, ok := r.number(name, " minutes", least, maxPolicyMinutes); ok {
		return time.Duration(n) * time.Minute
	}
	return unset
}

func (r *policyReader) retries() int {
	n, _ := r.number(PropRetries, "", 0, maxRetries)
	return n
}

func (r *policyReader) retryWait() time.Duration {
	if n, ok := r.number(PropRetrySeconds, " seconds", 0, maxRetrySeconds); ok {
		return time.Duration(n) * time.Second
	}
	return -1
}

// number reads a whole number; ok is false when there is none between least and most.
func (r *policyReader) number(name, unit string, least, most int) (n int, ok bool) {
	text := r.action.Properties[name]
	if text == "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.add("%s is %q%s: want %d to %d", name, text, unit, least, most)
		return 0, false
	}
	return n, true
}

// mayRepeat reports whether an action may be begun again, as a new attempt, after this verdict:
// nothing of it ran, what ran does no harm, or the action says so.
func mayRepeat(a Action, t Ticket) bool {
	passes := t.Ruling == RulingNone || t.Ruling == RulingPassing
	policy, _ := NewPolicy(a)
	switch t.Verdict.Outcome {
	case contract.NotStarted:
		return passes && t.Attempt < MaxAttempts
	case contract.Indeterminate:
		return passes && t.Attempt < MaxAttempts && policy.IsIdempotent
	case contract.Failed, contract.TimedOut:
		return t.Ruling == RulingNone && t.Attempt <= policy.Retries
	case contract.Succeeded, contract.Canceled:
	}
	return false
}
