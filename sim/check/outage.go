// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"
	"time"

	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// outage is one fault from its beginning to its healing, or to the end of the run.
type outage struct {
	kind, on string
	from, to time.Duration
}

// outages pairs the beginnings of faults with their ends, in the order of the beginnings. What is
// forgotten is so in an instant. A program that dies is away from its death, not from when the plan
// began to wait for it, until one is started there again; a shim is not.
func outages(r history.Run) (all []outage) {
	end := func(e history.Event, ends func(outage) bool) {
		i := slices.IndexFunc(all, func(o outage) bool { return o.on == e.Who && o.to == r.Over && ends(o) })
		if i >= 0 {
			all[i].to = e.At
		}
	}
	kinds := plan.Kinds()
	for _, e := range r.Of(history.FaultOn, history.FaultOff, history.Crashed, history.Launched) {
		one := outage{kind: e.Text, on: e.Who, from: e.At, to: r.Over}
		switch {
		case e.Kind == history.Crashed:
			if one.kind = deaths[e.Text]; e.Text == shimWord {
				one.to = e.At
			}
			all = append(all, one)
		case e.Kind == history.Launched:
			end(e, func(o outage) bool { return kinds[o.kind].Crash })
		case kinds[e.Text].Crash:
		case e.Kind == history.FaultOff:
			end(e, func(o outage) bool { return o.kind == e.Text })
		default:
			if strings.HasSuffix(e.Text, ".flush") {
				one.to = e.At
			}
			all = append(all, one)
		}
	}
	return all
}

// deaths are the faults behind what died.
var deaths = map[string]string{
	serverWord: "server.crash", agentWord: "agent.crash", shimWord: "shim.crash", powerWord: "host.power",
	rebootWord: "host.power", rollbackWord: "host.rollback",
}

// breaksDisk reports whether a machine's disk failed to sync.
func (o outage) breaksDisk(who string) bool { return o.kind == "disk.sync" && o.on == who }

// quiet reports whether no fault was on at any moment of a span.
func quiet(all []outage, from, to time.Duration) bool {
	return !slices.ContainsFunc(all, func(o outage) bool { return o.from <= to && from <= o.to })
}
