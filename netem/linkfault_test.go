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
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// flightTime is how long one flight takes from one end to the other.
func flightTime(t *testing.T, from, to net.Conn, size int) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := from.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// TestDegrade: each field does what it says while the fault lasts, and nothing afterwards.
func TestDegrade(t *testing.T) {
	const normal = 20 * time.Millisecond
	for _, c := range []struct {
		name        string
		fault       netem.Degrade
		size        int
		least, most time.Duration // of a flight
	}{
		{"a latency step", netem.Degrade{Extra: netem.Fixed(time.Second)}, 10, 1020 * time.Millisecond, 1021 * time.Millisecond},
		{"jitter", netem.Degrade{Extra: netem.Dist{Spread: time.Second}}, 10, 21 * time.Millisecond, 1020 * time.Millisecond},
		{"a rate", netem.Degrade{Rate: 8000}, 934, 1020 * time.Millisecond, 1021 * time.Millisecond}, // and 66 bytes of head
		{"up alone", netem.Degrade{OnlyUp: true, Extra: netem.Fixed(time.Second)}, 10, 1020 * time.Millisecond, 1021 * time.Millisecond},
		{"down alone", netem.Degrade{OnlyDown: true, Extra: netem.Fixed(time.Second)}, 10, normal, normal + time.Millisecond},
		{"a small flight before an MTU", netem.Degrade{MTU: 1000}, 1000, normal, normal + time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p pairOf) {
				dialled, accepted := p.connect(t)
				time.Sleep(time.Minute)
				c.fault.Edge = p.edge
				heal := p.w.Inject(c.fault)
				if d := flightTime(t, dialled, accepted, c.size); d < c.least || d > c.most {
					t.Errorf("a flight takes %v, want %v to %v", d, c.least, c.most)
				}
				heal()
				time.Sleep(time.Minute)
				if d := flightTime(t, dialled, accepted, c.size); d < normal || d > normal+time.Millisecond {
					t.Errorf("healed, it takes %v", d)
				}
			})
		})
	}
}

// TestFaultsOnOneWireAddUp: the earlier one heals first, and the later one stays.
func TestFaultsOnOneWireAddUp(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		first := p.w.Inject(netem.Degrade{Edge: p.edge, Extra: netem.Fixed(time.Second)})
		second := p.w.Inject(netem.Degrade{Host: p.a, Extra: netem.Fixed(2 * time.Second)})
		third := p.w.Inject(netem.Degrade{Edge: p.edge, Extra: netem.Fixed(4 * time.Second)})
		for i, c := range []struct {
			heal func()
			want time.Duration
		}{{first, 7 * time.Second}, {third, 6 * time.Second}, {second, 2 * time.Second}, {second, 0}} {
			if d := flightTime(t, dialled, accepted, 1).Truncate(time.Second); d != c.want {
				t.Errorf("with %d healed: %v, want %v", i, d, c.want)
			}
			c.heal()
			time.Sleep(time.Minute) // what was sent again is still on its way
		}
	})
}

func TestAnMTUSwallowsLargeFlightsForEver(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		heal := p.w.Inject(netem.Degrade{Edge: p.edge, MTU: 1000})
		_, _ = dialled.Write(make([]byte, 1001))
		_ = accepted.SetReadDeadline(time.Now().Add(2 * time.Minute))
		if n, err := accepted.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes", n)
		}
		heal()
		_ = accepted.SetReadDeadline(time.Time{})
		if _, err := io.ReadFull(accepted, make([]byte, 1001)); err != nil {
			t.Error(err)
		}
	})
}

func TestAQueueOverflowsOrBloats(t *testing.T) {
	for _, queue := range []int{100_000, 1 << 30} {
		inBubble(t, func(t *testing.T, p pairOf) {
			dialled, accepted := p.connect(t)
			p.w.Inject(netem.Degrade{Edge: p.edge, Rate: 80_000, Queue: queue}) // 10 kB a second
			before := p.w.Counts().Dropped
			if _, err := dialled.Write(make([]byte, 200_000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			dropped := p.w.Counts().Dropped - before
			if bloats := queue > 200_000; bloats != (dropped == 0) {
				t.Errorf("queue of %d: %d packets dropped", queue, dropped)
			}
			began := time.Now()
			if _, err := io.ReadFull(accepted, make([]byte, 200_000)); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(began); d < 19*time.Second {
				t.Errorf("200 kB came within %v", d)
			}
		})
	}
}

// TestAQueueDrainsAtTheRateThatRemains: what waits in a wire when a cap goes does not keep its late departure.
func TestAQueueDrainsAtTheRateThatRemains(t *testing.T) {
	for _, c := range []struct {
		name            string
		edge, near, far int64         // bits per second that stay: of the edge, of the sender, of the receiver
		least, most     time.Duration // from healing to the last of 20 flights of 1,066 bytes on the wire
	}{
		{"no rate", 0, 0, 0, 0, 21 * time.Millisecond},
		{"ten times the rate", 80_000, 0, 0, 1800 * time.Millisecond, 2500 * time.Millisecond},
		{"a lower rate", 4000, 0, 0, 35 * time.Second, 60 * time.Second},
		{"ten times the rate before", 0, 80_000, 0, 0, 1500 * time.Millisecond},
		{"ten times the rate behind", 0, 0, 80_000, 1800 * time.Millisecond, 2500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p pairOf) {
				dialled, accepted := p.connect(t)
				p.w.Inject(netem.Degrade{Edge: p.edge, Rate: c.edge})
				p.w.Inject(netem.Degrade{Host: p.a, Rate: c.near})
				p.w.Inject(netem.Degrade{Host: p.b, Rate: c.far})
				heal := p.w.Inject(netem.Degrade{Edge: p.edge, Rate: 8000})
				var want []byte
				for i := range 20 {
					flight := bytes.Repeat([]byte{byte('a' + i)}, 1000)
					want = append(want, flight...)
					if _, err := dialled.Write(flight); err != nil {
						t.Fatal(err)
					}
					time.Sleep(100 * time.Millisecond)
				}
				heal()
				began := time.Now()
				got := make([]byte, len(want))
				if _, err := io.ReadFull(accepted, got); err != nil || !bytes.Equal(got, want) {
					t.Errorf("the bytes came changed: %v", err)
				}
				if d := time.Since(began); d < c.least || d > c.most {
					t.Errorf("the queue was empty %v after the cap had gone, want %v to %v", d, c.least, c.most)
				}
			})
		})
	}
}

func TestASlicerGivesOneByteAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		heal := p.w.Inject(netem.Degrade{Edge: p.edge, Slice: true})
		_, _ = dialled.Write([]byte("hello"))
		var got []byte
		b := make([]byte, 100)
		for range 5 {
			n, err := accepted.Read(b)
			if n != 1 || err != nil {
				t.Fatalf("read %d bytes, %v", n, err)
			}
			got = append(got, b[:n]...)
		}
		heal()
		_, _ = dialled.Write([]byte("world"))
		if n, err := accepted.Read(b); n != 5 || err != nil || string(got) != "hello" {
			t.Errorf("read %q and then %d bytes, %v", got, n, err)
		}
	})
}

// losses counts, of each 100 ms of a minute, in how many a packet is lost.
func losses(t *testing.T, seed uint64, fault func(p pairOf) netem.Fault) (lost []bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: seed, Wait: synctest.Wait})
		defer p.w.Close()
		p.w.Inject(fault(p))
		for range 600 {
			before := p.w.Counts().Dropped
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if c, err := p.a.DialContext(ctx, "tcp", "b:1"); err == nil {
				_ = c.Close()
			}
			cancel()
			time.Sleep(100*time.Millisecond - p.w.Now()%(100*time.Millisecond))
			lost = append(lost, p.w.Counts().Dropped > before)
		}
	})
	return lost
}

func runs(list []bool) (share float64, longest int) {
	run, total := 0, 0
	for _, on := range list {
		if run++; !on {
			run = 0
		} else {
			total++
		}
		longest = max(longest, run)
	}
	return float64(total) / float64(len(list)), longest
}

func TestBurstsFlapsAndLoss(t *testing.T) {
	burst := func(p pairOf) netem.Fault {
		return netem.Degrade{Edge: p.edge, OnlyUp: true, Burst: netem.Burst{Every: 5 * time.Second, Length: 2 * time.Second, Share: 0.5}}
	}
	one, again, other := losses(t, 1, burst), losses(t, 1, burst), losses(t, 2, burst)
	if fmt.Sprint(one) != fmt.Sprint(again) || fmt.Sprint(one) == fmt.Sprint(other) {
		t.Error("bursts are not a function of the seed")
	}
	if share, longest := runs(one); share < 0.08 || share > 0.4 || longest < 18 || longest > 41 {
		t.Errorf("bursts: a share of %.2f is lost, at most %d in a row; want about 0.2, and 20", share, longest)
	}
	flap := losses(t, 1, func(p pairOf) netem.Fault {
		return netem.Flap{Host: p.b, Down: time.Second, Up: 2 * time.Second}
	})
	if share, longest := runs(flap); share < 0.31 || share > 0.36 || longest < 9 || longest > 11 {
		t.Errorf("flaps: a share of %.2f is lost, at most %d in a row; want 0.33, and 10", share, longest)
	}
	loss := losses(t, 1, func(p pairOf) netem.Fault { return netem.Degrade{Host: p.a, OnlyUp: true, Loss: 0.3} })
	if share, longest := runs(loss); share < 0.22 || share > 0.38 || longest > 15 {
		t.Errorf("loss: a share of %.2f is lost, at most %d in a row; want 0.3", share, longest)
	}
}

// TestTakingAFaultAwayLeavesTheRest: what is lost by one fault does not depend on another.
func TestTakingAFaultAwayLeavesTheRest(t *testing.T) {
	alone := losses(t, 1, func(p pairOf) netem.Fault { return netem.Degrade{Edge: p.edge, OnlyUp: true, Loss: 0.3} })
	beside := losses(t, 1, func(p pairOf) netem.Fault {
		p.w.Inject(netem.Degrade{Edge: p.edge, Extra: netem.Fixed(time.Millisecond)})
		return netem.Degrade{Edge: p.edge, OnlyUp: true, Loss: 0.3}
	})
	if fmt.Sprint(alone) != fmt.Sprint(beside) {
		t.Error("another fault changes what is lost")
	}
}

func TestAClogHoldsAndReleasesInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		for _, f := range []netem.Clog{{Edge: p.edge}, {Host: p.a}, {Host: p.b, OnlyDown: true}} {
			heal := p.w.Inject(f)
			for i := range 10 {
				_, _ = fmt.Fprintf(dialled, "%d", i)
				time.Sleep(100 * time.Millisecond)
			}
			_ = accepted.SetReadDeadline(time.Now().Add(9 * time.Second))
			if n, err := accepted.Read(make([]byte, 1)); err == nil {
				t.Errorf("read %d bytes through a clog", n)
			}
			_ = accepted.SetReadDeadline(time.Time{})
			before := p.w.Counts().Retransmitted
			heal()
			got := make([]byte, 10)
			began := time.Now()
			if _, err := io.ReadFull(accepted, got); err != nil || string(got) != "0123456789" {
				t.Errorf("read %q, %v", got, err)
			}
			// After its timeout a sender holds back what is new until one flight is acknowledged.
			if d := time.Since(began); d > 61*time.Millisecond || p.w.Counts().Retransmitted > before {
				t.Errorf("came %v after the clog was freed, with %d retransmissions", d, p.w.Counts().Retransmitted-before)
			}
		}
	})
}

// TestSwizzleClog: half of the machines are clogged one by one, and freed one by one in another order.
func TestSwizzleClog(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			w := netem.New(netem.Options{Seed: seed, Wait: synctest.Wait})
			defer w.Close()
			lan := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
			var hosts []*netem.Host
			for i := range 7 {
				hosts = append(hosts, lan.Host(fmt.Sprint("h", i), netem.HostSpec{Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})}))
			}
			probe := lan.Host("probe", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.99")})
			clogged := func() (list []string) {
				for _, h := range hosts {
					ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
					if _, err := probe.DialContext(ctx, "tcp", h.Name()+":1"); errors.Is(err, context.DeadlineExceeded) {
						list = append(list, h.Name())
					}
					cancel()
				}
				return list
			}
			heal := w.Inject(netem.SwizzleClog{Hosts: hosts, Step: 10 * time.Second})
			var went []string
			for step := range 4 {
				time.Sleep(5 * time.Second)
				now := clogged()
				if len(now) != step+1 {
					t.Fatalf("step %d: %v are clogged", step, now)
				}
				went = append(went, strings.Join(now, " "))
				time.Sleep(10*time.Second - w.Now()%(10*time.Second))
			}
			heal()
			for step := range 4 {
				time.Sleep(5 * time.Second)
				if now := clogged(); len(now) != 3-step {
					t.Fatalf("healing step %d: %v are clogged", step, now)
				}
				time.Sleep(5 * time.Second)
			}
			orders[strings.Join(went, ",")] = true
		})
	}
	if len(orders) < 15 {
		t.Errorf("20 seeds have %d orders", len(orders))
	}
}

func TestPartitions(t *testing.T) {
	for _, oneWay := range []bool{false, true} {
		inBubble(t, func(t *testing.T, p pairOf) {
			dialled, accepted := p.connect(t)
			heal := p.w.Inject(netem.Partition{Name: "a from b", A: []*netem.Host{p.a}, B: []*netem.Host{p.b}, OneWay: oneWay})
			arrives := func(from, to net.Conn) bool {
				_, _ = from.Write([]byte("x"))
				_ = to.SetReadDeadline(time.Now().Add(time.Second))
				_, err := to.Read(make([]byte, 1))
				return err == nil
			}
			if arrives(dialled, accepted) {
				t.Error("bytes got across")
			}
			if arrives(accepted, dialled) != oneWay {
				t.Errorf("the other way, one-way %v: %v", oneWay, !oneWay)
			}
			heal()
			_ = accepted.SetReadDeadline(time.Time{})
			if _, err := io.ReadFull(accepted, make([]byte, 1)); err != nil {
				t.Errorf("healed: %v", err)
			}
		})
	}
}

// TestTheTraceTellsFaults: what was broken, where, and when it was healed.
func TestTheTraceTellsFaults(t *testing.T) {
	var trace bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait, Trace: &trace})
		defer p.w.Close()
		broken := 0
		heal := p.w.Inject(netem.Custom{Name: "disk.full", Where: "a", Break: func() func() {
			broken++
			return func() { broken-- }
		}})
		p.w.Inject(netem.Cut{Edge: p.edge, OnlyUp: true})
		if broken != 1 {
			t.Errorf("broken %d times", broken)
		}
		heal()
		heal()
		if broken != 0 {
			t.Errorf("healed twice: %d", broken)
		}
	})
	for _, want := range []string{"disk.full", "link.cut", "lan-internet up", "fault.on", "fault.off"} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("the trace does not say %q:\n%s", want, trace.String())
		}
	}
}
