// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site_test

import (
	"slices"
	"testing"

	"fairlead/sim/history"
)

// lost lists the agents whose line went down while a fault was on, or a minute after.
func lost(h history.Run) (names []string) {
	for _, e := range h.Of(history.LineDown) {
		if !slices.Contains(names, e.Who) {
			names = append(names, e.Who)
		}
	}
	slices.Sort(names)
	return names
}

const pair = `
name = "together"
seed = 9
safety = "6m"
settle = "4m"
[[server]]
name = "srv-1"
[[agents]]
name = "web"
count = 4
[[fault]]
at = "1m"
for = "3m"
`

// TestAFaultOnAGroupIsOnAllOfIt: a partition cuts every machine of the group off, and a swizzle clogs
// half of them.
func TestAFaultOnAGroupIsOnAllOfIt(t *testing.T) {
	o := options(t)
	for _, c := range []struct {
		fault string
		want  int
	}{
		{"kind = \"partition\"\non = \"web\"\n", 4},
		{"kind = \"partition\"\non = \"all\"\n", 4},
		{"kind = \"swizzle-clog\"\non = \"web\"\n", 2},
		{"kind = \"swizzle-clog\"\non = \"all\"\n", 2},
	} {
		t.Run(c.fault, func(t *testing.T) {
			h := carry(t, pair+c.fault, o)
			if got := lost(h); len(got) != c.want {
				t.Errorf("%v lost their lines: want %d of them", got, c.want)
			}
			if n := len(h.Of(history.FaultOn)); n != 1 {
				t.Errorf("the fault began %d times", n)
			}
		})
	}
}

// TestAPartitionCutsTheDirectionThatItNames: down keeps agents from hearing the server, which goes on
// hearing them; up is the other way round.
func TestAPartitionCutsTheDirectionThatItNames(t *testing.T) {
	o := options(t)
	deaf := func(way string) (agents, server bool) {
		h := carry(t, pair+"kind = \"partition\"\non = \"web\"\nway = \""+way+"\"\n", o)
		first := h.Of(history.LineDown, history.Left)[0]
		return first.Kind == history.LineDown, first.Kind == history.Left
	}
	if agents, _ := deaf("down"); !agents {
		t.Error("way = down: the server noticed first, want the agents, which hear nothing")
	}
	if _, server := deaf("up"); !server {
		t.Error("way = up: an agent noticed first, want the server, which hears nothing")
	}
}
