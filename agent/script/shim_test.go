// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/host"
)

// TestWithoutTheLockNothingStarts: a cancel ends a shim's wait for the isolation lock. When the request
// cannot be read any more after that, the script is not started beside the one that holds the lock.
func TestWithoutTheLockNothingStarts(t *testing.T) {
	home := t.TempDir()
	dir, effect := folder(filepath.Join(home, "t-1")), filepath.Join(home, "effect")
	order, err := json.Marshal(contract.Order{
		Ticket: "t-1", Task: "ServerTasks-1", Script: &contract.Script{Interpreter: "sh", Body: "touch " + effect},
		Variables: map[string]string{}, Isolation: contract.Isolation{Level: contract.IsolationFull},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.create(host.Fsync{}, "order.json", order, 0); err != nil {
		t.Fatal(err)
	}
	locks, ok, err := tryLock(home, contract.Isolation{Level: contract.IsolationFull})
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer locks.release()
	if err := dir.replace(host.Fsync{}, "cancel", encode(cancelRequest{By: "test"})); err != nil {
		t.Fatal(err)
	}
	env := host.Real(slog.New(slog.DiscardHandler))
	err = RunShim(t.Context(), string(dir), ShimEnv{
		Exec: env.Exec, Bells: env.Bells, Disk: env.Disk, Wall: time.Now, Point: func(name string) {
			if name == "script.locked" {
				if err := os.Remove(dir.path("cancel")); err != nil {
					t.Error(err)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := dir.exit(); err != nil || v == nil || v.Outcome != contract.NotStarted {
		t.Errorf("the exit record says %+v, %v, want not started", v, err)
	}
	if _, err := os.Lstat(effect); err == nil {
		t.Error("the script ran without its lock")
	}
}
