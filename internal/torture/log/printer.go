// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// printed is what came through one stream; an end without a newline counts as a line.
type printed struct {
	Bytes, Lines int64
	SHA256       string
}

// sum makes a printed of lines.
type sum struct {
	hash         hash.Hash
	bytes, lines int64
}

func newSum() *sum { return &sum{hash: sha256.New()} }

func (s *sum) add(text string, isWhole bool) {
	if isWhole {
		text += "\n"
		s.lines++
	}
	s.bytes += int64(len(text))
	s.hash.Write([]byte(text))
}

func (s *sum) printed() printed {
	return printed{s.bytes, s.lines, hex.EncodeToString(s.hash.Sum(nil))}
}

// streams are stdout and stderr.
type streams[T any] struct{ Out, Err T }

// printOutput is a script: it prints size bytes to both streams, in writes that end anywhere, and
// leaves in a file what it printed.
func printOutput(path string, seed uint64, size int64) error {
	rng := rand.New(rand.NewPCG(seed, uint64(size)))
	out, errs := newSum(), newSum()
	var batch bytes.Buffer
	for number := 0; out.bytes+errs.bytes < size; number++ {
		text := line(rng, number)
		if rng.IntN(20) == 0 { // what went to stdout goes first, so that neither waits for the other
			errs.add(text, true)
			if err := flush(&batch, batch.Len()); err != nil {
				return err
			}
			if _, err := io.WriteString(os.Stderr, text+"\n"); err != nil {
				return err
			}
			continue
		}
		out.add(text, true)
		batch.WriteString(text + "\n")
		if batch.Len() > 8<<10 {
			if err := flush(&batch, rng.IntN(batch.Len())); err != nil {
				return err
			}
		}
		if rng.IntN(20_000) == 0 {
			time.Sleep(300 * time.Millisecond) // an unfinished line is recorded meanwhile
		}
	}
	out.add("the end, without a newline", true)
	batch.WriteString("the end, without a newline")
	if err := flush(&batch, batch.Len()); err != nil {
		return err
	}
	raw, err := json.Marshal(streams[printed]{out.printed(), errs.printed()})
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func flush(batch *bytes.Buffer, n int) error {
	_, err := os.Stdout.Write(batch.Next(n))
	return err
}

// line is most often one as logs have; some are empty, have characters that need escapes or several
// bytes, or are longer than a record.
func line(rng *rand.Rand, number int) string {
	text := fmt.Sprintf("%08d %016x", number, rng.Uint64())
	switch kind := rng.IntN(2000); {
	case kind == 0:
		return text + strings.Repeat(" long €", rng.IntN(30_000))
	case kind < 40:
		return ""
	case kind < 100:
		return text + " \"quoted\" \\ \t tab \x1b[1mbold\x1b[0m <&> ümläut 日本 \u2028 😀"
	}
	return text + strings.Repeat(".", rng.IntN(120))
}
