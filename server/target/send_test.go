// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package target_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/server/target"
)

// lane is one direction of a stream, with credit without end.
type lane struct {
	mu   sync.Mutex
	wake *sync.Cond
	data []byte
	err  error // what readers get when data is used up, and writers at once
}

func newLane() *lane {
	l := &lane{}
	l.wake = sync.NewCond(&l.mu)
	return l
}

func (l *lane) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.data) == 0 && l.err == nil {
		l.wake.Wait()
	}
	if len(l.data) == 0 {
		return 0, l.err
	}
	n := copy(p, l.data)
	l.data = l.data[n:]
	return n, nil
}

func (l *lane) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	l.data = append(l.data, p...)
	l.wake.Broadcast()
	return len(p), nil
}

func (l *lane) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.wake.Broadcast()
}

// stream is one end of a stream in memory. What was written before a reset stays readable.
type stream struct{ in, out *lane }

func (s stream) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s stream) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s stream) CloseWrite() error           { s.out.end(io.EOF); return nil }
func (s stream) Reset(reason string) {
	s.in.end(errkind.Unavailable.Errorf("stream reset: %s", reason))
	s.out.end(errkind.Unavailable.Errorf("stream reset: %s", reason))
}

// machine holds contents whole, or their beginnings, in memory, and writes down what it is asked.
type machine struct {
	mux   contract.Mux
	serve sync.WaitGroup

	mu     sync.Mutex
	whole  map[string][]byte
	begun  map[string][]byte
	asked  []string
	put    int64 // bytes that came by blob.put
	damage int   // how many puts arrive damaged
	refuse map[string]error
}

func newMachine(t *testing.T, old bool) *machine {
	m := &machine{whole: map[string][]byte{}, begun: map[string][]byte{}, refuse: map[string]error{}}
	contract.Handle(&m.mux, contract.BlobMissing, func(_ context.Context, a contract.BlobArgs) (contract.BlobState, error) {
		return m.state("missing", a)
	})
	contract.HandleStream(&m.mux, contract.BlobPut, m.takePut)
	if !old {
		contract.Handle(&m.mux, contract.BlobWhich, m.which)
		contract.HandleStream(&m.mux, contract.BlobCheck, m.check)
		contract.Handle(&m.mux, contract.BlobPatch, m.patch)
		contract.Handle(&m.mux, contract.BlobDrop, func(_ context.Context, a contract.BlobArgs) (contract.BlobState, error) {
			m.mu.Lock()
			delete(m.whole, a.SHA256)
			m.mu.Unlock()
			return m.state("drop", a)
		})
	}
	t.Cleanup(m.serve.Wait)
	return m
}

func (m *machine) Open(ctx context.Context, _ bool) (contract.Stream, error) {
	there, back := newLane(), newLane()
	m.serve.Go(func() { _ = m.mux.Serve(ctx, stream{there, back}) })
	return stream{back, there}, nil
}

func (m *machine) note(what string) error {
	m.asked = append(m.asked, what)
	return m.refuse[what]
}

func (m *machine) state(what string, a contract.BlobArgs) (contract.BlobState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, complete := m.whole[a.SHA256]
	return contract.BlobState{Complete: complete, Offset: int64(len(m.begun[a.SHA256]))}, m.note(what)
}

func (m *machine) check(_ context.Context, c *contract.Call[contract.BlobArgs, contract.BlobState]) error {
	sums, err := io.ReadAll(c.Body)
	if err = errors.Join(err, contract.RunningSums(sums).Check(c.Args)); err != nil {
		return err
	}
	state, err := m.state("check", c.Args)
	if err == nil {
		_, err = c.Reply(state)
	}
	return err
}

func (m *machine) takePut(_ context.Context, c *contract.Call[contract.BlobPutArgs, contract.BlobState]) error {
	body, err := io.ReadAll(c.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err = errors.Join(err, m.note("put")); err != nil {
		return err
	}
	m.put += int64(len(body))
	content := append(m.begun[c.Args.SHA256][:c.Args.Offset:c.Args.Offset], body...)
	if m.damage > 0 {
		m.damage--
		m.begun[c.Args.SHA256] = content[:len(content)/2]
		return errkind.Corrupt.Errorf("a chunk is damaged")
	}
	if sumOf(content) != c.Args.SHA256 {
		return errkind.Corrupt.Errorf("another content")
	}
	m.whole[c.Args.SHA256] = content
	_, err = c.Reply(contract.BlobState{Complete: true, Offset: c.Args.Size})
	return err
}

func (m *machine) which(_ context.Context, a contract.BlobWhichArgs) (held contract.BlobHeld, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held.SHA256 = slices.DeleteFunc(a.SHA256, func(sum string) bool { return m.whole[sum] == nil })
	return held, m.note("which")
}

func (m *machine) patch(_ context.Context, a contract.BlobPatchArgs) (contract.BlobState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.note("patch"); err != nil {
		return contract.BlobState{}, err
	}
	if m.whole[a.Base.SHA256] == nil || m.whole[a.Delta.SHA256] == nil {
		return contract.BlobState{}, errkind.NotFound.Errorf("the base or the delta is not here")
	}
	m.whole[a.Package.SHA256] = []byte("its plain form")
	return contract.BlobState{Complete: true}, nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func contentOf(b []byte) target.Content {
	return target.Content{
		SHA256: sumOf(b), Size: int64(len(b)), Open: func() (io.ReadSeekCloser, error) { return file{bytes.NewReader(b)}, nil },
		Sums: func(context.Context) (contract.RunningSums, error) {
			s := contract.NewSummer()
			_, err := s.Write(b)
			return s.Sums(), err
		},
	}
}

// patched is content with one base and a delta to it.
func patched(b, base, delta []byte, heard *int64) target.Content {
	c := contentOf(b)
	c.Bases = func(context.Context) ([]string, error) { return []string{sumOf([]byte("newer")), sumOf(base)}, nil }
	c.Patch = func(_ context.Context, sum string) (*target.Patch, error) {
		if sum != sumOf(base) || delta == nil {
			return nil, nil
		}
		d := contentOf(delta)
		return &target.Patch{Delta: d, Args: contract.BlobPatchArgs{
			Package: contract.BlobArgs{SHA256: c.SHA256, Size: c.Size}, Base: contract.BlobArgs{SHA256: sum, Size: int64(len(base))},
			Delta: contract.BlobArgs{SHA256: d.SHA256, Size: d.Size},
		}}, nil
	}
	c.Patched = func(n int64) { *heard = n }
	return c
}

func TestSend(t *testing.T) {
	long, base, delta := bytes.Repeat([]byte("0123456789"), 1<<20), []byte("base"), []byte("delta!")
	for name, c := range map[string]struct {
		old       bool
		forced    bool
		prepare   func(*machine)
		delta     []byte
		asked     string
		put       int64
		delivered int64 // as a delta
		want      errkind.Kind
	}{
		"nothing is there": {asked: "missing which check put", put: int64(len(long))},
		"it is there":      {prepare: func(m *machine) { m.whole[sumOf(long)] = long }, asked: "missing"},
		"half is there": {
			prepare: func(m *machine) { m.begun[sumOf(long)], m.whole[sumOf(base)] = long[:6<<20], base }, delta: delta,
			asked: "missing check put", put: int64(len(long)) - 6<<20,
		},
		"the base is there": {
			prepare: func(m *machine) { m.whole[sumOf(base)] = base }, delta: delta,
			asked: "missing which missing put patch", put: 6, delivered: 6,
		},
		"the delta is not worth it": {
			prepare: func(m *machine) { m.whole[sumOf(base)] = base }, asked: "missing which check put", put: int64(len(long)),
		},
		"the patch makes something else": {
			prepare: func(m *machine) {
				m.whole[sumOf(base)], m.refuse["patch"] = base, errkind.Corrupt.Errorf("another hash")
			}, delta: delta, asked: "missing which missing put patch check put", put: int64(len(long)) + 6,
		},
		"no room for the patch": {
			prepare: func(m *machine) {
				m.whole[sumOf(base)], m.refuse["patch"] = base, errkind.Exhausted.Errorf("no room")
			}, delta: delta, asked: "missing which missing put patch check put", put: int64(len(long)) + 6,
		},
		"the patch is under way": {
			prepare: func(m *machine) {
				m.whole[sumOf(base)], m.refuse["patch"] = base, errkind.Conflict.Errorf("being made")
			}, delta: delta, asked: "missing which missing put patch", put: 6, want: errkind.Conflict,
		},
		"it arrives damaged once": {
			prepare: func(m *machine) { m.damage = 1 }, asked: "missing which check put check put", put: int64(len(long)) * 3 / 2,
		},
		"it arrives damaged always": {
			prepare: func(m *machine) { m.damage = 99 }, asked: "missing which check put check put check put",
			put: int64(len(long)) * 2, want: errkind.Corrupt,
		},
		"no room": {
			prepare: func(m *machine) { m.refuse["put"] = errkind.Exhausted.Errorf("full") }, asked: "missing which check put",
			want: errkind.Exhausted,
		},
		"an agent that knows neither sums nor patches": {
			old: true, prepare: func(m *machine) { m.begun[sumOf(long)] = long[:100] }, asked: "missing missing put",
			put: int64(len(long)) - 100,
		},
		"it is there, and is to come anew": {
			forced: true, prepare: func(m *machine) { m.whole[sumOf(long)], m.whole[sumOf(base)] = long, base }, delta: delta,
			asked: "drop check put", put: int64(len(long)),
		},
		"half of what is to come anew is there": {
			forced: true, prepare: func(m *machine) { m.begun[sumOf(long)] = long[:6<<20] }, asked: "drop check put",
			put: int64(len(long)) - 6<<20,
		},
		"an agent that takes nothing anew": {
			old: true, forced: true, prepare: func(m *machine) { m.whole[sumOf(long)] = long }, asked: "missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, c.old)
			if c.prepare != nil {
				c.prepare(m)
			}
			var heard int64
			content := patched(long, base, c.delta, &heard)
			content.IsForced = c.forced
			sent, err := target.Line{Session: m}.Send(t.Context(), content)
			m.mu.Lock()
			defer m.mu.Unlock()
			if asked := strings.Join(m.asked, " "); asked != c.asked || m.put != c.put || heard != c.delivered {
				t.Errorf("asked %q, put %d bytes, by delta %d; want %q, %d, %d", asked, m.put, heard, c.asked, c.put, c.delivered)
			}
			if (c.want == errkind.Internal) != (err == nil) || err != nil && errkind.Of(err) != c.want {
				t.Errorf("err %v, want kind %v", err, c.want)
			}
			if err == nil && (sent == (c.put == 0) || m.whole[sumOf(long)] == nil) {
				t.Errorf("sent %v, whole %v", sent, m.whole[sumOf(long)] != nil)
			}
		})
	}
}

// TestDamagedFeed: what the server itself cannot prove is not sent.
func TestDamagedFeed(t *testing.T) {
	m := newMachine(t, false)
	c := contentOf(make([]byte, 5<<20))
	c.Sums = func(context.Context) (contract.RunningSums, error) {
		return nil, errkind.Corrupt.Errorf("the content in the feed is damaged")
	}
	if _, err := (target.Line{Session: m}).Send(t.Context(), c); errkind.Of(err) != errkind.Corrupt || m.put > 0 {
		t.Errorf("%v after %d bytes", err, m.put)
	}
}
