// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"time"

	"fairlead/sim/history"
)

// outage is one fault from its beginning to its healing, or to the end of the run.
type outage struct {
	kind, on string
	from, to time.Duration
}

// outages pairs the beginnings of faults with their ends, in the order of the beginnings.
func outages(r history.Run) (all []outage) {
	for _, e := range r.Of(history.FaultOn, history.FaultOff) {
		if e.Kind == history.FaultOn {
			all = append(all, outage{kind: e.Text, on: e.Who, from: e.At, to: r.Over})
			continue
		}
		i := slices.IndexFunc(all, func(o outage) bool { return o.kind == e.Text && o.on == e.Who && o.to == r.Over })
		if i >= 0 {
			all[i].to = e.At
		}
	}
	return all
}

// breaksDisk reports whether a machine's disk failed to sync.
func (o outage) breaksDisk(who string) bool { return o.kind == "disk.sync" && o.on == who }

// quiet reports whether no fault was on at any moment of a span.
func quiet(all []outage, from, to time.Duration) bool {
	return !slices.ContainsFunc(all, func(o outage) bool { return o.from <= to && from <= o.to })
}
