// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// linesBefore is how many equal lines a difference shows before it.
const linesBefore = 20

// Difference is where two traces part.
type Difference struct {
	// Same says that they do not.
	Same bool
	// Number is the line, from 1, the head included; when they are the same, how many there are.
	Number int
	// Before are up to 20 lines before it.
	Before []Line
	// A and B are the lines that differ; nil for a trace that has ended.
	A, B *Line
	// Heads are the fields in which the first lines differ. That alone is no difference.
	Heads []string
}

// Diff compares two traces line by line. Errors: those of a Reader.
func Diff(a, b io.Reader) (Difference, error) {
	var d Difference
	ra, err := NewReader(a)
	if err != nil {
		return d, fmt.Errorf("first trace: %w", err)
	}
	rb, err := NewReader(b)
	if err != nil {
		return d, fmt.Errorf("second trace: %w", err)
	}
	d.Number, d.Heads = 1, headsDiffer(ra.Head, rb.Head)
	for {
		la, errA := next(ra)
		lb, errB := next(rb)
		switch {
		case errA != nil:
			return d, fmt.Errorf("first trace: %w", errA)
		case errB != nil:
			return d, fmt.Errorf("second trace: %w", errB)
		case la == nil && lb == nil:
			d.Same = true
			return d, nil
		}
		if d.Number++; la == nil || lb == nil || !bytes.Equal(ra.raw, rb.raw) {
			d.A, d.B = la, lb
			return d, nil
		}
		if len(d.Before) == linesBefore {
			d.Before = slices.Delete(d.Before, 0, 1)
		}
		d.Before = append(d.Before, *la)
	}
}

// next is nil at the end, also at one that was cut off.
func next(r *Reader) (*Line, error) {
	l, err := r.Next()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, ErrCutOff):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &l, nil
}

func headsDiffer(a, b Head) (fields []string) {
	note := func(field string, a, b any) {
		if a != b {
			fields = append(fields, fmt.Sprintf("%s %v and %v", field, a, b))
		}
	}
	note("scenario", a.Name, b.Name)
	note("hash", a.Hash, b.Hash)
	note("seed", a.Seed, b.Seed)
	note("program", a.Program, b.Program)
	note("Go", a.Go, b.Go)
	if !a.Wall.Equal(b.Wall) {
		note("wall clock", a.Wall, b.Wall)
	}
	return fields
}

// String tells people where the runs part.
func (d Difference) String() string {
	var b strings.Builder
	for _, field := range d.Heads {
		fmt.Fprintf(&b, "the runs are of different making: %s\n", field)
	}
	if d.Same {
		fmt.Fprintf(&b, "the traces are the same: %d lines\n", d.Number)
		return b.String()
	}
	fmt.Fprintf(&b, "the traces part at line %d", d.Number)
	if d.A != nil && d.B != nil {
		fmt.Fprintf(&b, ", in %s", strings.Join(d.fields(), ", "))
	}
	b.WriteString("\n\n")
	for _, l := range d.Before {
		fmt.Fprintf(&b, "   %s\n", l)
	}
	for _, side := range []struct {
		name string
		line *Line
	}{{"A", d.A}, {"B", d.B}} {
		if side.line == nil {
			fmt.Fprintf(&b, "%s: has ended\n", side.name)
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", side.name, side.line)
	}
	if hint := d.hint(); hint != "" {
		b.WriteString("\n" + hint + "\n")
	}
	return b.String()
}

// fields names what differs between A and B.
func (d Difference) fields() (names []string) {
	a, b := d.A, d.B
	for _, field := range []struct {
		name    string
		differs bool
	}{
		{"time", a.At != b.At},
		{"number of events", a.N != b.N},
		{"kind", a.Kind != b.Kind},
		{"from", a.From != b.From},
		{"to", a.To != b.To},
		{"connection", a.Stream != b.Stream || a.Side != b.Side},
		{"offset", a.Offset != b.Offset},
		{"size", a.Size != b.Size},
		{"level", a.Level != b.Level},
		{"text", a.Why != b.Why},
		{"digest", a.Shape != b.Shape || a.Meta != b.Meta || a.Content != b.Content},
	} {
		if field.differs {
			names = append(names, field.name)
		}
	}
	if names == nil {
		names = []string{"fields that this program does not know"}
	}
	return names
}

// hint says what a difference between two marks means.
func (d Difference) hint() string {
	a, b := d.A, d.B
	if a == nil || b == nil || a.Kind != KindMark || b.Kind != KindMark || a.N != b.N {
		return ""
	}
	what := "times, kinds or hosts"
	switch {
	case a.Shape == b.Shape && a.Meta == b.Meta:
		what = "bytes on the wire alone"
	case a.Shape == b.Shape:
		what = "offsets or lengths"
	}
	since := uint64(0)
	for _, l := range d.Before {
		if l.Kind == KindMark {
			since = l.N
		}
	}
	text := fmt.Sprintf("Between the events %d and %d the runs differ in %s", since+1, a.N, what)
	if len(d.Before) > 0 && d.Before[len(d.Before)-1].Kind != KindMark {
		return text + ", and no line shows it: an acknowledgement, or content."
	}
	return text + ". Traces with all lines show where."
}
