// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"slices"
	"time"

	"fairlead/sim/plan"
)

// deadAddr is where nobody is. Source: RFC 5737.
const deadAddr = "192.0.2.99"

// points are where programs can be made to die, by the fault that does it.
var points = map[string][]string{
	"server.crash": {
		"engine.tickets.committed", "engine.ticket.sending", "engine.ticket.sent", "engine.ticket.logged",
		"engine.ticket.settled", "engine.task.logged", "engine.task.ended", "store.commit", "store.committed",
	},
	"agent.crash": {
		"script.intent", "script.launch", "script.launched", "script.fenced", "script.finished", "script.forgotten",
		"script.cancel", "step.partial", "step.unpacked", "step.switch", "step.switched", "step.deployed",
	},
	"shim.crash": {
		"script.shim", "script.locked", "script.claimed", "script.exec", "script.running", "script.log", "script.ended",
		"script.exit", "script.term",
	},
}

// addTrouble draws what goes wrong: a few kinds of faults for this plan, and some of each.
func addTrouble(p *plan.Plan, d dice, profile Profile) {
	const inThree = 3
	kinds := profile.kinds(*p)
	if len(kinds) == 0 {
		return
	}
	kinds = some(d, inThree, kinds)
	last := int(p.Safety.D()/time.Second) - 20
	for range d.between(0, profile.faults) {
		f := plan.Fault{Kind: pick(d, kinds...), At: d.seconds(5, last)}
		f.On = pick(d, p.Places(plan.Fault{Kind: f.Kind, On: everywhere})...)
		if f.Kind == "partition" || f.Kind == "swizzle-clog" {
			f.On = pick(d, p.Agents...).Name
		}
		drawHarm(d, &f)
		if !slices.ContainsFunc(p.Faults, func(other plan.Fault) bool { return p.Clash(other, f) }) {
			p.Faults = append(p.Faults, f)
		}
	}
}

// drawHarm draws how bad a fault is, and how long it lasts.
func drawHarm(d dice, f *plan.Fault) {
	if !d.one(6) {
		f.For = d.seconds(1, 150)
	}
	switch f.Kind {
	case "link.cut", "partition", "link.clog":
		f.Way = pick(d, "", "", "up", "down")
		if f.Kind == "link.clog" {
			f.Way = ""
		}
	case "link.latency":
		f.Delay, f.Jitter = d.millis(50, 5000), d.millis(1, 500)
	case "link.loss":
		f.Loss = pick(d, 0.05, 0.2, 0.5, 0.9)
	case "link.burst":
		f.Loss, f.Jitter = pick(d, 0.1, 0.5), d.millis(50, 900)
	case "link.rate", "link.bloat":
		f.Rate = pick(d, plan.Rate(16e3), plan.Rate(128e3), plan.Rate(1e6))
	case "link.mtu":
		f.MTU = pick(d, 300, 576, 1280)
	case "link.flap":
		f.Delay, f.Jitter = d.seconds(1, 20), d.seconds(1, 20)
	case "nat.idle", "balancer.idle":
		f.Delay = d.seconds(5, 60)
	case "nat.rebind":
		f.Addr = natAddr + pick(d, "101", "102")
	case "balancer.flap":
		f.Delay = d.seconds(5, 40)
	case "dns.slow":
		f.Delay = d.seconds(1, 20)
	case "dns.dead":
		f.Addr = deadAddr
	case "host.clock":
		f.By = pick(d, plan.Duration(-time.Hour), plan.Duration(time.Hour), plan.Duration(-5*time.Second))
	case "server.crash", "agent.crash", "shim.crash":
		drawDeath(d, f)
	}
}

// drawDeath draws when a program dies: at once, or at a point of its work.
func drawDeath(d dice, f *plan.Fault) {
	f.For = 0
	if d.one(3) {
		return
	}
	f.Point, f.Nth = pick(d, points[f.Kind]...), d.between(1, 3)
}
