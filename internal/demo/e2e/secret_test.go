// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/demo"
)

// arguments are the command lines of all processes of this machine that were seen during a test.
type arguments struct {
	stop func()
	mu   sync.Mutex
	seen map[string]bool
}

// watchArguments looks at every process's arguments, again and again, as any user of a machine can.
func watchArguments(t *testing.T) *arguments {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	a := &arguments{seen: map[string]bool{}, stop: func() { cancel(); group.Wait() }}
	group.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			a.look()
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(a.stop)
	return a
}

func (a *arguments) look() {
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil {
			a.seen[string(text)] = true
		}
	}
}

// lacks fails the test when a secret was among the arguments, or when nothing was seen at all.
func (a *arguments) lacks(t *testing.T, secrets ...string) {
	t.Helper()
	a.stop()
	ours := 0
	for line := range a.seen {
		if strings.Contains(line, "fairlead-agent\x00run") || strings.Contains(line, "fairlead-server\x00run") {
			ours++
		}
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("a secret stood in the arguments of %s", strings.ReplaceAll(strings.ReplaceAll(line, secret, "<secret>"), "\x00", " "))
			}
		}
	}
	if ours == 0 {
		t.Error("no program of ours was seen among the arguments of all processes")
	}
}

// lacksInFiles fails the test when a secret lies in a file of the site: a log, a database, a home. The key file is the
// demo's own.
func lacksInFiles(t *testing.T, site *demo.Site, secrets ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(site.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path == site.KeyFile() {
			return nil // what came and went meanwhile is no secret's place
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		files++
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("a secret lies in %s", path)
			}
		}
		return nil
	})
	must(t, err)
	if files == 0 {
		t.Error("no file was looked at")
	}
}
