// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/diagnosis"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// Goal is something that a campaign should meet now and then: a campaign that never does has not
// tried what it is for.
type Goal struct {
	Name, Says string
	// Count says how often a run met it.
	Count func(history.Run) int
}

// AllGoals lists the goals: what lines meet, what scripts meet, what people meet, what deployments come to.
func AllGoals() []Goal {
	return slices.Concat(lineGoals(), causeGoals(), scriptGoals(), peopleGoals(), deploymentGoals())
}

// Goals counts the goals that a run reached.
func Goals(r history.Run) map[string]int {
	reached := map[string]int{}
	for _, g := range AllGoals() {
		if n := g.Count(r); n > 0 {
			reached[g.Name] = n
		}
	}
	return reached
}

// count counts the events that a judgement holds for.
func count(events []history.Event, holds func(history.Event) bool) (n int) {
	for _, e := range events {
		if holds(e) {
			n++
		}
	}
	return n
}

func lineGoals() []Goal {
	return []Goal{
		{"reconnect-after-silent-expiry", "a box forgot a quiet line, and the agent found out and came back", silentExpiries},
		{"silent-death-noticed", "a line died in silence and its agent noticed", func(r history.Run) int {
			return count(r.Of(history.LineDown), diedInSilence)
		}},
		{"fleet-came-back", "a server went away and all of its agents, three at least, came back", fleetReturns},
		{"took-over", "another server took over", func(r history.Run) int {
			servers := map[string]bool{}
			for _, e := range r.Of(history.Launched) {
				if e.Text == serverWord {
					servers[e.Who] = true
				}
			}
			return max(0, len(servers)-1)
		}},
		{"sent-away", "the server asked an agent to leave", func(r history.Run) int {
			return count(r.Of(history.LineDown), func(e history.Event) bool {
				return strings.Contains(e.Text, "the peer said goodbye")
			})
		}},
		{"revoked-turned-away", "a removed machine called again and was turned away", func(r history.Run) int {
			x := newIndex(r)
			return count(r.Of(history.LineDown), func(e history.Event) bool {
				gone, removed := x.removed[e.Who]
				return removed && e.At > gone && e.Cause == string(diagnosis.UnknownPeer)
			})
		}},
		{"balancer-drained-under-load", "a balancer was drained while scripts ran", underLoad("balancer.drain")},
		{"balancer-flapped-under-load", "a balancer flapped while scripts ran", underLoad("balancer.flap")},
		{"nat-rebound-under-load", "a NAT changed its address while scripts ran", underLoad("nat.rebind")},
		{"disk-sync-broken", "a disk would not sync while scripts ran", underLoad("disk.sync")},
		{"clock-wrong", "a wall clock was wrong while scripts ran", underLoad("host.clock")},
	}
}

func causeGoals() (all []Goal) {
	for _, one := range []struct {
		name, says string
		cause      diagnosis.Cause
	}{
		{"offload-refused", "a box that ends TLS was refused by its name", diagnosis.TLSOffload},
		{"inspection-refused", "a box that inspects TLS was refused by its name", diagnosis.TLSInspect},
		{"captive-portal-named", "a captive portal got its name", diagnosis.CaptivePortal},
		{"proxy-password-named", "a proxy that wants a password got its name", diagnosis.ProxyAuth},
		{"proxy-rule-named", "a proxy's rules got their name", diagnosis.ProxyRefused},
		{"proxy-header-named", "a PROXY header in the wrong place got its name", diagnosis.ProxyProtocol},
		{"dns-trouble-named", "a name that is not known got its name", diagnosis.UnknownName},
		{"firewall-silence-named", "a silent firewall got its name", diagnosis.NoAnswer},
		{"closed-port-named", "a closed port got its name", diagnosis.PortClosed},
	} {
		all = append(all, Goal{one.name, one.says, func(r history.Run) int {
			return count(r.Of(history.LineDown, history.Refused, history.Left), func(e history.Event) bool {
				return e.Cause == string(one.cause)
			})
		}})
	}
	return all
}

// diedInSilence reports whether a session ended because nothing came for too long.
func diedInSilence(e history.Event) bool {
	return strings.Contains(e.Text, "nothing heard from the peer")
}

// silentExpiries counts returns of agents from lines that died in silence behind a box that forgets.
func silentExpiries(r history.Run) (n int) {
	x := newIndex(r)
	forgets := map[string]bool{}
	for _, o := range outages(r) {
		switch o.kind {
		case "nat.idle", "nat.flush", "nat.rebind", "firewall.flush", "balancer.idle", "balancer.flush":
			forgets[o.on] = true
		}
	}
	silent := map[string]bool{}
	for _, e := range r.Of(history.LineUp, history.LineDown) {
		if e.Kind == history.LineUp {
			if silent[e.Who] {
				n++
			}
			silent[e.Who] = false
			continue
		}
		behind := slices.ContainsFunc(RouteOf(r.Plan, x.group(e.Who)).Boxes, func(b plan.Box) bool {
			return forgets[b.Name] || b.Idle > 0
		})
		silent[e.Who] = silent[e.Who] || behind && diedInSilence(e)
	}
	return n
}

// fleetReturns counts ends of servers after which every agent's line was up again.
func fleetReturns(r history.Run) (n int) {
	x := newIndex(r)
	const few = 3
	if len(x.agents()) < few {
		return 0
	}
	back := map[string]bool{}
	waiting := false
	for _, e := range r.Of(history.Crashed, history.Ended, history.LineUp) {
		switch {
		case e.Kind != history.LineUp && x.isServer(e.Who):
			waiting, back = true, map[string]bool{}
		case e.Kind == history.LineUp && waiting:
			back[e.Who] = true
			if len(back) == len(x.agents()) {
				waiting = false
				n++
			}
		}
	}
	return n
}

// underLoad counts faults of a kind that began while a script ran.
func underLoad(kind string) func(history.Run) int {
	return func(r history.Run) int {
		all := executions(r)
		return count(r.Of(history.FaultOn), func(e history.Event) bool {
			return e.Text == kind && slices.ContainsFunc(all, func(one execution) bool { return one.during(e.At) })
		})
	}
}

func scriptGoals() []Goal {
	return []Goal{
		{"duplicate-absorbed", "the server died over a ticket it sent, asked again, and the script ran once", duplicates},
		{"died-between-claim-and-start", "a shim died between its claim and the script's start", claimedDeaths},
		{
			"agent-back-to-running-script", "an agent died, came back, and its script ended meanwhile or later",
			survived(agentWord, func(x *index, e history.Event, one execution) bool { return e.Who == one.who }),
		},
		{
			"server-died-under-script", "a server died while a script ran, and its verdict was recorded after",
			survived(serverWord, func(x *index, e history.Event, _ execution) bool { return x.isServer(e.Who) }),
		},
		{"line-lost-under-script", "a line was lost while a script ran, and all of its output came later", continued},
		{"given-up", "a machine was away for longer than its script allows, and was given up", func(r history.Run) (n int) {
			for _, t := range r.End.Tickets {
				if t.Ruling == deploy.RulingLost {
					n++
				}
			}
			return n
		}},
		{"isolation-wait", "a script waited for another to end", func(r history.Run) (n int) {
			for _, log := range r.End.Logs {
				for _, l := range parseLog(log) {
					if l.category == "Wait" && strings.HasPrefix(l.text, "The script waits for") {
						n++
					}
				}
			}
			return n
		}},
		{
			"indeterminate-after-power-loss", "the power went while a script ran, and the verdict says that nobody can tell",
			func(r history.Run) int { return doubts(r, powerWord) },
		},
		{
			"indeterminate-after-shim-death", "a shim died while its script ran, and the verdict says that nobody can tell",
			func(r history.Run) int { return doubts(r, shimWord) },
		},
		{
			"machine-restarted-by-its-step", "a step restarted its machine as it declared, and succeeded when it was back",
			func(r history.Run) int { return reboots(r, contract.Succeeded) },
		},
		{
			"told-to-end-by-reboot", "a script restarted its machine and nobody had declared it: it was told to end",
			func(r history.Run) int { return reboots(r, contract.Canceled) },
		},
		{"rollback-noticed", "a machine went back to a snapshot, and the server put it into quarantine", heldOff},
		{
			"clone-noticed", "a machine was copied with its key, and the server put it into quarantine and said why",
			func(r history.Run) int { return heldFor(r, (*index).copied) },
		},
		{"not-started-proved", "a ticket was proved never to have started", outcomes(contract.NotStarted)},
		{"timed-out", "a script ran out of time", outcomes(contract.TimedOut)},
		{"failed", "a script failed with a code", outcomes(contract.Failed)},
	}
}

func outcomes(o contract.Outcome) func(history.Run) int {
	return func(r history.Run) (n int) {
		for _, t := range r.End.Tickets {
			if t.Verdict != nil && t.Verdict.Outcome == o {
				n++
			}
		}
		return n
	}
}

// passed reports whether an event is the passing of one of some crash points.
func passed(e history.Event, points ...string) bool {
	_, point, _ := strings.Cut(e.Text, " ")
	return e.Kind == history.Point && slices.Contains(points, point)
}

// duplicates counts deaths of a server at the sending of a ticket after which nothing started twice.
func duplicates(r history.Run) (n int) {
	if len(judgeStarts(r)) > 0 {
		return 0
	}
	x := newIndex(r)
	sent := map[string]bool{}
	for _, e := range r.Of(history.Point, history.Crashed) {
		if !x.isServer(e.Who) {
			continue
		}
		if e.Kind == history.Crashed && sent[e.Who] {
			n++
		}
		sent[e.Who] = passed(e, "engine.ticket.sent", "engine.ticket.sending")
	}
	return n
}

// claimedDeaths counts shims that died at a point between the claim and the start.
func claimedDeaths(r history.Run) (n int) {
	claimed := map[string]bool{}
	for _, e := range r.Of(history.Point, history.Crashed) {
		if e.Kind == history.Crashed && claimed[e.Who] && (e.Text == shimWord || wentDown(e)) {
			n++
		}
		claimed[e.Who] = passed(e, "script.claimed", "script.exec")
	}
	return n
}

// survived counts scripts that ran when a program died that concerns them, and have the verdict they
// ended with.
func survived(program string, concerns func(*index, history.Event, execution) bool) func(history.Run) int {
	return func(r history.Run) (n int) {
		x := newIndex(r)
		for _, one := range executions(r) {
			v := x.tickets[one.ticket].Verdict
			told := v != nil && (v.Outcome == contract.Succeeded || v.Outcome == contract.Failed)
			if told && one.finished && slices.ContainsFunc(r.Of(history.Crashed), func(e history.Event) bool {
				return e.Text == program && concerns(x, e, one) && one.during(e.At)
			}) {
				n++
			}
		}
		return n
	}
}

// continued counts scripts whose line was lost and came back between words, all of which are shown.
func continued(r history.Run) (n int) {
	x := newIndex(r)
	whole := map[contract.TicketID]bool{}
	for _, s := range x.outputs() {
		whole[s.ticket.ID] = len(s.log) == len(s.said) && s.fault() == ""
	}
	for _, one := range executions(r) {
		if whole[one.ticket] && slices.ContainsFunc(r.Of(history.LineDown), func(e history.Event) bool {
			return e.Who == one.who && one.during(e.At)
		}) {
			n++
		}
	}
	return n
}

// doubts counts scripts that a crash met and whose verdict shows the doubt.
func doubts(r history.Run, crash string) (n int) {
	x := newIndex(r)
	for _, one := range executions(r) {
		v := x.tickets[one.ticket].Verdict
		met := slices.ContainsFunc(r.Of(history.Crashed), func(e history.Event) bool {
			return e.Who == one.who && e.Text == crash && one.from <= e.At && e.At <= one.to
		})
		if met && v != nil && v.Outcome == contract.Indeterminate {
			n++
		}
	}
	return n
}

// heldOff counts machines in quarantine that were taken back in time.
func heldOff(r history.Run) int {
	return heldFor(r, func(x *index, name string) bool { return x.rewound(name, 0) })
}

// heldFor counts machines in quarantine of which something is true.
func heldFor(r history.Run, reason func(*index, string) bool) (n int) {
	x := newIndex(r)
	for _, name := range x.agents() {
		if reason(x, name) && x.quarantine(name) != "" {
			n++
		}
	}
	return n
}

// reboots counts scripts that restarted their machine and have a verdict of this outcome.
func reboots(r history.Run, o contract.Outcome) (n int) {
	x := newIndex(r)
	for _, one := range executions(r) {
		if v := x.tickets[one.ticket].Verdict; v != nil && v.Outcome == o && x.rebooted(one) {
			n++
		}
	}
	return n
}

func peopleGoals() []Goal {
	return []Goal{
		{"cancel-met-finish", "a cancel was granted, and the script ended by itself all the same", crossings},
		{"canceled-while-running", "a cancel ended a script", func(r history.Run) int {
			return endedBy(r, func(signal string) bool { return signal != "" })
		}},
		{"killed-after-grace", "a canceled script was deaf to TERM and was killed", func(r history.Run) int {
			return endedBy(r, func(signal string) bool { return signal == "killed" })
		}},
		{"canceled-before-start", "a ticket was canceled before its script started", func(r history.Run) (n int) {
			for _, t := range r.End.Tickets {
				if t.Verdict != nil && t.Verdict.Outcome == contract.Canceled && strings.Contains(t.Verdict.Reason, beforeWords) {
					n++
				}
			}
			return n
		}},
		{"portal-browsed", "somebody opened a page of the portal", func(r history.Run) int {
			return count(r.Of(history.Answered), func(e history.Event) bool {
				return strings.HasPrefix(e.Text, "browse ") && accepted(e)
			})
		}},
	}
}

// crossings counts scripts that ended by themselves after the end of their task was asked for.
func crossings(r history.Run) (n int) {
	x := newIndex(r)
	for _, e := range r.Of(history.Asked) {
		if e.Text == cancelWord {
			n += count(r.Of(history.Finished), func(end history.Event) bool {
				return x.tickets[end.Ticket].Task == e.Task && end.At > e.At && end.Text == ""
			})
		}
	}
	return n
}

// endedBy counts scripts of canceled tickets whose ending signal is one of some.
func endedBy(r history.Run, signals func(string) bool) (n int) {
	x := newIndex(r)
	for _, one := range executions(r) {
		v := x.tickets[one.ticket].Verdict
		if v != nil && v.Outcome == contract.Canceled && one.finished && signals(one.signal) {
			n++
		}
	}
	return n
}
