// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/api"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// strays are the orphan results of every machine.
type strays struct {
	catalog   *catalog.Catalog
	forgotten []string
}

func (s *strays) Orphans(ctx context.Context, who identity.Principal, machine string) ([]api.Orphan, error) {
	if _, err := s.catalog.Machine(ctx, who, machine); err != nil {
		return nil, err
	}
	if len(s.forgotten) > 0 {
		return nil, nil
	}
	return []api.Orphan{{
		Ticket: "t-1", Task: "ServerTasks-8", Name: "Deploy Web", State: "finished", Outcome: "failed", ExitCode: 3,
		Sentence: "Deploy Web (ServerTasks-8): exit code 3",
	}}, nil
}

func (s *strays) ForgetOrphan(ctx context.Context, who identity.Principal, machine, ticket string) error {
	if _, err := s.catalog.Machine(ctx, who, machine); err != nil {
		return err
	}
	if slices.Contains(s.forgotten, ticket) {
		return errkind.NotFound.Errorf("the machine has no ticket %s", ticket)
	}
	s.forgotten = append(s.forgotten, ticket)
	return nil
}

// TestB2SafeMode covers case B2 at the surface: a store that came out of a backup takes no deployment
// and no task until it is accepted, once; reads, releases and packages go on.
func TestB2SafeMode(t *testing.T) {
	var s *site
	s = newSite(t, func(d *api.Deps) {
		d.Notice = func() string {
			row, err := s.catalog.Installation(t.Context())
			if err != nil {
				t.Error(err)
			}
			return catalog.SafeMode(row)
		}
	})
	s.fill()
	s.must(http.StatusConflict, "POST", "/api/serverstatus/accept-restore", map[string]any{})
	backup := time.Date(2026, 1, 1, 3, 4, 5, 0, time.UTC)
	hold := func(w store.Writer) error {
		row, err := w.Installation()
		if err != nil {
			return err
		}
		row.Restores, row.BackupAt = row.Restores+1, backup
		return w.PutInstallation(row)
	}
	if err := s.store.Update(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	deployment := map[string]any{"ReleaseId": "Releases-1", "EnvironmentId": "Environments-1"}
	check := map[string]any{"Name": "Health", "Arguments": map[string]any{"MachineIds": []string{"Machines-1"}}}
	before := s.checksum()
	for path, body := range map[string]any{"/api/Spaces-1/deployments": deployment, "/api/tasks": check} {
		problem := s.must(http.StatusServiceUnavailable, "POST", path, body)
		if text, _ := problem["ErrorMessage"].(string); !strings.Contains(text, "2026-01-01 03:04:05 UTC") ||
			!strings.Contains(text, "safe mode") {
			t.Errorf("%s refuses with %q", path, text)
		}
	}
	if after := s.checksum(); after != before {
		t.Error("a refused call changed the store")
	}
	warnings, _ := s.must(http.StatusOK, "GET", "/api/serverstatus", nil)["Warnings"].([]any)
	if len(warnings) != 1 {
		t.Errorf("warnings in safe mode = %v, want one", warnings)
	}
	s.must(http.StatusOK, "GET", "/api/Spaces-1/projects/Projects-1", nil)
	s.must(http.StatusCreated, "POST", "/api/Spaces-1/environments", map[string]any{"Name": "Later"})
	s.must(http.StatusConflict, "POST", "/api/serverstatus/accept-restore", map[string]any{"Restores": 2})
	s.must(http.StatusOK, "POST", "/api/serverstatus/accept-restore", map[string]any{})
	s.must(http.StatusConflict, "POST", "/api/serverstatus/accept-restore", map[string]any{})
	s.must(http.StatusCreated, "POST", "/api/Spaces-1/deployments", deployment)
}

// TestOrphanResults lists what a machine tells and lets it forget.
func TestOrphanResults(t *testing.T) {
	s := newSite(t)
	s.fill()
	list := s.call("GET", "/api/Spaces-1/machines/Machines-1/orphans", nil)
	if list.status != http.StatusOK || !strings.Contains(string(list.body), `"Id":"t-1"`) ||
		!strings.Contains(string(list.body), `"ExitCode":3`) {
		t.Errorf("orphans = %d %s", list.status, string(list.body))
	}
	s.must(http.StatusOK, "DELETE", "/api/Spaces-1/machines/Machines-1/orphans/t-1", nil)
	s.must(http.StatusNotFound, "DELETE", "/api/Spaces-1/machines/Machines-1/orphans/t-1", nil)
	if list := s.call("GET", "/api/Spaces-1/machines/Machines-1/orphans", nil); strings.TrimSpace(string(list.body)) != "[]" {
		t.Errorf("orphans afterwards = %s, want an empty list", string(list.body))
	}
}
