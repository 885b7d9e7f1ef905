// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// traced is a line of a trace as a reader sees it.
type traced struct {
	T, N, Format, Seed        uint64
	K, From, Why, Level, Name string
	Hash, Program, Go, Wall   string
	Shape, Meta, Content, To  string
	S, Q, Len                 uint64
	D                         int
}

// rounds make a little more than 3,000 events: each is a flight and its acknowledgement.
const rounds = 1600

// chat runs a world in which two machines say something rounds times, and returns its trace.
func chat(t *testing.T, o netem.Options, say func(w *netem.World, round int)) (lines []traced, digest netem.Digest) {
	t.Helper()
	var trace bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		o.Wait, o.Trace = synctest.Wait, &trace
		p := newPair(o)
		dialled, accepted := p.connect(t)
		b := make([]byte, 1)
		for round := range rounds {
			say(p.w, round)
			if _, err := dialled.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(accepted, b); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		p.w.Close()
		var err error
		if digest, err = p.w.Digest(); err != nil {
			t.Fatal(err)
		}
	})
	for text := range strings.Lines(trace.String()) {
		var l traced
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines, digest
}

func nothing(*netem.World, int) {}

func TestTraceBeginsWithItsHead(t *testing.T) {
	lines, _ := chat(t, netem.Options{Seed: 1 << 63, Head: netem.TraceHead{Name: "ward", Hash: "ab12", Program: "1.2.3"}}, nothing)
	want := traced{
		K: "head", Format: 1, Name: "ward", Hash: "ab12", Program: "1.2.3", Seed: 1 << 63, Go: runtime.Version(),
		Wall: "2000-01-01T00:00:00Z",
	}
	if lines[0] != want {
		t.Errorf("head %+v, want %+v", lines[0], want)
	}
	kinds := map[string]int{}
	for _, l := range lines {
		kinds[l.K]++
	}
	if kinds["head"] != 1 || kinds["dial"] != 1 || kinds["syn"] != 1 || kinds["data"] != rounds || kinds["ack"] != 0 {
		t.Errorf("lines by kind: %v", kinds)
	}
}

// TestMarksFindWhereRunsPart changes one run a little and looks whether the marks before agree and
// those after do not.
func TestMarksFindWhereRunsPart(t *testing.T) {
	marks := func(o netem.Options, say func(*netem.World, int)) (list []traced, digest netem.Digest) {
		lines, digest := chat(t, o, say)
		for _, l := range lines {
			if l.K == "mark" {
				list = append(list, l)
			}
		}
		return list, digest
	}
	at := func(w *netem.World, round int) {
		if round == 1300 {
			w.Note("a", "another run")
		}
	}
	whole, digest := marks(netem.Options{Seed: 1}, nothing)
	if len(whole) != int(digest.Lines/1000) || len(whole) < 2 {
		t.Fatalf("%d marks of %d events", len(whole), digest.Lines)
	}
	short, same := marks(netem.Options{Seed: 1, MarksOnly: true}, nothing)
	other, differs := marks(netem.Options{Seed: 1, MarksOnly: true}, at)
	if same != digest || differs == digest {
		t.Errorf("digests %v, without lines %v, of another run %v", digest, same, differs)
	}
	last := len(whole) - 1
	for i, m := range whole {
		if m.N != uint64(i+1)*1000 || m != short[i] {
			t.Errorf("mark %d is %+v, without lines %+v", i, m, short[i])
		}
		if parted := m.Shape != other[i].Shape; parted != (i == last) {
			t.Errorf("mark %d: the other run has parted: %v", i, parted)
		}
	}
}

func TestTraceWithMarksOnly(t *testing.T) {
	lines, digest := chat(t, netem.Options{Seed: 1, MarksOnly: true}, nothing)
	if len(lines) != 1+int(digest.Lines/1000) || lines[0].K != "head" || lines[1].K != "mark" {
		t.Errorf("%d lines for %d events, the first are %q and %q", len(lines), digest.Lines, lines[0].K, lines[1].K)
	}
}

// TestSay shows that entries stand in the trace as they were said, and that the digest knows all
// but what was logged.
func TestSay(t *testing.T) {
	at := func(e netem.Entry) func(*netem.World, int) {
		return func(w *netem.World, round int) {
			if round == 7 {
				w.Say(e)
			}
		}
	}
	_, plain := chat(t, netem.Options{Seed: 1}, nothing)
	for name, c := range map[string]struct {
		entry  netem.Entry
		counts bool
	}{
		"log":  {netem.Entry{Kind: "log", Who: "a", Level: "WARN", What: "line is down"}, false},
		"proc": {netem.Entry{Kind: "proc.start", Who: "a", What: "agent"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			lines, digest := chat(t, netem.Options{Seed: 1}, at(c.entry))
			found := 0
			for _, l := range lines {
				if l.K == c.entry.Kind && l.From == c.entry.Who && l.Why == c.entry.What && l.Level == c.entry.Level && l.N > 0 {
					found++
				}
			}
			if found != 1 || digest == plain == c.counts {
				t.Errorf("found %d lines; the digest is the plain run's: %v", found, digest == plain)
			}
		})
	}
}
