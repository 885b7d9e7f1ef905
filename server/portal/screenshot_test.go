// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// TestScreenshots takes a picture of every page, in both colour schemes and two widths, into the
// folder that FAIRLEAD_SCREENSHOTS names. It needs Debian's chromium-headless-shell.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("FAIRLEAD_SCREENSHOTS")
	if dir == "" {
		t.Skip("FAIRLEAD_SCREENSHOTS names no folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ended := sample()
	ended.task.State, ended.task.CompletedAt, ended.task.Error = "Failed", now, "step 2 (Deploy the web application) failed on 1 of 3 machines"
	step := &ended.task.Steps[1]
	step.Activity, step.Machines[0].Activity, step.Machines[2].Activity = "Failed", "Success", "Skipped"
	broken := sample()
	broken.refuse = errkind.Hinted(errkind.Invalid.Errorf("step 1 finds no enabled machine with the tag web in this environment; "+
		"step 2 is required and cannot be skipped"), "give a machine of the environment the tag web")
	empty := &fake{permissions: sample().permissions}
	empty.project = portal.Project{ProjectSummary: sample().projects[0]}
	for name, page := range map[string]struct {
		source *fake
		path   string
	}{
		"sign-in": {nil, "/app/sign-in"}, "dashboard": {sample(), "/app"}, "dashboard-empty": {empty, "/app"},
		"projects": {sample(), "/app/projects"}, "projects-empty": {empty, "/app/projects"}, "project": {sample(), "/app/projects/shop"},
		"project-empty": {empty, "/app/projects/shop"}, "release": {sample(), "/app/projects/shop/releases/1.4.2"},
		"machines": {sample(), "/app/machines"}, "machines-empty": {empty, "/app/machines"}, "machine": {sample(), "/app/machines/web-1"},
		"tasks": {sample(), "/app/tasks"}, "tasks-empty": {empty, "/app/tasks"}, "task": {sample(), "/app/tasks/ServerTasks-41"},
		"task-failed": {ended, "/app/tasks/ServerTasks-41"}, "packages": {sample(), "/app/packages"}, "packages-empty": {empty, "/app/packages"},
		"package": {sample(), "/app/packages/Shop.Web"}, "events": {sample(), "/app/events"}, "problem": {broken, "/app"},
	} {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{1280, 390} {
				take(t, filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), page.source, page.path, scheme, width)
			}
		}
	}
}

func take(t *testing.T, file string, source *fake, path, scheme string, width int) {
	t.Helper()
	cookie := goodCookie
	if source == nil {
		source, cookie = sample(), ""
	}
	p := open(source, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: identity.CookieName, Value: cookie})
		}
		p.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	blink := map[string]string{"light": "1", "dark": "0"}[scheme]
	height := map[int]int{1280: 900, 390: 1100}[width]
	out, err := exec.CommandContext(t.Context(), "chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--blink-settings=preferredColorScheme="+blink, fmt.Sprintf("--window-size=%d,%d", width, height),
		"--timeout=1500", "--screenshot="+file, server.URL+path).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", file, err, out)
	}
}
