// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// half is one direction of a stream: it keeps what was written until it is read.
type half struct {
	mu     sync.Mutex
	change *sync.Cond
	data   []byte
	ended  bool
	reset  bool
}

func newHalf() *half {
	h := new(half)
	h.change = sync.NewCond(&h.mu)
	return h
}

var errReset = errkind.Unavailable.Errorf("stream was reset")

func (h *half) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data) == 0 && !h.ended && !h.reset {
		h.change.Wait()
	}
	switch {
	case len(h.data) > 0:
		n := copy(p, h.data)
		h.data = h.data[n:]
		h.change.Broadcast()
		return n, nil
	case h.ended:
		return 0, io.EOF
	}
	return 0, errReset
}

// maxHalf is how many bytes a direction takes before a writer waits.
const maxHalf = 256 << 10

func (h *half) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data) >= maxHalf && !h.reset {
		h.change.Wait()
	}
	if h.reset || h.ended {
		return 0, errReset
	}
	h.data = append(h.data, p...)
	h.change.Broadcast()
	return len(p), nil
}

func (h *half) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.change.Broadcast()
}

// end is one end of a stream.
type end struct{ in, out *half }

func (e end) Read(p []byte) (int, error)  { return e.in.Read(p) }
func (e end) Write(p []byte) (int, error) { return e.out.Write(p) }

func (e end) CloseWrite() error {
	e.out.set(func() { e.out.ended = true })
	return nil
}

// Reset drops what nobody will read; what was ended before is still delivered.
func (e end) Reset(string) {
	e.in.set(func() { e.in.reset, e.in.data = true, nil })
	e.out.set(func() { e.out.reset = true })
}

// line opens streams that a mux serves.
type line struct {
	mux    *contract.Mux
	group  sync.WaitGroup
	mu     sync.Mutex
	bulk   []bool
	served []error
}

func (l *line) Open(ctx context.Context, bulk bool) (contract.Stream, error) {
	there, back := newHalf(), newHalf()
	l.mu.Lock()
	l.bulk = append(l.bulk, bulk)
	l.mu.Unlock()
	l.group.Go(func() {
		err := l.mux.Serve(ctx, end{in: there, out: back})
		l.mu.Lock()
		defer l.mu.Unlock()
		l.served = append(l.served, err)
	})
	return end{in: back, out: there}, nil
}

func TestCalls(t *testing.T) {
	var mux contract.Mux
	contract.Handle(&mux, contract.ScriptStatus, func(_ context.Context, a contract.TicketArgs) (contract.TicketStatus, error) {
		if a.Ticket == "t-0" {
			return contract.TicketStatus{}, errkind.Hinted(errkind.Denied.Errorf("ticket %s", a.Ticket), "ask %s", "nobody")
		}
		return contract.TicketStatus{Ticket: a.Ticket, State: contract.Running, LogEnd: 7}, nil
	})
	contract.HandleStream(&mux, contract.BlobPut, func(_ context.Context, c *contract.Call[contract.BlobPutArgs, contract.BlobState]) error {
		if c.Args.Offset > 0 {
			return errkind.Exhausted.Errorf("no space") // without reading the body
		}
		n, err := io.Copy(io.Discard, c.Body)
		if err != nil {
			return err
		}
		_, err = c.Reply(contract.BlobState{Offset: n})
		return err
	})
	contract.HandleStream(&mux, contract.FileGet, func(_ context.Context, c *contract.Call[contract.FileGetArgs, contract.FileInfo]) error {
		w, err := c.Reply(contract.FileInfo{Size: 5})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, "12345"); err != nil || c.Args.Path == "" {
			return errors.Join(err, errkind.Internal.Errorf("broke after the answer began"))
		}
		return nil
	})
	l := &line{mux: &mux}
	defer l.group.Wait()

	t.Run("answers", func(t *testing.T) {
		status, err := contract.ScriptStatus.Call(t.Context(), l, contract.TicketArgs{Ticket: "t-1"})
		if want := (contract.TicketStatus{Ticket: "t-1", State: contract.Running, LogEnd: 7}); err != nil || status != want {
			t.Fatalf("%+v, %v", status, err)
		}
	})
	t.Run("an error keeps kind, text and hint", func(t *testing.T) {
		_, err := contract.ScriptStatus.Call(t.Context(), l, contract.TicketArgs{Ticket: "t-0"})
		if errkind.Of(err) != errkind.Denied || err.Error() != "ticket t-0" || errkind.Hint(err) != "ask nobody" {
			t.Fatalf("%v, hint %q", err, errkind.Hint(err))
		}
	})
	t.Run("bytes follow the question", func(t *testing.T) {
		state, err := contract.BlobPut.Send(t.Context(), l, contract.BlobPutArgs{}, bytes.NewReader(make([]byte, 1<<20)))
		if err != nil || state.Offset != 1<<20 {
			t.Fatalf("%+v, %v", state, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.bulk[len(l.bulk)-1] || l.bulk[0] {
			t.Errorf("bulk is %v", l.bulk)
		}
	})
	t.Run("an early refusal is heard", func(t *testing.T) {
		_, err := contract.BlobPut.Send(t.Context(), l, contract.BlobPutArgs{Offset: 1}, bytes.NewReader(make([]byte, 8<<20)))
		if errkind.Of(err) != errkind.Exhausted {
			t.Fatalf("%v, want the agent's Exhausted", err)
		}
	})
	t.Run("bytes follow the answer", func(t *testing.T) {
		answer, err := contract.FileGet.Exchange(t.Context(), l, contract.FileGetArgs{Path: "a"}, nil)
		must(t, err)
		defer answer.Close()
		if text, err := io.ReadAll(answer); err != nil || string(text) != "12345" || answer.Result.Size != 5 {
			t.Fatalf("%q, %v", text, err)
		}
	})
	t.Run("a late error is no clean end", func(t *testing.T) {
		answer, err := contract.FileGet.Exchange(t.Context(), l, contract.FileGetArgs{}, nil)
		if err == nil {
			defer answer.Close()
			_, err = io.ReadAll(answer)
		}
		if err == nil {
			t.Fatal("read to a clean end")
		}
	})
	t.Run("W9 unknown method", func(t *testing.T) {
		_, err := contract.Method[contract.Nothing, contract.Nothing]{Name: "agent.upgrade"}.Call(t.Context(), l, contract.Nothing{})
		if errkind.Of(err) != errkind.NotFound || !strings.Contains(err.Error(), "agent.upgrade") {
			t.Fatalf("%v, want NotFound with the name", err)
		}
	})
	t.Run("W5 arguments of another method", func(t *testing.T) {
		wrong := contract.Method[contract.BlobArgs, contract.TicketStatus]{Name: contract.ScriptStatus.Name}
		if _, err := wrong.Call(t.Context(), l, contract.BlobArgs{}); errkind.Of(err) != errkind.Corrupt {
			t.Fatalf("%v, want Corrupt", err)
		}
	})
	t.Run("arguments beyond the limit are not sent", func(t *testing.T) {
		args := contract.HelloArgs{Machine: strings.Repeat("x", contract.MaxHeadBytes)}
		if _, err := contract.Hello.Call(t.Context(), l, args); errkind.Of(err) != errkind.Exhausted {
			t.Fatalf("%v, want Exhausted", err)
		}
	})
	t.Run("a body that cannot be read ends the call", func(t *testing.T) {
		broken := io.MultiReader(strings.NewReader("some"), iotest.ErrReader(errkind.Denied.Errorf("no such disk")))
		if _, err := contract.BlobPut.Send(t.Context(), l, contract.BlobPutArgs{}, broken); errkind.Of(err) != errkind.Denied {
			t.Fatalf("%v, want the reader's Denied", err)
		}
	})
	t.Run("names", func(t *testing.T) {
		got := mux.Methods()
		slices.Sort(got)
		if want := "[blob.put file.get script.status]"; fmt.Sprint(got) != want {
			t.Fatalf("%v, want %s", got, want)
		}
	})
}

// TestLongErrorsTravel: whatever a handler says fits into the head.
func TestLongErrorsTravel(t *testing.T) {
	var mux contract.Mux
	contract.Handle(&mux, contract.Health, func(context.Context, contract.Nothing) (contract.HealthReport, error) {
		return contract.HealthReport{}, errkind.Hinted(
			errkind.Timeout.Errorf("%s", strings.Repeat("\xff\x00ü", 1<<20)), "%s", strings.Repeat("\x00", 1<<20))
	})
	l := &line{mux: &mux}
	defer l.group.Wait()
	_, err := contract.Health.Call(t.Context(), l, contract.Nothing{})
	if errkind.Of(err) != errkind.Timeout || len(err.Error()) > 64<<10 {
		t.Fatalf("%.100v of kind %v, want a Timeout", err, errkind.Of(err))
	}
}

// FuzzServe answers anything that a caller could send, and never blocks or panics.
func FuzzServe(f *testing.F) {
	f.Add(framed(`{"method":"health","args":{}}`))
	f.Add(framed(`{"method":"nothing","args":{}}`))
	f.Add([]byte{0, 0, 0, 0})
	var mux contract.Mux
	contract.Handle(&mux, contract.Health, func(context.Context, contract.Nothing) (contract.HealthReport, error) {
		return contract.HealthReport{}, nil
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, out := newHalf(), newHalf()
		in.data, in.ended = raw, true
		if err := mux.Serve(t.Context(), end{in: in, out: out}); err != nil && errkind.Of(err) != errkind.Corrupt {
			t.Fatalf("Serve = %v, want nil or Corrupt", err)
		}
	})
}
