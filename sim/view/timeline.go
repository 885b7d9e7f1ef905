// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/sim/trace"
)

// What a page holds at most. A browser draws that many without a pause.
const (
	maxConnections = 20_000
	maxMarks       = 20_000
	maxSpans       = 20_000
	maxFaults      = 5_000
)

// everywhere is the lane of what is about no single machine.
const everywhere = -1

// timeline is a run as the page draws it. Times are nanoseconds since the world began; lanes are
// numbers of hosts.
type timeline struct {
	Hosts       []lane       `json:"hosts"`
	Connections []connection `json:"conns"`
	Spans       []span       `json:"spans"`
	Faults      []span       `json:"faults"`
	Marks       []mark       `json:"marks"`
	Violations  []mark       `json:"checks"`
	Phases      []mark       `json:"phases"`
	Quiet       [][2]int64   `json:"quiet"`
	End         int64        `json:"end"`
	Bucket      int64        `json:"bucket"` // length of one, see connection.Busy
	LeftOut     []string     `json:"-"`
}

// lane is a machine.
type lane struct {
	Name  string `json:"name"`
	Group string `json:"group"` // of machines whose names differ in a number, or ""
}

// span is something that lasted.
type span struct {
	Host int    `json:"h"`
	From int64  `json:"a"`
	To   int64  `json:"b"`
	Kind string `json:"k"` // "line", "script", or what went wrong
	Text string `json:"x,omitempty"`
}

// mark is something that happened at one instant.
type mark struct {
	Host int    `json:"h"`
	At   int64  `json:"t"`
	Kind string `json:"k"`
	Text string `json:"x,omitempty"`
}

// reading is a trace while it is read.
type reading struct {
	timeline
	lanes   map[string]int
	streams map[uint64]*flow
	order   []uint64
	lines   map[int]int    // the span that shows that a machine's line is up, by lane
	scripts map[string]int // the span of a script, by machine and process
	faults  []fault
	over    map[string]int // of what was left out, by what
}

// read reads a whole trace. Errors: those of a trace.Reader; an end that was cut off is only noted.
func read(r *trace.Reader) (*timeline, error) {
	t := &reading{
		lanes: map[string]int{}, streams: map[uint64]*flow{}, lines: map[int]int{}, scripts: map[string]int{},
		over: map[string]int{},
	}
	for {
		l, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			t.finish()
			return &t.timeline, nil
		case errors.Is(err, trace.ErrCutOff):
			t.LeftOut = append(t.LeftOut, "the trace was cut off: its run died, or still goes on")
			t.finish()
			return &t.timeline, nil
		case err != nil:
			return nil, err
		}
		t.line(l)
	}
}

// line takes one event.
func (t *reading) line(l trace.Line) {
	if l.Kind != trace.KindCheck {
		t.End = max(t.End, int64(l.At))
	}
	switch l.Kind {
	case trace.KindMark, "at":
	case trace.KindLog:
		if l.Level == "WARN" || l.Level == "ERROR" {
			t.note(l, strings.ToLower(l.Level), l.Why)
		}
		t.lane(l.From)
	case trace.KindCheck:
		v := mark{t.place(l.From), int64(l.At), l.Kind, l.Why}
		if v.Host == everywhere && l.From != "" {
			v.Text = l.From + ": " + l.Why // no machine that the trace knows
		}
		t.Violations = append(t.Violations, v)
	case trace.KindFaultOn, trace.KindFaultOff:
		t.fault(l)
	case trace.KindCrash, trace.KindExit:
		t.died(l)
	case trace.KindStart, "proc.point", "kill", "reset":
		t.note(l, l.Kind, l.Why)
	case "line.up", "line.down":
		t.online(l)
	case "script.start", "script.end":
		t.script(l)
	case "op.asked":
		t.note(l, l.Kind, l.Why)
	case "phase":
		t.Phases = append(t.Phases, mark{everywhere, int64(l.At), l.Kind, l.Why})
	default:
		t.packet(l)
	}
}

// lane returns the number of a machine, which is known from now on.
func (t *reading) lane(name string) int {
	n, known := t.lanes[name]
	if !known {
		n = len(t.Hosts)
		t.lanes[name] = n
		t.Hosts = append(t.Hosts, lane{Name: name})
	}
	return n
}

// place is the lane of a machine that is known already, or everywhere.
func (t *reading) place(name string) int {
	if n, known := t.lanes[name]; known {
		return n
	}
	return everywhere
}

// fits counts what is left out because there is too much of it.
func (t *reading) fits(n, limit int, what string) bool {
	if n >= limit {
		t.over[what]++
		return false
	}
	return true
}

func (t *reading) note(l trace.Line, kind, text string) {
	if t.fits(len(t.Marks), maxMarks, "marks") {
		t.Marks = append(t.Marks, mark{t.lane(l.From), int64(l.At), kind, text})
	}
}

// span adds something that lasts, and returns its number, below 0 for none.
func (t *reading) span(s span) int {
	if !t.fits(len(t.Spans), maxSpans, "spans") {
		return -1
	}
	t.Spans = append(t.Spans, s)
	return len(t.Spans) - 1
}

// died ends what a program did that has ended: an agent's line, and with the power all scripts.
func (t *reading) died(l trace.Line) {
	t.note(l, l.Kind, l.Why)
	who, _, _ := strings.Cut(l.Why, " ")
	if who != "shim" {
		t.offline(t.lane(l.From), int64(l.At))
	}
	if who != "power" && who != "reboot" && who != "rollback" {
		return
	}
	for key, n := range t.scripts {
		if strings.HasPrefix(key, l.From+" ") {
			t.Spans[n].To = int64(l.At)
			delete(t.scripts, key)
		}
	}
}

func (t *reading) offline(lane int, at int64) {
	if n, up := t.lines[lane]; up {
		t.Spans[n].To = at
		delete(t.lines, lane)
	}
}

// online shows when an agent held itself for on line.
func (t *reading) online(l trace.Line) {
	lane := t.lane(l.From)
	t.offline(lane, int64(l.At))
	if l.Kind == "line.down" {
		return
	}
	if n := t.span(span{Host: lane, From: int64(l.At), To: openEnd, Kind: "line"}); n >= 0 {
		t.lines[lane] = n
	}
}

func (t *reading) script(l trace.Line) {
	key := l.From + " " + l.Why[strings.LastIndexByte(l.Why, ' ')+1:] // its process: "n=1003"
	if l.Kind == "script.start" {
		if n := t.span(span{Host: t.lane(l.From), From: int64(l.At), To: openEnd, Kind: "script", Text: l.Why}); n >= 0 {
			t.scripts[key] = n
		}
		return
	}
	if n, runs := t.scripts[key]; runs {
		t.Spans[n].To = int64(l.At)
		delete(t.scripts, key)
	}
}

// openEnd is the end of what has none yet.
const openEnd = -1

// fault is one that goes on.
type fault struct {
	number int      // among the timeline's
	told   []string // by what names its end may be told
	event  uint64   // the latest that told of it
}

// fault takes the begin or end of one. Whoever plans a fault tells of it right after the network did,
// in words of his own: that is one fault, and his words count.
func (t *reading) fault(l trace.Line) {
	name := l.Why + " " + l.From
	if l.Kind == trace.KindFaultOff {
		t.heal(name, int64(l.At))
		return
	}
	where, _, _ := strings.Cut(l.From, " ") // "web-1 up" is one direction of web-1's access
	drawn := span{Host: t.place(where), From: int64(l.At), To: openEnd, Kind: l.Why, Text: l.From}
	if strings.HasSuffix(l.Why, ".flush") {
		drawn.To = drawn.From // there is nothing that lasts
	}
	if n := len(t.faults) - 1; n >= 0 {
		if f := &t.faults[n]; sameFault(t.Faults[f.number], drawn, f.event+1 == l.N) {
			f.told, f.event = append(f.told, name), l.N
			t.Faults[f.number] = drawn
			return
		}
	}
	if t.fits(len(t.Faults), maxFaults, "faults") {
		t.faults = append(t.faults, fault{number: len(t.Faults), told: []string{name}, event: l.N})
		t.Faults = append(t.Faults, drawn)
	}
}

// sameFault reports whether two are one: told at one instant of the same place, or in other words one
// right after the other. A swizzle has its machines' names from the network, and their group's from the plan.
func sameFault(a, b span, adjacent bool) bool {
	placeA, _, _ := strings.Cut(a.Text, " ")
	placeB, _, _ := strings.Cut(b.Text, " ")
	return a.From == b.From && (placeA == placeB || adjacent && (a.Kind != b.Kind || a.Kind == "swizzle-clog"))
}

// heal ends a fault when all that told of it have told of its end.
func (t *reading) heal(name string, at int64) {
	for i := range t.faults {
		f := &t.faults[i]
		n := slices.Index(f.told, name)
		if n < 0 {
			continue
		}
		if f.told = slices.Delete(f.told, n, n+1); len(f.told) == 0 {
			if drawn := &t.Faults[f.number]; drawn.To == openEnd {
				drawn.To = at
			}
			t.faults = slices.Delete(t.faults, i, i+1)
		}
		return
	}
}

// finish closes what is open and sorts.
func (t *reading) finish() {
	for _, v := range t.Violations {
		t.End = max(t.End, v.At)
	}
	for _, list := range [][]span{t.Spans, t.Faults} {
		for i := range list {
			if list[i].To == openEnd {
				list[i].To = t.End
			}
		}
	}
	t.connect()
	t.sortLanes()
	t.Quiet = quiet(&t.timeline)
	for _, what := range []string{"connections", "spans", "faults", "marks"} {
		if n := t.over[what]; n > 0 {
			t.LeftOut = append(t.LeftOut, fmt.Sprintf("%d %s are left out: the page holds no more", n, what))
		}
	}
}

// sortLanes puts machines of a group together, by number; groups keep the order in which they came.
func (t *reading) sortLanes() {
	const least = 3 // machines of a group
	stems, first := map[string]int{}, map[string]int{}
	for i, h := range t.Hosts {
		stem, _ := numbered(h.Name)
		if stems[stem]++; stems[stem] == 1 {
			first[stem] = i
		}
	}
	order := make([]int, len(t.Hosts))
	for i := range t.Hosts {
		order[i] = i
		if stem, _ := numbered(t.Hosts[i].Name); stems[stem] >= least {
			t.Hosts[i].Group = stem
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		stemA, numberA := numbered(t.Hosts[a].Name)
		stemB, numberB := numbered(t.Hosts[b].Name)
		return cmp.Or(cmp.Compare(first[stemA], first[stemB]), cmp.Compare(numberA, numberB), cmp.Compare(a, b))
	})
	place := map[int]int{everywhere: everywhere}
	hosts := make([]lane, 0, len(order))
	for to, from := range order {
		place[from] = to
		hosts = append(hosts, t.Hosts[from])
	}
	t.Hosts = hosts
	for _, list := range [][]span{t.Spans, t.Faults} {
		for i := range list {
			list[i].Host = place[list[i].Host]
		}
	}
	for _, list := range [][]mark{t.Marks, t.Violations} {
		for i := range list {
			list[i].Host = place[list[i].Host]
		}
	}
	for i := range t.Connections {
		c := &t.Connections[i]
		c.From, c.To = place[c.From], place[c.To]
	}
}

// numbered splits "web-12" into "web" and 12. A name without a number has -1.
func numbered(name string) (stem string, number int) {
	stem = strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(stem):])
	if err != nil || stem == "" {
		return name, -1
	}
	return strings.TrimRight(stem, "-_."), number
}

// length is a time as people read it.
func length(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
