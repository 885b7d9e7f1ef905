// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// behind runs a test with two machines behind boxes: a of the pair, and another one.
func behind(t *testing.T, f func(t *testing.T, p pairOf, second *netem.Host), boxes ...netem.Box) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait}, boxes...)
		defer p.w.Close()
		second := p.lan.Host("second", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
		f(t, p, second)
	})
}

// gets reports whether a byte arrives within a few retransmissions.
func gets(from, to net.Conn) bool {
	_, _ = from.Write([]byte("x"))
	_ = to.SetReadDeadline(time.Now().Add(3 * time.Second))
	defer func() { _ = to.SetReadDeadline(time.Time{}) }()
	_, err := to.Read(make([]byte, 1))
	return err == nil
}

// connects reports whether a new connection to b can be made.
func (p pairOf) connects(t *testing.T, from *netem.Host) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := from.DialContext(ctx, "tcp", "b:81") // nobody listens: an answer is enough
	if err == nil {
		_ = c.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return err
}

// quiet is a connection of the pair that sends no keep-alive.
func (p pairOf) quiet(t *testing.T) (dialled, accepted net.Conn) {
	t.Helper()
	dialled, accepted = p.connect(t)
	for _, c := range []net.Conn{dialled, accepted} {
		_ = c.(*netem.Conn).SetKeepAliveConfig(net.KeepAliveConfig{})
	}
	echo(t, dialled, accepted)
	echo(t, accepted, dialled)
	return dialled, accepted
}

func TestNATFaults(t *testing.T) {
	spec := netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Expired: netem.Silence, Established: time.Hour,
		Mapping: netem.AddressPortDependent, Filtering: netem.AddressPortDependent,
	}
	t.Run("idle", func(t *testing.T) {
		nat := netem.NewNAT(spec)
		behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
			heal := p.w.Inject(netem.NATIdle{NAT: nat, Idle: 30 * time.Second})
			dialled, accepted := p.quiet(t)
			time.Sleep(29 * time.Second)
			echo(t, dialled, accepted)
			time.Sleep(31 * time.Second)
			if gets(dialled, accepted) {
				t.Error("it was remembered")
			}
			heal()
			dialled, accepted = p.quiet(t)
			time.Sleep(59 * time.Minute)
			if !gets(dialled, accepted) {
				t.Error("healed, it was forgotten")
			}
		}, nat)
	})
	t.Run("ports", func(t *testing.T) {
		nat := netem.NewNAT(spec)
		behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
			dialled, accepted := p.quiet(t)
			heal := p.w.Inject(netem.NATPorts{NAT: nat})
			if err := p.connects(t, p.a); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a new connection: %v", err)
			}
			echo(t, dialled, accepted)
			heal()
			if err := p.connects(t, p.a); err != nil {
				t.Errorf("healed: %v", err)
			}
		}, nat)
	})
	t.Run("rebind", func(t *testing.T) {
		nat := netem.NewNAT(spec)
		behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
			dialled, accepted := p.quiet(t)
			heal := p.w.Inject(netem.NATRebind{NAT: nat, Public: netip.MustParseAddr("203.0.113.8")})
			if gets(dialled, accepted) || gets(accepted, dialled) {
				t.Error("the connection outlived the address")
			}
			for _, want := range []string{"203.0.113.8", "203.0.113.7"} {
				_, accepted = p.quiet(t)
				if got := accepted.RemoteAddr().(*net.TCPAddr).IP.String(); got != want {
					t.Errorf("b sees %s, want %s", got, want)
				}
				heal()
			}
		}, nat)
	})
	t.Run("flush", func(t *testing.T) {
		nat := netem.NewNAT(spec)
		behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
			dialled, accepted := p.quiet(t)
			p.w.Inject(netem.Flush{Box: nat})
			if gets(dialled, accepted) {
				t.Error("the connection is still known")
			}
			if err := p.connects(t, p.a); err != nil {
				t.Errorf("a new one: %v", err)
			}
		}, nat)
	})
}

// TestAPortThatAnotherMachineGets: what the far end still remembers of the first machine meets a SYN of
// the second, from the same address and port.
func TestAPortThatAnotherMachineGets(t *testing.T) {
	nat := netem.NewNAT(netem.NATSpec{Public: netip.MustParseAddr("203.0.113.7"), Expired: netem.Silence})
	behind(t, func(t *testing.T, p pairOf, second *netem.Host) {
		l, err := p.b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.a.DialContext(t.Context(), "tcp", "b:80")
		if err != nil {
			t.Fatal(err)
		}
		old, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		heal := p.w.Inject(netem.NATReuse{NAT: nat})
		if _, err = second.DialContext(t.Context(), "tcp", "b:80"); err != nil {
			t.Fatal(err)
		}
		fresh, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fresh.RemoteAddr().String(), old.RemoteAddr().String(); got != want {
			t.Errorf("the second machine speaks from %s, the first spoke from %s", got, want)
		}
		if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the first machine's connection: %v", err)
		}
		if gets(first, fresh) {
			t.Error("bytes of the first machine reach the second's connection")
		}
		heal()
	}, nat)
}

// TestBytesOfAnotherConnectionLieOutsideOfTheWindow: two connections are forgotten, and the second, which
// speaks first, is taken up with the port of the first. The far end's first connection keeps to itself.
func TestBytesOfAnotherConnectionLieOutsideOfTheWindow(t *testing.T) {
	nat := netem.NewNAT(netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Established: 5 * time.Second,
	})
	behind(t, func(t *testing.T, p pairOf, second *netem.Host) {
		l, err := p.b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		var far, near []net.Conn
		for _, h := range []*netem.Host{p.a, second} {
			c, err := h.DialContext(t.Context(), "tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			near, far = append(near, c), append(far, accepted)
		}
		time.Sleep(8 * time.Second) // less than a keep-alive probe waits
		if _, err := near[1].Write([]byte("stranger")); err != nil {
			t.Fatal(err)
		}
		if err := far[0].SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		if n, err := far[0].Read(b); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the first connection got %q, %v", b[:n], err)
		}
	}, nat)
}

// TestATableThatSaysSo: a NAT that resets both ends does it at the moment when it forgets, for the
// connections that it forgets alone.
func TestATableThatSaysSo(t *testing.T) {
	nat := netem.NewNAT(netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Established: time.Minute, ResetBoth: true, Expired: netem.Silence,
	})
	behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
		dialled, accepted := p.quiet(t)
		busy, busyFar := p.quiet(t)
		began := time.Now()
		time.Sleep(30 * time.Second)
		echo(t, busy, busyFar)
		for _, c := range []net.Conn{dialled, accepted} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a quiet end: %v", err)
			}
			if d := time.Since(began); d < 59*time.Second || d > time.Minute {
				t.Errorf("told after %v, want a minute after the last packet", d)
			}
		}
		echo(t, busy, busyFar)
		if n := nat.Mappings(); n != 1 {
			t.Errorf("%d mappings are left", n)
		}
		_, _ = busy.Close(), busyFar.Close()
		time.Sleep(time.Hour)
		if w := p.w.Counts(); w.Dropped > 0 {
			t.Errorf("%d packets were dropped: a closed connection was reset", w.Dropped)
		}
	}, nat)
}

func TestFirewallFaults(t *testing.T) {
	only81 := []netem.Rule{{Direction: netem.Outward, FirstPort: 81, Action: netem.Pass}, {Direction: netem.Outward, Action: netem.Reset}}
	for _, c := range []struct {
		name                    string
		fault                   func(f *netem.Firewall) netem.Fault
		wantLives, wantConnects bool
	}{
		{"new ones alone", func(f *netem.Firewall) netem.Fault {
			return netem.FirewallRules{Firewall: f, Rules: netem.RefuseAll(netem.Silence)}
		}, true, false},
		{"existing ones too", func(f *netem.Firewall) netem.Fault {
			return netem.FirewallRules{Firewall: f, Rules: netem.RefuseAll(netem.Silence), Existing: true}
		}, false, false},
		{"a list of what may go out", func(f *netem.Firewall) netem.Fault {
			return netem.FirewallRules{Firewall: f, Rules: only81, Existing: true}
		}, false, true},
		{"flush", func(f *netem.Firewall) netem.Fault { return netem.Flush{Box: f} }, false, true},
		{"an answer that comes another way", func(f *netem.Firewall) netem.Fault {
			return netem.FirewallBlind{Firewall: f, Direction: netem.Inward}
		}, true, true}, // the RST of b: the SYN passes, and nothing more is needed
	} {
		t.Run(c.name, func(t *testing.T) {
			f := netem.NewFirewall(netem.FirewallSpec{In: netem.Silence, Stray: netem.Silence, Strict: true})
			behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
				dialled, accepted := p.quiet(t)
				heal := p.w.Inject(c.fault(f))
				if got := gets(dialled, accepted); got != c.wantLives {
					t.Errorf("the connection lives: %v", got)
				}
				if err := p.connects(t, p.a); (err == nil) != c.wantConnects {
					t.Errorf("a new one: %v", err)
				}
				heal()
				if err := p.connects(t, p.a); err != nil {
					t.Errorf("healed, a new one: %v", err)
				}
			}, f)
		})
	}
}

// TestAsymmetricRoutes: the handshake seems to work for the client, and nothing that it says arrives.
func TestAsymmetricRoutes(t *testing.T) {
	f := netem.NewFirewall(netem.FirewallSpec{In: netem.Silence, Stray: netem.Silence, Strict: true})
	behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
		heal := p.w.Inject(netem.FirewallBlind{Firewall: f, Direction: netem.Inward})
		l, err := p.b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		dialled, err := p.a.DialContext(t.Context(), "tcp", "b:80")
		if err != nil {
			t.Fatalf("the SYN and its answer pass: %v", err)
		}
		_ = dialled.SetReadDeadline(time.Now().Add(5 * time.Minute))
		_, _ = dialled.Write([]byte("x"))
		if _, err := dialled.Read(make([]byte, 1)); err == nil {
			t.Error("somebody answered")
		}
		heal()
		_ = l.Close()
		p.quiet(t)
	}, f)
}

func TestFirewallIdleFault(t *testing.T) {
	f := netem.NewFirewall(netem.FirewallSpec{In: netem.Silence, Stray: netem.Silence})
	behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
		dialled, accepted := p.quiet(t)
		heal := p.w.Inject(netem.FirewallIdle{Firewall: f, Idle: time.Minute})
		time.Sleep(61 * time.Second)
		if gets(dialled, accepted) {
			t.Error("it was remembered")
		}
		heal()
		dialled, accepted = p.quiet(t)
		time.Sleep(time.Hour)
		echo(t, dialled, accepted)
	}, f)
}

func TestGroupRulesFault(t *testing.T) {
	everything := netip.MustParsePrefix("198.51.100.0/24") // tracked, as not everybody is in it
	for _, existing := range []bool{false, true} {
		g := netem.NewSecurityGroup(netem.SecurityGroupSpec{Egress: []netem.Allow{{Peer: everything}}})
		behind(t, func(t *testing.T, p pairOf, _ *netem.Host) {
			dialled, accepted := p.quiet(t)
			heal := p.w.Inject(netem.GroupRules{Group: g, Egress: []netem.Allow{}, Existing: existing})
			if got := gets(dialled, accepted); got == existing {
				t.Errorf("existing %v: the connection lives: %v", existing, got)
			}
			if err := p.connects(t, p.a); err == nil {
				t.Error("a new one is let through")
			}
			heal()
			if err := p.connects(t, p.a); err != nil {
				t.Errorf("healed: %v", err)
			}
		}, g)
	}
}

func TestBalancerIdleFault(t *testing.T) {
	inFarm(t, 1, netem.BalancerSpec{Expired: netem.Reset}, func(t *testing.T, x *farm) {
		near, _ := x.pair(t, 0)
		heal := x.w.Inject(netem.BalancerIdle{Balancer: x.b, Idle: time.Minute})
		time.Sleep(61 * time.Second)
		_, _ = near.Write([]byte("x"))
		if err := endOf(near); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a minute: %v", err)
		}
		heal()
		near, far := x.pair(t, 0)
		time.Sleep(340 * time.Second)
		echo(t, near, far)
	})
}
