// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/internal/settings"
	"fairlead/netem"
)

// problems collects what is wrong.
type problems struct {
	texts  []string
	names  map[string]string // of machines, boxes and programs: what each is
	unread settings.UnreadError
	table  string // what is looked at: "box", "fault"; "" for the plan itself
	index  int
	vague  []string // tables with something in them of which nobody can tell what it is
}

// look says which table the next problems are of.
func (q *problems) look(table string, index int) { q.table, q.index = table, index }

// add tells a problem, unless it speaks of a key that could not be read: mending that may mend both.
func (q *problems) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	words := strings.FieldsFunc(text, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '_') })
	for _, u := range q.unread {
		table, key, inner := strings.Cut(u.Key, ".")
		if !inner {
			table, key = "", table
		}
		here := table == q.table && (u.Index == q.index || table == "") || key == "safety"
		if here && key != "" && slices.Contains(words, key) {
			return
		}
	}
	q.texts = append(q.texts, text)
}

// err is all problems in one. Errors: ProblemsError.
func (q *problems) err() error {
	if len(q.texts) == 0 {
		return nil
	}
	return ProblemsError(q.texts)
}

// ProblemsError is all that is wrong with a plan: what has a place in its text first, with that. It is errkind.Invalid.
type ProblemsError []string

// Error has all problems on one line.
func (e ProblemsError) Error() string { return strings.Join(e, "; ") }

// Unwrap makes errors.Is see the kind.
func (ProblemsError) Unwrap() error { return errkind.Invalid }

// naming are the keys without which names lead nowhere.
var naming = []string{"name", "kind", "preset", "count", "from", "to"}

// lost reports whether something in these tables that others may refer to could not be read.
func (q *problems) lost(tables ...string) bool {
	return slices.ContainsFunc(q.vague, func(table string) bool { return slices.Contains(tables, table) }) ||
		slices.ContainsFunc(q.unread, func(u settings.Unread) bool {
			table, key, inner := strings.Cut(u.Key, ".")
			return slices.Contains(tables, table) && (!inner || slices.Contains(naming, key))
		})
}

// The tables that names are of.
var (
	ofNets  = []string{"net"}
	ofEdges = []string{"edge", "net"}
	ofBoxes = []string{"box"}
	ofEnds  = []string{"server", "program"}
	ofHosts = []string{"server", "program", "box"}
	ofAll   = []string{"server", "program", "box", "agents", "edge"}
)

// maxListed is how many words a problem lists beside the one that may be meant.
const maxListed = 12

// word checks one of a few words.
func (q *problems) word(where, got string, want ...string) {
	if got == "" || slices.Contains(want, got) {
		return
	}
	all, near := strings.Join(want, ", "), nearest.Of(got, want)
	switch {
	case near == "":
		q.add("%s: %q: want %s", where, got, all)
	case len(want) > maxListed:
		q.add("%s: %q: did you mean %s?", where, got, near)
	default:
		q.add("%s: %q: want %s (did you mean %s?)", where, got, all, near)
	}
}

// need checks one of a few words that must be there.
func (q *problems) need(where, got string, want ...string) {
	if got == "" {
		q.add("%s: want %s", where, strings.Join(want, ", "))
	}
	q.word(where, got, want...)
}

// kind checks what a thing is. known are the presets that may say it too.
func (q *problems) kind(where, got, preset string, want ...string) {
	q.word(where+" kind", got, want...)
	if _, known := netem.FindPreset(preset); got == "" && preset == "" {
		q.add("%s: want a kind or a preset", where)
		q.vague = append(q.vague, q.table)
	} else if !slices.Contains(want, got) || preset != "" && !known {
		q.vague = append(q.vague, q.table)
	}
}

// desk is the machine that people sit at; every site has it.
const desk = "desk"

func (q *problems) name(what, name string) {
	switch other := q.names[name]; {
	case !nameForm.MatchString(name):
		q.add("%s name %q: want letters a-z, digits and inner dashes, at most 40", what, name)
	case other != "":
		q.add("%s name %q: a %s has it already", what, name, other)
	case name == desk:
		q.add("%s name %q: people's own machine has it already", what, name)
	default:
		q.names[name] = what
	}
}

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// refer checks that a name is known, of something in these tables.
func (q *problems) refer(where, name string, known, tables []string) {
	if !slices.Contains(known, name) && !q.lost(tables...) {
		hint := ""
		if near := nearest.Of(name, known); near != "" {
			hint = " (did you mean " + near + "?)"
		}
		q.add("%s: there is no %q%s", where, name, hint)
	}
}

func (q *problems) address(where, text string) {
	if at, err := netip.ParseAddr(text); text != "" && (err != nil || !at.Is4()) {
		q.add("%s: %q: want an address of IPv4, as 203.0.113.7", where, text)
	}
}

// endpoint checks an address, or a name that something has, with a port.
func (q *problems) endpoint(where, text string, known []string) {
	host, port, err := net.SplitHostPort(text)
	if number, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" || number == 0 {
		q.add("%s: %q: want a name or an address with a port, as srv-1:10943", where, text)
		return
	}
	if _, err := netip.ParseAddr(host); err != nil {
		q.refer(where, host, known, ofHosts)
	}
}

func (q *problems) port(where string, number int) {
	if number < 0 || number > math.MaxUint16 {
		q.add("%s: %d: want a port, 1 to %d", where, number, math.MaxUint16)
	}
}

// fromZero checks what cannot be below 0.
func (q *problems) fromZero(where string, keys map[string]int64) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if keys[key] < 0 {
			q.add("%s: %s cannot be below 0", where, key)
		}
	}
}

// preset checks that one is known, and of that kind. A security group takes those of firewalls.
func (q *problems) preset(where, name, kind string) {
	p, known := netem.FindPreset(name)
	want := kind
	if kind == SecurityGroup {
		want = Firewall
	}
	switch {
	case name == "":
	case !known:
		q.word(where+" preset", name, netem.Presets()...)
	case string(p.Kind) != want:
		q.add("%s: preset %s describes a %s, and this is a %s", where, name, p.Kind, kind)
	}
}
