// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"strconv"

	"fairlead/internal/contract"
)

// Sentence says a verdict in words: what is known, and why.
func Sentence(v contract.Verdict) string {
	switch v.Outcome {
	case contract.Succeeded:
		if v.Reason != "" {
			return "The script succeeded, but " + v.Reason + "."
		}
		return "Succeeded."
	case contract.Failed:
		if v.Reason == "" {
			return fmt.Sprintf("Failed: exit code %d.", v.Code)
		}
		return because("Failed", v)
	case contract.Canceled:
		return because("Canceled", v)
	case contract.TimedOut:
		return because("Timed out", v)
	case contract.NotStarted:
		return because("Not started; nothing ran on the machine", v)
	case contract.Indeterminate:
		return because("Nobody can tell whether it ran to its end", v)
	}
	return because("Unknown outcome "+strconv.Quote(string(v.Outcome)), v)
}

func because(text string, v contract.Verdict) string {
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text + "."
}

// SentenceOf says what is known of a ticket that has a verdict, and what came to light later.
func SentenceOf(t Ticket) string {
	text := Sentence(*t.Verdict)
	if t.Attempt > 1 {
		text = fmt.Sprintf("Attempt %d: %s", t.Attempt, text)
	}
	if t.Late != nil {
		text += " The machine said later: " + Sentence(*t.Late)
	}
	return text
}
