// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/demo"
)

// grace is how long the server lets a script have between SIGTERM and SIGKILL; slack is what a busy machine adds.
const (
	grace = 10 * time.Second
	slack = 8 * time.Second
)

// The script of web-1 ends with SIGTERM, that of web-2 and its child do not hear it.
func TestCancelEndsTheProcessGroup(t *testing.T) {
	t.Parallel()
	site, _, _ := startSite(t)
	pids := filepath.Join(site.Dir, "pids")
	task, err := site.REST.RunScript(t.Context(), "Sleep", `
[ "$(get_octopusvariable Octopus.Machine.Name)" = web-1 ] || trap '' TERM
sleep 300 &
echo "$$ $!" >>'`+pids+`'
wait
wait
sleep 300
`, "web-1", "web-2")
	must(t, err)
	started := awaitWords(t, pids, 4)
	for _, pid := range started {
		if !isAlive(pid) {
			t.Errorf("process %s does not run before the cancel", pid)
		}
	}
	began := time.Now()
	must(t, site.REST.CancelTask(t.Context(), task))
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ended, err := site.REST.Follow(ctx, task, func(demo.LogLine) error { return nil })
	must(t, err)
	if took := time.Since(began); ended.State != "Canceled" || took > grace+slack {
		t.Errorf("the task ended with %s after %s, want Canceled within %s", ended.State, took, grace+slack)
	}
	for _, pid := range started {
		if isAlive(pid) {
			t.Errorf("process %s runs after the cancel", pid)
		}
	}
	activities, err := site.REST.Activities(t.Context(), task)
	must(t, err)
	for _, a := range activities {
		if a.Status != "Canceled" {
			t.Errorf("%s is %s, want Canceled", a.Machine, a.Status)
		}
	}
}
