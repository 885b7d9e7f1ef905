// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/host"
	"fairlead/internal/masking"

	"pgregory.net/rapid"
)

var noSecrets = &masking.Set{}

// S2: a secret that comes in several writes, with pauses that record unfinished lines, over the
// longest record and over the end of a line, is hidden as in the whole text.
func TestS2SecretSplitOverWrites(t *testing.T) {
	dir := t.TempDir()
	secrets := []string{"hunter22", "two\nlines of it\nhere", "22222"}
	set, err := masking.New(secrets)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log")
		r, err := openRecorder(host.Fsync{}, path, maxLogBytes, set, time.Now, make(chan struct{}, 1))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for range rapid.IntRange(0, 8).Draw(t, "parts") {
			b.WriteString(rapid.OneOf(
				rapid.SampledFrom(secrets), rapid.StringMatching(`[hu2\n ]{0,9}`),
				rapid.Just(strings.Repeat("x", contract.MaxRecordText-4)),
			).Draw(t, "part"))
		}
		for text := []byte(b.String()); len(text) > 0; {
			n := min(len(text), rapid.OneOf(rapid.IntRange(1, 12), rapid.Just(32<<10)).Draw(t, "bytes"))
			if got, err := (source{r, contract.Stderr}).Write(text[:n]); got != n || err != nil {
				t.Fatalf("Write = %d, %v", got, err)
			}
			text = text[n:]
			if rapid.Bool().Draw(t, "pause") {
				r.partials(time.Now().Add(time.Hour))
			}
		}
		want := set.Text(b.String())
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if got := kept(t, r, path, contract.Stderr); got != want {
			t.Fatalf("kept %q, want %q", got, want)
		}
	})
}

// kept closes the recorder and puts the records of one source together.
func kept(t *rapid.T, r *recorder, path string, of contract.Source) string {
	if _, _, err := r.close(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	at := int64(0)
	_, err := scanLog(path, 0, maxLogBytes, func(raw []byte) error {
		for len(raw) > 0 {
			rec, rest, ok, err := contract.ParseRecord(raw, at)
			if !ok || err != nil {
				t.Fatalf("record at %d: %v", at, err)
			}
			if raw, at = rest, rec.End(); rec.Source != of {
				continue
			}
			b.Write(rec.Text)
			if rec.Flags&contract.FlagMore == 0 {
				b.WriteByte('\n')
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// brittle is a masker that fails at some text.
type brittle struct{ at string }

func (b brittle) Write(to, p []byte) []byte {
	if bytes.Contains(p, []byte(b.at)) {
		panic("no more of " + b.at)
	}
	return append(to, p...)
}

func (b brittle) Close(to []byte) []byte { return to }

func (b brittle) Widen(*masking.Set) {}

// S7: a masker that fails keeps nothing from there on, says so, and counts; the script goes on.
func TestS7MaskerThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	r.masks = [2]masker{brittle{"canary"}, brittle{"canary"}}
	for _, text := range []string{"before\nunfinished", " line\nwith canary\n", "after\n"} {
		if n, err := (source{r, contract.Stdout}).Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	_, _ = source{r, contract.Stderr}.Write([]byte("other\n"))
	if _, _, err := r.close(); err != nil {
		t.Fatal(err)
	}
	const why = "not kept because the sensitive values could not be hidden in it: 3 lines, 34 bytes of stdout; 1 lines, 6 bytes of stderr"
	if r.lost != why {
		t.Errorf("the verdict would say %q, want %q", r.lost, why)
	}
	records, raw := readRecords(t, path)
	if len(records) != 3 || string(records[0].Text) != "before" || string(records[2].Text) != why {
		t.Errorf("records %+v", records)
	}
	if bytes.Contains(raw, []byte("canary")) {
		t.Errorf("the log holds what nobody has searched: %q", raw)
	}
}

func TestRecordsTellTheTimeSinceTheLogBegan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	r.began = r.began.Add(-time.Minute)
	_, _ = source{r, contract.Stdout}.Write([]byte("one\ntwo\n"))
	r.wall = func() time.Time { return time.UnixMilli(0) } // set back
	r.began = r.began.Add(-time.Minute)
	r.remark("three")
	if _, _, err := r.close(); err != nil {
		t.Fatal(err)
	}
	records, _ := readRecords(t, path)
	if len(records) != 3 || records[0].MonoUS != records[1].MonoUS || records[0].MonoUS < 60e6 ||
		records[2].MonoUS < 120e6 || records[2].WallMS != 0 {
		t.Errorf("records %+v", records)
	}
}
