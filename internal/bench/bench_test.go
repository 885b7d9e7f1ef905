// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test program be the other processes of a bench too.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-role") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestSmallRun goes through the goals with a handful of agents; the figures mean nothing then.
func TestSmallRun(t *testing.T) {
	var out, problems bytes.Buffer
	saved := filepath.Join(t.TempDir(), "bench.json")
	code := run(t.Context(), []string{
		"-goals", "memory,dispatch,storm,push,api", "-machines", "30", "-projects", "5", "-tasks", "60", "-blocks", "1",
		"-agents", "20", "-rounds", "1", "-windows", "1", "-window", "100ms",
		"-settle", "50ms", "-size", "1", "-dir", t.TempDir(), "-json", saved,
	}, &out, &problems)
	if code == 2 {
		t.Fatalf("exit code 2:\n%s", problems.String())
	}
	for _, goal := range []string{
		"20 idle agents, settled", "dispatch to a random", "back after kill -9", "push of 1 MiB", "machines by tag", "dashboard",
	} {
		if !strings.Contains(out.String(), goal) {
			t.Errorf("the table says nothing of %q:\n%s", goal, out.String())
		}
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil || len(r.Rows) == 0 || len(r.Raw) != 5 {
		t.Errorf("saved %d rows and %d raw goals: %v", len(r.Rows), len(r.Raw), err)
	}
}

func TestVerdicts(t *testing.T) {
	steady := []float64{100, 101, 99, 100, 100}
	for _, row := range []struct {
		name string
		p    pairs
		want string
	}{
		{"within", pairs{steady, []float64{150, 150, 150, 150, 150}}, met},
		{"one bad pair", pairs{steady, []float64{150, 900, 150, 150, 150}}, met},
		{"beyond", pairs{steady, []float64{250, 250, 250, 150, 250}}, missed},
		{"bursts", pairs{[]float64{100, 300, 90, 310, 100, 290, 100}, []float64{250, 250, 250, 250, 250, 250, 250}}, noVerdict},
		{"drift", pairs{[]float64{100, 130, 170, 220, 290}, []float64{250, 250, 250, 250, 250}}, noVerdict},
	} {
		r := newReport()
		r.judge(row.name, "", "us", row.p, func(ratio float64) bool { return ratio <= 2 })
		if got := r.Rows[0].Verdict; got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
		if counted := r.misses() == 1; counted != (row.want == missed) {
			t.Errorf("%s: %d misses", row.name, r.misses())
		}
	}
	r := newReport()
	r.limit("small", "MB", 8, 9)
	r.limit("big", "MB", 10, 9)
	r.limit("free", "MB", 10, 0)
	got := []string{r.Rows[0].Verdict, r.Rows[1].Verdict, r.Rows[2].Verdict}
	if want := []string{met, missed, noted}; !slices.Equal(got, want) {
		t.Errorf("limits: %q, want %q", got, want)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-goals", "speed"}, {"extra"}, {"-role", "boss"}, {"-nonsense"}} {
		var out, problems bytes.Buffer
		if code := run(t.Context(), args, &out, &problems); code != 2 || problems.Len() == 0 {
			t.Errorf("%q: exit code %d, said %q", args, code, problems.String())
		}
	}
}
