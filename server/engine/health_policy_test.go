// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"log/slog"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
)

// TestAPolicyMayAskForConnectivityOnly: the report names no shell, which only one of two policies minds.
func TestAPolicyMayAskForConnectivityOnly(t *testing.T) {
	b := newBench(t, func(w store.Writer) error {
		for id, policy := range map[deploy.MachineID]deploy.MachinePolicyID{
			"Machines-2": "",
			"Machines-3": "MachinePolicies-2",
		} {
			if err := w.PutMachine(deploy.Machine{
				ID: id, Space: deploy.DefaultSpace, Name: string(id),
				Policy: policy,
			}); err != nil {
				return err
			}
		}
		return w.PutMachinePolicy(deploy.MachinePolicy{
			ID: "MachinePolicies-2", Space: deploy.DefaultSpace, Name: "x", OnlyConnectivity: true,
		})
	})
	e := engine.New(engine.Deps{
		Store: b.store, Reach: ward{}, Env: host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler)},
	})
	for id, want := range map[deploy.MachineID]deploy.HealthStatus{
		"Machines-2": deploy.HealthUnhealthy, "Machines-3": deploy.HealthHealthy,
	} {
		if got := e.Check(t.Context(), id); got.Status != want {
			t.Errorf("%s is %+v, want %s", id, got, want)
		}
	}
}
