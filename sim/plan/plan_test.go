// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/sim/plan"
)

const small = `
name = "ward"
seed = 7
safety = "1h"

[[net]]
name = "internet"
[[net]]
name = "ward"
prefix = "192.168.7.0/24"

[[edge]]
from = "ward"
to = "internet"
latency = "20ms"
jitter = "5ms"
rate = "20Mbit"
boxes = ["nat-ward"]

[[box]]
name = "nat-ward"
kind = "nat"
public = "203.0.113.7"
idle = "240s"

[[server]]
name = "srv-1"

[[agents]]
name = "web"
count = 3
on = "ward"

[[op]]
at = "10m"
do = "script"

[[fault]]
at = "20m"
kind = "nat.flush"
on = "nat-ward"
`

func TestParseFillsInAndFormatsBack(t *testing.T) {
	p, err := plan.Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case p.Safety.D() != time.Hour, p.Settle.D() != 5*time.Minute:
		t.Errorf("phases: %s and %s", p.Safety, p.Settle)
	case p.Agents[0].Target != "srv-1:10943", p.Servers[0].On != "internet":
		t.Errorf("defaults: %+v, %+v", p.Agents[0], p.Servers[0])
	case p.Edges[0].Rate != 20_000_000, p.Ops[0].Lines != 2:
		t.Errorf("values: %+v, %+v", p.Edges[0], p.Ops[0])
	}
	again, err := plan.Parse(p.Format())
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Format())
	}
	if d := cmp.Diff(p, again); d != "" {
		t.Errorf("parsed again (-first +again):\n%s", d)
	}
	if p.Hash() != again.Hash() {
		t.Error("the hash changed")
	}
}

func TestProblemsAreToldAtOnce(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", `idle = "240s"`, `idel = "240s"`, "unknown key box.idel (did you mean box.idle?)"},
		{"unknown segment", `on = "ward"`, `on = "word"`, `agents web on: there is no "word" (did you mean ward?)`},
		{"unknown fault", `"nat.flush"`, `"nat.flusch"`, "nat.flush"},
		{"fault on nothing", `on = "nat-ward"`, `on = "nat-wart"`, "did you mean nat-ward?"},
		{"box nowhere", `boxes = ["nat-ward"]`, ``, "box nat-ward stands on no edge"},
		{"no public address", `public = "203.0.113.7"`, ``, "a nat needs the public address"},
		{"bad duration", `"240s"`, `"240 seconds"`, "want a number with a unit"},
		{"bad rate", `"20Mbit"`, `"20MB"`, "512kbit"},
		{"no name", `name = "ward"` + "\nseed", "seed", "name: a plan needs one"},
		{"two of a name", `name = "web"`, `name = "srv-1"`, "a server has it already"},
		{"a fault on a machine without a daemon", `"nat.flush"`, `"disk.sync"`, `there is no "nat-ward"`},
		{"a fault after all are healed", `at = "20m"`, `at = "1h"`, "the safety phase, at whose end all faults heal, ends at 1h"},
		{
			"two of a kind at once", `kind = "nat.flush"`,
			"kind = \"nat.ports\"\n[[fault]]\nat = \"19m\"\nfor = \"1m\"\nkind = \"nat.ports\"",
			"fault 2: fault 1 of that kind lasts until 1h in the same place",
		},
		{"an op after the end", `at = "10m"`, `at = "2h"`, "it comes at 2h, and the safety phase ends at 1h"},
		{"half a minute of patience", `do = "script"`, "do = \"script\"\ngives_up = \"30s\"", "gives_up 30s: want whole minutes, as 2m"},
		{"a limit of seconds", `do = "script"`, "do = \"script\"\nlimit = \"90s\"", "limit 1m30s: want whole minutes, as 2m"},
		{"a limit of no script", `do = "script"`, "do = \"health\"\nlimit = \"1m\"", "op 1: a health has no use for limit"},
		{"a reboot of no script", `do = "script"`, "do = \"health\"\nreboot = true", "op 1: a health has no use for reboot"},
		{"unknown op", `do = "script"`, `do = "skript"`, "did you mean script?"},
		{"an op that is none", `do = "script"`, `do = ""`, "op 1 do: want script, cancel"},
		{"an op before the beginning", `at = "10m"`, `at = "-10m"`, "op 1: at cannot be below 0"},
		{"a failover to nobody", `do = "script"`, `do = "failover"`, "failover needs a second server"},
		{"a fault before the beginning", `at = "20m"`, `at = "-1s"`, "fault 1: at cannot be below 0"},
		{"a fault without what it needs", `"nat.flush"`, `"nat.rebind"`, "fault 1: nat.rebind needs addr"},
		{"a backend that is nowhere", `kind = "nat"`, "kind = \"balancer\"\nbackends = [\"srv-9\"]", `there is no "srv-9" (did you mean srv-1?)`},
		{"a check of no balancer", `idle = "240s"`, "check = \"5s\"\ncheck_from = \"192.168.7.4\"", "box nat-ward: a nat has no use for check"},
		{"rules of a NAT", `idle = "240s"`, `out = ["tcp/443"]`, "box nat-ward: a nat has no use for out"},
		{"backends of a NAT", `idle = "240s"`, `backends = ["srv-1"]`, "box nat-ward: a nat has no use for backends"},
		{"lines of a health check", `do = "script"`, "do = \"health\"\nlines = 3", "op 1: a health has no use for lines"},
		{"a delay of a flush", `on = "nat-ward"`, "delay = \"3s\"", "fault 1: a nat.flush has no use for delay"},
		{"a pass of no point", `"nat.flush"` + "\n" + `on = "nat-ward"`, "\"agent.crash\"\nnth = 2", "nth counts the passes of a point"},
		{
			"a password of a portal", `[[server]]`, "[[program]]\nname = \"portal\"\nkind = \"captive-portal\"\npassword = \"x\"\n[[server]]",
			"program portal: a captive-portal has no use for password",
		},
		{"a segment of IPv6", `"192.168.7.0/24"`, `"fd00::/64"`, "want one of IPv4"},
		{"an address of IPv6", `"203.0.113.7"`, `"2001:db8::7"`, "want an address of IPv4"},
		{"an edge to itself", `to = "internet"`, `to = "ward"`, `edge 1 leads from "ward" to itself`},
		{"two edges of a name", `[[server]]`, "[[edge]]\nfrom = \"ward\"\nto = \"internet\"\n[[server]]", "edge 2: there is an edge"},
		{"ports that are none", `idle = "240s"`, `ports = "9-1"`, "want one as 443"},
		{"a port that is none", `name = "srv-1"`, "name = \"srv-1\"\nlink = 70000", "server srv-1 link: 70000: want a port"},
		{"a target without a port", `count = 3`, `target = "srv-1"`, "agents web target"},
		{"a proxy that is none", `count = 3`, `proxy = "squid"`, "agents web proxy"},
		{"a machine's name twice", `name = "srv-1"`, `name = "web-2"`, "its web-2 would have the name of a server"},
		{"the desk's name", `name = "srv-1"`, `name = "desk"`, "people's own machine has it already"},
		{"an address elsewhere", `name = "srv-1"`, "name = \"srv-1\"\non = \"ward\"\naddr = \"10.0.0.1\"", "does not lie in ward"},
		{"an address that a box has", `name = "srv-1"`, "name = \"srv-1\"\naddr = \"203.0.113.7\"", "box nat-ward has 203.0.113.7 already"},
		{
			"a partition of a server from servers", "\"nat.flush\"\non = \"nat-ward\"", "\"partition\"\non = \"srv-1\"",
			`fault 1 on: there is no "srv-1"`,
		},
		{
			"a swizzle of a server", "\"nat.flush\"\non = \"nat-ward\"", "\"swizzle-clog\"\non = \"srv-1\"",
			`fault 1 on: there is no "srv-1"`,
		},
		{
			"a copy's name", `kind = "nat.flush"` + "\n" + `on = "nat-ward"`,
			"kind = \"host.clone\"\non = \"web-1\"\n[[server]]\nname = \"web-1-copy\"",
			`server name "web-1-copy": the copy of web-1 has it already`,
		},
		{"outputs of a script", `do = "script"`, "do = \"script\"\noutputs = true", "op 1: a script has no use for outputs"},
		{"a window of a redeployment", `do = "script"`, "do = \"redeploy\"\nturns = true", "op 1: a redeploy has no use for turns"},
		{"retries of what does not fail", `do = "script"`, "do = \"deploy\"\nretries = 1", "op 1: retries are for a deployment that stumbles"},
		{"too many retries", `do = "script"`, "do = \"deploy\"\nstumbles = true\nretries = 4", "op 1: want at most 3 retries"},
		{"a guidance that is none", `do = "script"`, "do = \"answer\"\nguidance = \"Rety\"", "op 1 guidance"},
		{"back before the beginning", `do = "script"`, "do = \"redeploy\"\nback = -1", "op 1: back cannot be below 0"},
		{"too much to keep", `do = "script"`, "do = \"retention\"\nkeep = 101", "at most 100 releases to go back or to keep"},
		{"a bound that is none", `[[fault]]`, "[expect]\nwithin = { L4 = \"1s\" }\n[[fault]]", "expect within"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.from, c.to, 1)
			if text == small {
				t.Fatal("the case changes nothing")
			}
			_, err := plan.Parse([]byte(text))
			if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestEveryProblemIsToldInOneRound: what cannot be read hides nothing, and nothing that follows from
// it is told.
func TestEveryProblemIsToldInOneRound(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		want  []string
	}{
		{
			"keys, values and names",
			[]string{
				`seed = 7`, `sead = 7`, `safety = "1h"`, `safety = "1 hour"`, `idle = "240s"`, `idel = "240s"`,
				`count = 3`, `count = "three"`, `on = "ward"`, `on = "wrad"`, `at = "10m"`, `at = "3h"`,
			},
			[]string{
				"line 3: unknown key sead (did you mean seed?)", `line 4, column 10: duration "1 hour": want a number with a unit`,
				"line 24: unknown key box.idel (did you mean box.idle?)",
				"line 31, column 9: agents.count: want a whole number, and this is a string",
				`agents web on: there is no "wrad" (did you mean ward?)`,
			},
		},
		{
			"a kind of box",
			[]string{`kind = "nat"`, `kind = "nta"`, `do = "script"`, `do = "skript"` + "\nreboot = true"},
			[]string{
				`box nat-ward kind: "nta": want nat, firewall, security-group, balancer (did you mean nat?)`,
				`op 1 do: "skript": want script`,
			},
		},
		{
			"a kind of fault",
			[]string{`"nat.flush"`, `"nat.flusch"`, `count = 3`, `target = "srv1:10943"`},
			[]string{`agents web target: there is no "srv1" (did you mean srv-1?)`, `fault 1 kind: "nat.flusch": did you mean nat.flush?`},
		},
		{
			"a key that a fault needs",
			[]string{`"nat.flush"`, "\"link.loss\"\nlsos = 0.5", `on = "nat-ward"`, `on = "wrad-internet"`},
			[]string{"line 41: unknown key fault.lsos (did you mean fault.loss?)", `fault 1 on: there is no "wrad-internet"`},
		},
		{
			"the name of a table",
			[]string{`[[box]]`, `[[bxo]]`, `count = 3`, `count = -3`},
			[]string{"line 20: unknown key bxo (did you mean box?)", "agents web: count -3"},
		},
		{
			"a line that is no TOML",
			[]string{`latency = "20ms"`, `latency 20ms`, `count = 3`, `count = -3`},
			[]string{"line 15, column 9: expected '='", "agents web: count -3"},
		},
		{"a list without an end", []string{`boxes = ["nat-ward"]`, `boxes = ["nat-ward"`}, []string{"line 20, column 1: expected"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.NewReplacer(c.pairs...).Replace(small)
			_, err := plan.Parse([]byte(text))
			if errkind.Of(err) != errkind.Invalid {
				t.Fatalf("got %v", err)
			}
			told := strings.Split(err.Error(), "; ")
			if len(told) != len(c.want) {
				t.Errorf("told %d things, want %d", len(told), len(c.want))
			}
			for i, want := range c.want {
				if i >= len(told) || !strings.Contains(told[i], want) {
					t.Errorf("%d: want %q", i+1, want)
				}
			}
			if t.Failed() {
				t.Log(strings.Join(told, "\n"))
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	p, err := plan.Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind, on string
		want     []string
	}{
		{"nat.flush", "", []string{"nat-ward"}},
		{"agent.crash", "", []string{"web-1"}},
		{"agent.crash", "web", []string{"web-1", "web-2", "web-3"}},
		{"host.power", "all", []string{"srv-1", "web-1", "web-2", "web-3"}},
		{"link.cut", "", []string{"ward-internet"}},
		{"server.crash", "", []string{"srv-1"}},
		{"partition", "all", []string{"web-1", "web-2", "web-3"}},
	} {
		if d := cmp.Diff(c.want, p.Places(plan.Fault{Kind: c.kind, On: c.on})); d != "" {
			t.Errorf("%s on %q (-want +got):\n%s", c.kind, c.on, d)
		}
	}
}

func TestQuantitiesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plan.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "duration"))
		var back plan.Duration
		if err := back.UnmarshalText([]byte(d.String())); err != nil || back != d {
			t.Errorf("%s became %s, %v", d, back, err)
		}
		r := plan.Rate(rapid.Int64Range(0, 1e12).Draw(t, "rate"))
		var rate plan.Rate
		if err := rate.UnmarshalText([]byte(r.String())); err != nil || rate != r {
			t.Errorf("%s became %s, %v", r, rate, err)
		}
	})
}

func TestRules(t *testing.T) {
	for _, text := range []string{"any", "tcp/443", "tcp/1000-2000 to 203.0.113.0/24", "tcp/22 from 10.0.0.1 to 10.0.0.0/8"} {
		if _, err := plan.ParseRule(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "udp/443", "tcp/0", "tcp/70000", "tcp/9-1", "tcp/1 to", "tcp/1 near 10.0.0.0/8", "tcp/1 to here"} {
		if _, err := plan.ParseRule(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestClash(t *testing.T) {
	p, err := plan.Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	const minute = plan.Duration(time.Minute)
	nat := func(kind string, at, lasts plan.Duration) plan.Fault {
		return plan.Fault{Kind: kind, At: at, For: lasts}
	}
	for _, c := range []struct {
		name string
		a, b plan.Fault
		want bool
	}{
		{"one within the other", nat("nat.idle", minute, 9*minute), nat("nat.idle", 2*minute, minute), true},
		{"one ends as the other begins", nat("nat.idle", minute, minute), nat("nat.idle", 2*minute, minute), true},
		{"one after the other", nat("nat.idle", minute, minute), nat("nat.idle", 3*minute, 0), false},
		{"another kind", nat("nat.idle", minute, 9*minute), nat("nat.ports", 2*minute, minute), false},
		{"what was forgotten", nat("nat.flush", minute, 0), nat("nat.flush", 2*minute, 0), false},
		{"a machine and its group", plan.Fault{Kind: "host.power", On: "web"}, plan.Fault{Kind: "host.power", On: "web-2"}, true},
		{"two machines", plan.Fault{Kind: "host.power", On: "web-1"}, plan.Fault{Kind: "host.power", On: "web-2"}, false},
		{"at points", plan.Fault{Kind: "agent.crash", Point: "a"}, plan.Fault{Kind: "agent.crash", Point: "b"}, false},
	} {
		if got := p.Clash(c.a, c.b); got != c.want || p.Clash(c.b, c.a) != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
