// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
	"fairlead/sim/real"
)

const s = time.Second

// voyage is a run in which a box forgot a line at 15 s, web-2's script started twice, and one of its
// lines was lost.
func voyage() history.Run {
	return history.Run{
		Plan: plan.Plan{
			Agents: []plan.Agents{{Name: "web", Count: 2}},
			Boxes:  []plan.Box{{Name: "nat", Idle: plan.Duration(10 * s)}},
			Ops:    []plan.Op{{Do: plan.DoScript, Lines: 2}},
		},
		Over: 90 * s,
		Events: []history.Event{
			{At: 4 * s, Kind: history.Phase, Text: "safety"},
			{At: 5 * s, Kind: history.LineUp, Who: "web-1"},
			{At: 6 * s, Kind: history.LineUp, Who: "web-2"},
			{At: 20 * s, Kind: history.Answered, Task: "T-1", Text: "script op1"},
			{At: 21 * s, Kind: history.Seen, Task: "T-1", Text: "Executing"},
			{At: 60 * s, Kind: history.LineDown, Who: "web-1"},
			{At: 62 * s, Kind: history.LineDown, Who: "web-2"},
			{At: 63 * s, Kind: history.LineDown, Who: "web-2"},
			{At: 64 * s, Kind: history.LineUp, Who: "web-1"},
			{At: 65 * s, Kind: history.Started, Who: "web-1", Task: "T-1", Ticket: "a"},
			{At: 66 * s, Kind: history.LineUp, Who: "web-2"},
			{At: 67 * s, Kind: history.Started, Who: "web-2", Task: "T-1", Ticket: "b"},
			{At: 68 * s, Kind: history.Started, Who: "web-2", Task: "T-1", Ticket: "b"},
			{At: 70 * s, Kind: history.Seen, Task: "T-1", Text: "Success"},
			{At: 95 * s, Kind: history.LineDown, Who: "web-1"},
		},
		End: history.End{
			Online: []string{"web-1", "web-2"},
			Logs:   map[deploy.TaskID]string{"T-1": "op1-web-1-1\nop1-web-1-2\nop1-web-2-11\nop1-web-2-2\n"},
		},
	}
}

func TestOutcomeOf(t *testing.T) {
	got := real.OutcomeOf(voyage())
	want := real.Outcome{
		Online: 2, Verdicts: map[string]string{"op1": "Success"}, Starts: map[string]int{"op1 web-1": 1, "op1 web-2": 2},
		LinesLost: 1, Noticed: 47 * s, Back: 51 * s, Decided: 50 * s,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OutcomeOf (-want +got):\n%s", diff)
	}
}

func TestCauseIsTheFirstFault(t *testing.T) {
	r := voyage()
	r.Plan.Faults = []plan.Fault{{At: plan.Duration(50 * s), Kind: "nat.flush"}}
	if got := real.OutcomeOf(r); got.Noticed != 8*s || got.Back != 12*s {
		t.Errorf("noticed after %s, back after %s, want 8s and 12s after the fault at 4s + 50s", got.Noticed, got.Back)
	}
	r.Plan.Faults, r.Plan.Boxes = nil, nil
	if got := real.OutcomeOf(r); got.Noticed != 0 || got.Back != 0 {
		t.Errorf("noticed after %s, back after %s, want 0 without a cause", got.Noticed, got.Back)
	}
}

func TestCompareSeesEachDifference(t *testing.T) {
	base := real.OutcomeOf(voyage())
	if rows := real.Compare(base, base); !real.Agree(rows) {
		t.Errorf("an outcome differs from itself: %+v", rows)
	}
	for what, change := range map[string]func(*real.Outcome){
		"on line at the end": func(o *real.Outcome) { o.Online = 1 },
		"verdicts":           func(o *real.Outcome) { o.Verdicts["op1"] = "Failed" },
		"starts":             func(o *real.Outcome) { o.Starts["op1 web-2"] = 1 },
		"lines lost":         func(o *real.Outcome) { o.LinesLost = 0 },
		"time to notice":     func(o *real.Outcome) { o.Noticed += 13 * s },
		"time until back":    func(o *real.Outcome) { o.Back = 0 },
		"time to verdict":    func(o *real.Outcome) { o.Decided += 30 * s },
	} {
		other := base
		other.Verdicts, other.Starts = maps.Clone(base.Verdicts), maps.Clone(base.Starts)
		change(&other)
		rows := real.Compare(other, base)
		i := slices.IndexFunc(rows, func(r real.Row) bool { return !r.Agree })
		if i < 0 || rows[i].What != what {
			t.Errorf("%s changed: rows %+v, want that one to differ", what, rows)
		}
		var out strings.Builder
		if err := real.Write(&out, []real.Comparison{{Plan: "p", Rows: rows}}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "DIFFER") || !strings.Contains(out.String(), "<- differs") {
			t.Errorf("%s changed: the table does not say so:\n%s", what, out.String())
		}
	}
	later := base
	later.Noticed += 3 * s
	if rows := real.Compare(later, base); !real.Agree(rows) {
		t.Errorf("3 s more until notice are within bounds: %+v", rows)
	}
}

func TestUnsupportedNamesEverything(t *testing.T) {
	p := plan.Plan{
		Name: "too much", Join: true,
		Programs: []plan.Program{{Name: "proxy"}},
		Edges:    []plan.Edge{{From: "a", To: "b", Wire: plan.Wire{Loss: 0.1}}},
		Servers:  []plan.Server{{Name: "srv", ProxyProtocolFrom: []string{"10.0.0.1"}}},
		Agents:   []plan.Agents{{Name: "web", Listening: true}},
		Boxes:    []plan.Box{{Name: "nat", Preset: "azure-natgw", Idle: plan.Duration(s / 2)}},
		Ops:      []plan.Op{{Do: plan.DoDeploy}},
		Faults:   []plan.Fault{{Kind: "link.loss"}},
	}
	err := real.Unsupported(p)
	for _, want := range []string{
		`plan "too much"`, "programs in the network", "joining", "edge a-b: a wire", "server srv: PROXY", "agents web",
		"box nat: presets", "idle 500ms", "op 1: deploy", "fault 1: link.loss",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Unsupported = %v, want %q in it", err, want)
		}
	}
}

func TestOurPlansAreSupported(t *testing.T) {
	plans, err := real.Plans()
	if err != nil {
		t.Fatal(err)
	}
	const want = 5
	if len(plans) != want {
		t.Errorf("%d plans, want %d", len(plans), want)
	}
	for _, p := range plans {
		if err := real.Unsupported(p); err != nil {
			t.Error(err)
		}
		topology, err := real.Topology(p)
		if err == nil {
			err = topology.Check()
		}
		if err != nil {
			t.Errorf("plan %q: %v", p.Name, err)
		}
	}
}
