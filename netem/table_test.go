// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"fairlead/netem"

	"pgregory.net/rapid"
)

// passed is one packet that a box let through. A model of a table is the list of them: it looks at all
// of it for each question.
type passed struct {
	at         time.Duration
	d          netem.Direction
	k          netem.Kind
	inner, far netip.AddrPort
	port       uint16 // of a NAT
}

// limits are how long the model's tables remember.
type limits struct{ open, transitory time.Duration }

// remembered reports whether a connection with this history is still known at now.
func (l limits) remembered(h []passed, now time.Duration) bool {
	if len(h) == 0 {
		return false
	}
	last := time.Duration(0)
	for _, p := range h {
		last = max(last, p.at)
	}
	begin := 0 // the last SYN begins anew
	for i, p := range h {
		if p.k == netem.Opening {
			begin = i
		}
	}
	life := h[begin:]
	both, ends := false, false
	opener, answered := life[0].d, false
	for _, p := range life {
		switch {
		case p.k == netem.Ending, p.k == netem.Resetting:
			ends = true
		case p.d != opener && p.k == netem.Answering:
			answered = true
		case p.d != opener && !answered, p.d == opener && answered:
			both = true
		}
	}
	if both && !ends {
		return now-last <= l.open
	}
	return now-last <= l.transitory
}

// drawn is a packet, the time that passes before it, and its way.
type drawn struct {
	wait       time.Duration
	d          netem.Direction
	k          netem.Kind
	inner, far netip.AddrPort
	port       uint16 // of a NAT, inward: 0 is the one that the connection had last
}

// GoString is how rapid tells what it has drawn.
func (x drawn) GoString() string {
	way := map[netem.Direction]string{netem.Outward: "->", netem.Inward: "<-"}[x.d]
	return fmt.Sprintf("{%v %s %s %s %s by %d}", x.wait, x.k, x.inner, way, x.far, x.port)
}

// draws are few addresses, and times at and just past the limits, so that they meet; every third draw is a
// whole handshake. Time goes a little back now and then.
func draws(rt *rapid.T) (all []drawn) {
	waits := []time.Duration{
		0, 0, 0, -20 * time.Millisecond, time.Second, 10 * time.Second, 10*time.Second + 1, time.Minute, time.Minute + 1,
	}
	kinds := []netem.Kind{
		netem.Opening, netem.Answering, netem.Acknowledging, netem.Bytes, netem.Bytes, netem.Ending, netem.Resetting,
	}
	one := rapid.Custom(func(rt *rapid.T) []drawn {
		x := drawn{
			wait:  rapid.SampledFrom(waits).Draw(rt, "wait"),
			k:     rapid.SampledFrom(kinds).Draw(rt, "kind"),
			d:     netem.Direction(rapid.IntRange(0, 1).Draw(rt, "way")),
			inner: ap(fmt.Sprintf("10.0.0.%d:4000", rapid.IntRange(2, 3).Draw(rt, "inner"))),
			far:   ap(fmt.Sprintf("198.51.100.%d:%d", rapid.IntRange(1, 2).Draw(rt, "far"), rapid.IntRange(80, 81).Draw(rt, "far port"))),
			port:  uint16(rapid.SampledFrom([]int{0, 0, 4000, 4001}).Draw(rt, "outer port")),
		}
		if rapid.IntRange(0, 2).Draw(rt, "handshake") > 0 {
			return []drawn{x}
		}
		x.k = netem.Opening
		answer, last := x, x
		answer.wait, answer.k, answer.d = 0, netem.Answering, 1-x.d
		last.wait, last.k = 0, netem.Acknowledging
		return []drawn{x, answer, last}
	})
	for _, list := range rapid.SliceOfN(one, 1, 60).Draw(rt, "packets") {
		all = append(all, list...)
	}
	return all
}

// TestAFirewallIsWhatItsHistorySays compares the table with a model that keeps all packets.
func TestAFirewallIsWhatItsHistorySays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := netem.FirewallSpec{
			Rules: []netem.Rule{{Direction: netem.Outward, FirstPort: 81, Action: netem.Reset}},
			In:    rapid.SampledFrom([]netem.Action{netem.Pass, netem.Silence}).Draw(rt, "in"),
			Idle:  time.Minute, Transitory: 10 * time.Second,
			Stray:  rapid.SampledFrom([]netem.Action{netem.Pass, netem.Silence, netem.Reset}).Draw(rt, "stray"),
			Strict: rapid.Bool().Draw(rt, "strict"),
		}
		f := netem.NewFirewall(spec)
		life := limits{time.Minute, 10 * time.Second}
		type key struct{ inner, far netip.AddrPort }
		history := map[key][]passed{}
		now := time.Hour
		for i, x := range draws(rt) {
			now += x.wait
			k := key{x.inner, x.far}
			from, to := x.inner, x.far
			if x.d == netem.Inward {
				from, to = to, from
			}
			if !life.remembered(history[k], now) {
				history[k] = nil
			}
			want := firewallModel(spec, history[k], x)
			if want == netem.Pass {
				history[k] = append(history[k], passed{at: now, d: x.d, k: x.k})
			}
			if v := f.Forward(now, x.d, packet(x.k, from.String(), to.String())); v.Action != want {
				rt.Fatalf("packet %d, %s %s -> %s at %v: %+v, want %d", i, x.k, from, to, now, v, want)
			}
		}
	})
}

func firewallModel(spec netem.FirewallSpec, h []passed, x drawn) netem.Action {
	if len(h) == 0 {
		switch {
		case x.k != netem.Opening && spec.Stray != netem.Pass:
			return spec.Stray
		case x.d == netem.Inward:
			return spec.In
		case x.far.Port() == 81:
			return netem.Reset
		}
		return netem.Pass
	}
	begin := 0
	for i, p := range h {
		if p.k == netem.Opening {
			begin = i
		}
	}
	oneWay := true // and nothing but what opens it
	for _, p := range h[begin:] {
		oneWay = oneWay && p.d == h[begin].d && p.k != netem.Ending && p.k != netem.Resetting
	}
	if spec.Strict && oneWay && x.d == h[begin].d && x.k != netem.Opening && x.k != netem.Resetting {
		return max(spec.Stray, netem.Silence)
	}
	return netem.Pass
}

// TestANATIsWhatItsHistorySays compares the table with a model that keeps all packets. Which port a new
// mapping gets is the table's choice, within bounds.
func TestANATIsWhatItsHistorySays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SampledFrom([]netem.Behaviour{
			netem.EndpointIndependent, netem.AddressDependent, netem.AddressPortDependent,
		})
		m := natModel{began: map[uint16]netip.AddrPort{}, limits: limits{time.Minute, 10 * time.Second}, spec: netem.NATSpec{
			Public: netip.MustParseAddr("203.0.113.7"), Mapping: kinds.Draw(rt, "mapping"), Filtering: kinds.Draw(rt, "filtering"),
			Established: time.Minute, Transitory: 10 * time.Second, FirstPort: 4000, LastPort: 4003,
			Expired: rapid.SampledFrom([]netem.Action{netem.Pass, netem.Silence, netem.Reset}).Draw(rt, "expired"),
		}}
		n := netem.NewNAT(m.spec)
		m.now = time.Hour
		for i, x := range draws(rt) {
			m.now += x.wait
			m.latest = max(m.latest, m.now)
			if m.doubtful() {
				continue
			}
			step := m.outward
			p := packet(x.k, x.inner.String(), x.far.String())
			if x.d == netem.Inward {
				step = m.inward
				x.port = m.lastPort(x)
				p = packet(x.k, x.far.String(), netip.AddrPortFrom(m.spec.Public, x.port).String())
			}
			v := n.Forward(m.now, x.d, p)
			if complaint := step(x, p, v); complaint != "" {
				rt.Fatalf("packet %d, %#v at %v: %+v: %s", i, x, m.now, v, complaint)
			}
		}
	})
}

// natModel is all packets that passed a NAT.
type natModel struct {
	limits
	spec netem.NATSpec
	now  time.Duration
	all  []passed
	// latest is the latest time that the table was told.
	latest time.Duration
	// began is the far end that a port was first used for: with most mappings, the one it is for.
	began map[uint16]netip.AddrPort
}

// session is the history of one connection through one mapping since it was forgotten last.
func (m *natModel) session(inner, far netip.AddrPort, port uint16) (h []passed) {
	for _, p := range m.all {
		if p.inner != inner || p.far != far || p.port != port {
			continue
		}
		if !m.remembered(h, p.at) {
			h = nil
		}
		h = append(h, p)
	}
	return h
}

// lastPort is what an inward packet goes to.
func (m *natModel) lastPort(x drawn) uint16 {
	for _, p := range slices.Backward(m.all) {
		if x.port == 0 && p.inner == x.inner && p.far == x.far {
			return p.port
		}
	}
	return max(x.port, m.spec.FirstPort)
}

// live lists the connections that are remembered now.
func (m *natModel) live() (list []passed) {
	seen := map[string]bool{}
	for _, p := range m.all {
		name := fmt.Sprint(p.inner, p.far, p.port)
		if !seen[name] && m.remembered(m.session(p.inner, p.far, p.port), m.now) {
			list = append(list, p)
		}
		seen[name] = true
	}
	return list
}

// doubtful reports whether time has gone back to before a connection was forgotten. The table may have
// noticed already, or not.
func (m *natModel) doubtful() bool {
	then := *m
	then.now = m.latest
	return len(then.live()) != len(m.live())
}

// alike reports whether two far ends are one to a behaviour.
func alike(b netem.Behaviour, x, y netip.AddrPort) bool {
	switch b {
	case netem.EndpointIndependent:
		return true
	case netem.AddressDependent:
		return x.Addr() == y.Addr()
	}
	return x == y
}

func (m *natModel) outward(x drawn, p *netem.Packet, v netem.Verdict) (complaint string) {
	mapped, known := uint16(0), false
	inUse := map[uint16]bool{}
	for _, l := range m.live() {
		inUse[l.port] = true
		switch {
		case l.inner != x.inner:
		case l.far == x.far: // whoever began it, and by whichever port
			mapped, known = l.port, true
		case !known && alike(m.spec.Mapping, m.began[l.port], x.far):
			mapped = l.port
		}
	}
	switch {
	case !known && x.k != netem.Opening && m.spec.Expired != netem.Pass:
		if v.Action != m.spec.Expired {
			return "a packet of no known connection"
		}
		return ""
	case mapped == 0 && len(inUse) == 4:
		if v.Action != netem.Silence {
			return "a port where none is left"
		}
		return ""
	case v.Action != netem.Pass:
		return "refused"
	}
	port := p.From.Port()
	switch {
	case p.From.Addr() != m.spec.Public || p.To != x.far:
		return fmt.Sprintf("translated to %s -> %s", p.From, p.To)
	case mapped != 0 && port != mapped:
		return fmt.Sprintf("port %d, and the mapping has %d", port, mapped)
	case mapped == 0 && inUse[port]:
		return fmt.Sprintf("port %d is another's", port)
	case port < m.spec.FirstPort || port > m.spec.LastPort:
		return fmt.Sprintf("port %d", port)
	}
	if !inUse[port] {
		m.began[port] = x.far
	}
	m.all = append(m.all, passed{at: m.now, d: x.d, k: x.k, inner: x.inner, far: x.far, port: port})
	return ""
}

func (m *natModel) inward(x drawn, p *netem.Packet, v netem.Verdict) (complaint string) {
	inner, admitted, known := netip.AddrPort{}, false, false
	live := m.live()
	for _, l := range live {
		if l.port == x.port {
			inner = l.inner
			admitted = admitted || alike(m.spec.Filtering, l.far, x.far)
			known = known || l.far == x.far
		}
	}
	clash := slices.ContainsFunc(live, func(l passed) bool { return l.inner == inner && l.far == x.far && l.port != x.port })
	if want := known || admitted && x.k == netem.Opening && !clash; want != (v.Action == netem.Pass) {
		return fmt.Sprintf("let in, want %v", want)
	}
	if v.Action != netem.Pass {
		return ""
	}
	if p.To != inner {
		return fmt.Sprintf("led to %s, want %s", p.To, inner)
	}
	m.all = append(m.all, passed{at: m.now, d: x.d, k: x.k, inner: inner, far: x.far, port: x.port})
	return ""
}
