// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/history"
	"fairlead/sim/plan"
	"fairlead/sim/site"
)

// memory is where homes lie, if there is such a folder.
const memory = "/dev/shm"

func options(t *testing.T) site.Options {
	t.Helper()
	dir := t.TempDir()
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		if dir, err = os.MkdirTemp(memory, "fairlead-site-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	return site.Options{Dir: dir, Templates: site.NewTemplates(dir)}
}

// carry carries a plan out and complains about all that is wrong.
func carry(t *testing.T, text string, o site.Options) history.Run {
	t.Helper()
	p, err := plan.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	h, err := site.History(t, p, o)
	if err != nil {
		t.Error(err)
	}
	for _, v := range check.Judge(h, check.All()) {
		t.Error(v)
	}
	return h
}

// work is a plan in which every program passes each of its crash points.
const work = `
name = "work"
seed = 3
safety = "4m"
settle = "4m"

[[server]]
name = "srv-1"

[[agents]]
name = "web"
count = 2
latency = "10ms"

[[op]]
at = "5s"
do = "script"
lasts = "10s"
gives = 64

[[op]]
at = "30s"
do = "deploy"
kb = 32
gives = 16

[[op]]
at = "50s"
do = "deploy"
kb = 32

[[op]]
at = "80s"
do = "script"
lasts = "1m"
ignores = true

[[op]]
at = "85s"
do = "cancel"

[[op]]
at = "2m"
do = "health"

[[op]]
at = "150s"
do = "script"
lasts = "5s"
exit = 3

[[op]]
at = "3m"
do = "restart"
`

// TestACrashAtEachPoint kills the program that passes a crash point, at its first and at its third
// pass, for every point there is: nothing runs twice, nothing is lost, everybody comes back.
func TestACrashAtEachPoint(t *testing.T) {
	o := options(t)
	whole := carry(t, work, o)
	points := slices.Sorted(maps.Keys(whole.End.Passes))
	if len(points) < 20 {
		t.Fatalf("only %d crash points were passed: %v", len(points), points)
	}
	kinds := map[string]string{"server": "server.crash", "agent": "agent.crash", "shim": "shim.crash"}
	for _, at := range points {
		life, point, _ := strings.Cut(at, " ")
		kind, can := kinds[life]
		if !can {
			continue // a step is killed with its shim only
		}
		for _, nth := range []string{"1", "3"} {
			t.Run(life+"/"+point+"/"+nth, func(t *testing.T) {
				fault := "\n[[fault]]\nat = \"0s\"\nkind = \"" + kind + "\"\npoint = \"" + point + "\"\nnth = " + nth + "\n"
				h := carry(t, work+fault, o)
				if nth == "1" && len(h.Of(history.Crashed)) == 0 {
					t.Error("nobody was killed")
				}
			})
		}
	}
}

// TestIdleLinesOutliveEveryKnownBox: no line of an agent that has nothing to do is lost behind any of
// the tables whose idle time is documented, and work finds it there.
func TestIdleLinesOutliveEveryKnownBox(t *testing.T) {
	o := options(t)
	for _, name := range netem.Presets() {
		preset, _ := netem.FindPreset(name)
		box, edge := "", ""
		switch preset.Kind {
		case netem.PresetNAT:
			box = "kind = \"nat\"\npublic = \"203.0.113.7\"\n"
			edge = "from = \"site\"\nto = \"internet\"\n"
		case netem.PresetFirewall:
			box = "kind = \"firewall\"\n"
			edge = "from = \"site\"\nto = \"internet\"\n"
		default:
			continue
		}
		t.Run(name, func(t *testing.T) {
			h := carry(t, `
name = "idle"
seed = 21
safety = "3h"
settle = "1m"
[[net]]
name = "internet"
[[net]]
name = "site"
prefix = "192.168.7.0/24"
[[edge]]
`+edge+`boxes = ["box"]
[[box]]
name = "box"
preset = "`+name+`"
`+box+`[[server]]
name = "srv-1"
[[agents]]
name = "web"
count = 2
on = "site"
[[op]]
at = "179m"
do = "script"
`, o)
			if n := len(h.Of(history.LineDown)); n != 0 {
				t.Errorf("lines were lost %d times", n)
			}
		})
	}
}
