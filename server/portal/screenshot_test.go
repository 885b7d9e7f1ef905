// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"fmt"
	"image/png"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/headless"
	"fairlead/server/portal"
)

// TestScreenshots takes a picture of every page, in both colour schemes and two widths, into the
// folder that FAIRLEAD_SCREENSHOTS names; without one, each page once, for what the browser says of it.
func TestScreenshots(t *testing.T) {
	headless.Need(t)
	dir, schemes, widths := os.Getenv("FAIRLEAD_SCREENSHOTS"), []string{"light", "dark"}, []int{1280, 390}
	if dir == "" {
		dir, schemes, widths = t.TempDir(), schemes[:1], widths[:1]
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ended := sample()
	ended.task.State, ended.task.CompletedAt, ended.task.Error = "Failed", now, "step 2 (Deploy the web application) failed on 1 of 3 machines"
	ended.task.Questions = nil
	step := &ended.task.Steps[1]
	step.Activity, step.Machines[0].Activity, step.Machines[2].Activity = "Failed", "Success", "Skipped"
	broken := sample()
	broken.refuse = errkind.Hinted(errkind.Invalid.Errorf("step 1 finds no enabled machine with the tag web in this environment; "+
		"step 2 is required and cannot be skipped"), "give a machine of the environment the tag web")
	spaces := sample()
	spaces.spaces = []portal.Space{
		{ID: "Spaces-1", Name: "Payments and Settlement of the Northern Branches"}, {ID: "Spaces-2", Name: "Default"},
	}
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
		"spaces": {spaces, "/app/tasks"},
	} {
		for _, scheme := range schemes {
			for _, width := range widths {
				take(t, filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), page.source, page.path, scheme, width)
			}
		}
	}
}

func take(t *testing.T, file string, source *fake, path, scheme string, width int) {
	t.Helper()
	blink := map[string]string{"light": "1", "dark": "0"}[scheme]
	height := map[int]int{1280: 900, 390: 1100}[width]
	browse(t, source, path, "--blink-settings=preferredColorScheme="+blink, fmt.Sprintf("--window-size=%d,%d", width, height),
		"--timeout=60000", "--screenshot="+file)
	picture, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if size, err := png.DecodeConfig(picture); err != nil || size.Width != width {
		t.Errorf("%s: %d pixels wide, want %d: %v", file, size.Width, width, err)
	}
}

// browse opens a page in a real browser, as Ann, or as nobody if there is no source, and returns
// what the browser prints.
func browse(t *testing.T, source *fake, path string, options ...string) string {
	t.Helper()
	if source == nil {
		source = sample()
		source.signedOut = true
	}
	server := httptest.NewServer(stage{open(source, nil), source})
	defer server.Close()
	defer server.CloseClientConnections()
	opened := headless.Need(t).Open(t, server.URL+path, options...)
	for _, line := range opened.Console {
		if !strings.Contains(line, "Failed to load resource") {
			t.Errorf("%s: the browser says %s", path, line)
		}
	}
	return opened.Printed
}

// stage serves the portal to a browser that is signed in already. A page of a source with hold set
// gets a picture that takes so long: the browser prints the page when it has everything.
type stage struct {
	portal http.Handler
	source *fake
}

func (s stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signedIn(r)
	switch {
	case r.URL.Path == "/hold":
		<-s.source.hold
	case s.source.hold == nil || strings.HasPrefix(r.URL.Path, "/app/static/") || strings.HasSuffix(r.URL.Path, "/follow"):
		s.portal.ServeHTTP(w, r)
	default:
		a := send(s.portal, r)
		maps.Copy(w.Header(), a.Header())
		w.WriteHeader(a.Code)
		_, _ = io.WriteString(w, strings.Replace(a.body, "</body>", `<img src="/hold" alt=""></body>`, 1))
	}
}
