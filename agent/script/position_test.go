// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
)

func (a *agent) position(t testing.TB) int64 {
	t.Helper()
	n, err := a.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPositionOnlyRises is row 18: what an agent has said of its journal holds after every restart, also
// when the tickets that raised it are forgotten, and an older state of its disk says less.
func TestPositionOnlyRises(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	told := a.position(t)
	if told < 1 {
		t.Fatalf("position of an empty journal is %d: 0 is for agents that know none", told)
	}
	rises := func(doing string, n int64, want bool) {
		t.Helper()
		if (n > told) != want || n < told {
			t.Errorf("%s: position %d after %d, want it higher: %v", doing, n, told, want)
		}
		told = n
	}
	again := func(doing string) {
		t.Helper()
		a.stop()
		a = newAgent(t, home, script.Options{})
		rises(doing, a.position(t), false)
	}
	again("restart with an empty journal")
	a.start(t, bash("one", "true"))
	rises("an order", a.position(t), true)
	a.watch(t, "one")
	told = max(told, a.position(t))
	if at := a.position(t); at < 3 {
		t.Errorf("position %d after an order and its start, want two higher than at first", at)
	}
	a.start(t, bash("one", "true"))
	rises("the same order", a.position(t), false)
	again("restart with a ticket")
	snapshot := filepath.Join(t.TempDir(), "home")
	if out, err := exec.Command("cp", "-a", home, snapshot).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a.start(t, bash("two", "true"))
	rises("another order", a.position(t), true)
	a.watch(t, "two")
	told = a.position(t)
	for _, id := range []contract.TicketID{"one", "two"} {
		if err := a.Forget(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	again("restart after all was forgotten")
	if back := newAgent(t, snapshot, script.Options{}).position(t); back >= told {
		t.Errorf("the older disk says %d, the newer one said %d", back, told)
	}
	// An order that could not be kept raises nothing that would be missed after a restart.
	if err := os.WriteFile(filepath.Join(home, "tickets", "three"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Start(t.Context(), encode(bash("three", "true"))); err == nil {
		t.Error("an order was taken over where its folder cannot be")
	}
	rises("an order that failed", a.position(t), false)
	a.start(t, bash("four", "true"))
	rises("the next one", a.position(t), true)
	a.watch(t, "four")
	told = a.position(t)
	again("restart at the end")
}
