// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/target"
)

// streaming is a machine with the whole log of a script that has ended. Each time it is followed,
// spoil may change what it sends.
type streaming struct {
	*scripted
	raw   []byte
	from  []int64 // where it was followed from
	spoil func(try int, raw []byte)
	until func(try int) int64 // where the line breaks; nil means never
}

func stream(lines, length int) *streaming {
	s := &streaming{scripted: &scripted{}}
	for i := range lines {
		s.raw = contract.AppendRecord(s.raw, contract.Record{
			Source: contract.Stdout, MonoUS: int64(i), Text: fmt.Appendf(nil, "line %06d %s", i, strings.Repeat(".", length)),
		})
	}
	s.status = func() (contract.TicketStatus, error) { return s.end(), nil }
	return s
}

func (s *streaming) end() contract.TicketStatus {
	sum := sha256.Sum256(s.raw)
	status := *verdictOf(contract.Succeeded, int64(len(s.raw)))
	status.Verdict.LogSHA256 = hex.EncodeToString(sum[:])
	return status
}

func (s *streaming) Target(deploy.MachineID) (target.Target, string, error) { return s, "state-1", nil }

func (s *streaming) Follow(_ context.Context, _ contract.TicketID, from int64, f target.FollowFunc) error {
	try := len(s.from)
	s.from = append(s.from, from)
	if from > int64(len(s.raw)) {
		return errkind.Invalid.Errorf("its log ends before %d", from)
	}
	raw := bytes.Clone(s.raw)
	if s.spoil != nil {
		s.spoil(try, raw)
	}
	var batch []contract.Record
	for at, rest := from, raw[from:]; len(rest) > 0; {
		r, after, ok, err := contract.ParseRecord(rest, at)
		if !ok || err != nil {
			return errkind.Corrupt.Errorf("no record at %d: %w", at, err)
		}
		if s.until != nil && r.End() > s.until(try) {
			return errkind.Unavailable.Errorf("the line broke")
		}
		batch, rest, at = append(batch, r), after, r.End()
		if len(batch) == 100 || len(rest) == 0 {
			if err := f(batch, nil); err != nil {
				return err
			}
			batch = nil
		}
	}
	status := s.end()
	return f(nil, &status)
}

// verdict is the only ticket's.
func (b *bench) verdict() (v contract.Verdict) {
	b.t.Helper()
	b.must(b.store.View(context.WithoutCancel(b.t.Context()), func(r store.Reader) error {
		tickets, err := r.Tickets("ServerTasks-1")
		if err == nil && (len(tickets) != 1 || tickets[0].Verdict == nil) {
			b.t.Fatalf("tickets %+v, want one with a verdict", tickets)
		}
		if err == nil {
			v = *tickets[0].Verdict
		}
		return err
	}))
	return v
}

// lineNumbers are those that the log holds, in its order.
func (b *bench) lineNumbers() (numbers []int) {
	for at := int64(0); ; {
		lines, next, err := b.logs.Read("ServerTasks-1", at, 1<<20)
		b.must(err)
		for _, l := range lines {
			var n int
			if _, err := fmt.Sscanf(l.Text, "line %d", &n); err == nil {
				numbers = append(numbers, n)
			}
		}
		if next == at {
			return numbers
		}
		at = next
	}
}

func upTo(n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, i)
	}
	return numbers
}

// TestSpoiledOutputIsAskedForAgain once, from its beginning.
func TestSpoiledOutputIsAskedForAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoiled int // tries
		reason  bool
	}{{"on the way", 1, false}, {"at its source", 9, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				m := stream(300, 10)
				m.status = nil // it learns of the end by following
				m.spoil = func(try int, raw []byte) {
					if try < c.spoiled {
						raw[len(raw)-1] ^= 1
					}
				}
				b.run(m.scripted, m, "", nil)
				if !slices.Equal(m.from, []int64{0, 0}) {
					t.Errorf("followed from %v, want twice from 0", m.from)
				}
				if got, want := b.lineNumbers(), append(upTo(300), upTo(300)...); !slices.Equal(got, want) {
					t.Errorf("the log holds the lines %v", got)
				}
				v, log := b.verdict(), b.log()
				if !strings.Contains(log, "Warning The output above is not what the machine wrote: 1") || v.Outcome != contract.Succeeded {
					t.Errorf("verdict %+v, log\n%.2000s", v, log)
				}
				if c.reason != strings.Contains(v.Reason, "its output here is not what it wrote: ") {
					t.Errorf("reason %q", v.Reason)
				}
				if c.reason && !strings.Contains(log, "Error The script succeeded, but its output here is not what it wrote") {
					t.Errorf("the log does not say so:\n%s", log[max(0, len(log)-800):])
				}
			})
		})
	}
}

// TestRestartedServerChecksTheWholeStream: what it held before counts, and is not stored again.
func TestRestartedServerChecksTheWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		const lines = 10_000
		m := stream(lines, 300)
		m.until = func(try int) int64 {
			if try == 0 {
				return 2_500_000
			}
			return 1 << 40
		}
		b.run(m.scripted, cutThenGone{m}, "", nil)
		first := len(b.lineNumbers())
		if first == 0 || first == lines {
			t.Fatalf("the first server stored %d lines", first)
		}
		b.run(m.scripted, m, "", nil)
		if last := m.from[len(m.from)-1]; last < 1<<20 || last >= 2_500_000 {
			t.Errorf("followed from %v, want the last mark before 2,500,000", m.from)
		}
		if got := b.lineNumbers(); !slices.Equal(got, upTo(lines)) {
			t.Errorf("%d lines, not each of %d once", len(got), lines)
		}
		if v := b.verdict(); v.Outcome != contract.Succeeded || v.Reason != "" {
			t.Errorf("verdict %+v\n%s", v, b.log()[:300])
		}
	})
}

// cutThenGone is a machine that is off line once its line has broken.
type cutThenGone struct{ *streaming }

func (c cutThenGone) Target(id deploy.MachineID) (target.Target, string, error) {
	if len(c.from) > 0 {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return c.streaming.Target(id)
}

// TestRestartInTheSecondTry: the second try goes on, and there is no third.
func TestRestartInTheSecondTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		m := stream(50, 10)
		m.spoil = func(_ int, raw []byte) { raw[len(raw)-1] ^= 1 }
		m.until = func(try int) int64 {
			if try == 1 {
				return 1000
			}
			return 1 << 40
		}
		b.run(m.scripted, secondTryThenGone{m}, "", nil)
		m.until = nil
		b.run(m.scripted, m, "", nil)
		if !slices.Equal(m.from, []int64{0, 0, 0}) {
			t.Errorf("followed from %v, want each time from 0", m.from)
		}
		if got, want := b.lineNumbers(), append(upTo(50), upTo(50)...); !slices.Equal(got, want) {
			t.Errorf("the log holds the lines %v", got)
		}
		if log := b.log(); strings.Count(log, "All of it comes again below") != 1 || b.verdict().Reason == "" {
			t.Errorf("verdict %+v, log\n%s", b.verdict(), log)
		}
	})
}

type secondTryThenGone struct{ *streaming }

func (s secondTryThenGone) Target(id deploy.MachineID) (target.Target, string, error) {
	if len(s.from) > 1 {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return s.streaming.Target(id)
}
