// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"time"

	"fairlead/internal/link"
	"fairlead/internal/proxy"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
	"fairlead/server/engine"
	"fairlead/server/fleet"
	"fairlead/sim/plan"
)

// slack is for round trips, syncs and processes that start.
const slack = 10 * time.Second

// revokeReach is how long a session may outlive the answer that its machine was removed.
const revokeReach = fleet.CloseLimit + time.Second

// Bounds says, from a plan's configuration, within what time each statement of liveness must hold; a
// plan may say otherwise.
//
//	L1  a session that died unnoticed, the longest wait, a whole dial, balancers that must take a
//	    server for alive again
//	L2  since anything moved on the machine: L1, the longest script, the longest transfer, and the
//	    engine's own waits
//	L3  the dead time of the line, and one look; before that, what a narrow link has on its way arrives still
//	L5  the engine's wait for a machine that does not answer, its own waits, the grace
//	L6  L3
//	L7  the engine's longest waits
func Bounds(p plan.Plan) map[string]time.Duration {
	waits := engine.DefaultLimits()
	dial := redial.DialLimit + trust.HandshakeTimeout + link.HelloLimit + fleet.HelloLimit
	back := link.DeadAfter + link.LastWait + dial + checks(p) + plan.CrashFor + 2*plan.LookEvery + slack
	for _, a := range p.Agents {
		if a.Proxy != "" {
			back += proxy.AnswerLimit
			break
		}
	}
	if p.Join {
		back += dial + plan.JoinEvery
	}
	if slices.ContainsFunc(p.Faults, func(f plan.Fault) bool { return f.Kind == "swizzle-clog" }) {
		back += plan.SwizzleSpan // machines are freed one by one
	}
	bounds := map[string]time.Duration{
		"L1": back,
		"L2": back + longest(p) + transfer(p) + engine.RetryMost + waits.Look + waits.Grace,
		"L3": onItsWay(p) + link.DeadAfter + slack + plan.LookEvery,
		"L5": waits.CancelWait + engine.RetryMost + waits.Look + waits.Grace + slack + 2*plan.LookEvery,
		"L6": link.DeadAfter + slack + plan.LookEvery,
		"L7": engine.RetryMost + waits.Look,
	}
	for id, bound := range p.Expect.Within {
		bounds[id] = bound.D()
	}
	return bounds
}

// onItsWay is how long what is on its way takes over the narrowest link that a fault leaves: it is heard at the other
// end although the path has died.
func onItsWay(p plan.Plan) (d time.Duration) {
	const flightBits = 256 << 10 * 8 // a connection's buffer: netem
	for _, f := range p.Faults {
		if f.Rate > 0 {
			bits := float64(flightBits) * float64(p.Machines())
			d = max(d, time.Duration(bits/float64(f.Rate)*float64(time.Second)))
		}
	}
	return d.Round(time.Second)
}

// checks is how long balancers may take to see a server again.
func checks(p plan.Plan) (longest time.Duration) {
	const usual = 3 // checks in a row that change the verdict where the plan does not say
	for _, b := range p.Boxes {
		up := b.Up
		if up == 0 {
			up = usual
		}
		longest = max(longest, time.Duration(up+1)*b.Check.D())
	}
	return longest
}

// transfer is how long the largest package takes to all agents through the narrowest edge or server's
// wire, or to one of them through its own.
func transfer(p plan.Plan) (d time.Duration) {
	kb := 0
	for _, o := range p.Ops {
		kb = max(kb, o.KB)
	}
	through := func(w plan.Wire, agents int) {
		const bitsPerKB = 8 << 10
		if w.Rate > 0 {
			bits := float64(kb) * bitsPerKB * float64(agents)
			d = max(d, time.Duration(bits/float64(w.Rate)*float64(time.Second)))
		}
	}
	for _, e := range p.Edges {
		through(e.Wire, p.Machines())
	}
	for _, s := range p.Servers {
		through(s.Wire, p.Machines())
	}
	for _, a := range p.Agents {
		through(a.Wire, 1)
	}
	return d
}

// longest is how long the longest script runs.
func longest(p plan.Plan) (d time.Duration) {
	for _, o := range p.Ops {
		lasts := o.Lasts.D()
		if o.Reboot {
			lasts += plan.RebootFor
		}
		d = max(d, lasts)
	}
	return d
}
