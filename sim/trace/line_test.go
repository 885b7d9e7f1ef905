// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trace_test

import (
	"bytes"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/trace"
)

// TestReaderKnowsWhatNetemWrites reads a trace of the real writer, violations behind it.
func TestReaderKnowsWhatNetemWrites(t *testing.T) {
	var file bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		w := netem.New(netem.Options{
			Seed: 7, Wait: synctest.Wait, Trace: &file, Head: netem.TraceHead{Name: "two", Hash: "ab", Program: "1.0.0"},
		})
		n := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
		a := n.Host("a", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.1")})
		b := n.Host("b", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
		l, err := b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.DialContext(t.Context(), "tcp", "b:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.Say(netem.Entry{Kind: trace.KindLog, Who: "a", Level: "INFO", What: "done"})
		for w.Now() < time.Hour {
			time.Sleep(time.Minute)
			w.Note("a", "another minute")
		}
		_, _ = c.Close(), l.Close()
		w.Close()
	})
	if err := trace.WriteViolations(&file, []check.Violation{{ID: "S14", At: time.Minute, Who: "a", What: "a leak"}}); err != nil {
		t.Fatal(err)
	}
	r, err := trace.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	wall := r.Head.Wall
	r.Head.Wall = time.Time{}
	if r.Head != (trace.Head{Kind: "head", Format: 1, Name: "two", Hash: "ab", Seed: 7, Program: "1.0.0", Go: r.Head.Go}) ||
		wall.Year() != 2000 || r.Head.Go == "" {
		t.Errorf("head %+v at %v", r.Head, wall)
	}
	found := map[string]trace.Line{}
	for {
		l, err := r.Next()
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		if _, have := found[l.Kind]; !have {
			found[l.Kind] = l
		}
	}
	for kind, want := range map[string]trace.Line{
		trace.KindDial:  {Kind: trace.KindDial, From: "a", To: "10.0.0.2:80", Stream: 1},
		trace.KindData:  {Kind: trace.KindData, From: "10.0.0.1:32768", To: "b", Stream: 1, Size: 5},
		trace.KindLog:   {Kind: trace.KindLog, From: "a", Level: "INFO", Why: "done"},
		trace.KindCheck: {Kind: trace.KindCheck, From: "a", Why: "S14 a leak"},
	} {
		got := found[kind]
		if got.At == 0 && kind != trace.KindDial || got.N == 0 && kind != trace.KindCheck {
			t.Errorf("%s at %v, event %d", kind, got.At, got.N)
		}
		got.At, got.N = 0, 0
		if got != want {
			t.Errorf("line %+v, want %+v", got, want)
		}
	}
}
