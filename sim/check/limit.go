// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/internal/link"
	"fairlead/sim/history"
)

func limits() Statement {
	return Statement{
		ID: "S12", Says: "connections, goroutines, tries to connect and events stay within their bounds, and the waits " +
			"of a fleet are spread",
		Judge: func(r history.Run) (bad []Violation) {
			bad = append(bad, judgePeaks(r)...)
			bad = append(bad, judgeTries(r)...)
			bad = append(bad, judgeWaits(r)...)
			return append(bad, judgeStorm(r)...)
		},
	}
}

const (
	connsBase, connsPerAgent           = 100, 8
	goroutinesBase, goroutinesPerAgent = 2_000, 200
	// eventsPerAgentSecond is what the network of an agent may have to do, on average over a run;
	// eventsPerKB comes on top for packages.
	eventsPerAgentSecond = 100
	eventsPerKB          = 200
	// maxTries in triesWindow may fail. Waits are 30 s on average after the first few; for half a
	// minute after a session that served they are 1.5 s.
	triesWindow = 5 * time.Minute
	maxTries    = 60
)

func judgePeaks(r history.Run) (bad []Violation) {
	agents := r.Plan.Machines()
	for _, bound := range []struct {
		what string
		most int
	}{
		{"conns", connsBase + connsPerAgent*agents},
		{"goroutines", goroutinesBase + goroutinesPerAgent*agents},
	} {
		if n := r.End.Peaks[bound.what]; n > bound.most {
			what := fmt.Sprintf("%d %s at once: want at most %d", n, bound.what, bound.most)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

// judgeTries looks for agents that try too often while they fail.
func judgeTries(r history.Run) (bad []Violation) {
	failed := map[string][]time.Duration{}
	told := map[string]bool{}
	for _, e := range r.Of(history.LineUp, history.LineDown, history.Launched) {
		if e.Kind != history.LineDown {
			failed[e.Who] = nil
			continue
		}
		recent := append(failed[e.Who], e.At)
		for recent[0] < e.At-triesWindow {
			recent = recent[1:]
		}
		failed[e.Who] = recent
		if len(recent) > maxTries && !told[e.Who] {
			told[e.Who] = true
			what := fmt.Sprintf("%d tries to connect failed within %s: want at most %d", len(recent), triesWindow, maxTries)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
	}
	return bad
}

const (
	// fewWaits are too few to tell whether they are spread.
	fewWaits = 6
	// firstWait is the longest first wait after a session that worked, in ms.
	firstWait = int(link.FirstWait / time.Millisecond)
)

// judgeWaits looks at the first wait after each session, as agents have told it: it is short, and no
// two agents draw the same but by chance.
func judgeWaits(r history.Run) (bad []Violation) {
	up := map[string]time.Duration{}
	count, all := map[int]int{}, 0
	for _, e := range r.Of(history.LineUp, history.LineDown) {
		if e.Kind == history.LineUp {
			up[e.Who] = e.At
			continue
		}
		began, served := up[e.Who]
		delete(up, e.Who)
		asked := strings.Contains(e.Text, "said goodbye") // the peer may have asked for a wait
		if !served || asked || e.N == 0 {
			continue
		}
		if e.At-began >= link.ProvenAfter && e.N > firstWait {
			what := fmt.Sprintf("it waits %d ms after a session of %s: want at most %d", e.N, e.At-began, firstWait)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
		count[e.N]++
		all++
	}
	for _, wait := range slices.Sorted(maps.Keys(count)) {
		if all >= fewWaits && 2*count[wait] >= all {
			what := fmt.Sprintf("%d of %d first waits after a session are %d ms: a fleet would come back in one moment",
				count[wait], all, wait)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

func judgeStorm(r history.Run) []Violation {
	most := uint64(r.Over.Seconds()+1) * uint64(r.Plan.Machines()+1) * eventsPerAgentSecond
	for _, o := range r.Plan.Ops {
		times := 1
		if o.Every > 0 {
			times = int(r.Plan.Safety/o.Every) + 1
		}
		most += uint64(o.KB*times*(r.Plan.Machines()+1)) * eventsPerKB
	}
	if n := r.End.Net.Events; n > most {
		what := fmt.Sprintf("the network had %d events in %s: want at most %d", n, r.Over, most)
		return []Violation{{At: r.Over, What: what}}
	}
	return nil
}
