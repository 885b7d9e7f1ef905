// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// farm is a balancer before machines in a segment of theirs, and a client far away.
type farm struct {
	w        *netem.World
	b        *netem.Balancer
	vpc      *netem.Net
	backends []*netem.Host
	doors    []net.Listener
	client   *netem.Host
}

var farmVIP = netip.MustParseAddr("203.0.113.80")

func farmAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, 0, byte(i + 1)}) }

// inFarm makes n backends. A spec without zones gets them all.
func inFarm(t *testing.T, n int, spec netem.BalancerSpec, f func(t *testing.T, x *farm)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})
		defer w.Close()
		if len(spec.Zones) == 0 {
			spec.VIP, spec.Backends = farmVIP, nil
			for i := range n {
				spec.Backends = append(spec.Backends, farmAddr(i))
			}
		}
		x := &farm{w: w, b: netem.NewBalancer(spec)}
		internet := w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
		x.vpc = w.Net("vpc", netip.MustParsePrefix("10.1.0.0/16"))
		w.Join(x.vpc, internet, netem.Symmetric(netem.LinkSpec{Latency: netem.Fixed(10 * time.Millisecond)}), x.b)
		quiet := net.KeepAliveConfig{Idle: time.Second}
		for i := range n {
			h := x.vpc.Host(fmt.Sprint("backend-", i), netem.HostSpec{Addr: farmAddr(i), KeepAlive: quiet})
			l, err := h.Listen(t.Context(), "tcp", ":443")
			if err != nil {
				t.Fatal(err)
			}
			x.backends, x.doors = append(x.backends, h), append(x.doors, l)
		}
		x.client = internet.Host("client", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.1"), KeepAlive: quiet})
		f(t, x)
	})
}

// dial connects a host to the balancer within a few seconds, or returns why not.
func (x *farm) dial(t *testing.T, from *netem.Host, vip netip.Addr) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return from.DialContext(ctx, "tcp", netip.AddrPortFrom(vip, 443).String())
}

// pair is a connection by way of the balancer to a backend.
func (x *farm) pair(t *testing.T, backend int) (near, far net.Conn) {
	t.Helper()
	heal := x.w.Inject(netem.BalancerSkew{Balancer: x.b, Backend: farmAddr(backend)})
	defer heal()
	near, err := x.dial(t, x.client, farmVIP)
	if err != nil {
		t.Fatal(err)
	}
	if far, err = x.doors[backend].Accept(); err != nil {
		t.Fatal(err)
	}
	echo(t, near, far)
	echo(t, far, near)
	return near, far
}

// endOf is how reading ends within a second, nil if it does not.
func endOf(c net.Conn) error {
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	_, err := c.Read(make([]byte, 1))
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		return nil
	}
	return err
}

func TestZonesAnswerForTheirOwnBackends(t *testing.T) {
	zones := []netem.Zone{
		{VIP: netip.MustParseAddr("203.0.113.81"), Backends: []netip.Addr{farmAddr(0)}},
		{VIP: netip.MustParseAddr("203.0.113.82"), Backends: []netip.Addr{farmAddr(1), farmAddr(2)}},
	}
	for _, cross := range []bool{false, true} {
		inFarm(t, 3, netem.BalancerSpec{Zones: zones, CrossZone: cross, FailOpen: true}, func(t *testing.T, x *farm) {
			answers := func() (list []bool) {
				for _, z := range zones {
					_, err := x.dial(t, x.client, z.VIP)
					list = append(list, err == nil)
				}
				return list
			}
			if got := answers(); !slices.Equal(got, []bool{true, true}) {
				t.Errorf("healthy: %v", got)
			}
			heal := x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(0)})
			if got := answers(); got[0] != cross || !got[1] {
				t.Errorf("zone 1 down, cross-zone %v: %v", cross, got)
			}
			if got := x.b.Addrs(); !slices.Equal(got, []netip.Addr{zones[1].VIP}) {
				t.Errorf("the name leads to %v", got)
			}
			x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(1)})
			x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(2)})
			if got := answers(); !slices.Equal(got, []bool{true, true}) {
				t.Errorf("all down: %v, want all taken for healthy", got)
			}
			heal()
			if got := answers(); !got[0] || got[1] != cross {
				t.Errorf("zone 2 down, cross-zone %v: %v", cross, got)
			}
		})
	}
}

func TestABackendReachesItselfOnlyWithAHiddenSource(t *testing.T) {
	for _, hide := range []bool{false, true} {
		inFarm(t, 2, netem.BalancerSpec{HideSource: hide}, func(t *testing.T, x *farm) {
			for to := range 2 {
				heal := x.w.Inject(netem.BalancerSkew{Balancer: x.b, Backend: farmAddr(to)})
				near, err := x.dial(t, x.backends[0], farmVIP)
				if want := hide || to == 1; (err == nil) != want {
					t.Errorf("hidden %v, from backend 0 to %d: %v", hide, to, err)
				}
				if err == nil {
					far, err := x.doors[to].Accept()
					if err != nil {
						t.Fatal(err)
					}
					echo(t, near, far)
					echo(t, far, near)
				}
				heal()
			}
		})
	}
}

// TestAPROXYHeaderComesFirst: the backend reads it before the client's bytes, whatever is lost and
// however much follows, and the client notices nothing.
func TestAPROXYHeaderComesFirst(t *testing.T) {
	for _, loss := range []float64{0, 0.2} {
		inFarm(t, 1, netem.BalancerSpec{ProxyV2: true}, func(t *testing.T, x *farm) {
			if loss > 0 {
				x.w.Inject(netem.Degrade{Host: x.client, Loss: loss})
			}
			near, err := x.client.DialContext(t.Context(), "tcp", farmVIP.String()+":443")
			if err != nil {
				t.Fatal(err)
			}
			far, err := x.doors[0].Accept()
			if err != nil {
				t.Fatal(err)
			}
			sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
			go func() {
				_, _ = near.Write(sent)
				_ = near.(*netem.Conn).CloseWrite()
			}()
			got, err := io.ReadAll(far)
			if err != nil {
				t.Fatal(err)
			}
			from := near.LocalAddr().(*net.TCPAddr).AddrPort()
			header := netem.ProxyHeader(2, from, netip.AddrPortFrom(farmVIP, 443))
			if len(header) != 28 || !bytes.Equal(got, slices.Concat(header, sent)) {
				t.Errorf("loss %v: the backend reads %d bytes that begin with %q", loss, len(got), got[:min(40, len(got))])
			}
			go func() {
				_, _ = far.Write(sent)
				_ = far.Close()
			}()
			if back, err := io.ReadAll(near); err != nil || !bytes.Equal(back, sent) {
				t.Errorf("loss %v: the client reads %d bytes, %v", loss, len(back), err)
			}
			_ = near.Close()
			time.Sleep(10 * time.Minute)
			if n := x.client.Conns() + x.backends[0].Conns(); n != 0 {
				t.Errorf("loss %v: %d ends of connections are left", loss, n)
			}
		})
	}
}

func TestAHeaderThatIsMissingOrUnexpected(t *testing.T) {
	for _, usual := range []bool{false, true} {
		inFarm(t, 1, netem.BalancerSpec{ProxyV2: usual}, func(t *testing.T, x *farm) {
			first := func() byte {
				near, err := x.dial(t, x.client, farmVIP)
				if err != nil {
					t.Fatal(err)
				}
				far, err := x.doors[0].Accept()
				if err != nil {
					t.Fatal(err)
				}
				_, _ = near.Write([]byte("x"))
				b := make([]byte, 1)
				_, _ = far.Read(b)
				return b[0]
			}
			want := map[bool]byte{false: 'x', true: '\r'}
			heal := x.w.Inject(netem.BalancerHeader{Balancer: x.b, On: !usual})
			if got := first(); got != want[!usual] {
				t.Errorf("usual %v, with the fault: %q", usual, got)
			}
			heal()
			if got := first(); got != want[usual] {
				t.Errorf("usual %v, healed: %q", usual, got)
			}
		})
	}
}

func TestDrainingEndsConnectionsAfterItsDelay(t *testing.T) {
	for _, cut := range []bool{false, true} {
		spec := netem.BalancerSpec{DrainDelay: 300 * time.Second, CutDrained: cut, Expired: netem.Reset, Idle: time.Hour}
		inFarm(t, 2, spec, func(t *testing.T, x *farm) {
			near, far := x.pair(t, 0)
			x.w.Inject(netem.BalancerDrain{Balancer: x.b, Backend: farmAddr(0)})
			time.Sleep(299 * time.Second)
			echo(t, near, far)
			time.Sleep(2 * time.Second)
			if endOf(near) != nil || endOf(far) != nil {
				t.Error("the end of draining is not silent")
			}
			_, _ = near.Write([]byte("x"))
			if err := endOf(near); errors.Is(err, syscall.ECONNRESET) != cut {
				t.Errorf("cut %v: the client's next bytes get %v", cut, err)
			}
			for range 20 {
				if _, err := x.dial(t, x.client, farmVIP); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			if n := x.backends[1].Conns(); n != 20 {
				t.Errorf("%d of 20 new connections came to the backend that stays", n)
			}
		})
	}
}

func TestAnUnhealthyBackendsConnectionsAreReset(t *testing.T) {
	for _, reset := range []bool{false, true} {
		inFarm(t, 2, netem.BalancerSpec{UnhealthyReset: reset}, func(t *testing.T, x *farm) {
			near, far := x.pair(t, 0)
			other, otherFar := x.pair(t, 1)
			x.w.Do(func() { x.b.SetHealthy(farmAddr(0), false) })
			for who, c := range map[string]net.Conn{"client": near, "backend": far} {
				if err := endOf(c); errors.Is(err, syscall.ECONNRESET) != reset {
					t.Errorf("reset %v, the %s: %v", reset, who, err)
				}
			}
			echo(t, other, otherFar)
		})
	}
}

// TestAFaultsEndIsNoVerdictOnABackend: what a health check found meanwhile, or before, holds on.
func TestAFaultsEndIsNoVerdictOnABackend(t *testing.T) {
	for _, every := range []time.Duration{0, 10 * time.Second} {
		inFarm(t, 1, netem.BalancerSpec{NoBackend: netem.Reset}, func(t *testing.T, x *farm) {
			heal := x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(0), Every: every})
			other := x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(0)})
			x.w.Do(func() { x.b.SetHealthy(farmAddr(0), false) })
			reached := func() bool {
				_, err := x.dial(t, x.client, farmVIP)
				return err == nil
			}
			time.Sleep(15 * time.Second) // the flapping one takes it for alive again
			heal()
			other()
			if reached() {
				t.Error("the faults are over, and a backend gets connections that a check found dead")
			}
			x.w.Do(func() { x.b.SetHealthy(farmAddr(0), true) })
			if !reached() {
				t.Error("a check found the backend alive, and it gets no connection")
			}
			heal = x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(0)})
			x.w.Do(func() { x.b.SetHealthy(farmAddr(0), true) })
			if reached() {
				t.Error("a check ended a fault")
			}
			heal()
			if !reached() {
				t.Error("the fault is over, the backend lives, and it gets no connection")
			}
		})
	}
}

func TestFlappingHealth(t *testing.T) {
	inFarm(t, 1, netem.BalancerSpec{NoBackend: netem.Reset}, func(t *testing.T, x *farm) {
		heal := x.w.Inject(netem.BackendDown{Balancer: x.b, Backend: farmAddr(0), Every: 10 * time.Second})
		time.Sleep(5 * time.Second)
		for i := range 6 {
			if _, err := x.dial(t, x.client, farmVIP); (err == nil) != (i%2 == 1) {
				t.Errorf("%d s after the fault: %v", 5+10*i, err)
			}
			time.Sleep(10*time.Second - (x.w.Now() % (10 * time.Second)) + 5*time.Second)
		}
		heal()
		for range 6 {
			time.Sleep(7 * time.Second)
			if _, err := x.dial(t, x.client, farmVIP); err != nil {
				t.Errorf("healed: %v", err)
			}
		}
	})
}

// TestRehashing: what was forgotten comes to the same backend while the backends are the same, and to a
// stranger, who answers with RST, when its own has gone.
func TestRehashing(t *testing.T) {
	spec, _ := netem.BalancerPreset("gcp-passthrough-ext", farmVIP)
	for _, change := range []bool{false, true} {
		inFarm(t, 3, spec, func(t *testing.T, x *farm) {
			type one struct{ near net.Conn }
			var all []one
			for range 12 {
				near, err := x.dial(t, x.client, farmVIP)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, one{near: near})
			}
			if change {
				x.w.Do(func() { x.b.SetDraining(farmAddr(0), true) })
			}
			was0 := x.backends[0].Conns()
			for _, c := range all {
				_, _ = c.near.Write([]byte("x"))
			}
			time.Sleep(2 * time.Minute)
			broken := 0
			for _, c := range all {
				_, _ = c.near.Write([]byte("y"))
				if errors.Is(endOf(c.near), syscall.ECONNRESET) {
					broken++
				}
			}
			want := 0
			if change {
				want = was0
			}
			if broken != want || was0 == 0 {
				t.Errorf("%d connections were broken, want %d of %d", broken, want, len(all))
			}
		})
	}
}

func TestAHiddenSourceAndUnevenSpread(t *testing.T) {
	inFarm(t, 2, netem.BalancerSpec{}, func(t *testing.T, x *farm) {
		seen := func() netip.Addr {
			_, far := x.pair(t, 1)
			return far.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		}
		heal := x.w.Inject(netem.BalancerHide{Balancer: x.b, On: true})
		if got := seen(); got != farmVIP {
			t.Errorf("hidden, the backend sees %s", got)
		}
		heal()
		if got := seen(); got != x.client.Addr() {
			t.Errorf("healed, the backend sees %s", got)
		}
	})
}

// TestAPortThatIsUsedAgainIsANewConnection: it goes to a backend that takes new ones.
func TestAPortThatIsUsedAgainIsANewConnection(t *testing.T) {
	b := netem.NewBalancer(netem.BalancerSpec{VIP: farmVIP, Backends: []netip.Addr{farmAddr(0), farmAddr(1)}})
	first := open("198.51.100.1:2000", "203.0.113.80:443")
	ask(t, b, asked{0, in, first, netem.Pass})
	ask(t, b, asked{1, in, packet(netem.Ending, "198.51.100.1:2000", "203.0.113.80:443"), netem.Pass})
	b.SetDraining(first.To.Addr(), true)
	second := open("198.51.100.1:2000", "203.0.113.80:443")
	ask(t, b, asked{2, in, second, netem.Pass})
	if second.To == first.To {
		t.Errorf("both came to %s, which drains", first.To)
	}
}
