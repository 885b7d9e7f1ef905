// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fairlead/agent/transfer"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// lane is one direction of a stream, with 64 KiB of credit.
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
	l.wake.Broadcast()
	return n, nil
}

func (l *lane) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		for len(l.data) >= 64<<10 && l.err == nil {
			l.wake.Wait()
		}
		if l.err != nil {
			return len(p) - len(rest), l.err
		}
		n := min(len(rest), 64<<10-len(l.data))
		l.data, rest = append(l.data, rest[:n]...), rest[n:]
		l.wake.Broadcast()
	}
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

// rig is an agent with a transfer store and a way to call it.
type rig struct {
	t     testing.TB
	home  string
	store *transfer.Store
	mux   contract.Mux
	serve sync.WaitGroup

	mu     sync.Mutex
	now    time.Time
	space  transfer.Space
	needed []string
}

func newRig(t testing.TB, quota int64) *rig {
	r := &rig{t: t, home: t.TempDir(), now: time.Unix(1_000_000_000, 0), space: transfer.Space{Free: 1 << 40, Total: 1 << 40}}
	r.start(quota)
	t.Cleanup(func() {
		r.serve.Wait()
		r.store.Close()
	})
	return r
}

func (r *rig) start(quota int64) {
	store, err := transfer.New(r.home, transfer.Options{
		Disk:          host.Fsync{},
		MaxCacheBytes: quota,
		Wall: func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.now
		},
		Space: func(string) (transfer.Space, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.space, nil
		},
		Needed: func() []string {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.needed
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.store, r.mux = store, contract.Mux{}
	store.Register(&r.mux)
}

// Open makes a stream that the store serves.
func (r *rig) Open(ctx context.Context, _ bool) (contract.Stream, error) {
	there, back := newLane(), newLane()
	r.serve.Go(func() { r.mux.Serve(ctx, stream{there, back}) })
	return stream{back, there}, nil
}

func (r *rig) blob(sum string) ([]byte, error) {
	return os.ReadFile(filepath.Join(r.home, "blobs", sum))
}

// await waits for a file in the blobs folder.
func (r *rig) await(name string) {
	r.t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-look.C {
		if _, err := os.Lstat(filepath.Join(r.home, "blobs", name)); err == nil {
			return
		}
	}
	r.t.Fatalf("%s did not appear", name)
}

func (r *rig) put(content []byte, offset int64, body io.Reader) (contract.BlobState, error) {
	return contract.BlobPut.Send(context.Background(), r, contract.BlobPutArgs{
		SHA256: sumOf(content), Size: int64(len(content)), Offset: offset,
	}, body)
}

func (r *rig) missing(content []byte) contract.BlobState {
	r.t.Helper()
	state, err := contract.BlobMissing.Call(context.Background(), r, contract.BlobArgs{SHA256: sumOf(content), Size: int64(len(content))})
	if err != nil {
		r.t.Fatal(err)
	}
	return state
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func random(size int) []byte {
	content := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(size)})
	source.Read(content)
	return content
}
