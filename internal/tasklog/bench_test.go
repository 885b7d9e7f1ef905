// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog_test

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"fairlead/internal/tasklog"
)

// million writes 1,000,000 lines of 80 bytes.
func million(b *testing.B) (*tasklog.Folder, int64) {
	b.Helper()
	f := open(b, b.TempDir())
	w := writer(b, f)
	lines := make([]tasklog.Line, 1000)
	end := int64(0)
	for range 1000 {
		for i := range lines {
			end++
			lines[i] = tasklog.Line{
				At: wall(), Category: tasklog.Info, Node: "2/Machines-1", Ticket: "0123456789abcdef", TicketEnd: end * 96,
				Text: "2026-11-22 10:00:00 INFO [main] the quick brown fox jumps over the lazy dog again",
			}
		}
		add(b, w, lines...)
	}
	if err := w.Finish(); err != nil {
		b.Fatal(err)
	}
	_ = w.Close()
	return f, end
}

func BenchmarkReadMillion(b *testing.B) {
	f, count := million(b)
	b.ReportAllocs()
	for b.Loop() {
		n := int64(0)
		err := f.Follow(b.Context(), task, 0, func(lines []tasklog.Line, _ int64) error {
			n += int64(len(lines))
			return nil
		})
		if err != nil || n != count {
			b.Fatalf("read %d lines: %v", n, err)
		}
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkAppend(b *testing.B) {
	w := writer(b, open(b, b.TempDir()))
	b.ReportAllocs()
	for b.Loop() {
		add(b, w, tasklog.Line{
			At: wall(), Category: tasklog.Info, Node: "2/Machines-1", Text: "the quick brown fox", Ticket: "t",
		})
	}
}

// TestFollowerMemory bounds what a waiting follower keeps.
func TestFollowerMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const followers = 500
		f := open(t, t.TempDir())
		w := writer(t, f)
		for range 2000 {
			add(t, w, tasklog.Line{Text: "the quick brown fox jumps over the lazy dog"})
		}
		before := inUse()
		var wg sync.WaitGroup
		for range followers {
			wg.Go(func() {
				_ = f.Follow(t.Context(), task, 0, func([]tasklog.Line, int64) error { return nil })
			})
		}
		synctest.Wait()
		each := (inUse() - before) / followers
		t.Logf("%d bytes for each of %d waiting followers", each, followers)
		if each > 256<<10 {
			t.Errorf("a waiting follower keeps %d bytes, want less than 256 KiB", each)
		}
		if err := w.Finish(); err != nil {
			t.Errorf("Finish() = %v", err)
		}
		wg.Wait()
	})
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
