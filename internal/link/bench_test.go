// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"fairlead/internal/contract"
	"fairlead/internal/link"
)

// memory is what the process holds in heap and stacks after two collections.
func memory() (heap, stacks uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// TestIdleSessionIsSmall bounds what a session adds to its connection: over net.Pipe, 500 pairs.
func TestIdleSessionIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(link.Machine{}); size > 600 {
		t.Errorf("the machine has %d bytes: aim is 600", size)
	}
	heap, goroutines := idleBytes(t, 500)
	t.Logf("machine %d B, session %d B, heap per idle session over a pipe %d B, goroutines per session %.2f",
		unsafe.Sizeof(link.Machine{}), unsafe.Sizeof(link.Session{}), heap, goroutines)
	if heap > 4000 {
		t.Errorf("an idle session holds %d bytes of heap", heap)
	}
	if goroutines > 1.01 {
		t.Errorf("an idle session has %.2f goroutines", goroutines)
	}
}

func idleBytes(t testing.TB, pairs int) (heapPerSession uint64, goroutines float64) {
	keeper := link.NewKeeper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(t.Context()))
	var tasks, keeperTask sync.WaitGroup
	defer keeperTask.Wait()
	defer stopKeeping()
	keeperTask.Go(func() { _ = keeper.Run(keeping) })
	before, _ := memory()
	running := runtime.NumGoroutine()
	sessions := make([]*link.Session, 0, 2*pairs)
	for range pairs {
		near, far := net.Pipe()
		for role, conn := range map[link.Role]net.Conn{link.Caller: near, link.Servant: far} {
			s := link.NewSession(conn, link.Options{Role: role, Keeper: keeper, Serve: echo})
			sessions = append(sessions, s)
			tasks.Go(func() { _ = s.Run(ctx) })
		}
	}
	for _, s := range sessions {
		<-s.Ready()
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > running+2*pairs && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	after, _ := memory()
	goroutines = float64(runtime.NumGoroutine()-running) / float64(2*pairs)
	cancel()
	tasks.Wait()
	return (after - before) / uint64(2*pairs), goroutines
}

func BenchmarkIdleSession(b *testing.B) {
	for range b.N {
		heap, goroutines := idleBytes(b, 1000)
		b.ReportMetric(float64(heap), "heap-B/session")
		b.ReportMetric(goroutines, "goroutines/session")
	}
}

// BenchmarkRoundTrip is one small call on a stream of its own, over net.Pipe and TLS.
func BenchmarkRoundTrip(b *testing.B) {
	request := make([]byte, 200)
	b.Run("pipe", func(b *testing.B) {
		near, far := net.Pipe()
		keeper := link.NewKeeper()
		ctx, cancel := context.WithCancel(b.Context())
		var tasks sync.WaitGroup
		tasks.Go(func() { _ = keeper.Run(ctx) })
		caller := link.NewSession(near, link.Options{Role: link.Caller, Keeper: keeper})
		servant := link.NewSession(far, link.Options{Role: link.Servant, Keeper: keeper, Serve: echo})
		tasks.Go(func() { _ = caller.Run(ctx) })
		tasks.Go(func() { _ = servant.Run(ctx) })
		benchmarkCalls(b, caller, request)
		cancel()
		near.Close()
		tasks.Wait()
	})
	b.Run("tls", func(b *testing.B) { benchmarkCalls(b, overTLS(b, echo), request) })
	b.Run("bare-tls", func(b *testing.B) {
		near, far := tlsPair(b)
		var peer sync.WaitGroup
		peer.Go(func() { _, _ = io.Copy(far, far) })
		answer := make([]byte, len(request))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := near.Write(request); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(near, answer); err != nil {
				b.Fatal(err)
			}
		}
		near.Close()
		peer.Wait()
	})
}

func benchmarkCalls(b *testing.B, caller contract.Opener, request []byte) {
	b.ReportAllocs()
	for b.Loop() {
		if answer, err := call(b.Context(), caller, false, request); err != nil || len(answer) != len(request) {
			b.Fatalf("%d bytes, %v", len(answer), err)
		}
	}
}

const transferBytes = 256 << 20

// BenchmarkTransfer sends 256 MiB over loopback TLS: on a bulk stream and bare, in turn. The ratio
// is the stream's rate by the bare one.
func BenchmarkTransfer(b *testing.B) {
	piece := make([]byte, 64<<10)
	var line, bare time.Duration
	for range b.N {
		bare += bareTransfer(b, piece)
		line += lineTransfer(b, piece)
	}
	rate := func(d time.Duration) float64 { return float64(b.N) * transferBytes / 1e6 / d.Seconds() }
	b.ReportMetric(rate(line), "line-MB/s")
	b.ReportMetric(rate(bare), "bare-MB/s")
	b.ReportMetric(rate(line)/rate(bare), "ratio")
}

func bareTransfer(b *testing.B, piece []byte) time.Duration {
	near, far := tlsPair(b)
	defer near.Close()
	defer far.Close()
	var receiving sync.WaitGroup
	began := time.Now()
	receiving.Go(func() {
		source, sink := io.LimitReader(far, transferBytes), struct{ io.Writer }{io.Discard}
		if n, err := io.CopyBuffer(sink, source, make([]byte, 64<<10)); err != nil || n != transferBytes {
			b.Errorf("bare: %d bytes, %v", n, err)
		}
	})
	for range transferBytes / len(piece) {
		if _, err := near.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	receiving.Wait()
	return time.Since(began)
}

func lineTransfer(b *testing.B, piece []byte) time.Duration {
	received := make(chan int64, 1)
	caller := overTLS(b, func(_ context.Context, s contract.Stream) {
		n, _ := io.Copy(io.Discard, s)
		received <- n
	})
	s, err := caller.Open(b.Context(), true)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for range transferBytes / len(piece) {
		if _, err := s.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.CloseWrite()
	if n := <-received; n != transferBytes {
		b.Errorf("line: %d bytes", n)
	}
	took := time.Since(began)
	s.Reset("done")
	return took
}
