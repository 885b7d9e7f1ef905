// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// answerLast answers with what it reads, in one go.
func answerLast(_ context.Context, s contract.Stream) {
	if request, err := io.ReadAll(s); err == nil {
		_ = s.(*link.Stream).WriteLast(request)
	}
}

func openStream(t *testing.T, p *pair) *link.Stream {
	t.Helper()
	s, err := p.caller.Open(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*link.Stream)
}

func TestCallIsOneWriteEachWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: answerLast})
		<-p.caller.Ready()
		synctest.Wait()
		there, back := p.there.written(), p.back.written()
		for range 10 {
			s := openStream(t, p)
			synctest.Wait() // a stream that says nothing sends nothing
			if err := s.WriteLast([]byte("request")); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(s); err != nil || string(answer) != "request" {
				t.Fatalf("answer %q, %v", answer, err)
			}
			s.Reset("done")
		}
		synctest.Wait()
		if n := p.there.written() - there; n != 10 {
			t.Errorf("10 requests took %d writes", n)
		}
		if n := p.back.written() - back; n != 10 {
			t.Errorf("10 answers took %d writes", n)
		}
	})
}

// TestReadShowsTheStream: the servant learns of a stream although the caller writes nothing.
func TestReadShowsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: func(_ context.Context, s contract.Stream) {
			_ = s.(*link.Stream).WriteLast([]byte("first"))
		}})
		s := openStream(t, p)
		defer s.Reset("done")
		began := time.Now()
		if answer, err := io.ReadAll(s); err != nil || string(answer) != "first" || time.Since(began) > time.Second {
			t.Errorf("the servant's word: %q, %v after %v", answer, err, time.Since(began))
		}
	})
}

// TestSilentStreamKeepsThePings: a stream that was opened and is not used holds nothing up.
func TestSilentStreamKeepsThePings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: answerLast})
		s := openStream(t, p)
		defer s.Reset("done")
		time.Sleep(10 * time.Minute)
		select {
		case <-p.caller.Done():
			t.Errorf("the session has ended: %v", p.caller.Err())
		case <-p.servant.Done():
			t.Errorf("the session has ended: %v", p.servant.Err())
		default:
		}
	})
}

func TestWriteLastOfAnySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: answerLast})
		for _, size := range []int{0, 1, 4 << 10, 4<<10 + 1, 64 << 10, 300 << 10} {
			s := openStream(t, p)
			want := randomBytes(size)
			done := make(chan error, 1)
			go func() { done <- s.WriteLast(want) }()
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back as %d: %v", size, len(got), err)
			}
			if err := <-done; err != nil {
				t.Errorf("write %d bytes: %v", size, err)
			}
			if err := s.WriteLast([]byte("more")); errkind.Of(err) != errkind.Invalid {
				t.Errorf("write after the end: %v, want Invalid", err)
			}
			s.Reset("done")
		}
	})
}

// TestWriteLastNeverWaitsForTheTransport: a path that takes hardly a byte does not hold up the
// goroutines that send requests.
func TestWriteLastNeverWaitsForTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, 2000, link.Options{}, link.Options{Serve: answerLast})
		<-p.caller.Ready()
		synctest.Wait()
		began := time.Now()
		for range link.MaxStreams - 1 {
			s := openStream(t, p)
			defer s.Reset("done")
			if err := s.WriteLast(randomBytes(2 << 10)); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("requests of 126 KiB waited %v for a transport that takes 2 KB/s", waited)
		}
	})
}
