// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func addr(text string) netip.Addr      { return netip.MustParseAddr(text) }
func prefix4(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// hospital is two sites with a box of every kind, two of them on one edge.
func hospital() Topology {
	return Topology{
		Segments: []Segment{
			{"internet", prefix4("0.0.0.0/0")}, {"ward", prefix4("192.168.7.0/24")}, {"centre", prefix4("10.1.0.0/16")},
		},
		Hosts: []Host{
			{Name: "agent", Segment: "ward"},
			{Name: "srv-1", Segment: "centre", Addr: addr("10.1.0.5")},
			{Name: "srv-2", Segment: "centre"},
			{Name: "cafe", Segment: "internet", Delay: 5 * time.Millisecond},
		},
		Edges: []Edge{
			{
				Name: "ward-internet", Inner: "ward", Outer: "internet", Delay: 20 * time.Millisecond,
				Boxes: []Box{
					{Name: "nat", NAT: &NAT{Public: addr("203.0.113.7")}, Idle: 20 * time.Second},
					{Name: "fw", Firewall: &Firewall{Out: []Rule{{First: 10943, Last: 10943}}, Refuse: Reset}},
				},
			},
			{
				Name: "centre-internet", Inner: "centre", Outer: "internet",
				Boxes: []Box{{Name: "lb", Stray: Reset, Balancer: &Balancer{
					Address: addr("203.0.113.80"), Backends: []netip.Addr{addr("10.1.0.5"), addr("10.1.0.10")},
					HideClient: true, Check: 100 * time.Millisecond, CheckPort: 10943,
				}}},
			},
		},
		Names: map[string]netip.Addr{"lb": addr("203.0.113.80")},
	}
}

func TestCompile(t *testing.T) {
	topology := hospital()
	if err := topology.Check(); err != nil {
		t.Fatal(err)
	}
	d, err := draw(topology)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	space := func(node string) string { return "run-" + node }
	for _, c := range d.cables {
		if c.delay > 0 {
			fmt.Fprintf(&out, "wire %s/%s to %s/%s, %s\n", c.a.node, c.a.device, c.b.node, c.b.device, c.delay)
			continue
		}
		fmt.Fprintln(&out, strings.Join(c.makeLines(space), "\n"))
	}
	setUp := d.setUp()
	for _, node := range d.nodes() {
		fmt.Fprintf(&out, "\n# %s\n%s\n", node, strings.Join(setUp[node], "\n"))
	}
	for _, e := range d.edges {
		for _, r := range e.routers {
			fmt.Fprintf(&out, "\n# %s\n", r.name)
			for _, s := range r.sysctls() {
				fmt.Fprintf(&out, "%s = %s\n", s[0], s[1])
			}
			out.WriteString(r.box.ruleset())
		}
	}
	fmt.Fprintf(&out, "\n# names\n%s", d.hostsFile())
	const golden = "testdata/hospital.txt"
	if os.Getenv("NETNS_GOLDEN") == "rewrite" {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the hospital compiles to\n%s\nwant what %s says; NETNS_GOLDEN=rewrite writes it", out.String(), golden)
	}
}

func TestCheckTellsEverythingThatIsWrong(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*Topology)
		want  string
	}{
		"nothing":      {func(*Topology) {}, ""},
		"twice":        {func(t *Topology) { t.Hosts[0].Name = "fw" }, `box name "fw": something else has it already`},
		"ugly name":    {func(t *Topology) { t.Hosts[0].Name = "a b" }, `host name "a b"`},
		"nowhere":      {func(t *Topology) { t.Hosts[0].Segment = "attic" }, `there is no segment "attic"`},
		"outside":      {func(t *Topology) { t.Hosts[1].Addr = addr("10.2.0.1") }, "address 10.2.0.1 does not lie in centre"},
		"circle":       {func(t *Topology) { t.Edges[0].Outer = "ward" }, "leads from ward to itself"},
		"slow":         {func(t *Topology) { t.Edges[0].Delay = time.Minute }, "delay 1m0s"},
		"half seconds": {func(t *Topology) { t.Edges[0].Boxes[0].Idle = 1500 * time.Millisecond }, "counts whole seconds"},
		"no kind":      {func(t *Topology) { t.Edges[0].Boxes[0].NAT = nil }, "box nat is 0 kinds"},
		"two kinds":    {func(t *Topology) { t.Edges[0].Boxes[0].Firewall = &Firewall{} }, "box nat is 2 kinds"},
		"no public":    {func(t *Topology) { t.Edges[0].Boxes[0].NAT = &NAT{} }, "needs its outer address"},
		"open door":    {func(t *Topology) { t.Edges[0].Boxes[1].Firewall.Refuse = Pass }, "is none"},
		"no backends":  {func(t *Topology) { t.Edges[1].Boxes[0].Balancer.Backends = nil }, "needs backends"},
		"blind probe":  {func(t *Topology) { t.Edges[1].Boxes[0].Balancer.CheckPort = 0 }, "a check needs a port"},
		"IPv6":         {func(t *Topology) { t.Segments[1].Prefix = prefix4("fd00::/64") }, "want one of IPv4"},
	} {
		topology := hospital()
		row.spoil(&topology)
		err := topology.Check()
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: Check() = %v, want %q", name, err, row.want)
		}
	}
}

func TestSegmentRunsOutOfAddresses(t *testing.T) {
	topology := Topology{
		Segments: []Segment{{"tiny", prefix4("10.0.0.0/30")}},
		Hosts:    []Host{{Name: "a", Segment: "tiny", Addr: addr("10.0.0.1")}, {Name: "b", Segment: "tiny"}},
	}
	if _, err := draw(topology); err == nil || !strings.Contains(err.Error(), "tiny (10.0.0.0/30) has no address left") {
		t.Errorf("draw = %v, want an error that names the segment", err)
	}
}

func TestHealthNeedsSomeInARow(t *testing.T) {
	var h health
	for i, step := range []struct{ ok, changed, down bool }{
		{ok: false},
		{ok: true},
		{ok: false},
		{ok: false, changed: true, down: true},
		{ok: false, down: true},
		{ok: true, down: true},
		{ok: true, down: true},
		{ok: true, changed: true},
	} {
		if changed := h.take(step.ok, 3, 2); changed != step.changed || h.down != step.down {
			t.Errorf("probe %d: changed %v, down %v, want %+v", i, changed, h.down, step)
		}
	}
}
