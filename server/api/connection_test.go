// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/api"
)

// lined is a presence with a log.
type lined struct {
	nobody
	events []api.LineEvent
}

func (l lined) Log(deploy.MachineID) []api.LineEvent { return l.events }

func TestTheConnectionOfAMachineHasALog(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newSite(t, func(d *api.Deps) {
		d.Presence = lined{events: []api.LineEvent{
			{At: noon, Category: "Info", Text: "The line is up."},
			{At: noon.Add(time.Hour), Category: "Warning", Text: "The line ended."},
		}}
	})
	s.fill()
	const path = "/api/Spaces-1/machines/lt/connection"
	if logs := s.must(200, "GET", path, nil)["Logs"].([]any); len(logs) != 2 {
		t.Errorf("unchecked: %v", logs)
	}
	for status, category := range map[deploy.HealthStatus]string{
		deploy.HealthHealthy: "Info", deploy.HealthHasWarnings: "Warning", deploy.HealthUnhealthy: "Error",
	} {
		err := s.store.Update(t.Context(), func(w store.Writer) error {
			all, err := w.Machines(store.MachineFilter{Space: deploy.DefaultSpace})
			for _, m := range all {
				m.Health = deploy.Health{Status: status, Summary: "It said so.", CheckedAt: noon.Add(time.Minute)}
				if err == nil && m.Name == "lt" {
					err = w.PutMachine(m)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		logs := s.must(200, "GET", path, nil)["Logs"].([]any)
		if len(logs) != 3 {
			t.Fatalf("checked: %v", logs)
		}
		line := logs[1].(m)
		want := fmt.Sprintf("Health check: %s: It said so.", status)
		if line["MessageText"] != want || line["Category"] != category || line["OccurredAt"] == nil {
			t.Errorf("the check is the line %v, want %q as %s", line, want, category)
		}
	}
}
