// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

func TestArtifactsAreListedAndRead(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.hand("ServerTasks-1", "", "notes.txt", "second")
	const base = "/api/Spaces-1/artifacts"
	for query, want := range map[string]int{
		"": 2, "?regarding=ServerTasks-1": 2, "?regarding=servertasks-1": 2, "?regarding=Deployments-1": 2,
		"?regarding=Projects-1": 2, "?regarding=Environments-1": 2, "?regarding=ServerTasks-77": 0, "?regarding=x": 0,
		"?ids=Artifacts-1": 1, "?partialName=NOTES": 1, "?take=1": 1, "?skip=2": 0,
	} {
		if n := len(s.must(200, "GET", base+query, nil)["Items"].([]any)); n != want {
			t.Errorf("%d artifacts with %q, want %d", n, query, want)
		}
	}
	template := s.must(200, "GET", "/api/tasks/ServerTasks-1", nil)["Links"].(m)["Artifacts"]
	if template != base+"{?regarding}" {
		t.Errorf("the task links to %v", template)
	}
	one := s.must(200, "GET", base+"/artifacts-1", nil)
	a := s.call("GET", one["Links"].(m)["Content"].(string), nil)
	if a.status != 200 || string(a.body) != artifactPage {
		t.Errorf("content: %d %s", a.status, a.body)
	}
	for name, want := range map[string]string{
		"Content-Disposition": "attachment; filename=report.html", "Content-Type": "application/octet-stream",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	r := s.request("GET", base+"/Artifacts-1/content", nil)
	r.Header.Set("Range", "bytes=1-6")
	if part := s.send(r); part.status != 206 || string(part.body) != "script" {
		t.Errorf("a range: %d %s", part.status, part.body)
	}
	s.must(404, "GET", base+"/Artifacts-77/content", nil)
	s.must(400, "POST", base, m{"Filename": "x", "ServerTaskId": "ServerTasks-1"})
}

// TestArtifactsChange: renamed, deleted, and gone with their release; each has its event, and no content stays
// that no artifact has.
func TestArtifactsChange(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.hand("ServerTasks-1", "Deployments-1", "again.html", artifactPage) // the same content
	const base = "/api/Spaces-1/artifacts"
	if got := s.must(200, "PUT", base+"/Artifacts-1", m{"Filename": "../../etc/cron.d/x\r\n"})["Filename"]; got != ".._.._etc_cron.d_x__" {
		t.Errorf("the new name is %q", got)
	}
	s.must(400, "PUT", base+"/Artifacts-1", m{"Filename": " "})
	s.must(200, "DELETE", base+"/Artifacts-1", nil)
	s.must(404, "DELETE", base+"/Artifacts-1", nil)
	if a := s.call("GET", base+"/Artifacts-2/content", nil); string(a.body) != artifactPage {
		t.Errorf("the other artifact with this content: %d %s", a.status, a.body)
	}
	kept, err := s.kept.Open(s.artifact("Artifacts-2"))
	if err != nil {
		t.Fatal(err)
	}
	_ = kept.Close()
	last := s.artifact("Artifacts-2")
	s.must(200, "POST", "/api/tasks/ServerTasks-1/cancel", nil)
	s.must(200, "DELETE", "/api/Spaces-1/releases/Releases-1", nil)
	s.must(404, "GET", base+"/Artifacts-2", nil)
	if _, err := s.kept.Open(last); err == nil {
		t.Error("content stays when the release is gone")
	}
	for category, want := range map[string]string{
		"ArtifactEdited":  "artifact report.html of ServerTasks-1 was renamed to",
		"ArtifactDeleted": "of ServerTasks-1 was deleted, SHA-256 ",
	} {
		events, err := s.catalog.Events(t.Context(), identity.System(), catalog.EventFilter{Category: category})
		if err != nil || len(events) != 1 || !strings.Contains(events[0].Message, want) {
			t.Errorf("events %s: %v, %v", category, events, err)
		}
	}
}

// TestArtifactsOfElsewhere are not there for who has the right in another project only.
func TestArtifactsOfElsewhere(t *testing.T) {
	s := newSite(t)
	s.fill()
	key := s.hire("elsewhere", "userroles-projectlead", s.other())
	for _, path := range []string{"/Artifacts-1", "/Artifacts-1/content"} {
		if a := s.as(key, "GET", "/api/Spaces-1/artifacts"+path, nil); a.status != 404 {
			t.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
	}
	if a := s.as(key, "DELETE", "/api/Spaces-1/artifacts/Artifacts-1", nil); a.status == 200 {
		t.Errorf("DELETE: %d %s", a.status, a.body)
	}
	if a := s.as(key, "GET", "/api/Spaces-1/artifacts", nil); len(a.json["Items"].([]any)) != 0 {
		t.Errorf("the list: %s", a.body)
	}
}

// artifact reads a row.
func (s *site) artifact(id string) deploy.Artifact {
	s.t.Helper()
	d, err := s.catalog.Artifact(s.t.Context(), identity.System(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return d.Artifact
}
