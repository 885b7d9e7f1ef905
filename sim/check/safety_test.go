// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/netem"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

func TestSafety(t *testing.T) {
	for _, c := range safetyTales() {
		t.Run(c.id+" "+c.name, c.tell)
	}
}

func isFinish(e history.Event) bool { return e.Kind == history.Finished && e.Who == "web-1" }

// verdict gives ticket t-1 another verdict, and its task the state that goes with it.
func verdict(o contract.Outcome, code int, reason string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.End.Tickets[0].Verdict = &contract.Verdict{Outcome: o, Code: code, Reason: reason}
		r.End.Tasks[0].State = deploy.TaskFailed
		drop(r, func(e history.Event) bool { return e.Kind == history.Seen && e.Text == "Success" })
	}
}

// declared gives the action a setting.
func declared(setting, value string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.End.Tasks[0].Plan.Steps[0].Actions[0].Properties = map[string]string{setting: value}
	}
}

// endsAfter lets the script of t-1 run for so long.
func endsAfter(d time.Duration) func(*testing.T, *history.Run) {
	return func(t *testing.T, r *history.Run) {
		alter(t, r, isFinish, func(e *history.Event) { e.At = 62*time.Second + d })
	}
}

// rebooting lets the script of t-1 restart its machine, which comes back, and end with an outcome.
func rebooting(o contract.Outcome) func(*testing.T, *history.Run) {
	return both(verdict(o, 0, ""), func(_ *testing.T, r *history.Run) {
		drop(r, isFinish)
		insert(r,
			history.Event{At: 64 * time.Second, Kind: history.Crashed, Who: "web-1", Text: "reboot", Ticket: ticketID(1)},
			history.Event{At: 2 * time.Minute, Kind: history.Launched, Who: "web-1", Text: "agent", N: 2})
	})
}

// both makes several changes.
func both(changes ...func(*testing.T, *history.Run)) func(*testing.T, *history.Run) {
	return func(t *testing.T, r *history.Run) {
		for _, change := range changes {
			change(t, r)
		}
	}
}

// happens adds an event.
func happens(e history.Event) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) { insert(r, e) }
}

// logged puts another log in the place of the task's.
func logged(text string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) { r.End.Logs[taskID] = text }
}

func line(node, text string) string {
	return "2026-11-23T09:01:00Z  Info      " + node + "     " + text + "\n"
}

func removed(name string, at time.Duration) func(*testing.T, *history.Run) {
	return both(
		happens(history.Event{At: at, Kind: history.Asked, Who: "desk", Text: "remove " + name}),
		happens(history.Event{At: at, Kind: history.Answered, Who: "desk", Text: "remove " + name, Code: 200}),
	)
}

// offload puts a balancer that ends TLS on the way of all agents.
func offload(_ *testing.T, r *history.Run) {
	r.Plan.Programs = []plan.Program{{Name: "alb-1", Kind: plan.HTTPBalancer, On: "internet", To: []string{"srv-1:10943"}}}
	r.Plan.Agents[0].Target = "alb-1:443"
}

func seen(at time.Duration, state string, code int) func(*testing.T, *history.Run) {
	return happens(history.Event{At: at, Kind: history.Seen, Who: "desk", Task: taskID, Text: state, Code: code})
}

func canceled(at time.Duration) func(*testing.T, *history.Run) {
	return both(
		happens(history.Event{At: at, Kind: history.Asked, Who: "desk", Task: taskID, Text: "cancel"}),
		happens(history.Event{At: at, Kind: history.Answered, Who: "desk", Task: taskID, Text: "cancel", Code: 200}),
	)
}

func safetyTales() []tale {
	const node = "1/Machines-1"
	nothing := func(*testing.T, *history.Run) {}
	failsWith := func(code int, signal string) func(*testing.T, *history.Run) {
		return func(t *testing.T, r *history.Run) {
			alter(t, r, isFinish, func(e *history.Event) { e.Code, e.Text = code, signal })
		}
	}
	neverRan := func(_ *testing.T, r *history.Run) {
		drop(r, func(e history.Event) bool { return e.Ticket == ticketID(1) })
	}
	goesOn := func(_ *testing.T, r *history.Run) { drop(r, isFinish) }
	crash := func(who, what string, at time.Duration) func(*testing.T, *history.Run) {
		return happens(history.Event{At: at, Kind: history.Crashed, Who: who, Text: what})
	}
	return []tale{
		{"S1", "a box that ends TLS is never passed", both(offload, func(_ *testing.T, r *history.Run) {
			drop(r, func(e history.Event) bool { return e.Kind == history.LineUp || e.Kind == history.Started })
		}), ""},
		{"S1", "a line serves through it", offload, "although alb-1 on its way ends TLS"},
		{"S1", "an inspector takes the line", func(_ *testing.T, r *history.Run) {
			r.Plan.Programs = []plan.Program{{Name: "dpi", Kind: plan.TLSInspector, On: "internet", Takes: "ward-internet", Ports: []int{10943}}}
		}, "although dpi on its way"},
		{"S1", "an inspector takes other ports", func(_ *testing.T, r *history.Run) {
			r.Plan.Programs = []plan.Program{{Name: "dpi", Kind: plan.TLSInspector, On: "internet", Takes: "ward-internet", Ports: []int{443}}}
		}, ""},

		{"S2", "a removed machine loses its session at once", both(removed("web-1", 5*time.Minute), happens(history.Event{
			At: 5*time.Minute + time.Second, Kind: history.LineDown, Who: "web-1", Text: "revoked",
		})), ""},
		{"S2", "its session goes on", removed("web-1", 5*time.Minute), "its session went on for 30m0s"},
		{"S2", "a new session serves", both(
			removed("web-1", 5*time.Minute),
			happens(history.Event{At: 5*time.Minute + time.Second, Kind: history.LineDown, Who: "web-1"}),
			happens(history.Event{At: 9 * time.Minute, Kind: history.LineUp, Who: "web-1"}),
		), "a session serves 4m0s after it was removed"},
		{"S2", "it gets work", both(removed("web-1", 30*time.Second), happens(history.Event{
			At: 31 * time.Second, Kind: history.LineDown, Who: "web-1",
		})), "ticket t-1 of ServerTasks-1 started"},

		{"S4", "each starts once", nothing, ""},
		{
			"S4", "a ticket starts again", func(_ *testing.T, r *history.Run) { execute(r, 1, 3*time.Minute, time.Second) },
			"ticket t-1 of ServerTasks-1 started again",
		},
		{
			"S4", "a ticket starts that is not kept", func(_ *testing.T, r *history.Run) { r.End.Tickets = r.End.Tickets[1:] },
			"has kept no such ticket",
		},
		{"S4", "two tickets of one place start", func(_ *testing.T, r *history.Run) {
			r.End.Tickets[1].Machine = r.End.Tickets[0].Machine
		}, "in the place of t-1"},

		{"S5", "a failure is said as it was", both(verdict(contract.Failed, 3, "exit code 3"), failsWith(3, "")), ""},
		{"S5", "a doubt is no contradiction", both(verdict(contract.Indeterminate, 0, "the shim died"), goesOn), ""},
		{"S5", "success for a script that goes on", goesOn, "its script never ended"},
		{"S5", "success for a script that failed", failsWith(1, ""), "its script ended with code 1"},
		{"S5", "success for a script that was killed", failsWith(0, "killed"), "killed"},
		{"S5", "success for one that never ran", neverRan, "its script never started"},
		{"S5", "failure for one that succeeded", verdict(contract.Failed, 1, "exit code 1"), "its script succeeded"},
		{"S5", "another code", both(verdict(contract.Failed, 3, "exit code 3"), failsWith(4, "")), "its script ended with code 4"},
		{"S5", "not started, and it ran", verdict(contract.NotStarted, 0, "no space"), "its script started at"},
		{"S5", "a declared restart", both(declared(deploy.PropRestarts, "True"), rebooting(contract.Succeeded)), ""},
		{"S5", "a restart that nobody declared", rebooting(contract.Canceled), ""},
		{"S5", "a doubt after a restart that nobody declared", rebooting(contract.Indeterminate), ""},
		{
			"S5", "a declared restart in which the power goes", both(
				declared(deploy.PropRestarts, "True"), failsWith(-1, "terminated"), endsAfter(time.Second),
				verdict(contract.Succeeded, 0, ""), happens(history.Event{At: 64 * time.Second, Kind: history.Crashed, Who: "web-1", Text: "power"}),
				happens(history.Event{At: 2 * time.Minute, Kind: history.Launched, Who: "web-1", Text: "agent", N: 2}),
			), "",
		},
		{
			"S5", "a doubt after a declared restart",
			both(declared(deploy.PropRestarts, "True"), rebooting(contract.Indeterminate)), "as the step declared",
		},
		{"S5", "success after a restart that nobody declared", rebooting(contract.Succeeded), "which no step declared"},
		{
			"S5", "success while the machine is away", both(
				declared(deploy.PropRestarts, "True"), rebooting(contract.Succeeded),
				func(_ *testing.T, r *history.Run) {
					drop(r, func(e history.Event) bool { return e.Kind == history.Launched && e.Who == "web-1" })
				},
			), "restarted the machine",
		},
		{
			"S5", "out of time", both(
				declared(deploy.PropTimeoutMinutes, "1"), verdict(contract.TimedOut, 0, ""), endsAfter(61*time.Second),
			), "",
		},
		{"S5", "out of time without a limit", verdict(contract.TimedOut, 0, ""), "it has no time limit"},
		{
			"S5", "out of time before the limit",
			both(declared(deploy.PropTimeoutMinutes, "1"), verdict(contract.TimedOut, 0, "")), "within its limit of 1m0s",
		},
		{
			"S5", "success long after the limit",
			both(declared(deploy.PropTimeoutMinutes, "1"), endsAfter(2*time.Minute)), "its limit was 1m0s",
		},
		{"S6", "quarantine for nothing", func(_ *testing.T, r *history.Run) {
			r.End.Machines[0].Quarantine = "the agent went back in time"
		}, "nothing took it back in time or copied it"},
		{"S6", "quarantine after a rollback", both(crash("web-1", "rollback", 5*time.Minute), func(_ *testing.T, r *history.Run) {
			r.End.Machines[0].Quarantine = "the agent went back in time"
		}), ""},
		{"S6", "quarantine of a machine that was copied", both(fault("host.clone", "web-1", 5*time.Minute, 9*time.Minute),
			func(_ *testing.T, r *history.Run) {
				r.End.Machines[0].Quarantine = "two agents are alive with one key"
			}), ""},
		{"S9", "a script on a copy", func(t *testing.T, r *history.Run) {
			alter(t, r, func(e history.Event) bool { return e.Kind == history.Started && e.Who == "web-1" }, func(e *history.Event) {
				e.Who = "web-1-copy"
			})
		}, "started here and is for web-1"},
		{"S5", "a task rounds up", both(verdict(contract.Indeterminate, 0, ""), func(_ *testing.T, r *history.Run) {
			r.End.Tasks[0].State = deploy.TaskSuccess
		}), "is Success, and its ticket t-1 is indeterminate"},
		{
			"S5", "a task ends before its ticket", func(_ *testing.T, r *history.Run) { r.End.Tickets[0].Verdict = nil },
			"ticket t-1 has no verdict",
		},
		{"S5", "a ticket is kept twice", func(_ *testing.T, r *history.Run) {
			r.End.Tickets = append(r.End.Tickets, r.End.Tickets[0])
		}, "ticket t-1 is kept twice"},

		{"S6", "a power loss under the script is a doubt", both(
			verdict(contract.Indeterminate, 0, "the machine was restarted"), goesOn, crash("web-1", "power", 63*time.Second)), ""},
		{
			"S6", "a power loss long after its end is none", both(
				verdict(contract.Indeterminate, 0, "the machine was restarted"), crash("web-1", "power", 2*time.Minute)),
			"nothing disturbed its shim, and the verdict is indeterminate",
		},
		{
			"S6", "the server gave up waiting",
			verdict(contract.Indeterminate, 0, "canceled by admin, but the machine did not answer for 2m0s"), "",
		},
		{"S6", "a task is lost", func(_ *testing.T, r *history.Run) { r.End.Tasks = nil }, "was answered for \"script op1\" and is not kept"},
		{
			"S6", "a machine that joined was removed without an answer", both(
				happens(history.Event{Kind: history.Answered, Who: "web-1", Text: "joined"}), vanished("web-1", 5*time.Minute)), "",
		},
		{
			"S6", "a machine is lost", happens(history.Event{Kind: history.Answered, Who: "web-4", Text: "joined"}),
			"it has joined, and the server does not know it",
		},

		{"S7", "a prefix after a doubt", both(verdict(contract.Indeterminate, 0, ""), logged(line(node, mark(1, 1)))), ""},
		{"S7", "a loss that the log admits", both(
			func(_ *testing.T, r *history.Run) {
				drop(r, func(e history.Event) bool { return e.Kind == history.Said && e.Who != "web-1" })
			},
			logged(line(node, mark(1, 2))+line(node, "The rest of its output is lost: torn."))), ""},
		{"S7", "a gap", logged(line(node, mark(1, 2))), "the script said \"op1-web-1-1\" there"},
		{"S7", "a repeat", logged(line(node, mark(1, 1)) + line(node, mark(1, 1))), "repeats \"op1-web-1-1\""},
		{"S7", "an end too early", logged(line(node, mark(1, 1))), "its log ends after line 1 of 2"},

		{"S8", "one after the other", both(func(_ *testing.T, r *history.Run) {
			r.End.Tickets[1].Machine = r.End.Tickets[0].Machine
			drop(r, func(e history.Event) bool { return e.Ticket == ticketID(2) })
			execute(r, 2, 2*time.Minute, time.Second)
			for i := range r.Events {
				if r.Events[i].Ticket == ticketID(2) {
					r.Events[i].Who = "web-1"
				}
			}
		}), ""},
		{"S8", "two that exclude each other", func(_ *testing.T, r *history.Run) {
			for i := range r.Events {
				if r.Events[i].Ticket == ticketID(2) {
					r.Events[i].Who = "web-1"
				}
			}
		}, "ticket t-2 (full) started while ticket t-1 (full) ran"},
		{"S8", "two that do not", func(_ *testing.T, r *history.Run) {
			for i := range r.Events {
				if r.Events[i].Ticket == ticketID(2) {
					r.Events[i].Who = "web-1"
				}
				if r.Events[i].Kind == history.Started {
					r.Events[i].Text = "none"
				}
			}
		}, ""},
		{
			"S8", "a step before its predecessor has ended", func(_ *testing.T, r *history.Run) { r.End.Tickets[2].Step = 1 },
			"while ticket t-1 of an earlier step",
		},
		{
			"S8", "a start after a cancel before it", verdict(contract.Canceled, 0, "canceled by people before it was started"),
			"ticket t-1 started, and it was canceled by people before it was started",
		},

		{"S9", "a fault of ours", happens(history.Event{
			At: 2 * time.Minute, Kind: history.LineDown, Who: "web-1", Text: "line: fault data-credit: 9 bytes",
		}), "the protocol of the line was broken"},
		{"S9", "a cut is none", happens(history.Event{
			At: 2 * time.Minute, Kind: history.LineDown, Who: "web-1", Text: "line: connection lost: EOF",
		}), ""},
		{
			"S9", "an order for somebody else", func(_ *testing.T, r *history.Run) { r.End.Tickets[0].Machine = "Machines-2" },
			"ticket t-1 started here and is for web-2",
		},
		{"S9", "lines of somebody else", logged(line(node, mark(2, 1))), "it was said for ServerTasks-1 1/Machines-2"},

		{"S10", "whole files", nothing, ""},
		{"S10", "half a file", func(_ *testing.T, r *history.Run) { r.End.Files = []string{"web-1: content.bin has 3 bytes"} }, "content.bin"},
		{"S11", "no secrets", nothing, ""},
		{"S11", "a secret", func(_ *testing.T, r *history.Run) { r.End.Secrets = []string{"API key in the log of srv-1"} }, "API key"},

		{"S12", "a few tries", tries(40, time.Minute, 7), ""},
		{"S12", "tries without end", tries(100, time.Minute, 7), "tries to connect failed within 5m0s"},
		{"S12", "waits that are all the same", waits(1000, 1000, 990, 1000, 12, 700), "3 of 6 first waits after a session are 1000 ms"},
		{"S12", "waits that are spread", waits(310, 900, 12, 310, 700, 4), ""},
		{"S12", "a long wait after a good session", happens(history.Event{
			At: 10 * time.Minute, Kind: history.LineDown, Who: "web-1", Text: "line: connection lost", N: 2500,
		}), "it waits 2500 ms after a session of 9m59s"},
		{"S12", "a wait that the server asked for", happens(history.Event{
			At: 10 * time.Minute, Kind: history.LineDown, Who: "web-1", Text: "line: the peer said goodbye", N: 11000,
		}), ""},
		{
			"S12", "connections without end", func(_ *testing.T, r *history.Run) { r.End.Peaks = map[string]int{"conns": 900} },
			"900 conns at once",
		},
		{"S12", "a storm", func(_ *testing.T, r *history.Run) { r.End.Net = netem.Counts{Events: 1 << 40} }, "the network had"},

		{"S13", "up to its end", nothing, ""},
		{"S13", "back", both(
			func(_ *testing.T, r *history.Run) { drop(r, func(e history.Event) bool { return e.Text == "Success" }) },
			seen(65*time.Second, "Queued", 0)), "is Queued, and was Executing before"},
		{"S13", "an end that changes", seen(2*time.Minute, "Failed", 0), "is Failed, and was Success, which is an end"},
		{
			"S13", "an end that is kept otherwise", func(_ *testing.T, r *history.Run) { r.End.Tasks[0].State = deploy.TaskFailed },
			"is kept as Failed, and was seen as Success",
		},
		{"S13", "lost from sight", seen(2*time.Minute, "", 404), "is not found"},
		{"S13", "a server that is away", seen(2*time.Minute, "", 503), ""},
		{"S13", "a cancel that nobody sees", both(
			canceled(62*time.Second),
			func(_ *testing.T, r *history.Run) { drop(r, func(e history.Event) bool { return e.Text == "Success" }) },
			seen(90*time.Second, "Executing", 0)), "is Executing, and its cancel was granted"},
		{"S13", "a state that is none", seen(2*time.Minute, "Sleeping", 0), "which is none"},

		{"S14", "a program that is told to end", happens(history.Event{At: 34 * time.Minute, Kind: history.Ended, Who: "web-1"}), ""},
		{"S14", "a connection that is left", func(_ *testing.T, r *history.Run) { r.End.Leaks.Conns = 2 }, "2 connections were never closed"},
		{"S14", "a listener that is left", func(_ *testing.T, r *history.Run) { r.End.Leaks.Listeners = 1 }, "1 listeners"},
		{"S14", "a program that ends by itself", happens(history.Event{
			At: 2 * time.Minute, Kind: history.Ended, Who: "web-1", Text: "tickets: no space",
		}), "ended by itself: tickets: no space"},

		{"S15", "a file arrives", both(gives, keeps("aa")), ""},
		{"S15", "one is lost", gives, "lies on the server 0 times"},
		{"S15", "one is damaged", both(gives, keeps("bb")), "lies on the server 0 times"},
		{"S15", "one lies there twice", both(gives, keeps("aa"), keeps("aa")), "lies on the server 2 times"},
		{"S15", "nobody knows how its script ended", both(gives, verdict(contract.Indeterminate, 0, "")), ""},
		{"S15", "nobody gave it", keeps("aa"), "is not what a script handed over"},
	}
}

// gives lets the script of t-1 hand a file over.
func gives(_ *testing.T, r *history.Run) {
	insert(r, history.Event{
		At: 62 * time.Second, Kind: history.Gave, Who: "web-1", Ticket: ticketID(1), Text: "f", Cause: "aa", N: 3,
	})
}

// keeps has the server keep one of t-1, with a hash.
func keeps(sum string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.End.Artifacts = append(r.End.Artifacts, history.Artifact{Ticket: ticketID(1), Name: "f", Size: 3, SHA256: sum})
	}
}

// tries adds failed tries of web-1, spread over a time.
func tries(n int, over time.Duration, seed int) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		for i := range n {
			insert(r, history.Event{
				At: 10*time.Minute + over*time.Duration(i)/time.Duration(n), Kind: history.LineDown, Who: "web-1",
				Text: "no answer", N: 1 + seed*i%997,
			})
		}
	}
}

// waits adds short sessions of web-1 that end with these waits, in ms.
func waits(ms ...int) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		for i, n := range ms {
			at := 2*time.Minute + time.Duration(i)*time.Minute
			insert(r, history.Event{At: at, Kind: history.LineUp, Who: "web-1"},
				history.Event{At: at + time.Second, Kind: history.LineDown, Who: "web-1", N: n})
		}
	}
}
