// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/check"
	"fairlead/sim/history"
)

// TestGoals reaches each goal by a change of the calm run, which reaches none.
func TestGoals(t *testing.T) {
	if reached := check.Goals(calm(t)); len(reached) > 0 {
		t.Errorf("the calm run reaches %v", reached)
	}
	m := time.Minute
	dead := func(at time.Duration) func(*testing.T, *history.Run) {
		const text = "line: nothing heard from the peer for too long"
		return happens(history.Event{At: at, Kind: history.LineDown, Who: "web-1", Text: text})
	}
	cause := func(word string) func(*testing.T, *history.Run) { return down("web-1", 5*m, word) }
	load := func(kind string) func(*testing.T, *history.Run) { return fault(kind, "nat-ward", 63*time.Second, 5*m) }
	crash := func(who, what string) func(*testing.T, *history.Run) {
		return happens(history.Event{At: 63 * time.Second, Kind: history.Crashed, Who: who, Text: what})
	}
	point := func(who, name string) func(*testing.T, *history.Run) {
		return happens(history.Event{At: 63 * time.Second, Kind: history.Point, Who: who, Text: name})
	}
	stopped := func(signal string) func(*testing.T, *history.Run) {
		return both(verdict(contract.Canceled, 0, "canceled by people"), func(t *testing.T, r *history.Run) {
			alter(t, r, isFinish, func(e *history.Event) { e.Text = signal })
		})
	}
	alone := func(_ *testing.T, r *history.Run) {
		drop(r, func(e history.Event) bool { return e.Ticket == ticketID(2) || e.Ticket == ticketID(3) })
	}
	tales := map[string]func(*testing.T, *history.Run){
		"reconnect-after-silent-expiry": both(dead(5*m), up("web-1", 6*m)),
		"silent-death-noticed":          dead(5 * m),
		"fleet-came-back":               both(crash("srv-1", "server"), up("web-1", 2*m), up("web-2", 2*m), up("web-3", 3*m)),
		"took-over":                     happens(history.Event{At: 5 * m, Kind: history.Launched, Who: "srv-2", Text: "server"}),
		"sent-away": happens(history.Event{
			At: 5 * m, Kind: history.LineDown, Who: "web-1", Text: "line: the peer said goodbye: code 3",
		}),
		"revoked-turned-away":            both(removed("web-1", 4*m), cause("unknown_peer")),
		"balancer-drained-under-load":    load("balancer.drain"),
		"balancer-flapped-under-load":    load("balancer.flap"),
		"nat-rebound-under-load":         load("nat.rebind"),
		"disk-sync-broken":               load("disk.sync"),
		"clock-wrong":                    load("host.clock"),
		"offload-refused":                cause("tls_offload"),
		"inspection-refused":             cause("tls_inspect"),
		"captive-portal-named":           cause("captive_portal"),
		"proxy-password-named":           cause("proxy_auth"),
		"proxy-rule-named":               cause("proxy_refused"),
		"proxy-header-named":             cause("proxy_protocol"),
		"dns-trouble-named":              cause("unknown_name"),
		"firewall-silence-named":         cause("no_answer"),
		"closed-port-named":              cause("port_closed"),
		"duplicate-absorbed":             both(point("srv-1", "server engine.ticket.sent"), crash("srv-1", "server")),
		"died-between-claim-and-start":   both(point("web-1", "shim script.claimed"), crash("web-1", "shim")),
		"agent-back-to-running-script":   crash("web-1", "agent"),
		"server-died-under-script":       both(crash("srv-1", "server"), alone),
		"line-lost-under-script":         down("web-1", 63*time.Second, ""),
		"isolation-wait":                 logged("2026-11-23T09:01:00Z  Wait      1/Machines-1     The script waits for \"a\".\n"),
		"indeterminate-after-power-loss": both(verdict(contract.Indeterminate, 0, ""), crash("web-1", "power")),
		"indeterminate-after-shim-death": both(verdict(contract.Indeterminate, 0, ""), crash("web-1", "shim")),
		"machine-restarted-by-its-step":  rebooting(contract.Succeeded),
		"told-to-end-by-reboot":          rebooting(contract.Canceled),
		"rollback-noticed": both(crash("web-1", "rollback"), func(_ *testing.T, r *history.Run) {
			r.End.Machines[0].Quarantine = "the agent went back in time"
		}),
		"clone-noticed": both(fault("host.clone", "web-1", 5*time.Minute, 9*time.Minute), func(_ *testing.T, r *history.Run) {
			r.End.Machines[0].Quarantine = "two agents are alive with one key"
		}),
		"not-started-proved":     verdict(contract.NotStarted, 0, ""),
		"given-up":               away(13*m, deploy.RulingLost, history.Event{At: 2 * m, Kind: history.Left, Who: "srv-1", Peer: machine(1)}),
		"timed-out":              verdict(contract.TimedOut, 0, ""),
		"failed":                 verdict(contract.Failed, 1, ""),
		"cancel-met-finish":      both(canceled(62*time.Second), alone),
		"canceled-while-running": stopped("terminated"),
		"killed-after-grace":     stopped("killed"),
		"canceled-before-start":  verdict(contract.Canceled, 0, "canceled by people before it was sent to the machine"),
		"approved":               told(),
		"tried-again":            told(),
		"left-out-by-condition":  told(),
		"refused":                told(loses(func(e *history.End) { e.Interruptions[0].Choice = deploy.ChoiceAbort })),
		"gone-back": told(loses(func(e *history.End) {
			e.Deployments = append(e.Deployments, deploy.Deployment{ID: "Deployments-2", Release: "Releases-2"},
				deploy.Deployment{ID: "Deployments-3", Release: "Releases-1", Task: taskID})
		})),
		"retained": loses(func(e *history.End) { e.Audit = []deploy.Event{{Category: "ReleaseDeleted"}} }),
		"portal-browsed": happens(history.Event{
			At: 5 * m, Kind: history.Answered, Who: "desk", Text: "browse https://portal/", Code: 200,
		}),
	}
	for _, g := range check.AllGoals() {
		change := tales[g.Name]
		if change == nil || g.Says == "" {
			t.Errorf("goal %s has no tale, or says nothing", g.Name)
			continue
		}
		r := calm(t)
		change(t, &r)
		if n := g.Count(r); n != 1 || check.Goals(r)[g.Name] != n {
			t.Errorf("goal %s was counted %d times, want once", g.Name, n)
		}
	}
}

// TestRoutes follows lines through sites.
func TestRoutes(t *testing.T) {
	const site = ward + `
[[box]]
name = "nlb"
kind = "balancer"
public = "203.0.113.99"
backends = ["srv-1"]
[[net]]
name = "dmz"
prefix = "10.0.0.0/24"
[[edge]]
from = "dmz"
to = "internet"
boxes = ["nlb"]
[[program]]
name = "proxy-1"
kind = "connect-proxy"
on = "internet"
[[program]]
name = "alb-1"
kind = "http-balancer"
on = "internet"
to = ["srv-1:10943"]
`
	p := parse(t, site)
	for _, c := range []struct{ target, proxy, want, ends string }{
		{"srv-1:10943", "", "ward-internet nat-ward srv-1", ""},
		{"nlb:10943", "", "ward-internet nat-ward srv-1", ""},
		{"srv-1:10943", "http://proxy-1:3128", "ward-internet nat-ward proxy-1 srv-1", ""},
		{"alb-1:443", "", "ward-internet nat-ward alb-1 srv-1", "alb-1"},
	} {
		a := p.Agents[0]
		a.Target, a.Proxy = c.target, c.proxy
		route := check.RouteOf(p, a)
		got := ""
		for _, name := range route.Names() {
			got += name + " "
		}
		if got != c.want+" " {
			t.Errorf("%s by %q: %s, want %s", c.target, c.proxy, got, c.want)
		}
		if g, ends := route.EndsTLS(); g.Name != c.ends || ends != (c.ends != "") {
			t.Errorf("%s by %q: TLS ends at %q", c.target, c.proxy, g.Name)
		}
	}
}

// TestRawLog reads lines as REST writes them.
func TestRawLog(t *testing.T) {
	r := calm(t)
	longID := deploy.MachineID("Machines-1234567890")
	r.End.Tickets = r.End.Tickets[:1]
	r.End.Tickets[0].Machine = longID
	r.End.Machines[0].ID = longID
	drop(&r, func(e history.Event) bool { return e.Ticket != "" && e.Ticket != ticketID(1) })
	r.End.Logs[taskID] = "2026-11-23T09:01:00Z  Info                       The task itself.\nno line\n" +
		"2026-11-23T09:01:00Z  Info      1/" + string(longID) + " " + mark(1, 1) + "\n" +
		"2026-11-23T09:01:00Z  Info      1/" + string(longID) + " " + mark(1, 2) + "\n"
	if bad := judge(t, outputID, r); len(bad) > 0 {
		t.Errorf("got %v", bad)
	}
	if lost := check.Lost(r); lost != 0 {
		t.Errorf("%d lines are lost", lost)
	}
}
