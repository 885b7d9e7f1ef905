// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	shimClaim = &claim{Process: host.ProcessID{Pid: 7}}
	success   = &contract.Verdict{Outcome: contract.Succeeded}
)

// words writes outputs down, one word each.
func words(outs []output) string {
	var all []string
	for _, out := range outs {
		word := strings.TrimPrefix(fmt.Sprintf("%T", out), "script.")
		switch out := out.(type) {
		case tryClaim:
			word += " " + string(out.verdict.Outcome)
		case finish:
			word += " " + string(out.verdict.Outcome)
		}
		all = append(all, word)
	}
	return strings.Join(all, ", ")
}

// TestLifeScripts tells conversations: an input, the outputs it must give.
func TestLifeScripts(t *testing.T) {
	type turn struct {
		after time.Duration
		in    input
		want  string
	}
	alive := observed{claim: shimClaim, alive: true, sameBoot: true}
	dead := observed{claim: shimClaim, sameBoot: true}
	rebooted := observed{claim: shimClaim}
	ended := observed{claim: shimClaim, sameBoot: true, exit: success}
	fenced := observed{claim: &claim{Verdict: &contract.Verdict{Outcome: contract.NotStarted}}}
	for name, turns := range map[string][]turn{
		"an undisturbed run": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{0, observed{}, ""},
			{time.Second, alive, ""},
			{time.Minute, alive, ""},
			{0, ended, "finish succeeded"},
			{0, ended, ""},
		},
		"so short that only its end is seen": {
			{0, received{}, "enqueue"}, {0, granted{}, "launch"}, {0, ended, "finish succeeded"},
		},
		"row 4: the shim never claims": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{claimWait - 1, observed{}, ""},
			{1, observed{}, "tryClaim not-started"},
			{0, claimed{won: true}, "finish not-started"},
		},
		"row 4: found launched by an agent that died, launched again": {
			{0, recovered{launches: 1}, "hold, look"},
			{0, observed{}, ""},
			{inheritedClaimWait, observed{}, "launch"},
			{claimWait - 1, observed{}, ""},
			{1, observed{}, "tryClaim not-started"},
			{0, claimed{won: true}, "finish not-started"},
		},
		"row 4: launched too often": {
			{0, recovered{launches: maxLaunches}, "hold, look"},
			{inheritedClaimWait, observed{}, "tryClaim not-started"},
			{0, claimed{won: true}, "finish not-started"},
		},
		"row 4: found waiting by the next agent": {
			{0, recovered{}, "enqueue"}, {0, granted{}, "launch"},
		},
		"row 5: the shim wins the race": {
			{0, recovered{launches: maxLaunches}, "hold, look"},
			{inheritedClaimWait, observed{}, "tryClaim not-started"},
			{0, claimed{won: false}, "look"},
			{0, alive, ""},
			{0, ended, "finish succeeded"},
		},
		"row 6: re-attach": {
			{0, recovered{launches: 1}, "hold, look"}, {0, alive, ""}, {time.Hour, ended, "finish succeeded"},
		},
		"row 8: the script ended while no agent was there": {
			{0, recovered{launches: 1}, "hold, look"}, {0, ended, "finish succeeded"},
		},
		"row 9: the shim died": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{0, alive, ""},
			{0, dead, "look"},
			{0, dead, "settle"},
			{0, observed{claim: shimClaim, verdict: &contract.Verdict{Outcome: contract.Indeterminate}}, "finish indeterminate"},
		},
		"row 9: seen dead, but the exit record was there": {
			{0, received{}, "enqueue"}, {0, granted{}, "launch"}, {0, alive, ""}, {0, dead, "look"}, {0, ended, "finish succeeded"},
		},
		"row 9: the shim this agent launched died before its claim": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{0, observed{shimGone: true, trouble: "no space"}, "tryClaim not-started"},
		},
		"row 10 to 12: the machine was restarted": {
			{0, recovered{launches: 1}, "hold, look"}, {0, rebooted, "settle"}, {0, rebooted, "settle"},
		},
		"row 15: the claim meets a full disk and is tried again": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{0, launchFailed{"no"}, "tryClaim not-started"},
			{0, observed{}, "tryClaim not-started"},
			{0, claimed{won: true}, "finish not-started"},
		},
		"a claim of an earlier agent stands": {
			{0, recovered{launches: 1}, "hold, look"}, {0, fenced, "finish not-started"},
		},
		"canceled while it waits": {
			{0, received{}, "enqueue"},
			{0, canceled{by: "mia"}, "tryClaim canceled"},
			{0, granted{}, ""},
			{0, claimed{won: true}, "finish canceled"},
			{0, canceled{by: "mia"}, ""},
			{0, granted{}, ""},
		},
		"row 22: canceled while it runs, the shim decides": {
			{0, received{}, "enqueue"},
			{0, granted{}, "launch"},
			{0, canceled{by: "mia"}, "ringShim"},
			{0, alive, ""},
			{0, canceled{by: "mia"}, "ringShim"},
			{0, ended, "finish succeeded"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l life
			now := time.Unix(0, 0)
			for i, turn := range turns {
				now = now.Add(turn.after)
				outs, err := l.step(now, turn.in)
				if err != nil {
					t.Fatalf("turn %d, %T: %v", i, turn.in, err)
				}
				if diff := cmp.Diff(turn.want, words(outs)); diff != "" {
					t.Fatalf("turn %d, %T (-want +got):\n%s", i, turn.in, diff)
				}
			}
		})
	}
}

func TestLifeRefusesNonsense(t *testing.T) {
	for name, inputs := range map[string][]input{
		"twice received":          {received{}, received{}},
		"granted before received": {granted{}},
		"granted twice":           {received{}, granted{}, granted{}},
		"claimed unasked":         {received{}, claimed{won: true}},
		"launch fails unasked":    {received{}, launchFailed{}},
	} {
		var l life
		var err error
		for _, in := range inputs {
			before := l.phase
			if _, err = l.step(time.Unix(0, 0), in); err != nil && l.phase != before {
				t.Errorf("%s: an error moved %v to %v", name, before, l.phase)
			}
		}
		if errkind.Of(err) != errkind.Corrupt || err == nil {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
}

// world is a machine with one ticket: what is on its disk, the shims on it, and at most one
// agent. Everything can die at any moment.
type world struct {
	t        *rapid.T
	now      time.Time
	boot     int
	marker   int // boot of the launches, -1 for none
	launches int // in that boot
	claim    *claim
	claimant int // index of the shim that claimed, -1 for none or the agent
	exit     *contract.Verdict
	verdict  *contract.Verdict
	cancel   bool
	shims    []*worldShim
	execs    int

	life    *life // of the agent, nil while there is none
	mine    int   // the shim this agent launched, -1 for none
	crashIn int   // the agent dies after that many outputs
	queued  bool
	final   *contract.Verdict
}

type worldShim struct {
	boot  int
	alive bool
	stage int // 0 born, 1 claimed, 2 executes, 3 ended
}

func (w *world) alive(i int) bool { return i >= 0 && w.shims[i].alive && w.shims[i].boot == w.boot }

func (w *world) observe() observed {
	o := observed{claim: w.claim, verdict: w.verdict, exit: w.exit}
	o.shimGone = w.mine >= 0 && !w.alive(w.mine)
	if w.claimant >= 0 {
		o.alive, o.sameBoot = w.alive(w.claimant), w.shims[w.claimant].boot == w.boot
	}
	return o
}

// feed drives the agent as ticket.go does, and may kill it between two outputs.
func (w *world) feed(in input) {
	for pending := []input{in}; len(pending) > 0; pending = pending[1:] {
		outs, err := w.life.step(w.now, pending[0])
		if err != nil {
			w.t.Fatalf("%T: %v", pending[0], err)
		}
		for _, out := range outs {
			if w.crashIn--; w.crashIn == 0 {
				w.life = nil
				return
			}
			if next := w.perform(out); next != nil {
				pending = append(pending, next)
			}
		}
	}
}

func (w *world) perform(out output) input {
	switch out := out.(type) {
	case enqueue:
		w.queued = true
	case launch:
		if w.marker != w.boot {
			w.marker, w.launches = w.boot, 0
		}
		w.launches++
		if rapid.IntRange(0, 9).Draw(w.t, "launch fails") == 0 {
			return launchFailed{"no process"}
		}
		w.shims = append(w.shims, &worldShim{boot: w.boot, alive: true})
		w.mine = len(w.shims) - 1
	case tryClaim:
		if rapid.IntRange(0, 9).Draw(w.t, "disk full") == 0 {
			return nil
		}
		if len(w.shims) > 0 && rapid.Bool().Draw(w.t, "a shim is faster") {
			w.stepShim(rapid.IntRange(0, len(w.shims)-1).Draw(w.t, "shim"))
		}
		if w.claim != nil {
			return claimed{won: false}
		}
		v := out.verdict
		w.claim = &claim{Verdict: &v}
		return claimed{won: true}
	case settle:
		if w.exit == nil && rapid.IntRange(0, 9).Draw(w.t, "disk full") != 0 {
			w.verdict = &contract.Verdict{Outcome: contract.Indeterminate, Reason: out.reason}
			return w.observe()
		}
	case look:
		return w.observe()
	case finish:
		if w.final != nil && *w.final != out.verdict {
			w.t.Fatalf("the verdict was %+v, now %+v", *w.final, out.verdict)
		}
		v := out.verdict
		w.final = &v
	}
	return nil
}

func (w *world) startAgent() {
	if w.life != nil {
		return
	}
	w.life, w.mine, w.queued = new(life), -1, false
	w.crashIn = rapid.IntRange(1, 12).Draw(w.t, "crash in")
	launches := 0
	if w.marker == w.boot {
		launches = w.launches
	}
	if w.claim != nil {
		launches = max(launches, 1)
	}
	w.feed(recovered{launches: launches})
	if w.cancel && w.life != nil {
		w.feed(canceled{by: "mia"})
	}
}

func (w *world) stepShim(i int) {
	if !w.alive(i) {
		return
	}
	s := w.shims[i]
	switch s.stage {
	case 0:
		if w.claim != nil {
			s.alive = false // lost
			return
		}
		w.claim, w.claimant, s.stage = &claim{Process: host.ProcessID{Pid: i + 1}}, i, 1
	case 1:
		if w.cancel {
			w.exit, s.stage = &contract.Verdict{Outcome: contract.Canceled}, 3
			return
		}
		w.execs++
		s.stage = 2
	case 2:
		w.exit, s.stage = success, 3
	case 3:
		s.alive = false
	}
}

// TestLifeInAWorldWhereEverythingDies checks that a script starts at most once, that there is one
// verdict, that it is true, and that it comes once things stop dying.
func TestLifeInAWorldWhereEverythingDies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, now: time.Unix(0, 0), marker: -1, claimant: -1, mine: -1}
		some := func(f func(i int)) func(*rapid.T) {
			return func(t *rapid.T) {
				if len(w.shims) > 0 {
					f(rapid.IntRange(0, len(w.shims)-1).Draw(t, "shim"))
				}
			}
		}
		told := func(f func()) func(*rapid.T) {
			return func(*rapid.T) {
				if w.life != nil {
					f()
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"agent starts": func(*rapid.T) { w.startAgent() },
			"agent dies":   func(*rapid.T) { w.life = nil },
			"granted": told(func() {
				if w.queued {
					w.queued = false
					w.feed(granted{})
				}
			}),
			"look": told(func() {
				if w.life.phase != queued && w.life.phase != settled {
					w.feed(w.observe())
				}
			}),
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "seconds")) * time.Second)
			},
			"cancel": told(func() {
				w.cancel = true
				w.feed(canceled{by: "mia"})
			}),
			"shim steps": some(w.stepShim),
			"shim dies":  some(func(i int) { w.shims[i].alive = false }),
			"reboot": func(*rapid.T) {
				w.boot++
				w.life = nil
			},
			"": func(t *rapid.T) { w.check() },
		})
		w.comeToAnEnd()
	})
}

func (w *world) check() {
	if w.execs > 1 {
		w.t.Fatalf("the script was started %d times", w.execs)
	}
	if w.final == nil {
		return
	}
	switch out := w.final.Outcome; {
	case out == contract.Succeeded && (w.execs != 1 || w.exit == nil):
		w.t.Fatalf("success with %d starts, exit record %v", w.execs, w.exit)
	case (out == contract.NotStarted || out == contract.Canceled) && w.execs != 0:
		w.t.Fatalf("%s with %d starts", out, w.execs)
	}
}

func (w *world) comeToAnEnd() {
	for range 40 {
		w.startAgent()
		if w.life != nil {
			w.crashIn = 1 << 30
		}
		if w.life != nil && w.queued {
			w.queued = false
			w.feed(granted{})
		}
		for i := range w.shims {
			w.stepShim(i)
		}
		w.now = w.now.Add(time.Second)
		if w.life != nil && w.life.phase != queued {
			w.feed(w.observe())
		}
		w.check()
	}
	if w.final == nil {
		w.t.Fatalf("no verdict in the end: phase %v", w.life.phase)
	}
}
