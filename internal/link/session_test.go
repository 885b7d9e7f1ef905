// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// echo answers with what it reads.
func echo(_ context.Context, s contract.Stream) {
	if _, err := io.Copy(s, s); err == nil {
		_ = s.CloseWrite()
	}
}

// call sends a request and returns the whole answer.
func call(ctx context.Context, o contract.Opener, bulk bool, request []byte) ([]byte, error) {
	s, err := o.Open(ctx, bulk)
	if err != nil {
		return nil, err
	}
	defer s.Reset("done")
	if _, err := s.Write(request); err != nil {
		return nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return nil, err
	}
	return io.ReadAll(s)
}

func randomBytes(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func closeError(t *testing.T, err error) *link.CloseError {
	t.Helper()
	e, ok := errors.AsType[*link.CloseError](err)
	if !ok {
		t.Fatalf("session ended with %v: want a *CloseError", err)
	}
	return e
}

func TestContractCallOverALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mux contract.Mux
		contract.Handle(&mux, contract.ScriptStatus, func(_ context.Context, a contract.TicketArgs) (contract.TicketStatus, error) {
			if a.Ticket == "t-2" {
				return contract.TicketStatus{}, errkind.Hinted(errkind.NotFound.Errorf("no such ticket"), "look again")
			}
			return contract.TicketStatus{Ticket: a.Ticket, State: contract.Running}, nil
		})
		p := join(t, fast, link.Options{}, link.Options{
			Serve: func(ctx context.Context, s contract.Stream) { _ = mux.Serve(ctx, s) },
		})
		for range 200 {
			status, err := contract.ScriptStatus.Call(t.Context(), p.caller, contract.TicketArgs{Ticket: "t-1"})
			if err != nil || status.State != contract.Running {
				t.Fatalf("status %+v, %v", status, err)
			}
		}
		_, err := contract.ScriptStatus.Call(t.Context(), p.caller, contract.TicketArgs{Ticket: "t-2"})
		if errkind.Of(err) != errkind.NotFound || errkind.Hint(err) != "look again" {
			t.Errorf("refusal came as %v", err)
		}
	})
}

func TestBytesArriveWholeBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		want := randomBytes(5 << 20)
		var calls sync.WaitGroup
		for i, bulk := range []bool{true, false, true, false} {
			calls.Go(func() {
				s, err := p.caller.Open(t.Context(), bulk)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Reset("done")
				var sending sync.WaitGroup
				sending.Go(func() {
					source := iotest.HalfReader(bytes.NewReader(want[i:]))
					if _, err := io.Copy(s, source); err != nil {
						t.Error(err)
					}
					_ = s.CloseWrite()
				})
				hash := sha256.New()
				if n, err := io.Copy(hash, s); err != nil || n != int64(len(want)-i) {
					t.Errorf("stream %d: %d bytes came back, %v", i, n, err)
				}
				sending.Wait()
				if sum := sha256.Sum256(want[i:]); !bytes.Equal(hash.Sum(nil), sum[:]) {
					t.Errorf("stream %d: other bytes came back", i)
				}
			})
		}
		calls.Wait()
	})
}

func TestDeadPeerIsFoundWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		time.Sleep(90 * time.Second)
		for _, w := range []*wire{p.there, p.back} {
			w.set(func() { w.black = true })
		}
		cutAt := time.Now()
		for _, done := range []chan error{p.callerDone, p.servedDone} {
			e := closeError(t, <-done)
			if e.Reason != link.ReasonDead || e.Silence < 20*time.Second || errkind.Of(e) != errkind.Unavailable {
				t.Errorf("ended as %+v", e)
			}
		}
		if took := time.Since(cutAt); took > 60*time.Second {
			t.Errorf("found after %v", took)
		}
	})
}

func TestIdleLineIsKeptAliveBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{Settings: link.Settings{Phase: 3 * time.Second}}, link.Options{})
		for range 60 {
			there, back := p.there.total(), p.back.total()
			time.Sleep(26 * time.Second)
			if p.there.total() == there || p.back.total() == back {
				t.Fatalf("a direction was silent for more than 25 s")
			}
		}
		heard, roundTrip := p.caller.Heard()
		if time.Since(heard) > 26*time.Second || roundTrip <= 0 || roundTrip > time.Second {
			t.Errorf("heard %v ago, round trip %v", time.Since(heard), roundTrip)
		}
		if total := p.there.total(); total > 80+65*24 {
			t.Errorf("%d bytes in 26 idle minutes", total)
		}
	})
}

func TestControlOvertakesBulkOnASlowLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bytesPerSecond = 100 << 10
		p := join(t, bytesPerSecond, link.Options{}, link.Options{Serve: echo})
		var bulk sync.WaitGroup
		began := time.Now()
		for range 3 {
			bulk.Go(func() {
				if got, err := call(t.Context(), p.caller, true, randomBytes(900<<10)); err != nil || len(got) != 900<<10 {
					t.Errorf("bulk: %d bytes, %v", len(got), err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		for range 10 {
			sent := time.Now()
			if _, err := call(t.Context(), p.caller, false, []byte("are you well?")); err != nil {
				t.Fatal(err)
			}
			// Each way: the send buffer of 32 KiB, one record being written, one just chosen.
			if took, limit := time.Since(sent), 2*time.Second*(32+16+16)/100+100*time.Millisecond; took > limit {
				t.Errorf("a control call took %v beside bulk: want %v at most", took, limit)
			}
		}
		bulk.Wait()
		if took := time.Since(began); took < 27*time.Second || took > 40*time.Second {
			t.Errorf("2.7 MiB took %v at 100 KiB/s", took)
		}
	})
}

func TestStreamsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, _ contract.Stream) { <-ctx.Done() }})
		var open []contract.Stream
		refused := 0
		for range 500 {
			s, err := p.caller.Open(t.Context(), false)
			if errkind.Of(err) == errkind.Exhausted {
				refused++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, s)
		}
		if len(open) != link.MaxStreams || refused != 500-link.MaxStreams {
			t.Fatalf("%d open, %d refused", len(open), refused)
		}
		for _, s := range open {
			s.Reset("enough")
		}
		synctest.Wait()
		for i := range link.MaxBulkStreams + 1 {
			_, err := p.caller.Open(t.Context(), true)
			if wantErr := i == link.MaxBulkStreams; wantErr != (errkind.Of(err) == errkind.Exhausted) {
				t.Errorf("bulk stream %d: %v", i, err)
			}
		}
	})
}

func TestGoodbyeReachesThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		s, err := p.caller.Open(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		p.caller.Goodbye(link.GoodbyeBusy, 90*time.Second, "too many\nat once")
		e := closeError(t, <-p.servedDone)
		if !e.ByPeer || e.Goodbye.Code != link.GoodbyeBusy || e.RetryAfter() != 90*time.Second || e.Goodbye.Text != "too many at once" {
			t.Errorf("the servant heard %+v", e)
		}
		if e := closeError(t, <-p.callerDone); e.ByPeer || e.RetryAfter() != 0 {
			t.Errorf("the caller ended with %+v", e)
		}
		if _, err := s.Read(make([]byte, 1)); errkind.Of(err) != errkind.Unavailable {
			t.Errorf("read after the end: %v", err)
		}
		if _, err := p.caller.Open(t.Context(), false); errkind.Of(err) != errkind.Unavailable {
			t.Errorf("open after the end: %v", err)
		}
	})
}

// TestGoodbyeBeforeTheStartIsSaid sends a peer away before its session runs: who decides that does so on
// another goroutine, and may be first.
func TestGoodbyeBeforeTheStartIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there, back := newWire(fast, 32<<10), newWire(fast, 32<<10)
		caller := link.NewSession(&end{in: back, out: there}, link.Options{Role: link.Caller})
		servant := link.NewSession(&end{in: there, out: back}, link.Options{Role: link.Servant})
		caller.Goodbye(link.GoodbyeRevoked, 0, "not here")
		callerDone, servantDone := make(chan error, 1), make(chan error, 1)
		var tasks sync.WaitGroup
		defer tasks.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tasks.Go(there.pump)
		tasks.Go(back.pump)
		tasks.Go(func() { callerDone <- caller.Run(ctx) })
		tasks.Go(func() { servantDone <- servant.Run(ctx) })
		if e := closeError(t, <-servantDone); !e.ByPeer || e.Goodbye.Code != link.GoodbyeRevoked || e.Goodbye.Text != "not here" {
			t.Errorf("the peer heard %+v", e)
		}
		if e := closeError(t, <-callerDone); e.ByPeer || e.Goodbye.Code != link.GoodbyeRevoked {
			t.Errorf("the session that was told to end did so with %+v", e)
		}
	})
}

// TestGoodbyeComesBeforeTheHandlersHear stops a session whose handlers answer at the end of their
// context: children of one context hear of its end in any order, and what leaves must not depend on it.
func TestGoodbyeComesBeforeTheHandlersHear(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			const handlers = 4
			waiting := make(chan struct{}, handlers)
			p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, s contract.Stream) {
				waiting <- struct{}{}
				<-ctx.Done()
				if _, err := s.Write([]byte("late")); err == nil {
					t.Error("a handler wrote after the session's end")
				}
			}})
			for range handlers {
				s, err := p.caller.Open(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Write([]byte("go")); err != nil {
					t.Fatal(err)
				}
			}
			for range handlers {
				<-waiting
			}
			p.cancel()
			<-p.servedDone
		})
	}
}

func TestDrainFinishesWhatRuns(t *testing.T) {
	for _, who := range []string{"caller", "servant"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var moves []string
				move := link.Options{OnDrain: func(address string) { moves = append(moves, address) }}
				p := join(t, 1<<20, move, link.Options{Serve: echo, OnDrain: move.OnDrain})
				var running sync.WaitGroup
				running.Go(func() {
					if got, err := call(t.Context(), p.caller, true, randomBytes(1<<20)); err != nil || len(got) != 1<<20 {
						t.Errorf("running call: %d bytes, %v", len(got), err)
					}
				})
				time.Sleep(100 * time.Millisecond)
				drains, hears := p.caller, p.servedDone
				if who == "servant" {
					drains, hears = p.servant, p.callerDone
				}
				drains.Drain("other.example:10943")
				time.Sleep(100 * time.Millisecond)
				if _, err := p.caller.Open(t.Context(), false); errkind.Of(err) != errkind.Unavailable {
					t.Errorf("open while draining: %v", err)
				}
				running.Wait()
				if e := closeError(t, <-hears); !e.ByPeer || e.Goodbye.Code != link.GoodbyeDrained {
					t.Errorf("the other side heard %+v", e)
				}
				if len(moves) != 1 || moves[0] != "other.example:10943" {
					t.Errorf("told to move to %q", moves)
				}
			})
		})
	}
}

func TestContextEndsItsStreamAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := make(chan error, 1)
		p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, s contract.Stream) {
			<-ctx.Done()
			served <- context.Cause(ctx)
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s, err := p.caller.Open(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(s); errkind.Of(err) != errkind.Timeout {
			t.Errorf("read: %v", err)
		}
		if err := <-served; errkind.Of(err) != errkind.Canceled {
			t.Errorf("the handler's context ended with %v", err)
		}
		select {
		case <-p.caller.Done():
			t.Error("the session is over")
		default:
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := p.caller.Open(ctx, false); errkind.Of(err) != errkind.Canceled {
			t.Errorf("open with an ended context: %v", err)
		}
	})
}

func TestT12SilentPeerIsClosedAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var peer sync.WaitGroup
		defer peer.Wait()
		defer far.Close()
		peer.Go(func() { io.Copy(io.Discard, far) })
		began := time.Now()
		s := link.NewSession(near, link.Options{Role: link.Servant})
		e := closeError(t, s.Run(t.Context()))
		if e.Reason != link.ReasonSilent || errkind.Of(e) != errkind.Timeout || time.Since(began) != link.HelloLimit {
			t.Errorf("ended as %v after %v", e, time.Since(began))
		}
	})
}

func TestP4HelloDribbledByteByByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var peer sync.WaitGroup
		defer peer.Wait()
		defer far.Close()
		peer.Go(func() { io.Copy(io.Discard, far) })
		hello := append([]byte{0, 0, 0, 64, 1}, make([]byte, 75)...)
		peer.Go(func() {
			for _, b := range hello {
				time.Sleep(4 * time.Second)
				if _, err := far.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		began := time.Now()
		s := link.NewSession(near, link.Options{Role: link.Servant})
		if e := closeError(t, s.Run(t.Context())); e.Reason != link.ReasonSilent || time.Since(began) != link.HelloLimit {
			t.Errorf("ended as %v after %v", e, time.Since(began))
		}
	})
}

func TestP3P7GarbageHurtsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		var strangers sync.WaitGroup
		keeper := link.NewKeeper()
		keeping, stopKeeping := context.WithCancel(context.WithoutCancel(t.Context()))
		var keeperTask sync.WaitGroup
		defer keeperTask.Wait()
		defer stopKeeping()
		keeperTask.Go(func() { _ = keeper.Run(keeping) })
		for i := range 8 {
			strangers.Go(func() {
				for round := range 10 {
					sendGarbage(t, keeper, uint64(i), uint64(round))
				}
			})
		}
		for i := range 50 {
			want := fmt.Appendf(nil, "call %d", i)
			if got, err := call(t.Context(), p.caller, false, want); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("a good agent was not served: %q, %v", got, err)
			}
		}
		strangers.Wait()
	})
}

// sendGarbage makes one session of random bytes, which must end in a named fault.
func sendGarbage(t *testing.T, keeper *link.Keeper, seed, round uint64) {
	near, far := net.Pipe()
	var stranger sync.WaitGroup
	stranger.Go(func() { io.Copy(io.Discard, far) })
	stranger.Go(func() {
		r := rand.New(rand.NewPCG(seed, round))
		garbage := make([]byte, 16+r.IntN(4000))
		for j := range garbage {
			garbage[j] = byte(r.Uint32())
		}
		_, _ = far.Write(garbage)
	})
	s := link.NewSession(near, link.Options{Role: link.Servant, Keeper: keeper, Serve: echo})
	if e := closeError(t, s.Run(t.Context())); e.Reason != link.ReasonFault {
		t.Errorf("garbage ended as %v", e)
	}
	far.Close()
	stranger.Wait()
}

func TestStuckTransportIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		s, err := p.caller.Open(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.there.set(func() { p.there.capacity = 0 })
		began := time.Now()
		_, err = s.Write(randomBytes(1 << 20))
		if errkind.Of(err) != errkind.Unavailable {
			t.Errorf("write: %v", err)
		}
		if e := closeError(t, <-p.callerDone); e.Reason != link.ReasonStuck || time.Since(began) != link.WriteLimit {
			t.Errorf("ended as %v after %v", e, time.Since(began))
		}
	})
}

func TestW7SlowBulkStreamIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan error, 1)
		p := join(t, fast, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			_, err := io.Copy(io.Discard, s)
			_ = s.CloseWrite()
			heard <- err
		}})
		s, err := p.caller.Open(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil {
			_, err = s.Write([]byte("x"))
			time.Sleep(10 * time.Second)
		}
		if took := time.Since(began); took < link.RateWindow || took > 2*link.RateWindow {
			t.Errorf("a byte each 10 s was borne for %v", took)
		}
		if err := <-heard; errkind.Of(err) != errkind.Timeout {
			t.Errorf("the reader heard %v", err)
		}
		if _, err := call(t.Context(), p.caller, false, nil); err != nil {
			t.Errorf("the session did not live on: %v", err)
		}
	})
}

func TestRefusalIsHeardWhileTheBodyIsStillSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, 1<<20, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			_, _ = s.Write([]byte("no room"))
			_ = s.CloseWrite()
		}})
		s, err := p.caller.Open(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(randomBytes(8 << 20)); err == nil {
			t.Error("8 MiB were taken by somebody who did not read")
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != "no room" {
			t.Errorf("answer %q, %v", got, err)
		}
	})
}

func TestCutAnswerIsNeverTakenForWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, 1<<20, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			_, _ = s.Write(randomBytes(10000))
			s.Reset("broke")
			if err := s.CloseWrite(); err == nil {
				t.Error("close after reset went well")
			}
		}})
		s, err := p.caller.Open(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(s); errkind.Of(err) != errkind.Unavailable || len(got) != 10000 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if _, err := s.Write([]byte("x")); err == nil {
			t.Error("write after the peer's reset went well")
		}
	})
}

func TestRunEndsOnceAndOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		<-p.caller.Ready()
		if err := p.caller.Run(t.Context()); errkind.Of(err) != errkind.Invalid {
			t.Errorf("second run: %v", err)
		}
		began := time.Now()
		p.cancel()
		for _, done := range []chan error{p.callerDone, p.servedDone} {
			if e := closeError(t, <-done); e.Reason != link.ReasonGoodbye || e.Goodbye.Code != link.GoodbyeStopping {
				t.Errorf("ended as %v", e)
			}
		}
		if took := time.Since(began); took > link.LingerLimit+100*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}
