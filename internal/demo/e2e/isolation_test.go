// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/demo"
)

// Two scripts that must run alone: the second says whom it waits for, and runs after the first.
func TestSecondScriptSaysWhomItWaitsFor(t *testing.T) {
	t.Parallel()
	site, _, _ := startSite(t)
	order, release := filepath.Join(site.Dir, "order"), filepath.Join(site.Dir, "release")
	first, err := site.REST.RunScript(t.Context(), "Move the crane", "echo first >>'"+order+"'\n"+
		"while [ ! -e '"+release+"' ]; do sleep 0.05; done\necho first-end >>'"+order+"'\n", "web-1")
	must(t, err)
	awaitWords(t, order, 1)
	second, err := site.REST.RunScript(t.Context(), "Load the ship", "echo second >>'"+order+"'\n", "web-1")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	errSeen := errors.New("seen")
	var waits string
	_, err = site.REST.Follow(ctx, second, func(l demo.LogLine) error {
		if strings.Contains(l.Text, "waits for") {
			waits = l.Text
			return errSeen
		}
		return nil
	})
	if !errors.Is(err, errSeen) {
		t.Fatalf("the log of the second task ended without saying whom it waits for: %v", err)
	}
	if !strings.Contains(waits, "Move the crane") || !strings.Contains(waits, "runs alone on this machine") {
		t.Errorf("the second task says %q, want it to name the first and why", waits)
	}
	must(t, os.WriteFile(release, nil, 0o600))
	for _, task := range []string{first, second} {
		ended, err := site.REST.Follow(ctx, task, func(demo.LogLine) error { return nil })
		must(t, err)
		if ended.State != "Success" {
			t.Errorf("%s ended with %s: %s", ended.Description, ended.State, ended.ErrorMessage)
		}
	}
	if got := strings.Join(words(t, order), " "); got != "first first-end second" {
		t.Errorf("they ran as %q, want one after the other", got)
	}
}
