// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fairlead/sim/history"
)

// Statement is something that a run is judged by.
type Statement struct {
	// ID is "S4" or "L1": the number of the statement in docs/simulator.md. Says is the statement.
	ID, Says string
	// Judge returns what is wrong with a run.
	Judge func(history.Run) []Violation
}

// All lists the statements in order.
func All() []Statement {
	return []Statement{
		sessions(), revocation(), starts(), verdicts(), durability(), output(), isolation(), answers(), content(),
		secrets(), limits(), queue(), leaks(), artifacts(),
		window(), approval(), repetition(), outcome(), retention(), audit(), patience(), taking(),
		reconnection(), completion(), detection(), cancellation(), agreement(), fairness(), progress(),
		expectation(),
	}
}

// Violation is a statement that does not hold.
type Violation struct {
	ID   string        `json:"id"`
	At   time.Duration `json:"at"`
	Who  string        `json:"who,omitempty"`
	What string        `json:"what"`
}

// String is the violation in a line.
func (v Violation) String() string {
	who := ""
	if v.Who != "" {
		who = " " + v.Who + ":"
	}
	return fmt.Sprintf("%s at %s%s %s", v.ID, v.At.Round(time.Millisecond), who, v.What)
}

// maxViolations bounds what is told of one statement: what is wrong everywhere is told as well by a few.
const maxViolations = 100

// Judge asks all statements about a run and returns the violations by time, the first 100 of each
// statement and one that counts the others.
func Judge(r history.Run, statements []Statement) []Violation {
	var all []Violation
	byTime := func(a, b Violation) int { return cmp.Compare(a.At, b.At) }
	for _, s := range statements {
		bad := s.Judge(r)
		slices.SortStableFunc(bad, byTime)
		if more := len(bad) - maxViolations; more > 0 {
			what := fmt.Sprintf("%d more violations of this statement are not told", more)
			bad = append(bad[:maxViolations], Violation{At: r.Over, What: what})
		}
		for _, v := range bad {
			v.ID = s.ID
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, byTime)
	return all
}
