// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"fairlead/sim/check"
)

// Format is the version of the lines that this package reads.
const Format = 1

// Head is the first line of a trace.
type Head struct {
	Kind    string    `json:"k"` // KindHead
	Format  int       `json:"format"`
	Name    string    `json:"name,omitempty"` // of the scenario
	Hash    string    `json:"hash,omitempty"` // of its description
	Seed    uint64    `json:"seed"`
	Program string    `json:"program,omitempty"` // version
	Go      string    `json:"go"`
	Wall    time.Time `json:"wall"` // when the world began
}

// The kinds of lines that readers treat in a way of their own. There are more.
const (
	KindHead     = "head"
	KindMark     = "mark"
	KindDial     = "dial"
	KindSyn      = "syn"
	KindSynAck   = "synack"
	KindData     = "data"
	KindFin      = "fin"
	KindReset    = "rst"
	KindDrop     = "drop"
	KindGiveUp   = "giveup"    // retransmission ended
	KindSilent   = "keepalive" // probes were not answered
	KindLog      = "log"
	KindCheck    = "check"
	KindFaultOn  = "fault.on"
	KindFaultOff = "fault.off"
	KindStart    = "proc.start"
	KindCrash    = "proc.crash"
	KindExit     = "proc.exit"
)

// Line is one event.
type Line struct {
	At     time.Duration `json:"t"` // since the world began
	N      uint64        `json:"n"` // number of the event; a line without one of its own has that of the event before
	Kind   string        `json:"k"`
	From   string        `json:"from,omitempty"`  // host, or the address that a packet came from
	To     string        `json:"to,omitempty"`    // host, or what was asked for
	Stream uint64        `json:"s,omitempty"`     // connection
	Side   int           `json:"d,omitempty"`     // that sent: 0 dialled
	Offset uint64        `json:"q,omitempty"`     // of the first byte
	Size   int           `json:"len,omitempty"`   // bytes
	Level  string        `json:"level,omitempty"` // of a log line
	Why    string        `json:"why,omitempty"`
	// Digests of a mark.
	Shape   string `json:"shape,omitempty"`
	Meta    string `json:"meta,omitempty"`
	Content string `json:"content,omitempty"`
}

// String is the line as people read it.
func (l Line) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%16s  %-10s", clock(l.At), l.Kind)
	if l.Kind == KindMark {
		fmt.Fprintf(&b, " %d events: shape %s, meta %s, content %s", l.N, l.Shape, l.Meta, l.Content)
		return b.String()
	}
	if l.Level != "" {
		b.WriteString(" " + l.Level)
	}
	if l.From != "" {
		b.WriteString(" " + l.From)
	}
	if l.To != "" {
		b.WriteString(" > " + l.To)
	}
	if l.Stream > 0 {
		fmt.Fprintf(&b, " #%d", l.Stream)
	}
	if l.Size > 0 {
		fmt.Fprintf(&b, " bytes %d to %d", l.Offset, l.Offset+uint64(l.Size))
	}
	if l.Why != "" {
		b.WriteString(" " + l.Why)
	}
	return b.String()
}

// clock is a time since the beginning, to the nanosecond: 1:02:03.000000000.
func clock(d time.Duration) string {
	text := fmt.Sprintf("%02d.%09d", int(d/time.Second)%60, int(d%time.Second))
	if minutes := int(d / time.Minute); minutes >= 60 {
		return fmt.Sprintf("%d:%02d:%s", minutes/60, minutes%60, text)
	} else if minutes > 0 {
		return fmt.Sprintf("%d:%s", minutes, text)
	}
	return text
}

// WriteViolations appends what is wrong with a run to its trace, a line of kind "check" each. Errors:
// the writer's.
func WriteViolations(w io.Writer, violations []check.Violation) error {
	encoder := json.NewEncoder(w)
	for _, v := range violations {
		if err := encoder.Encode(Line{At: v.At, Kind: KindCheck, From: v.Who, Why: v.ID + " " + v.What}); err != nil {
			return fmt.Errorf("write the violations to the trace: %w", err)
		}
	}
	return nil
}
