// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/finding"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

const ward = `
name = "ward"
safety = "50m"
settle = "10m"
[[net]]
name = "internet"
[[net]]
name = "ward"
prefix = "192.168.7.0/24"
[[edge]]
from = "ward"
to = "internet"
boxes = ["fw-ward", "nat-ward"]
[[box]]
name = "fw-ward"
kind = "firewall"
[[box]]
name = "nat-ward"
kind = "nat"
public = "203.0.113.7"
idle = "240s"
[[server]]
name = "srv-1"
[[program]]
name = "proxy-1"
kind = "connect-proxy"
on = "internet"
[[program]]
name = "alb-1"
kind = "http-balancer"
on = "internet"
to = ["srv-1:10943"]
[[agents]]
name = "web"
count = 3
on = "ward"
`

// run is a run whose lines are all up from the first second on, changed by what happens.
func run(t *testing.T, change func(*plan.Plan), happens ...history.Event) history.Run {
	t.Helper()
	p, err := plan.Parse([]byte(ward))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	r := history.Run{Plan: p, Healed: 50 * time.Minute, Over: time.Hour}
	for n := range 3 {
		happens = append(happens, up(n+1, time.Second))
	}
	slices.SortStableFunc(happens, func(a, b history.Event) int { return int(a.At - b.At) })
	r.Events = happens
	return r
}

// barred is a run in which no line ever was up.
func barred(t *testing.T, cause string, change func(*plan.Plan)) history.Run {
	t.Helper()
	r := run(t, change)
	for i := range r.Events {
		r.Events[i].Kind, r.Events[i].Cause = history.LineDown, cause
	}
	return r
}

func web(n int) string { return fmt.Sprintf("web-%d", n) }

func up(n int, at time.Duration) history.Event {
	return history.Event{At: at, Kind: history.LineUp, Who: web(n)}
}

func down(n int, at time.Duration, text string) history.Event {
	return history.Event{At: at, Kind: history.LineDown, Who: web(n), Text: text}
}

const (
	dead = "line: nothing heard from the peer for too long"
	lost = "line: connection lost: EOF"
)

func on(kind, who string, from, to time.Duration) []history.Event {
	return []history.Event{
		{At: from, Kind: history.FaultOn, Who: who, Text: kind}, {At: to, Kind: history.FaultOff, Who: who, Text: kind},
	}
}

// TestSentences compares whole answers with those in testdata.
func TestSentences(t *testing.T) {
	m := time.Minute
	for _, c := range []struct {
		name string
		run  history.Run
	}{
		{"all is well", run(t, nil)},

		{"a planned restart", run(t, nil, down(1, 9*m, "line: the peer said goodbye"), up(1, 9*m+2*time.Second))},

		{"a NAT that forgets too soon", run(t, func(p *plan.Plan) { p.Boxes[1].Idle = plan.Duration(20 * time.Second) },
			down(1, 2*m, dead), up(1, 2*m+time.Second), down(1, 4*m, dead), up(1, 4*m+41*time.Second),
			down(2, 3*m, lost), up(2, 3*m+5*time.Second))},

		{"a cut", run(t, nil, slices.Concat(on("link.cut", "ward-internet", 20*m, 25*m), []history.Event{
			down(1, 21*m, dead), down(2, 21*m-5*time.Second, dead), up(1, 25*m+31*time.Second), up(2, 25*m+2*time.Second),
		})...)},

		{"a NAT that restarts", run(t, nil, slices.Concat(on("nat.flush", "nat-ward", 20*m, 50*m), []history.Event{
			down(1, 21*m, dead), up(1, 21*m+4*time.Second), down(2, 21*m, dead),
		})...)},

		{"a server that is killed twice", run(t, nil, slices.Concat(on("dns.silent", "srv-1", 30*m, 33*m), []history.Event{
			{At: 20 * m, Kind: history.Crashed, Who: "srv-1", Text: "server"},
			{At: 20*m + 5*time.Second, Kind: history.Launched, Who: "srv-1"},
			{At: 30 * m, Kind: history.Crashed, Who: "srv-1", Text: "server"},
			{At: 30*m + 5*time.Second, Kind: history.Launched, Who: "srv-1"},
			down(1, 20*m, lost), up(1, 20*m+6*time.Second), down(1, 30*m, lost), up(1, 33*m+8*time.Second),
		})...)},

		{"a proxy that wants a password", barred(t, "proxy_auth", func(p *plan.Plan) { p.Agents[0].Proxy = "http://proxy-1:3128" })},

		{"a balancer that ends TLS", barred(t, "tls_offload", func(p *plan.Plan) { p.Agents[0].Target = "alb-1:443" })},

		{"a firewall that drops", barred(t, "no_answer", nil)},

		{"a server that turns a balancer away", run(t, nil, history.Event{
			At: m, Kind: history.Refused, Who: "srv-1", Cause: "proxy_protocol",
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			compare(t, strings.ReplaceAll(c.name, " ", "-"), strings.Join(finding.All(c.run), "\n")+"\n")
		})
	}
}

// compare holds a text against a file. FINDINGS=rewrite go test ./sim/finding writes the files: read
// what has changed before you commit it.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if os.Getenv("FINDINGS") == "rewrite" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// TestLosses tells of lines that nobody sees and of verdicts that nobody knows.
func TestLosses(t *testing.T) {
	r := run(t, nil)
	r.Events = append(r.Events,
		history.Event{At: time.Minute, Kind: history.Said, Who: web(1), Ticket: "t-1", Text: "op1-web-1-1"},
		history.Event{At: time.Minute, Kind: history.Said, Who: web(1), Ticket: "t-1", Text: "op1-web-1-2"},
		history.Event{At: 2 * time.Minute, Kind: history.Seen, Task: "ServerTasks-1", Text: "Failed"},
	)
	r.End.Tasks = []deploy.Task{{ID: "ServerTasks-1"}}
	r.End.Logs = map[deploy.TaskID]string{"ServerTasks-1": "2026-11-23T09:01:00Z  Info      1/Machines-1     op1-web-1-1\n"}
	verdict := &contract.Verdict{Outcome: contract.Indeterminate, Reason: "the machine was restarted while the script ran"}
	for n := range 2 {
		id := contract.TicketID(fmt.Sprintf("t-%d", n+1))
		r.End.Tickets = append(r.End.Tickets, deploy.Ticket{ID: id, Task: "ServerTasks-1", Machine: "Machines-1", Verdict: verdict})
	}
	want := []string{
		"1 line of output got lost: 8.00 a day for each agent",
		"nobody can tell how 2 scripts ended: the machine was restarted while the script ran",
		"the 3 agents of web on ward never lost a line that came back",
	}
	if d := cmp.Diff(want, finding.All(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestQuarantineIsTold in the server's words, and not as a line whose loss nobody can explain.
func TestQuarantineIsTold(t *testing.T) {
	r := run(t, nil, down(1, 20*time.Minute, lost))
	r.End.Machines = []deploy.Machine{{Name: "web-1", Quarantine: "two agents are alive with one key"}, {Name: "web-2"}}
	said := strings.Join(finding.All(r), "\n")
	if !strings.Contains(said, "web-1 on ward is in quarantine: two agents are alive with one key") ||
		strings.Contains(said, "is not known") || strings.Contains(said, "web-2 on ward is in quarantine") {
		t.Errorf("it says\n%s", said)
	}
}
