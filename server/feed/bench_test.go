// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/deploy"
)

const benchBytes = 64 << 20

// BenchmarkPush pushes a file of 64 MiB and, taking turns, runs the bare loop: copy to a new file
// through SHA-256, flush, rename. "ratio" is the bare loop's time by the push's; the goal is 0.9.
func BenchmarkPush(b *testing.B) {
	bench := open(b, nil)
	source := sourceFile(b)
	var pushed, bare time.Duration
	b.SetBytes(benchBytes)
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		pushFile(b, bench, source, fmt.Sprintf("big.%d.tar", i+1))
		pushed += time.Since(begin)
		b.StopTimer()
		if err := bench.feed.Delete(b.Context(), deploy.DefaultSpace, "big", fmt.Sprint(i+1), true, "bench"); err != nil {
			b.Fatal(err)
		}
		begin = time.Now()
		bareCopy(b, source, filepath.Join(bench.dir, "bare"))
		bare += time.Since(begin)
		b.StartTimer()
	}
	b.ReportMetric(float64(bare)/float64(pushed), "ratio")
	b.ReportMetric(benchBytes*float64(b.N)/1e6/bare.Seconds(), "bareMB/s")
}

// sourceFile is a tar whose one file is random, so that nothing can be compressed or shared.
func sourceFile(b *testing.B) string {
	b.Helper()
	random := rand.NewChaCha8([32]byte{1})
	text := make([]byte, benchBytes-2048)
	_, _ = random.Read(text)
	path := filepath.Join(b.TempDir(), "source.tar")
	if err := os.WriteFile(path, tarred(b, string(text)), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func pushFile(b *testing.B, bench *bench, source, name string) {
	b.Helper()
	file, err := os.Open(source)
	if err == nil {
		_, _, err = bench.feed.Push(b.Context(), name, file, "", "bench")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		b.Fatal(err)
	}
}

func bareCopy(b *testing.B, source, target string) {
	b.Helper()
	in, err := os.Open(source)
	if err != nil {
		b.Fatal(err)
	}
	out, err := os.Create(target + ".part")
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, sha256.New())}, struct{ io.Reader }{in}, make([]byte, 256<<10))
	err = errors.Join(err, out.Sync(), out.Close(), in.Close(), os.Rename(target+".part", target), os.Remove(target))
	if err != nil {
		b.Fatal(err)
	}
}
