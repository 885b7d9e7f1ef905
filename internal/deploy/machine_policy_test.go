// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"testing"
	"time"

	"fairlead/internal/deploy"
)

func TestAbandonedMachines(t *testing.T) {
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		after  time.Duration
		status deploy.HealthStatus
		seen   time.Time
		want   bool
	}{
		"seen in time":    {24 * time.Hour, deploy.HealthUnavailable, now.Add(time.Second - 24*time.Hour), false},
		"seen long ago":   {24 * time.Hour, deploy.HealthUnavailable, now.Add(-24 * time.Hour), true},
		"on line":         {24 * time.Hour, deploy.HealthHealthy, now.Add(-48 * time.Hour), false},
		"never deleted":   {0, deploy.HealthUnavailable, now.Add(-1000 * time.Hour), false},
		"never seen, new": {24 * time.Hour, deploy.HealthUnavailable, time.Time{}, false},
	} {
		m := deploy.Machine{AddedAt: now.Add(-time.Hour), Health: deploy.Health{Status: c.status, LastSeen: c.seen}}
		if got := (deploy.MachinePolicy{DeleteAfter: c.after}).IsAbandoned(now, m); got != c.want {
			t.Errorf("%s: abandoned %v, want %v", name, got, c.want)
		}
	}
	if got := deploy.PolicyOf([]deploy.MachinePolicy{{ID: "MachinePolicies-1", Name: "d"}, {
		ID:   "MachinePolicies-2",
		Name: "x",
	}},
		deploy.Machine{Policy: "MachinePolicies-9"}); got.Name != "d" {
		t.Errorf("a policy that is gone: %s", got.Name)
	}
}
