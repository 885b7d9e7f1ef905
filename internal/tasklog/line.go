// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// Category says how loud a line is.
type Category string

// The categories; the words are the wire's.
const (
	Verbose   Category = "Verbose"
	Info      Category = "Info"
	Highlight Category = "Highlight"
	Wait      Category = "Wait"
	Warning   Category = "Warning"
	Error     Category = "Error"
	Fatal     Category = "Fatal"
)

// MaxTextBytes is the longest text of one line; contract.Record has the same limit.
const MaxTextBytes = contract.MaxRecordText

// maxStoredLine is the longest line in a file: every byte of a text may need six, and the rest is
// short. A reader gives a file up that has a longer one.
const maxStoredLine = 6*MaxTextBytes + 4<<10

// Line is one line of a task's log.
type Line struct {
	Number   int64 // from 1, without gaps; assigned by Append
	At       time.Time
	Category Category
	Node     string // "" the task itself, "2" step 2, "2/Machines-1" step 2 on that machine
	// Text is without its newline. What is not UTF-8 in it comes back as U+FFFD.
	Text string
	// More says that the line goes on in the next one of the same Node and Category.
	More bool
	// Ticket is where the line comes from; "" for what the server says itself.
	Ticket contract.TicketID
	// TicketEnd is the offset in the ticket's log after this line.
	TicketEnd int64
}

// row is a line as it is stored.
type row struct {
	Number    int64    `json:"n,omitempty"`
	AtMicros  int64    `json:"t,omitempty"`
	Category  Category `json:"c,omitempty"`
	Node      string   `json:"w,omitempty"`
	Text      string   `json:"s,omitempty"`
	More      bool     `json:"m,omitempty"`
	Ticket    string   `json:"k,omitempty"`
	TicketEnd int64    `json:"e,omitempty"`
	// Mark is the state of whoever checks the ticket's stream, after TicketEnd; such a row is no line.
	Mark []byte `json:"h,omitempty"`
	// IsCut marks the line that says that the log reached its limit, Finished the last row.
	IsCut    bool `json:"cut,omitempty"`
	Finished bool `json:"finished,omitempty"`
}

func (r row) line() Line {
	return Line{
		Number: r.Number, At: time.UnixMicro(r.AtMicros).UTC(), Category: r.Category, Node: r.Node, Text: r.Text,
		More: r.More, Ticket: contract.TicketID(r.Ticket), TicketEnd: r.TicketEnd,
	}
}

func rowOf(l Line) row {
	return row{
		Number: l.Number, AtMicros: l.At.UnixMicro(), Category: l.Category, Node: l.Node, Text: l.Text,
		More: l.More, Ticket: string(l.Ticket), TicketEnd: l.TicketEnd,
	}
}

// rowBytes is about what a stored line takes beside its text.
const rowBytes = 160

// encode appends rows in their stored form.
func encode(to *bytes.Buffer, r row) error {
	if quick, ok := appendPlain(to.AvailableBuffer(), r); ok {
		to.Write(quick)
		return nil
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return errkind.Internal.Errorf("encode a log line: %w", err)
	}
	return nil
}

// decode reads one stored line, without its newline. A damaged one becomes a line that says so:
// the rest of a log is worth reading.
func decode(stored []byte) row {
	r, ok := parse(string(stored))
	if ok {
		return r
	}
	r = row{}
	if err := json.Unmarshal(stored, &r); err != nil {
		return row{Category: Error, Text: fmt.Sprintf("(a damaged line of %d bytes)", len(stored))}
	}
	return r
}
