// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// rowBytes is the size of what one Update writes. Source: performance.md section 4.
const rowBytes = 180

// BenchmarkUpdate measures durable Updates a second, and in the same run, interleaved, what the
// disk gives to a bare append and fdatasync of the same bytes.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "fairlead.db"))
			floor, err := os.Create(filepath.Join(b.TempDir(), "floor"))
			if err != nil {
				b.Fatal(err)
			}
			defer floor.Close()
			message := strings.Repeat("x", rowBytes)
			const batch = 320
			var ours, bare time.Duration
			n := 0
			for b.Loop() {
				start := time.Now()
				var wg sync.WaitGroup
				for range writers {
					wg.Go(func() {
						for range batch / writers {
							err := s.Update(b.Context(), func(w store.Writer) error {
								_, err := w.AddEvent(deploy.Event{Subject: "Machines-1", Message: message})
								return err
							})
							if err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				ours += time.Since(start)
				start = time.Now()
				for range batch {
					if _, err := floor.WriteString(message); err != nil {
						b.Fatal(err)
					}
					if err := syscall.Fdatasync(int(floor.Fd())); err != nil {
						b.Fatal(err)
					}
				}
				bare += time.Since(start)
				n += batch
			}
			b.ReportMetric(float64(n)/ours.Seconds(), "updates/s")
			b.ReportMetric(float64(n)/bare.Seconds(), "floor/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-floor")
			b.ReportMetric(float64(n)/float64(s.Commits()), "updates/commit")
		})
	}
}

func BenchmarkView(b *testing.B) {
	s := filled(b, filepath.Join(b.TempDir(), "fairlead.db"), 1000)
	b.ReportAllocs()
	for b.Loop() {
		err := s.View(b.Context(), func(r store.Reader) error {
			_, err := r.Machine("Machines-500")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
