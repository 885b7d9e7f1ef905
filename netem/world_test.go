// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"bytes"
	"context"
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

// pairOf is two machines 20 ms apart.
type pairOf struct {
	w    *netem.World
	a, b *netem.Host
	lan  *netem.Net
	edge *netem.Edge
}

func inBubble(t *testing.T, f func(t *testing.T, p pairOf)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait})
		defer p.w.Close()
		f(t, p)
	})
}

func newPair(o netem.Options, boxes ...netem.Box) pairOf {
	w := netem.New(o)
	lan := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
	internet := w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
	p := pairOf{w: w, lan: lan}
	p.edge = w.Join(lan, internet, netem.Symmetric(netem.LinkSpec{Latency: netem.Fixed(20 * time.Millisecond)}), boxes...)
	p.a = lan.Host("a", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.1")})
	p.b = internet.Host("b", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.2")})
	return p
}

func (p pairOf) connect(t *testing.T) (dialled, accepted net.Conn) {
	t.Helper()
	l, err := p.b.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	dialled, err = p.a.DialContext(t.Context(), "tcp", "b:80")
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dialled, accepted
}

func TestBytesArriveAfterTheLatency(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		began := time.Now()
		if _, err := dialled.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		var got [5]byte
		if _, err := io.ReadFull(accepted, got[:]); err != nil || string(got[:]) != "hello" {
			t.Fatalf("read %q, %v", got, err)
		}
		if d := time.Since(began); d < 20*time.Millisecond || d > 21*time.Millisecond {
			t.Errorf("took %v, want 20 ms", d)
		}
	})
}

func TestDialErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		within := func(d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			t.Cleanup(cancel)
			return ctx
		}
		_, err := p.a.DialContext(t.Context(), "tcp", "b:81")
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		_, err = p.a.DialContext(t.Context(), "tcp", "nowhere:80")
		if dns, is := errors.AsType[*net.DNSError](err); !is || !dns.IsNotFound {
			t.Errorf("unknown name: %v", err)
		}
		_, err = p.a.DialContext(t.Context(), "tcp", "10.0.0.77:80")
		if !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("no such host: %v", err)
		}
		heal := p.w.Inject(netem.Cut{Edge: p.edge})
		_, err = p.a.DialContext(within(15*time.Second), "tcp", "b:80")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut, with a limit: %v", err)
		}
		began := time.Now()
		_, err = p.a.DialContext(t.Context(), "tcp", "b:80")
		if !errors.Is(err, syscall.ETIMEDOUT) || time.Since(began).Round(time.Second) != 127*time.Second {
			t.Errorf("cut: %v after %v, want ETIMEDOUT after 127 s", err, time.Since(began))
		}
		heal()
		if _, err = p.a.DialContext(t.Context(), "tcp", "b:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("healed: %v", err)
		}
	})
}

func TestAShortCutDelaysAndALongOneEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		heal := p.w.Inject(netem.Cut{Edge: p.edge})
		if _, err := dialled.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		heal()
		began := time.Now()
		if _, err := io.ReadFull(accepted, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d == 0 || d > 10*time.Second {
			t.Errorf("arrived %v after the cut healed, want within the next retransmission", d)
		}
		p.w.Inject(netem.Cut{Edge: p.edge})
		began = time.Now()
		if _, err := dialled.Write([]byte("y")); err != nil {
			t.Fatal(err)
		}
		_, err := dialled.Read(make([]byte, 1))
		if d := time.Since(began); !errors.Is(err, syscall.ETIMEDOUT) || d < 10*time.Minute || d > 20*time.Minute {
			t.Errorf("read: %v after %v, want ETIMEDOUT after about 15 min", err, d)
		}
		_, err = accepted.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("the other end: %v, want ETIMEDOUT by keep-alive", err)
		}
	})
}

func TestEndsOfAConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		t.Log("half-close")
		dialled, accepted := p.connect(t)
		if err := dialled.(*netem.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := accepted.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after CloseWrite: %v, want EOF", err)
		}
		if _, err := dialled.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		if _, err := accepted.Write([]byte("back")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(dialled, make([]byte, 4)); err != nil {
			t.Errorf("the other direction: %v", err)
		}
		_, _ = accepted.Close(), dialled.Close()
		time.Sleep(2 * time.Minute)
		if n := p.a.Conns() + p.b.Conns(); n != 0 {
			t.Errorf("%d connections are left", n)
		}

		t.Log("data to a closed socket")
		dialled, accepted = p.connect(t)
		_ = accepted.Close()
		if _, err := dialled.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := dialled.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v, want ECONNRESET", err)
		}

		t.Log("close with bytes unread")
		dialled, accepted = p.connect(t)
		_, _ = dialled.Write([]byte("x"))
		time.Sleep(time.Second)
		_ = accepted.Close()
		if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want ECONNRESET", err)
		}
	})
}

func TestAFullBufferHoldsTheWriterUntilSomebodyReads(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, accepted := p.connect(t)
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
		go func() {
			if _, err := dialled.Write(want); err != nil {
				t.Error(err)
			}
			_ = dialled.Close()
		}()
		time.Sleep(time.Hour)
		got, err := io.ReadAll(accepted)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
		}
	})
}

func TestDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		dialled, _ := p.connect(t)
		_ = dialled.SetReadDeadline(time.Now().Add(3 * time.Second))
		began := time.Now()
		_, err := dialled.Read(make([]byte, 1))
		if timeout, is := errors.AsType[net.Error](err); !is || !timeout.Timeout() {
			t.Errorf("read: %v", err)
		}
		if d := time.Since(began).Round(time.Millisecond); d != 3*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestLossAndReorderingDoNotReachTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 3, Wait: synctest.Wait})
		defer p.w.Close()
		dialled, accepted := p.connect(t)
		p.w.Inject(netem.Degrade{Edge: p.edge, Loss: 0.2, Extra: netem.Dist{Spread: 30 * time.Millisecond}})
		want := bytes.Repeat([]byte("lossy "), 100000)
		go func() {
			for b := want; len(b) > 0; b = b[min(len(b), 1000):] {
				_, _ = dialled.Write(b[:min(len(b), 1000)])
				time.Sleep(time.Millisecond)
			}
			_ = dialled.Close()
		}()
		got, err := io.ReadAll(accepted)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
		}
		if c := p.w.Counts(); c.Retransmitted == 0 {
			t.Error("nothing was retransmitted")
		}
	})
}
