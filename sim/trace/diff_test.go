// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trace_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/sim/trace"
)

const head = `{"k":"head","format":1,"name":"ward","hash":"ab12","seed":7,"program":"1.0.0","go":"go1.26",` +
	`"wall":"2026-11-23T09:00:00Z"}` + "\n"

// lines are a head and n flights, one a second, with a mark after each ten.
func lines(n int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `{"t":%d000000000,"n":%d,"k":"data","from":"10.0.0.1:32768","to":"srv","s":3,"q":%d,"len":4}`+"\n", i, i, 4*i)
		if i%10 == 0 {
			fmt.Fprintf(&b, `{"t":%d000000000,"n":%d,"k":"mark","shape":"s%d","meta":"m%d","content":"c%d"}`+"\n", i, i, i, i, i)
		}
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	whole := lines(30)
	marks := head + strings.Join(keep(whole, `"mark"`), "")
	for name, c := range map[string]struct {
		a, b   string
		number int    // of the line that differs
		before int    // lines shown before it
		want   string // in what it says
	}{
		"same":            {whole, whole, 34, 20, "the traces are the same: 34 lines"},
		"length":          {whole, strings.Replace(whole, `"q":100,"len":4`, `"q":100,"len":5`, 1), 28, 20, "part at line 28, in size"},
		"at once":         {whole, strings.Replace(whole, `"t":1000000000`, `"t":1000000001`, 1), 2, 0, "B:     01.000000001  data"},
		"one is shorter":  {whole, lines(12), 15, 13, "B: has ended"},
		"one is cut off":  {whole, whole[:len(whole)-5], 34, 20, "B: has ended"},
		"unknown field":   {whole, strings.Replace(whole, `"q":8,`, `"q":8,"z":1,`, 1), 3, 1, "fields that this program does not know"},
		"bytes":           {whole, strings.Replace(whole, `"c20"`, `"x"`, 1), 23, 20, "differ in bytes on the wire alone, and no line"},
		"marks: lengths":  {marks, strings.Replace(marks, `"m20"`, `"x"`, 1), 3, 1, "11 and 20 the runs differ in offsets or lengths. Tr"},
		"marks: times":    {marks, strings.Replace(marks, `"s10"`, `"x"`, 1), 2, 0, "Between the events 1 and 10 the runs differ in times"},
		"different heads": {whole, strings.Replace(whole, `"seed":7`, `"seed":8`, 1), 34, 20, "different making: seed 7 and 8"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := trace.Diff(strings.NewReader(c.a), strings.NewReader(c.b))
			if err != nil {
				t.Fatal(err)
			}
			same := c.number == 34 && !strings.HasSuffix(name, "cut off")
			if d.Number != c.number || len(d.Before) != c.before || d.Same != same || !strings.Contains(d.String(), c.want) {
				t.Errorf("line %d, %d before, same %v, want %d, %d, %v and %q:\n%s",
					d.Number, len(d.Before), d.Same, c.number, c.before, same, c.want, d)
			}
			if len(d.Before) > 0 && d.Before[len(d.Before)-1].At == 0 {
				t.Errorf("the last line before is %v", d.Before[len(d.Before)-1])
			}
		})
	}
}

func keep(text, word string) (kept []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			kept = append(kept, line)
		}
	}
	return kept
}

// TestDiffText is the whole of what people get to see.
func TestDiffText(t *testing.T) {
	a := lines(2) + `{"t":3723000000001,"n":3,"k":"drop","from":"web-1","s":3,"len":97,"why":"data ward-internet cut"}` + "\n"
	b := lines(2) + `{"t":3723000000001,"n":2,"k":"log","from":"web-1","level":"WARN","why":"line is down"}` + "\n"
	d, err := trace.Diff(strings.NewReader(a), strings.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	want := `the traces part at line 4, in number of events, kind, connection, size, level, text

      01.000000000  data       10.0.0.1:32768 > srv #3 bytes 4 to 8
      02.000000000  data       10.0.0.1:32768 > srv #3 bytes 8 to 12
A: 1:02:03.000000001  drop       web-1 #3 bytes 0 to 97 data ward-internet cut
B: 1:02:03.000000001  log        WARN web-1 line is down
`
	if got := unindent(d.String()); got != unindent(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// unindent takes the padding before the times away.
func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if name, rest, is := strings.Cut(line, ": "); is && len(name) == 1 {
			lines[i] = name + ": " + strings.TrimLeft(rest, " ")
			continue
		}
		lines[i] = strings.TrimLeft(line, " ")
	}
	return strings.Join(lines, "\n")
}

func TestReaderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kind errkind.Kind
		want string
	}{
		"nothing":       {"", errkind.Corrupt, "it is empty"},
		"another file":  {"<html>\n", errkind.Corrupt, "is this a trace?"},
		"no head":       {`{"t":1,"n":1,"k":"data"}` + "\n", errkind.Corrupt, "want the head"},
		"newer":         {strings.Replace(head, `"format":1`, `"format":2`, 1), errkind.Invalid, "it has format 2, this program knows 1"},
		"broken line":   {lines(2) + "{\n", errkind.Corrupt, "line 4 of the trace"},
		"no kind":       {lines(2) + "{}\n", errkind.Corrupt, "line 4 of the trace"},
		"cut off":       {strings.TrimSuffix(lines(2), "}\n"), errkind.Corrupt, "in the middle of a line"},
		"very long":     {head + strings.Repeat("x", 2<<20) + "\n", errkind.Corrupt, "line 2 of the trace is longer"},
		"cut-off head":  {`{"k":"head"`, errkind.Corrupt, "in the middle of a line"},
		"a wrong value": {head + `{"t":"soon","k":"data"}` + "\n", errkind.Corrupt, "line 2 of the trace"},
	} {
		t.Run(name, func(t *testing.T) {
			err := readAll(strings.NewReader(c.text))
			if errkind.Of(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("error %v, want %v with %q", err, c.kind, c.want)
			}
		})
	}
	if err := readAll(strings.NewReader(lines(3))); err != nil {
		t.Errorf("a whole trace: %v", err)
	}
	if _, err := trace.Diff(strings.NewReader(lines(3)), strings.NewReader("x\n")); !strings.Contains(fmt.Sprint(err), "second trace: ") {
		t.Errorf("diff with another file: %v", err)
	}
}

func readAll(in io.Reader) error {
	r, err := trace.NewReader(in)
	for err == nil {
		_, err = r.Next()
	}
	if err == io.EOF {
		return nil
	}
	return err
}
