// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
)

// TestMachinesAreAskedAsTheirPolicySays: both were looked at twenty minutes ago and are on line.
func TestMachinesAreAskedAsTheirPolicySays(t *testing.T) {
	now := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	f := New(Deps{Env: host.Env{Wall: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}})
	f.policies = []deploy.MachinePolicy{
		{ID: "MachinePolicies-2", HealthInterval: 20 * time.Minute}, {ID: "MachinePolicies-3"},
	}
	for id, policy := range map[deploy.MachineID]deploy.MachinePolicyID{
		"Machines-1": "", "Machines-2": "MachinePolicies-2", "Machines-3": "MachinePolicies-3",
		"Machines-4": "MachinePolicies-9",
	} {
		f.known[id] = newMember(deploy.Machine{ID: id, Policy: policy, Health: deploy.Health{
			Status: deploy.HealthHealthy, CheckedAt: now.Add(-20 * time.Minute), LastSeen: now,
		}})
		f.machines[id] = &presence{sessions: []*session{{}}}
	}
	if got, want := f.stale(), []deploy.MachineID{"Machines-2"}; !slices.Equal(got, want) {
		t.Errorf("after 20 minutes: %v, want %v", got, want)
	}
	now = now.Add(deploy.DefaultHealthInterval)
	if got, want := f.stale(), []deploy.MachineID{"Machines-1", "Machines-2", "Machines-4"}; !slices.Equal(got, want) {
		t.Errorf("an hour later: %v, want %v", got, want)
	}
}
