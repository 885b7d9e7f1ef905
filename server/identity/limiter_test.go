// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"fairlead/internal/store"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestLimiterCountsPerAccountAndPerSource(t *testing.T) {
	l := newLimiter()
	for i := range failuresPerAccount {
		if wait := l.allow(start, "admin", fmt.Sprint(i)); wait != 0 {
			t.Fatalf("failure %d: wait %v", i, wait)
		}
		l.fail(start, "admin", fmt.Sprint(i))
	}
	if wait := l.allow(start.Add(time.Second), "admin", "fresh"); wait != failureWindow-time.Second {
		t.Errorf("account: wait %v, want the rest of the minute", wait)
	}
	if wait := l.allow(start.Add(failureWindow), "admin", "fresh"); wait != 0 {
		t.Errorf("a minute later: wait %v", wait)
	}
	for i := range failuresPerSource {
		l.fail(start, fmt.Sprint("user", i), "192.0.2.1")
	}
	if l.allow(start, "other", "192.0.2.1") == 0 {
		t.Error("source: 30 failures are not enough to wait")
	}
	if l.allow(start, "other", "192.0.2.2") != 0 {
		t.Error("another source waits too")
	}
}

func TestA8SpellingsOfAnAccountShareACounter(t *testing.T) {
	l := newLimiter()
	for i, name := range []string{
		"Admin", "ADMIN", " admin", "admin\x00", "ad\u200bmin", "admin\t", "aDmIn", "\ufeffadmin", "admin\r\n", "admin",
	} {
		l.fail(start, name, fmt.Sprint(i))
	}
	if l.allow(start, "admin", "fresh") == 0 {
		t.Error("A8 ten spellings have more than one counter")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter()
	for i := range 3 * maxTracked {
		l.fail(start.Add(time.Duration(i)*time.Millisecond), fmt.Sprint("a", i), fmt.Sprint("s", i))
	}
	if len(l.accounts) > maxTracked || len(l.sources) > maxTracked {
		t.Errorf("%d accounts and %d sources are remembered: limit is %d", len(l.accounts), len(l.sources), maxTracked)
	}
}

// TestLimiterNeverLetsMoreThrough: whatever the times, no window of a source holds more failures
// than allowed before it has to wait.
func TestLimiterNeverLetsMoreThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, now, began, failures := newLimiter(), start, start, 0
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "ms")) * time.Millisecond)
			if now.Sub(began) >= failureWindow {
				began, failures = now, 0
			}
			if l.allow(now, "", "s") > 0 {
				continue
			}
			if failures == 0 {
				began = now
			}
			if failures++; failures > failuresPerSource {
				t.Fatalf("%d failures since %v", failures, began)
			}
			if d, _ := l.fail(now, "", "s"); d < 0 || d > maxDelay {
				t.Fatalf("delay %v", d)
			}
		}
	})
}

func TestKeysHaveTheShapeThatClientsTake(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := newKey()
		if err := checkKeyShape(key); err != nil || len(key) != len(keyPrefix)+keyCharacters || seen[key] {
			t.Fatalf("key %q: %v", key, err)
		}
		seen[key] = true
	}
	for _, bad := range []string{"", "API-", "API-abc", "api-ABC", "API-AB C", "API-Ä", "API-A\x00", "API-" +
		strings.Repeat("A", 200)} {
		if checkKeyShape(bad) == nil {
			t.Errorf("%q passes for a key", bad)
		}
	}
}

func FuzzKeyShape(f *testing.F) {
	f.Add("API-ABC")
	f.Fuzz(func(t *testing.T, key string) {
		if checkKeyShape(key) == nil && (len(key) > MaxKeyBytes || !strings.HasPrefix(key, keyPrefix)) {
			t.Errorf("%q passes", key)
		}
		_ = canonical(key)
	})
}

// TestLimiterRemembersNoLongNames: what is no name of a user takes no memory.
func TestLimiterRemembersNoLongNames(t *testing.T) {
	d := NewDirectory(nobodyThere{}, func() time.Time { return start })
	_, _, _, err := d.SignInWithPassword(t.Context(), "192.0.2.1", strings.Repeat("x", 2<<20), "guess")
	if err == nil || len(d.tries.accounts) != 0 || len(d.tries.sources) != 1 {
		t.Errorf("%v; %d accounts, %d sources", err, len(d.tries.accounts), len(d.tries.sources))
	}
}

// nobodyThere is a store without users.
type nobodyThere struct{ store.Store }

func (nobodyThere) View(context.Context, func(store.Reader) error) error { return nil }

func (nobodyThere) Update(context.Context, func(store.Writer) error) error { return nil }

// TestA8CanonicalIsAsWideAsFolding: what named takes for the same name has one counter, for every letter there is.
func TestA8CanonicalIsAsWideAsFolding(t *testing.T) {
	for r := range rune(unicode.MaxRune) {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if canonical(string(r)) != canonical(string(f)) {
				t.Errorf("%q and %q", r, f)
			}
		}
	}
}

// TestKeysUseUpNoNews: the audit trail tells nothing of wrong keys, so that they keep it from telling of nothing else.
func TestKeysUseUpNoNews(t *testing.T) {
	l := newLimiter()
	for i := range 2 * maxNews {
		l.fail(start, "", fmt.Sprint("192.0.2.", i))
	}
	for i := range maxNews {
		_, isNews := l.fail(start, fmt.Sprint("user ", i), "198.51.100.1")
		if !isNews || !l.isTold(start) {
			t.Fatalf("news %d of %d is not told", i+1, maxNews)
		}
	}
	if l.isTold(start) {
		t.Errorf("more than %d are told", maxNews)
	}
}
