// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package headless

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// Browser is the path of a program.
type Browser string

// Need returns the first browser that is installed, the smallest first. Without one, and with -short,
// the test is skipped.
func Need(t testing.TB) Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no page was opened in a browser")
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return Browser(path)
		}
	}
	t.Skip("no browser is installed (Debian: chromium-headless-shell): no page was opened in one")
	return ""
}

// Page is what a browser made of a page.
type Page struct {
	Printed string   // what --dump-dom and the like ask for
	Console []string // lines that the page wrote, or the browser about it: errors of scripts, broken policies
}

// patience is how long a browser may take to start, open one page and end, on a busy machine.
const patience = 2 * time.Minute

// Open opens one page with further options of Chromium. A browser that fails or takes more than two
// minutes ends the test.
func (b Browser) Open(t testing.TB, url string, options ...string) Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var said strings.Builder
	arguments := slices.Concat(quiet, []string{"--user-data-dir=" + t.TempDir()}, options, []string{url})
	command := exec.CommandContext(ctx, string(b), arguments...)
	command.Stderr = &said
	command.WaitDelay = 10 * time.Second
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", url, err, said.String())
	}
	page := Page{Printed: string(out)}
	for line := range strings.Lines(said.String()) {
		if strings.Contains(line, ":CONSOLE") {
			page.Console = append(page.Console, line)
		}
	}
	return page
}

// Chromium looks for its maker's servers at each start unless it is told not to.
var quiet = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic",
	"--disable-sync", "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
}
