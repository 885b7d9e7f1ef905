// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/internal/demo"
)

const (
	environment = "Test"
	tag         = "web"
	// limit is more than anything here takes on a busy machine.
	limit = 60 * time.Second
)

// What all tests share: the programs under test, and ports that no two of them are given.
var (
	programs demo.Programs
	ports    demo.Ports
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fairlead-e2e-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	root, err := demo.FindRoot(".")
	if err == nil {
		programs, err = demo.FindPrograms(context.Background(), root, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// newSite makes a site that is closed with the test. A test that fails tells what its programs said last.
func newSite(t *testing.T) *demo.Site {
	t.Helper()
	dir, err := os.MkdirTemp("", "fairlead-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	site, err := demo.NewSite(dir, programs, &ports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the programs said last:\n%s", site.LastWords(30))
		}
		if err := site.Close(context.Background(), false); err != nil {
			t.Errorf("close the site: %v", err)
		}
	})
	return site
}

// startSite starts a server that has an environment, with one polling and one listening agent on line.
func startSite(t *testing.T) (site *demo.Site, polling, listening *demo.Agent) {
	t.Helper()
	site = newSite(t)
	must(t, site.StartServer(t.Context()))
	must(t, site.SignIn(t.Context()))
	must(t, site.REST.CreateEnvironment(t.Context(), environment))
	return site, addAgent(t, site, "web-1", false), addAgent(t, site, "web-2", true)
}

func addAgent(t *testing.T, site *demo.Site, name string, listening bool) *demo.Agent {
	t.Helper()
	agent, err := site.AddAgent(name, listening)
	must(t, err)
	token, err := site.Token(t.Context(), environment, tag)
	must(t, err)
	_, err = site.Join(t.Context(), agent, token)
	must(t, err)
	must(t, site.StartAgent(agent))
	must(t, site.AwaitOnline(t.Context(), agent))
	return agent
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// words are the fields of a file, none while it is missing.
func words(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// awaitWords waits until a file has that many fields.
func awaitWords(t *testing.T, path string, n int) []string {
	t.Helper()
	must(t, demo.Await(t.Context(), limit, strconv.Itoa(n)+" words in "+filepath.Base(path),
		func(context.Context) (bool, error) { return len(words(t, path)) >= n, nil }))
	return words(t, path)
}

// isAlive reports whether a process runs; one that only waits to be buried does not.
func isAlive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
