// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"
)

// maxOrderBytes bounds one line between the bench and a role.
const maxOrderBytes = 16 << 20

// order is one line that a role reads, answer the line that it writes for it.
type order struct {
	Do   string          `json:"do"`
	Args json.RawMessage `json:"args,omitempty"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// role is one process of the bench: what it does on orders, and how it ends.
type role struct {
	handlers map[string]func(context.Context, json.RawMessage) (any, error)
}

// on adds an order.
func on[A any](r *role, name string, f func(context.Context, A) (any, error)) {
	r.handlers[name] = func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return nil, fmt.Errorf("order %s: %w", name, err)
			}
		}
		return f(ctx, args)
	}
}

func newRole() *role {
	r := &role{handlers: map[string]func(context.Context, json.RawMessage) (any, error){}}
	on(r, "usage", func(context.Context, struct{}) (any, error) { return usageOfSelf() })
	on(r, "collect", func(context.Context, struct{}) (any, error) { return collect() })
	on(r, "profile", func(_ context.Context, path string) (any, error) { return nil, profile(path) })
	on(r, "dump", func(_ context.Context, path string) (any, error) { return nil, dump(path) })
	return r
}

// serve answers orders, one after the other, until in ends.
func (r *role) serve(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxOrderBytes)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		text, err := json.Marshal(r.answer(ctx, o))
		if err != nil {
			return fmt.Errorf("answer %s: %w", o.Do, err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("answer %s: %w", o.Do, err)
		}
	}
	return lines.Err()
}

func (r *role) answer(ctx context.Context, o order) answer {
	f, ok := r.handlers[o.Do]
	if !ok {
		return answer{Error: "no such order: " + o.Do}
	}
	result, err := f(ctx, o.Args)
	if err != nil {
		return answer{Error: err.Error()}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: raw}
}

// usage is what a process has taken so far.
type usage struct {
	RSSBytes   int64         `json:"rss_bytes"`
	AnonBytes  int64         `json:"anon_bytes"`
	CPU        time.Duration `json:"cpu_ns"`
	HeapBytes  uint64        `json:"heap_bytes"`       // live
	SpanBytes  uint64        `json:"heap_inuse_bytes"` // of the spans that hold it
	OtherBytes uint64        `json:"runtime_bytes"`    // what the runtime keeps beside heap and stacks
	StackBytes uint64        `json:"stack_bytes"`
	Goroutines int           `json:"goroutines"`
	Waits      int64         `json:"waits"` // how often a thread gave its processor up to wait
}

func usageOfSelf() (usage, error) {
	u, err := memoryOf(os.Getpid())
	if err != nil {
		return u, err
	}
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return u, fmt.Errorf("read the CPU time: %w", err)
	}
	u.CPU = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	u.Waits = ru.Nvcsw
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.HeapBytes, u.StackBytes, u.Goroutines = m.HeapAlloc, m.StackInuse, runtime.NumGoroutine()
	u.SpanBytes, u.OtherBytes = m.HeapInuse, m.MSpanInuse+m.MCacheInuse+m.BuckHashSys+m.GCSys+m.OtherSys
	return u, nil
}

// collect is the debug call that settles memory: what is dead goes back to the system.
func collect() (usage, error) {
	for range 3 {
		debug.FreeOSMemory()
	}
	return usageOfSelf()
}

// profile starts a CPU profile into path; "" ends it.
func profile(path string) error {
	if path == "" {
		pprof.StopCPUProfile()
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f) // the file is closed by the end of the process
}

// dump writes the heap profile.
func dump(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
