// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func open(from, to string) *netem.Packet {
	return &netem.Packet{From: ap(from), To: ap(to), Kind: netem.Opening}
}

func bytesOf(from, to string) *netem.Packet {
	return &netem.Packet{From: ap(from), To: ap(to), Kind: netem.Bytes, Size: 10}
}

func natOf(s netem.NATSpec) *netem.NAT {
	s.Public = netip.MustParseAddr("203.0.113.7")
	return netem.NewNAT(s)
}

// TestNATFiltering is RFC 4787's table: who may come in through a mapping that inside made to f.
func TestNATFiltering(t *testing.T) {
	const inside, f = "192.168.0.2:5000", "198.51.100.1:80"
	for _, c := range []struct {
		filter     netem.Behaviour
		from       string
		wantAction netem.Action
	}{
		{netem.EndpointIndependent, f, netem.Pass},
		{netem.EndpointIndependent, "198.51.100.1:81", netem.Pass},
		{netem.EndpointIndependent, "198.51.100.9:80", netem.Pass},
		{netem.AddressDependent, f, netem.Pass},
		{netem.AddressDependent, "198.51.100.1:81", netem.Pass},
		{netem.AddressDependent, "198.51.100.9:80", netem.Silence},
		{netem.AddressPortDependent, f, netem.Pass},
		{netem.AddressPortDependent, "198.51.100.1:81", netem.Silence},
		{netem.AddressPortDependent, "198.51.100.9:80", netem.Silence},
	} {
		n := natOf(netem.NATSpec{Filtering: c.filter})
		out := open(inside, f)
		n.Forward(0, netem.Outward, out)
		in := open(c.from, out.From.String())
		if v := n.Forward(time.Second, netem.Inward, in); v.Action != c.wantAction {
			t.Errorf("filter %d, from %s: %+v, want %d", c.filter, c.from, v, c.wantAction)
		} else if v.Action == netem.Pass && in.To != ap(inside) {
			t.Errorf("filter %d, from %s: came to %s", c.filter, c.from, in.To)
		}
	}
}

func TestNATMapping(t *testing.T) {
	const inside = "192.168.0.2:5000"
	for _, c := range []struct {
		mapping             netem.Behaviour
		samePort, otherPort bool // is the outer port the same for another port, another address?
	}{
		{netem.EndpointIndependent, true, true},
		{netem.AddressDependent, true, false},
		{netem.AddressPortDependent, false, false},
	} {
		n := natOf(netem.NATSpec{Mapping: c.mapping})
		port := func(to string) uint16 {
			p := open(inside, to)
			if v := n.Forward(0, netem.Outward, p); v.Action != netem.Pass {
				t.Fatalf("to %s: %+v", to, v)
			}
			return p.From.Port()
		}
		first := port("198.51.100.1:80")
		if got := port("198.51.100.1:81") == first; got != c.samePort {
			t.Errorf("mapping %d: same port toward another port: %v", c.mapping, got)
		}
		if got := port("198.51.100.9:80") == first; got != c.otherPort {
			t.Errorf("mapping %d: same port toward another address: %v", c.mapping, got)
		}
	}
}

func TestNATForgetsAndRunsOut(t *testing.T) {
	const inside, far = "192.168.0.2:5000", "198.51.100.1:80"
	n := natOf(netem.NATSpec{Established: time.Minute, Transitory: 10 * time.Second, Expired: netem.Reset, FirstPort: 4000, LastPort: 4001})
	n.Forward(0, netem.Outward, open(inside, far))
	if v := n.Forward(11*time.Second, netem.Outward, bytesOf(inside, far)); v.Action != netem.Reset {
		t.Errorf("after the transitory time: %+v", v)
	}
	out := open(inside, far)
	n.Forward(20*time.Second, netem.Outward, out)
	n.Forward(21*time.Second, netem.Inward, bytesOf(far, out.From.String()))
	if v := n.Forward(80*time.Second, netem.Outward, bytesOf(inside, far)); v.Action != netem.Pass {
		t.Errorf("within the established time: %+v", v)
	}
	if v := n.Forward(80*time.Second, netem.Outward, open("192.168.0.3:1", far)); v.Action != netem.Pass {
		t.Errorf("second port: %+v", v)
	}
	n.Forward(80*time.Second, netem.Outward, open("192.168.0.4:1", far))
	full := netem.NewNAT(netem.NATSpec{Public: netip.MustParseAddr("203.0.113.7"), FirstPort: 4000, LastPort: 4000, Full: netem.Silence})
	full.Forward(0, netem.Outward, open("192.168.0.3:1", far))
	if v := full.Forward(0, netem.Outward, open("192.168.0.4:1", far)); v.Action != netem.Silence {
		t.Errorf("out of ports: %+v", v)
	}
	if v := full.Forward(time.Hour, netem.Outward, open("192.168.0.4:1", far)); v.Action != netem.Pass {
		t.Errorf("a forgotten port is not given away again: %+v", v)
	}
	n.Flush()
	if v := n.Forward(81*time.Second, netem.Inward, bytesOf(far, out.From.String())); v.Action != netem.Silence {
		t.Errorf("after a flush: %+v", v)
	}
}

func TestFirewallStates(t *testing.T) {
	const inside, far = "10.0.0.2:5000", "198.51.100.1:443"
	f := netem.NewFirewall(netem.FirewallSpec{
		Rules: []netem.Rule{{Direction: netem.Outward, FirstPort: 443, Action: netem.Pass}},
		Out:   netem.Unreachable, In: netem.Silence, Idle: time.Minute, Stray: netem.Silence, MaxStates: 1, Full: netem.Silence,
	})
	want := func(at time.Duration, d netem.Direction, p *netem.Packet, a netem.Action) {
		t.Helper()
		if v := f.Forward(at, d, p); v.Action != a {
			t.Errorf("at %v %s -> %s: %+v, want %d", at, p.From, p.To, v, a)
		}
	}
	want(0, netem.Outward, open(inside, "198.51.100.1:22"), netem.Unreachable)
	want(0, netem.Inward, open(far, inside), netem.Silence)
	want(0, netem.Outward, open(inside, far), netem.Pass)
	want(0, netem.Inward, bytesOf(far, inside), netem.Pass)
	want(0, netem.Outward, open("10.0.0.3:1", far), netem.Silence) // full
	want(50*time.Second, netem.Outward, bytesOf(inside, far), netem.Pass)
	want(111*time.Second, netem.Inward, bytesOf(far, inside), netem.Silence) // forgotten
	want(112*time.Second, netem.Outward, open(inside, far), netem.Pass)
	f.SetRules(nil, false)
	want(113*time.Second, netem.Outward, bytesOf(inside, far), netem.Pass)
	f.SetRules(nil, true)
	want(114*time.Second, netem.Outward, bytesOf(inside, far), netem.Silence)
}

func TestBalancerSpreadsDrainsAndForgets(t *testing.T) {
	one, two := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.2")
	b := netem.NewBalancer(netem.BalancerSpec{
		VIP: netip.MustParseAddr("203.0.113.80"), Backends: []netip.Addr{one, two}, Expired: netem.Reset, NoBackend: netem.Silence,
	})
	count := map[netip.Addr]int{}
	for port := range 200 {
		p := open(netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), uint16(2000+port)).String(), "203.0.113.80:443")
		b.Forward(0, netem.Inward, p)
		count[p.To.Addr()]++
	}
	if count[one] < 60 || count[two] < 60 {
		t.Errorf("uneven: %v", count)
	}
	b.SetDraining(one, true)
	b.SetHealthy(two, false)
	if v := b.Forward(0, netem.Inward, open("198.51.100.1:1999", "203.0.113.80:443")); v.Action != netem.Silence {
		t.Errorf("no backend: %+v", v)
	}
	old := bytesOf("198.51.100.1:2000", "203.0.113.80:443")
	if v := b.Forward(349*time.Second, netem.Inward, old); v.Action != netem.Pass {
		t.Errorf("an old connection: %+v", v)
	}
	back := bytesOf(old.To.String(), "198.51.100.1:2000")
	if v := b.Forward(350*time.Second, netem.Outward, back); v.Action != netem.Pass || back.From != ap("203.0.113.80:443") {
		t.Errorf("the way back: %+v from %s", v, back.From)
	}
	if v := b.Forward(800*time.Second, netem.Inward, bytesOf("198.51.100.1:2000", "203.0.113.80:443")); v.Action != netem.Reset {
		t.Errorf("idle: %+v", v)
	}
}

func TestConnectionsThroughANATAndABalancer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})
		defer w.Close()
		internet := w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
		ward, vpc := w.Net("ward", netip.MustParsePrefix("192.168.0.0/24")), w.Net("vpc", netip.MustParsePrefix("10.1.0.0/24"))
		far := netem.Symmetric(netem.LinkSpec{Latency: netem.Fixed(10 * time.Millisecond)})
		nat := natOf(netem.NATSpec{Established: 30 * time.Second, Expired: netem.Silence})
		w.Join(ward, internet, far, nat)
		for _, hide := range []bool{false, true} {
			vip := netip.MustParseAddr("203.0.113.80")
			if hide {
				vip = netip.MustParseAddr("203.0.113.81")
			}
			backend := netip.MustParseAddr("10.1.0.1")
			if hide {
				backend = netip.MustParseAddr("10.1.0.2")
			}
			w.Join(vpc, internet, far, netem.NewBalancer(netem.BalancerSpec{VIP: vip, Backends: []netip.Addr{backend}, HideSource: hide}))
			name := "server-" + vip.String()
			server := vpc.Host(name, netem.HostSpec{Addr: backend})
			agent := ward.Host("agent-"+name, netem.HostSpec{Addr: netip.AddrFrom4([4]byte{192, 168, 0, vip.As4()[3]})})
			l, err := server.Listen(t.Context(), "tcp", ":443")
			if err != nil {
				t.Fatal(err)
			}
			dialled, err := agent.DialContext(t.Context(), "tcp", vip.String()+":443")
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			seen := accepted.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
			if want := netip.MustParseAddr("203.0.113.7"); !hide && seen != want || hide && seen != vip {
				t.Errorf("the server sees %s", seen)
			}
			echo(t, dialled, accepted)
			echo(t, accepted, dialled)

			_ = dialled.(*netem.Conn).SetKeepAliveConfig(net.KeepAliveConfig{})
			_ = accepted.(*netem.Conn).SetKeepAliveConfig(net.KeepAliveConfig{})
			time.Sleep(time.Minute)
			_ = accepted.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := dialled.Write([]byte("into the void")); err != nil {
				t.Fatal(err)
			}
			if _, err := accepted.Read(make([]byte, 1)); err == nil {
				t.Error("bytes came through a NAT that has forgotten")
			}
			_, _ = dialled.Close(), accepted.Close()
		}
		if w.Counts().Dropped == 0 {
			t.Error("nothing was dropped")
		}
	})
}

func echo(t *testing.T, from, to net.Conn) {
	t.Helper()
	if _, err := from.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
}

func TestMachinesThatGoOffFreezeAndAreKilled(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		thaw := p.w.Inject(netem.Freeze{Host: p.b})
		_, _ = dialled.Write([]byte("held"))
		time.Sleep(5 * time.Second)
		thaw()
		if _, err := io.ReadFull(accepted, make([]byte, 4)); err != nil {
			t.Error(err)
		}
		boot := p.w.Inject(netem.Off{Host: p.b})
		_, _ = dialled.Write([]byte("nobody"))
		time.Sleep(5 * time.Second)
		boot()
		if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a reboot: %v, want ECONNRESET from a kernel that knows nothing", err)
		}
		dialled, _ = p.connect(t)
		p.b.Kill()
		if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a kill: %v", err)
		}
	})
}

// TestAPortThatIsUsedAgainEndsTheOldConnection: a NAT that was flushed gives a new connection the
// outer port of one that the server still remembers. Linux challenges the SYN, hears RST, and the
// next SYN gets through.
func TestAPortThatIsUsedAgainEndsTheOldConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nat := netem.NewNAT(netem.NATSpec{
			Public: netip.MustParseAddr("203.0.113.7"), FirstPort: 4000, LastPort: 4000, Expired: netem.Silence,
		})
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait}, nat)
		defer p.w.Close()
		l, err := p.b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.a.DialContext(t.Context(), "tcp", "b:80"); err != nil {
			t.Fatal(err)
		}
		old, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p.w.Do(nat.Flush)
		began := time.Now()
		if _, err := p.a.DialContext(t.Context(), "tcp", "b:80"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < time.Second || d > 2*time.Second {
			t.Errorf("connected after %v, want after the first retry of the SYN", d)
		}
		if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the old connection: %v, want ECONNRESET", err)
		}
	})
}
