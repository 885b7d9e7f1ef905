// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Limits on failed attempts. Source: security.md 1.4.
const (
	failuresPerAccount = 10
	failuresPerSource  = 30
	failureWindow      = time.Minute
	// maxTracked is how many accounts, and how many sources, are remembered at once.
	maxTracked = 10_000
	// firstDelay follows the second failure in a window; each further one doubles it.
	firstDelay = 50 * time.Millisecond
	maxDelay   = 2 * time.Second
	// maxNews is how many failures in a window are worth a row of the audit trail, whoever fails.
	maxNews = 60
)

// limiter counts failed attempts per account and per source. It has no clock: callers give the
// time. Safe for concurrent use; it never waits.
type limiter struct {
	mu       sync.Mutex
	accounts map[string]window
	sources  map[string]window
	news     window
}

type window struct {
	start    time.Time
	failures int
}

func newLimiter() *limiter {
	return &limiter{accounts: map[string]window{}, sources: map[string]window{}}
}

// allow returns how long the account or the source has to wait; zero lets it try.
func (l *limiter) allow(now time.Time, account, source string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(left(now, l.accounts[canonical(account)], failuresPerAccount),
		left(now, l.sources[source], failuresPerSource))
}

func left(now time.Time, w window, limit int) time.Duration {
	if w.failures < limit {
		return 0
	}
	return max(0, w.start.Add(failureWindow).Sub(now))
}

// fail records a failed attempt and returns how long its answer should be held back. News are the first one on an
// account in a window, and the one that fills it; without an account, those of a source. Who tells of them asks isTold.
func (l *limiter) fail(now time.Time, account, source string) (delay time.Duration, isNews bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := count(now, l.sources, source)
	isNews = n == 1 || n == failuresPerSource
	if account != "" {
		here := count(now, l.accounts, canonical(account))
		isNews = here == 1 || here == failuresPerAccount
		n = max(n, here)
	}
	return delayAfter(n), isNews
}

// isTold counts news, of which a window holds maxNews.
func (l *limiter) isTold(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.news.add(now)
	return l.news.failures <= maxNews
}

// delayAfter is how long the answer to the n-th failure in a window is held back.
func delayAfter(n int) time.Duration {
	switch {
	case n < 2:
		return 0
	case n > 8:
		return maxDelay
	}
	return min(maxDelay, firstDelay<<(n-2))
}

// add counts one more, in a new window when the last is over.
func (w *window) add(now time.Time) {
	if !now.Before(w.start.Add(failureWindow)) {
		*w = window{start: now}
	}
	w.failures++
}

func count(now time.Time, all map[string]window, key string) int {
	w, known := all[key]
	if !known && len(all) >= maxTracked {
		makeRoom(now, all)
	}
	w.add(now)
	all[key] = w
	return w.failures
}

// makeRoom drops what has ended, and the oldest tenth if that is not enough, so that the work of
// looking at all is shared by many failures.
func makeRoom(now time.Time, all map[string]window) {
	starts := make([]time.Time, 0, len(all))
	for key, w := range all {
		if !now.Before(w.start.Add(failureWindow)) {
			delete(all, key)
			continue
		}
		starts = append(starts, w.start)
	}
	if len(starts) < maxTracked {
		return
	}
	slices.SortFunc(starts, time.Time.Compare)
	cut := starts[len(starts)/10]
	for key, w := range all {
		if !w.start.After(cut) {
			delete(all, key)
		}
	}
}

// canonical folds the spellings of one account name into one counter.
func canonical(account string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, account)
}
