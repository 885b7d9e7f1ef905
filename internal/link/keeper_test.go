// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"slices"
	"testing"
	"time"
)

// TestEqualDeadlinesKeepTheOrderOfSessions, whatever order they were set in: when the program ends, all
// sessions are told in an order that is no order.
func TestEqualDeadlinesKeepTheOrderOfSessions(t *testing.T) {
	const sessions = 5
	keeper := NewKeeper()
	now := time.Unix(1000, 0)
	var all []*Session
	for range sessions {
		s := NewSession(nil, Options{Keeper: keeper})
		all = append(all, s)
		keeper.arm(s, now.Add(time.Minute))
	}
	for _, n := range []int{3, 0, 4, 1, 2} {
		keeper.arm(all[n], now)
	}
	var order []int
	for s := keeper.pop(now); s != nil; s = keeper.pop(now) {
		order = append(order, slices.Index(all, s))
	}
	if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
		t.Errorf("their deadlines came in the order %v, want that in which they began", order)
	}
}
