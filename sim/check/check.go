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
		secrets(), limits(), queue(), leaks(),
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

// Judge asks all statements about a run and returns the violations by time.
func Judge(r history.Run, statements []Statement) []Violation {
	var all []Violation
	for _, s := range statements {
		for _, v := range s.Judge(r) {
			v.ID = s.ID
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(a, b Violation) int { return cmp.Compare(a.At, b.At) })
	return all
}
