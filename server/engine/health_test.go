// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// ward is machines that answer as healthy ones do, but for those that are away.
type ward struct{ away map[deploy.MachineID]bool }

func (w ward) Target(id deploy.MachineID) (target.Target, string, error) {
	if w.away[id] {
		return nil, "", errkind.Unavailable.Errorf("%s is off line", id)
	}
	return &scripted{}, "state-1", nil
}

func (w ward) Changed(deploy.MachineID) <-chan struct{} { return nil }

// TestFindingsOfManyMachinesAreKept: some are off line, one was removed, and they are more than one
// transaction takes.
func TestFindingsOfManyMachinesAreKept(t *testing.T) {
	const count = 70
	var ids []deploy.MachineID
	b := newBench(t, func(w store.Writer) error {
		for i := range count {
			id := deploy.MachineID(fmt.Sprintf("Machines-%d", i+2))
			ids = append(ids, id)
			if err := w.PutMachine(deploy.Machine{ID: id, Space: deploy.DefaultSpace, Name: string(id)}); err != nil {
				return err
			}
		}
		return nil
	})
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	e := engine.New(engine.Deps{
		Store: b.store, Reach: ward{away: map[deploy.MachineID]bool{ids[3]: true, ids[69]: true}},
		Env: host.Env{Wall: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)},
	})
	b.must(b.store.Update(t.Context(), func(w store.Writer) error { return w.DeleteMachine(ids[40]) }))
	e.CheckAll(t.Context(), ids)
	b.must(b.store.View(t.Context(), func(r store.Reader) error {
		for i, id := range ids {
			m, err := r.Machine(id)
			want, seen := deploy.HealthUnhealthy, now // the report names no shell
			switch i {
			case 40:
				if errkind.Of(err) != errkind.NotFound {
					t.Errorf("the removed machine: %v", err)
				}
				continue
			case 3, 69:
				want, seen = deploy.HealthUnavailable, time.Time{}
			}
			if err != nil || m.Health.Status != want || !m.Health.CheckedAt.Equal(now) || !m.Health.LastSeen.Equal(seen) {
				t.Errorf("%s: %+v, %v; want %s", id, m.Health, err, want)
			}
		}
		return nil
	}))
	ended, end := context.WithCancel(t.Context())
	end()
	now = now.Add(time.Hour)
	e.CheckAll(ended, ids)
	b.must(b.store.View(t.Context(), func(r store.Reader) error {
		m, err := r.Machine(ids[0])
		if m.Health.CheckedAt.Equal(now) {
			t.Error("a machine was checked after the end")
		}
		return err
	}))
}
