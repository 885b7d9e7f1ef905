// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/check"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

func TestLiveness(t *testing.T) {
	for _, c := range livenessTales() {
		t.Run(c.id+" "+c.name, c.tell)
	}
}

// fault adds a fault and its healing.
func fault(kind, on string, from, to time.Duration) func(*testing.T, *history.Run) {
	return both(
		happens(history.Event{At: from, Kind: history.FaultOn, Who: on, Text: kind}),
		happens(history.Event{At: to, Kind: history.FaultOff, Who: on, Text: kind}),
	)
}

func down(who string, at time.Duration, cause string) func(*testing.T, *history.Run) {
	return happens(history.Event{At: at, Kind: history.LineDown, Who: who, Cause: cause, Text: "down"})
}

func up(who string, at time.Duration) func(*testing.T, *history.Run) {
	return happens(history.Event{At: at, Kind: history.LineUp, Who: who})
}

func left(at time.Duration) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		for _, id := range []deploy.MachineID{"Machines-1", "Machines-2", "Machines-3"} {
			insert(r, history.Event{At: at, Kind: history.Left, Who: "srv-1", Peer: id})
		}
	}
}

// unfinished leaves the ticket of web-1 without a verdict.
func unfinished(_ *testing.T, r *history.Run) {
	r.End.Tickets[0].Verdict = nil
	r.End.Tasks[0].State = deploy.TaskExecuting
	drop(r, func(e history.Event) bool { return e.Text == "Success" })
}

func long(_ *testing.T, r *history.Run) { r.Over = 2 * time.Hour }

func offline(name string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.End.Online = slices.DeleteFunc(r.End.Online, func(one string) bool { return one == name })
	}
}

func expect(e plan.Expect) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		if e.Online == "" {
			e.Online = "any"
		}
		r.Plan.Expect = e
	}
}

func livenessTales() []tale {
	none := 0
	m := time.Minute
	return []tale{
		{"L1", "a removed machine need not come back", both(offline("web-1"), removed("web-1", 5*m)), ""},
		{"L1", "a machine whose removal was not answered", both(offline("web-1"), vanished("web-1", 5*m)), ""},
		{"L1", "a machine whose removal failed", both(offline("web-1"),
			happens(history.Event{At: 5 * m, Kind: history.Asked, Who: "desk", Text: "remove web-1"})), "web-1 is not on line"},
		{"L1", "an agent stays away", offline("web-1"), "web-1 is not on line 15m0s after the healing"},
		{"L1", "all come back, too late", both(
			happens(history.Event{At: 20*m + 1, Kind: history.Online, Who: "srv-1", N: 2}),
			happens(history.Event{At: 30 * m, Kind: history.Online, Who: "srv-1", N: 3})), "all 3 agents were on line 10m0s after"},
		{"L1", "all come back in time", both(
			happens(history.Event{At: 20*m + 1, Kind: history.Online, Who: "srv-1", N: 0}),
			happens(history.Event{At: 21 * m, Kind: history.Online, Who: "srv-1", N: 3})), ""},

		{"L2", "a ticket without end", both(unfinished, long), "ticket t-1 of ServerTasks-1 has no verdict"},
		{"L2", "a machine that is away may keep one", both(unfinished, long, offline("web-1")), ""},
		{"L2", "a script that still speaks", both(unfinished, long, happens(history.Event{
			At: 119 * m, Kind: history.Said, Who: "web-1", Ticket: ticketID(1), Text: "on",
		})), ""},
		{"L2", "a task that waits for people", both(unfinished, long, func(_ *testing.T, r *history.Run) {
			r.End.Tickets, r.End.Interruptions = nil, []deploy.Interruption{{Task: taskID}}
		}), ""},
		{
			"L2", "a task without tickets and without end", both(unfinished, long, func(_ *testing.T, r *history.Run) { r.End.Tickets = nil }),
			"ServerTasks-1 is still Executing",
		},

		{"L3", "a cut that all notice", both(fault("link.cut", "ward-internet", 5*m, 9*m),
			down("web-1", 6*m, ""), down("web-2", 6*m, ""), down("web-3", 6*m, ""), left(6*m)), ""},
		{"L3", "a cut that an agent does not notice", both(fault("link.cut", "ward-internet", 5*m, 9*m),
			down("web-2", 6*m, ""), down("web-3", 6*m, ""), left(6*m)), "web-1: it has not noticed within 1m15s"},
		{"L3", "a cut that the server does not notice", both(fault("link.cut", "ward-internet", 5*m, 9*m),
			down("web-1", 6*m, ""), down("web-2", 6*m, ""), down("web-3", 6*m, "")), "srv-1: it has not noticed"},
		{"L3", "a cut after which a narrow link brings what it had on its way", both(fault("link.cut", "ward-internet", 5*m, 9*m),
			narrow, down("web-1", 6*m+30*time.Second, ""), down("web-2", 6*m, ""), down("web-3", 6*m, ""), left(6*m)), ""},
		{"L3", "a cut of a narrow link that nobody notices", both(fault("link.cut", "ward-internet", 5*m, 9*m), narrow), "within 1m34s"},
		{"L3", "a cut too short to notice", fault("link.cut", "ward-internet", 5*m, 6*m), ""},
		{"L3", "a cut of one direction, noticed by one side after the other", both(oneWay("ward-internet", 5*m, 9*m),
			down("web-1", 7*m, ""), down("web-2", 7*m, ""), down("web-3", 7*m, ""), left(6*m)), ""},
		{"L3", "a cut of one direction that one side does not notice", both(oneWay("ward-internet", 5*m, 9*m),
			down("web-1", 8*m, ""), down("web-2", 7*m, ""), down("web-3", 7*m, ""), left(6*m)), "web-1: it has not noticed within 2m30s"},
		{"L3", "a partition that an agent does not notice", both(fault("partition", "web", 5*m, 9*m),
			down("web-2", 6*m, ""), down("web-3", 6*m, ""), left(6*m)), "web-1: it has not noticed within 1m15s that partition"},
		{"L3", "a partition of others", both(fault("partition", "web-2", 5*m, 9*m), down("web-2", 6*m, ""), left(6*m)), ""},
		{"L3", "a partition behind a proxy's back", both(fault("partition", "web", 5*m, 9*m), proxied), ""},
		{"L3", "a clog that nobody notices", fault("link.clog", "ward-internet", 5*m, 9*m), "it has not noticed"},
		{"L3", "a server that another has taken over from", both(tookOver(2*m), fault("host.freeze", "srv-1", 5*m, 9*m)), ""},
		{"L3", "a server that has taken over", both(tookOver(2*m), fault("host.freeze", "srv-2", 5*m, 9*m)), "it has not noticed"},
		{"L3", "a session that died with its server", both(
			happens(history.Event{At: 2 * m, Kind: history.Crashed, Who: "srv-1", Text: "server"}),
			happens(history.Event{At: 2*m + time.Second, Kind: history.Launched, Who: "srv-1", Text: "server", N: 2}),
			down("web-1", 2*m, ""), down("web-2", 2*m, ""), down("web-3", 2*m, ""), fault("link.cut", "ward-internet", 5*m, 9*m),
		), ""},
		{"L3", "a cut before listening agents, which tell nothing, that the server notices", both(listening,
			fault("link.cut", "ward-internet", 5*m, 9*m), left(6*m)), ""},
		{"L3", "a cut before listening agents that the server does not notice", both(listening,
			fault("link.cut", "ward-internet", 5*m, 9*m)), "srv-1: it has not noticed"},
		{"L3", "a frozen machine", both(fault("host.freeze", "web-2", 5*m, 9*m), left(6*m)), "web-2: it has not noticed"},

		{"L5", "a cancel that arrives", canceled(62 * time.Second), ""},
		{"L5", "a cancel that does not", both(unfinished, canceled(2*m)), "was canceled at 2m0s and had not ended 33m0s later"},
		{"L5", "a cancel after boxes have forgotten", both(unfinished, canceled(2*m),
			happens(history.Event{At: 90 * time.Second, Kind: history.FaultOn, Who: "nat-ward", Text: "nat.flush"}),
		), "had not ended 33m0s later"},
		{"L5", "a cancel while a death is planned that never comes", both(unfinished, canceled(2*m),
			happens(history.Event{Kind: history.FaultOn, Who: "web-1", Text: "agent.crash"}),
		), "had not ended 33m0s later"},
		{"L5", "a cancel while the server is dead", both(unfinished, canceled(2*m),
			happens(history.Event{At: 3 * m, Kind: history.Crashed, Who: "srv-1", Text: "server"}),
		), ""},
		{"L5", "a cancel under a fault", both(unfinished, canceled(2*m), fault("link.cut", "ward-internet", 3*m, 34*m)), ""},

		{"L6", "both say off line", both(offline("web-1"), func(_ *testing.T, r *history.Run) { r.End.Agents["web-1"] = history.Agent{} }), ""},
		{"L6", "the server believes in a line", func(_ *testing.T, r *history.Run) {
			r.End.Agents["web-1"] = history.Agent{Trouble: "no answer"}
		}, "the server takes it for on line, and it says that it is off line (no answer)"},
		{"L6", "the agent believes in a line", offline("web-1"), "takes it for off line, and it says that it is on line"},
		{"L6", "a moment ago", both(offline("web-1"), down("web-1", 34*m+30*time.Second, "")), ""},

		{"L7", "one begins at once", func(*testing.T, *history.Run) {}, ""},
		{"L7", "one waits and is idle", both(unfinished, func(_ *testing.T, r *history.Run) {
			drop(r, func(e history.Event) bool { return e.Ticket == ticketID(1) })
		}), "ticket t-1 of ServerTasks-1 has not begun"},
		{"L7", "one waits and is away", both(unfinished, down("web-1", 50*time.Second, ""), func(_ *testing.T, r *history.Run) {
			drop(r, func(e history.Event) bool { return e.Ticket == ticketID(1) })
		}), ""},

		{"L8", "to the end", func(*testing.T, *history.Run) {}, ""},
		{"L8", "stopped early", func(_ *testing.T, r *history.Run) { r.Healed = 10 * m }, "the safety phase ended at 10m0s"},
		{"L8", "not settled", func(_ *testing.T, r *history.Run) { r.Over = 21 * m }, "had 1m0s to settle"},
		{"L8", "an instant without end", func(_ *testing.T, r *history.Run) {
			for range 1000 {
				insert(r, history.Event{At: 3 * m, Kind: history.LineDown, Who: "web-1"})
			}
		}, "1000 events in one instant"},

		{"expect", "all on line", expect(plan.Expect{Online: "all"}), ""},
		{"expect", "one is missing", both(expect(plan.Expect{Online: "all"}), offline("web-2")), "web-2 is not"},
		{"expect", "none on line", expect(plan.Expect{Online: "none"}), "expected no agent on line"},
		{"expect", "a cause of an agent", both(expect(plan.Expect{AgentSays: []string{"tls_offload"}}), down("web-1", m, "tls_offload")), ""},
		{"expect", "no cause of an agent", expect(plan.Expect{AgentSays: []string{"tls_offload"}}), "to name the cause tls_offload"},
		{
			"expect", "no cause of the server", both(expect(plan.Expect{ServerSays: []string{"not_tls"}}), down("web-1", m, "not_tls")),
			"expected the server to name",
		},
		{"expect", "no line lost", expect(plan.Expect{Lost: &none}), ""},
		{
			"expect", "a line lost", both(expect(plan.Expect{Lost: &none}), logged(line("1/Machines-1", mark(1, 1)))),
			"at most 0 lost lines: 5 were lost",
		},
		{"expect", "a goal", both(expect(plan.Expect{Sometimes: []string{"failed"}}), func(_ *testing.T, r *history.Run) {
			r.End.Tickets[0].Verdict.Outcome = "failed"
		}), ""},
		{"expect", "no goal", expect(plan.Expect{Sometimes: []string{"failed"}}), "it was not reached"},
		{"expect", "an unknown goal", expect(plan.Expect{Sometimes: []string{"fame"}}), "there is none of that name"},
	}
}

// listening makes the agents wait for the server's call: they say nothing of their lines.
func listening(_ *testing.T, r *history.Run) {
	r.Plan.Agents[0].Listening = true
	drop(r, func(e history.Event) bool { return e.Kind == history.LineUp || e.Kind == history.LineDown })
}

// vanished removes a machine with an answer that got lost.
func vanished(name string, at time.Duration) func(*testing.T, *history.Run) {
	return both(
		happens(history.Event{At: at, Kind: history.Asked, Who: "desk", Text: "remove " + name}),
		happens(history.Event{At: at, Kind: history.Answered, Who: "desk", Text: "remove " + name + ": connection lost"}),
		func(_ *testing.T, r *history.Run) {
			r.End.Machines = slices.DeleteFunc(r.End.Machines, func(m deploy.Machine) bool { return m.Name == name })
		},
	)
}

// proxied leads the agents through a proxy.
func proxied(_ *testing.T, r *history.Run) {
	r.Plan.Programs = []plan.Program{{Name: "squid", Kind: plan.ConnectProxy, On: "internet"}}
	r.Plan.Agents[0].Proxy = "http://squid:3128"
}

// tookOver lets srv-2 take the agents over from srv-1, which stays the first in the plan.
func tookOver(at time.Duration) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.Plan.Servers = append(r.Plan.Servers, plan.Server{Name: "srv-2", On: "internet"})
		insert(r, history.Event{At: at, Kind: history.Ended, Who: "srv-1"},
			history.Event{At: at, Kind: history.Launched, Who: "srv-2", Text: "server", N: 1})
		for _, m := range r.End.Machines {
			insert(r, history.Event{At: at, Kind: history.LineDown, Who: m.Name},
				history.Event{At: at + time.Second, Kind: history.LineUp, Who: m.Name},
				history.Event{At: at + time.Second, Kind: history.Entered, Who: "srv-2", Peer: m.ID})
		}
	}
}

func TestBoundsFollowThePlan(t *testing.T) {
	p := parse(t, ward)
	plain := check.Bounds(p)
	p.Agents[0].Proxy = "http://proxy:3128"
	p.Boxes = append(p.Boxes, plan.Box{Kind: plan.Balancer, Check: plan.Duration(30 * time.Second), Up: 5})
	p.Ops[0].Lasts = plan.Duration(time.Hour)
	p.Ops = append(p.Ops, plan.Op{Do: plan.DoDeploy, KB: 6000})
	p.Edges[0].Rate = 1_000_000
	p.Expect.Within = map[string]plan.Duration{detectionID: plan.Duration(time.Second)}
	with := check.Bounds(p)
	if more := with[comingBackID] - plain[comingBackID]; more != 15*time.Second+6*30*time.Second {
		t.Errorf("coming back: %s, was %s", with[comingBackID], plain[comingBackID])
	}
	// 6000 KB to three machines at 1 Mbit/s take 147 s.
	if with[completionID]-with[comingBackID]-time.Hour < 147*time.Second || with[detectionID] != time.Second {
		t.Errorf("%v", with)
	}
	p.Edges[0].Rate, p.Agents[0].Rate = 0, 500_000 // an agent's own wire has to carry one package
	if own := check.Bounds(p); own[completionID]-own[comingBackID]-time.Hour < 98*time.Second {
		t.Errorf("through an agent's own wire: %v", own)
	}
	p.Faults = append(p.Faults, plan.Fault{Kind: "swizzle-clog", On: "web"})
	if more := check.Bounds(p)[comingBackID] - with[comingBackID]; more != plan.SwizzleSpan {
		t.Errorf("machines that are freed one by one: %s more, want %s", more, plan.SwizzleSpan)
	}
}

// TestFewViolationsOfOneStatementAreTold: what is wrong a thousand times does not fill a report.
func TestFewViolationsOfOneStatementAreTold(t *testing.T) {
	r := calm(t)
	for n := range 250 {
		r.End.Files = append(r.End.Files, "web-1: file "+strconv.Itoa(n))
	}
	bad := judge(t, contentID, r)
	if len(bad) != 101 || bad[99].What != "web-1: file 99" || !strings.HasPrefix(bad[100].What, "150 more violations") {
		t.Errorf("%d violations, the last %v", len(bad), bad[len(bad)-1])
	}
}

// narrow has the plan make a link narrow: what three machines have on their way takes 19 s.
func narrow(_ *testing.T, r *history.Run) {
	r.Plan.Faults = append(r.Plan.Faults, plan.Fault{Kind: "link.rate", On: "ward-internet", Rate: 336_000})
}

// oneWay is a cut of one direction, in the plan as well.
func oneWay(on string, from, to time.Duration) func(*testing.T, *history.Run) {
	return both(fault("link.cut", on, from, to), func(_ *testing.T, r *history.Run) {
		r.Plan.Faults = append(r.Plan.Faults, plan.Fault{Kind: "link.cut", On: on, Way: "down"})
	})
}
