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

	"fairlead/internal/cli"
	"fairlead/netem"
)

// problems collects what is wrong.
type problems struct {
	texts []string
	names map[string]string // of machines, boxes and programs: what each is
}

func (q *problems) add(format string, args ...any) {
	q.texts = append(q.texts, fmt.Sprintf(format, args...))
}

// word checks one of a few words.
func (q *problems) word(where, got string, want ...string) {
	if got == "" || slices.Contains(want, got) {
		return
	}
	hint := ""
	if near := cli.Nearest(got, want); near != "" {
		hint = " (did you mean " + near + "?)"
	}
	q.add("%s: %q: want %s%s", where, got, strings.Join(want, ", "), hint)
}

// need checks one of a few words that must be there.
func (q *problems) need(where, got string, want ...string) {
	if got == "" {
		q.add("%s: want %s", where, strings.Join(want, ", "))
	}
	q.word(where, got, want...)
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

// refer checks that a name is known.
func (q *problems) refer(where, name string, known []string) {
	if !slices.Contains(known, name) {
		hint := ""
		if near := cli.Nearest(name, known); near != "" {
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

// endpoint checks a name or an address with a port.
func (q *problems) endpoint(where, text string) {
	host, port, err := net.SplitHostPort(text)
	if number, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" || number == 0 {
		q.add("%s: %q: want a name or an address with a port, as srv-1:10943", where, text)
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
