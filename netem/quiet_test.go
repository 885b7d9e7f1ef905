// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// TestQuietEventsChangeNothing lives through the same quarter of an hour twice: once the loop gets up for
// every event, once only for those that a program notices.
func TestQuietEventsChangeNothing(t *testing.T) {
	saved := uint64(0)
	for seed := range uint64(40) {
		want, every := quarter(t, seed, true)
		got, some := quarter(t, seed, false)
		if got != want {
			t.Errorf("seed %d: %+v, want %+v", seed, got, want)
		}
		if every.Events != some.Events || every.Retransmitted != some.Retransmitted {
			t.Errorf("seed %d: %+v, want %+v", seed, some, every)
		}
		saved += every.Rounds - some.Rounds
	}
	t.Logf("%d rounds saved", saved)
	if saved < 5_000 {
		t.Errorf("the loop saved %d rounds: it gets up for nearly everything", saved)
	}
}

// quarter is two machines behind a NAT that talk to a third, over a path that breaks in all ways.
func quarter(t *testing.T, seed uint64, wakeful bool) (d netem.Digest, counts netem.Counts) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		nat := netem.NewNAT(netem.NATSpec{
			Public: netip.MustParseAddr("203.0.113.7"), Established: 50 * time.Second, Expired: netem.Action(seed % 3),
		})
		p := newPair(netem.Options{Seed: seed, Wait: synctest.Wait, SendBuffer: 4 << 10, ReceiveBuffer: 4 << 10}, nat)
		if wakeful {
			p.w.KeepAwake()
		}
		ctx, stop := context.WithCancel(t.Context())
		var owned sync.WaitGroup
		l, err := p.b.Listen(ctx, "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		owned.Go(func() { serveEcho(&owned, l) })
		other := p.lan.Host("c", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
		for i, h := range []*netem.Host{p.a, other} {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			owned.Go(func() { chatter(ctx, h, r) })
		}
		breakPath(p, nat, rand.New(rand.NewPCG(seed, 9)))
		stop()
		_ = l.Close()
		time.Sleep(time.Minute)
		p.w.Close()
		owned.Wait()
		counts = p.w.Counts()
		if d, err = p.w.Digest(); err != nil {
			t.Error(err)
		}
	})
	return d, counts
}

// breakPath breaks and heals something ten times.
func breakPath(p pairOf, nat *netem.NAT, r *rand.Rand) {
	faults := []netem.Fault{
		netem.Cut{Edge: p.edge},
		netem.Cut{Edge: p.edge, OnlyUp: true},
		netem.Cut{Edge: p.edge, OnlyDown: true},
		netem.Degrade{Edge: p.edge, Loss: 0.3},
		netem.Degrade{Edge: p.edge, Extra: netem.Dist{Tail: 300 * time.Millisecond}},
		netem.Degrade{Edge: p.edge, Rate: 16_000},
		netem.Freeze{Host: p.a},
		netem.Clog{Edge: p.edge},
	}
	for range 10 {
		time.Sleep(time.Duration(r.Int64N(int64(90 * time.Second))))
		if r.IntN(4) == 0 {
			p.w.Do(nat.Flush)
			continue
		}
		heal := p.w.Inject(faults[r.IntN(len(faults))])
		time.Sleep(time.Duration(r.Int64N(int64(20 * time.Second))))
		heal()
	}
}

func serveEcho(owned *sync.WaitGroup, l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		owned.Go(func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		})
	}
}

// chatter says something of some length, reads it back, and is silent for a while, again and again.
func chatter(ctx context.Context, h *netem.Host, r *rand.Rand) {
	for ctx.Err() == nil {
		conn, err := h.DialContext(ctx, "tcp", "b:80")
		if err != nil {
			pauseFor(ctx, time.Duration(r.Int64N(int64(10*time.Second))))
			continue
		}
		end := context.AfterFunc(ctx, func() { _ = conn.Close() })
		for ctx.Err() == nil {
			text := fmt.Append(nil, r.Uint64(), string(make([]byte, r.IntN(3<<10))))
			_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
			if _, err := conn.Write(text); err != nil {
				break
			}
			if _, err := io.ReadFull(conn, text); err != nil {
				break
			}
			pauseFor(ctx, time.Duration(r.Int64N(int64(40*time.Second))))
		}
		end()
		_ = conn.Close()
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
