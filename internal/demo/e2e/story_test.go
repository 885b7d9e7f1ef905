// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/cli"
	"fairlead/internal/demo"
)

func TestStory(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	watch := watchArguments(t)
	var out strings.Builder
	story := demo.NewStory(site, demo.NewScreen(&cli.IO{Out: &out}))
	err := story.Tell(t.Context())
	if err == nil {
		story.Summary(false)
	}
	t.Log("\n" + out.String())
	must(t, err)
	for _, d := range story.Deployed {
		if d.Tickets != 4 || d.Starts != 4 || len(d.Pages) != 2 {
			t.Errorf("release %s: %d tickets, %d starts, %d pages; want 4, 4 and 2", d.Version, d.Tickets, d.Starts, len(d.Pages))
		}
	}
	for _, want := range []string{"serves release 2.0.0 on web-2: “Good day from web-2”", "8, started 8 times", site.Portal()} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not tell %q", want)
		}
	}
	key := strings.TrimSpace(string(read(t, site.KeyFile())))
	watch.lacks(t, key)
	lacksInFiles(t, site, key)
	if strings.Contains(out.String(), key) {
		t.Error("the story tells the API key")
	}
}

// A second run on the same machine must find nothing of the first: no process, no folder.
func TestStoryLeavesNothing(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	story := demo.NewStory(site, demo.NewScreen(&cli.IO{Out: &strings.Builder{}}))
	must(t, story.Tell(t.Context()))
	pids, err := filepath.Glob(filepath.Join(site.Dir, "web-*", "applications", "*", "*", "web.pid"))
	must(t, err)
	if len(pids) != 2 {
		t.Fatalf("%d web servers left their process id, want 2", len(pids))
	}
	var servers []string
	for _, path := range pids {
		pid := strings.TrimSpace(string(read(t, path)))
		if !isAlive(pid) {
			t.Errorf("the web server of %s does not run", path)
		}
		servers = append(servers, pid)
	}
	must(t, site.Close(t.Context(), false))
	for _, pid := range servers {
		if isAlive(pid) {
			t.Errorf("the web server %s runs after the end", pid)
		}
	}
	if _, err := os.Stat(site.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there after the end: %v", err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return text
}
