// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// gate is a source of zero bytes that stands still after so many.
type gate struct {
	left  int
	open  chan struct{}
	reads atomic.Int64
}

func (g *gate) Read(p []byte) (int, error) {
	g.reads.Add(1)
	if g.left == 0 {
		<-g.open
		return 0, io.EOF
	}
	n := min(g.left, len(p))
	g.left -= n
	return n, nil
}

// carry opens a bulk stream and writes what the source has.
func carry(ctx context.Context, t *testing.T, s *link.Session, source io.Reader) (int64, error) {
	opened, err := s.Open(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	n, err := opened.(io.ReaderFrom).ReadFrom(source)
	return n, errors.Join(err, opened.CloseWrite())
}

func TestSourceArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived := make(chan []byte, 1)
		p := join(t, fast, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			b, _ := io.ReadAll(s)
			arrived <- b
		}})
		for _, size := range []int{0, 1, 4*link.MaxDataBytes - 1, 4 * link.MaxDataBytes, 5 << 20} {
			content := randomBytes(size)
			if n, err := carry(t.Context(), t, p.caller, bytes.NewReader(content)); n != int64(size) || err != nil {
				t.Errorf("%d bytes: wrote %d, %v", size, n, err)
			}
			if b := <-arrived; !bytes.Equal(b, content) {
				t.Errorf("%d bytes: %d others arrived", size, len(b))
			}
		}
	})
}

// A transport that takes nothing must not keep a caller whose context has ended, and the source is his
// own again from then on.
func TestSourceIsLeftWhileTheTransportIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		<-p.caller.Ready()
		time.Sleep(time.Second)
		p.there.set(func() { p.there.capacity = 100 << 10 })
		p.there.set(func() { p.there.black = true })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		time.AfterFunc(time.Millisecond, func() { p.there.set(func() { p.there.capacity = 0 }) })
		began, source := time.Now(), &gate{left: 1 << 30}
		_, err := carry(ctx, t, p.caller, source)
		if took := time.Since(began); errkind.Of(err) != errkind.Timeout || took != 3*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		reads := source.reads.Load()
		closeError(t, <-p.callerDone)
		if n := source.reads.Load() - reads; n > 0 || reads < 2 {
			t.Errorf("the source was read %d times, and %d times after it was left", reads, n)
		}
	})
}

// Wherever in a piece the transport got stuck: once it takes bytes again, the source that was left is not touched.
func TestSourceThatWasLeftIsReadNoMore(t *testing.T) {
	for capacity := 64 << 10; capacity <= 160<<10; capacity += 8 << 10 {
		synctest.Test(t, func(t *testing.T) {
			p := join(t, fast, link.Options{}, link.Options{Serve: echo})
			<-p.caller.Ready()
			time.Sleep(time.Second)
			p.there.set(func() { p.there.capacity, p.there.perByte = capacity, time.Second })
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			source := &gate{left: 1 << 30}
			if _, err := carry(ctx, t, p.caller, source); errkind.Of(err) != errkind.Timeout {
				t.Errorf("%d bytes fit: %v", capacity, err)
			}
			reads := source.reads.Load()
			p.there.set(func() { p.there.capacity = 1 << 30 })
			time.Sleep(time.Second)
			if n := source.reads.Load() - reads; n > 0 {
				t.Errorf("%d bytes fit: the source was read %d times after it was left", capacity, n)
			}
		})
	}
}

// A source that stands still holds up neither other streams nor the end of the session.
func TestSourceThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: echo})
		source := &gate{left: 32 * link.MaxDataBytes, open: make(chan struct{})}
		carried := make(chan error, 1)
		go func() {
			_, err := carry(t.Context(), t, p.caller, source)
			carried <- err
		}()
		time.Sleep(time.Second)
		answer, err := call(t.Context(), p.caller, false, []byte("hello"))
		if string(answer) != "hello" || err != nil {
			t.Errorf("call: %q, %v", answer, err)
		}
		p.caller.Goodbye(link.GoodbyeStopping, 0, "")
		closeError(t, <-p.callerDone)
		close(source.open)
		if err := <-carried; errkind.Of(err) != errkind.Unavailable {
			t.Errorf("carry: %v", err)
		}
	})
}

func TestReadFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := randomBytes(3*link.BulkWindowBytes + 1)
		p := join(t, fast, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			for rest := content; len(rest) > 0; rest = rest[min(len(rest), 10_001):] {
				_, _ = s.Write(rest[:min(len(rest), 10_001)])
				time.Sleep(time.Microsecond)
			}
			_ = s.CloseWrite()
		}})
		for _, isBulk := range []bool{false, true} {
			s, err := p.caller.Open(t.Context(), isBulk)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(content)+1)
			n, err := contract.ReadFull(s, got[:len(content)-1])
			if n != len(content)-1 || err != nil {
				t.Errorf("bulk %t: %d bytes, %v", isBulk, n, err)
			}
			n, err = contract.ReadFull(s, got[len(content)-1:])
			if n != 1 || !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got[:len(content)], content) {
				t.Errorf("bulk %t: %d bytes at the end, %v", isBulk, n, err)
			}
			if n, err = contract.ReadFull(s, got[:1]); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("bulk %t: %d bytes after the end, %v", isBulk, n, err)
			}
			s.Reset("read")
		}
	})
}

func TestResetDropsWhatWasNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, s contract.Stream) {
			_, _ = s.Write([]byte("hello"))
			<-ctx.Done()
		}})
		s, err := p.caller.Open(t.Context(), true)
		if err == nil {
			_, err = s.Write([]byte("say something"))
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.Reset("enough")
		if n, err := s.Read(make([]byte, 9)); n != 0 || errkind.Of(err) != errkind.Canceled {
			t.Errorf("%d bytes after the reset, %v", n, err)
		}
	})
}
