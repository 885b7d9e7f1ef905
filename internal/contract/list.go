// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import "fairlead/internal/errkind"

const (
	// MaxListed is how many tickets one answer to ScriptList names at most.
	MaxListed = 100
	// MaxListedBytes is the most JSON those take; the head of an answer has 64 KiB.
	MaxListedBytes = 48 << 10
)

// ListArgs asks for tickets in the order of their names, from the one after After on.
type ListArgs struct {
	After TicketID `json:"after,omitempty"`
}

// TicketList is some of the tickets that an agent keeps, by name.
type TicketList struct {
	Tickets []ListedTicket `json:"tickets"`
	// More says that there are others after the last one.
	More bool `json:"more,omitempty"`
}

// ListedTicket is what an agent tells of a ticket to a server that may not know it.
type ListedTicket struct {
	Ticket  TicketID `json:"ticket"`
	Task    string   `json:"task,omitempty"` // as the order named it
	Name    string   `json:"name,omitempty"` // likewise; cut to 200 bytes
	State   State    `json:"state"`
	Verdict *Verdict `json:"verdict,omitempty"` // of a finished one
}

// check refuses a list whose reader would ask for ever, or could not act on it. Errors: Corrupt.
func (l *TicketList) check() error {
	if len(l.Tickets) > MaxListed || l.More && len(l.Tickets) == 0 {
		return errkind.Corrupt.Errorf("a list of %d tickets, with more to come: %v: want at most %d, at least 1 if more",
			len(l.Tickets), l.More, MaxListed)
	}
	for i, t := range l.Tickets {
		if i > 0 && t.Ticket <= l.Tickets[i-1].Ticket {
			return errkind.Corrupt.Errorf("ticket %s is listed after %s", t.Ticket, l.Tickets[i-1].Ticket)
		}
		status := TicketStatus{Ticket: t.Ticket, State: t.State, Verdict: t.Verdict}
		if err := status.check(); err != nil {
			return err
		}
	}
	return nil
}
