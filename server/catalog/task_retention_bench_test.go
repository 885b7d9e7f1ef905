// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/catalog"
)

// noLogs keeps nothing: removing a file is the disk's affair.
type noLogs struct{}

func (noLogs) Tasks() ([]deploy.TaskID, error) { return nil, nil }

func (noLogs) Remove(deploy.TaskID) error { return nil }

type tidyArtifacts struct{ catalog.Artifacts }

func (tidyArtifacts) Tidy(context.Context, time.Time) (int, error) { return 0, nil }

// BenchmarkRetentionBesideWriters deletes 20,000 tasks with four tickets each and measures how long one who writes an
// event at a time, all the while, waits for his commits; idle is how long he waits before.
func BenchmarkRetentionBesideWriters(b *testing.B) {
	const tasks, tickets, perUpdate = 20_000, 4, 2000
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for first := 0; first < tasks; first += perUpdate {
		if err := db.Update(b.Context(), func(w store.Writer) error { return putOld(w, first, perUpdate, tickets, now) }); err != nil {
			b.Fatal(err)
		}
	}
	now = now.AddDate(1, 0, 0)
	c := catalog.New(catalog.Deps{Store: db, Artifacts: tidyArtifacts{}, Logs: noLogs{}, TaskDays: 30, Wall: func() time.Time { return now }})
	for b.Loop() {
		idle := make([]time.Duration, 200)
		for i := range idle {
			idle[i] = writeEvent(b, db)
		}
		slices.Sort(idle)
		var looked, deleted time.Duration
		busy := besides(b, db, func() {
			start := time.Now()
			if has, err := c.HasExpired(b.Context(), root()); err != nil || !has {
				b.Errorf("HasExpired = %v, %v", has, err)
			}
			looked, start = time.Since(start), time.Now()
			if _, err := c.ApplyRetention(b.Context(), root()); err != nil {
				b.Error(err)
			}
			deleted = time.Since(start)
		})
		b.ReportMetric(looked.Seconds()*1e3, "look-ms")
		b.ReportMetric(deleted.Seconds(), "delete-s")
		for name, waits := range map[string][]time.Duration{"idle": idle, "busy": busy} {
			b.ReportMetric(waits[len(waits)/2].Seconds()*1e3, name+"-median-ms")
			b.ReportMetric(waits[len(waits)*99/100].Seconds()*1e3, name+"-p99-ms")
			b.ReportMetric(waits[len(waits)-1].Seconds()*1e3, name+"-max-ms")
		}
	}
}

func putOld(w store.Writer, first, count, tickets int, at time.Time) error {
	plan := deploy.Plan{Steps: []deploy.PlannedStep{{Number: 1, Name: "Run a script", Actions: []deploy.Action{{
		Name: "Run a script", Properties: map[string]string{deploy.PropScriptBody: strings.Repeat("echo hello\n", 50)},
	}}}}}
	for i := first; i < first+count; i++ {
		id := deploy.TaskID(fmt.Sprintf("ServerTasks-%d", i+1))
		err := w.PutTask(deploy.Task{
			ID: id, Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskSuccess, Plan: plan, QueuedAt: at,
			CompletedAt: at.Add(time.Duration(i) * time.Second),
		})
		for k := range tickets {
			err = errors.Join(err, w.PutTicket(deploy.Ticket{
				ID: contract.TicketID(fmt.Sprintf("t-%d-%d", i, k)), Task: id, Machine: deploy.MachineID(fmt.Sprintf("Machines-%d", k)),
				Attempt: 1, State: deploy.TicketForgotten, Verdict: &contract.Verdict{Outcome: contract.Succeeded},
			}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// besides writes events one after the other while work goes on, and returns how long each took, shortest first.
func besides(b *testing.B, db store.Store, work func()) (waits []time.Duration) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			waits = append(waits, writeEvent(b, db))
		}
	})
	work()
	close(done)
	group.Wait()
	slices.Sort(waits)
	return waits
}

func writeEvent(b *testing.B, db store.Store) time.Duration {
	start := time.Now()
	err := db.Update(b.Context(), func(w store.Writer) error {
		_, err := w.AddEvent(deploy.Event{Subject: "Machines-1", Message: "hello"})
		return err
	})
	if err != nil {
		b.Error(err)
	}
	return time.Since(start)
}
