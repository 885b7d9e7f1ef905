// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"fairlead/internal/link"
)

// wire is one direction of a slow connection: a send buffer, then a bandwidth.
type wire struct {
	mu       sync.Mutex
	changed  sync.Cond
	buffer   []byte // accepted and not under way
	arrived  []byte
	carried  int
	writes   int  // calls of write
	ended    bool // the writer closed
	closed   bool // the reader closed
	black    bool // everything vanishes
	capacity int
	perByte  time.Duration
}

func newWire(bytesPerSecond, capacity int) *wire {
	w := &wire{capacity: capacity, perByte: time.Second / time.Duration(bytesPerSecond)}
	w.changed.L = &w.mu
	return w
}

func (w *wire) pump() {
	for {
		w.mu.Lock()
		for len(w.buffer) == 0 && !w.ended && !w.closed {
			w.changed.Wait()
		}
		if len(w.buffer) == 0 || w.closed {
			w.mu.Unlock()
			return
		}
		n := min(len(w.buffer), 1400)
		w.mu.Unlock()
		time.Sleep(time.Duration(n) * w.perByte)
		w.mu.Lock()
		if !w.black {
			w.arrived = append(w.arrived, w.buffer[:n]...)
		}
		w.buffer = w.buffer[n:]
		w.carried += n
		w.changed.Broadcast()
		w.mu.Unlock()
	}
}

func (w *wire) read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.arrived) == 0 {
		if w.closed {
			return 0, net.ErrClosed
		}
		if w.ended && len(w.buffer) == 0 && !w.black {
			return 0, io.EOF
		}
		w.changed.Wait()
	}
	n := copy(p, w.arrived)
	w.arrived = w.arrived[n:]
	return n, nil
}

func (w *wire) write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	sent := 0
	for sent < len(p) {
		for len(w.buffer) >= w.capacity && !w.ended && !w.closed {
			w.changed.Wait()
		}
		if w.ended || w.closed {
			return sent, net.ErrClosed
		}
		n := min(len(p)-sent, w.capacity-len(w.buffer))
		w.buffer = append(w.buffer, p[sent:sent+n]...)
		sent += n
		w.changed.Broadcast()
	}
	return sent, nil
}

// written is how often write was called.
func (w *wire) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// total is how many bytes have arrived.
func (w *wire) total() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried
}

func (w *wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.changed.Broadcast()
}

// end is one side of a slow connection.
type end struct {
	net.Conn // nil: deadlines and addresses are not used
	in, out  *wire
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }
func (e *end) Close() error {
	e.in.set(func() { e.in.closed = true })
	e.out.set(func() { e.out.ended = true })
	return nil
}

// pair is a caller and a servant joined by a connection; everything it starts ends before the
// test does.
type pair struct {
	caller, servant        *link.Session
	there, back            *wire // caller to servant, servant to caller
	callerDone, servedDone chan error
	cancel                 context.CancelFunc
	tasks                  sync.WaitGroup
}

const fast = 100 << 20

func join(t *testing.T, bytesPerSecond int, caller, servant link.Options) *pair {
	ctx, cancel := context.WithCancel(t.Context())
	p := &pair{
		there: newWire(bytesPerSecond, 32<<10), back: newWire(bytesPerSecond, 32<<10),
		callerDone: make(chan error, 1), servedDone: make(chan error, 1), cancel: cancel,
	}
	keeper := link.NewKeeper()
	keeperCtx, stopKeeper := context.WithCancel(context.WithoutCancel(t.Context()))
	caller.Role, servant.Role = link.Caller, link.Servant
	caller.Keeper, servant.Keeper = keeper, keeper
	p.caller = link.NewSession(&end{in: p.back, out: p.there}, caller)
	p.servant = link.NewSession(&end{in: p.there, out: p.back}, servant)
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = keeper.Run(keeperCtx) })
	p.tasks.Go(p.there.pump)
	p.tasks.Go(p.back.pump)
	p.tasks.Go(func() { p.callerDone <- p.caller.Run(ctx) })
	p.tasks.Go(func() { p.servedDone <- p.servant.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		p.tasks.Wait()
		stopKeeper()
		keeping.Wait()
	})
	return p
}
