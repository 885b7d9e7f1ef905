// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/trust"
	"fairlead/server/fleet"
)

// TestTheLogOfALineSaysWhyItEnded: a machine comes, and is disabled.
func TestTheLogOfALineSaysWhyItEnded(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		if got := y.fleet.LineLog("Machines-1"); len(got) != 0 {
			t.Errorf("before: %+v", got)
		}
		changed := y.fleet.Changed("Machines-1")
		ended := y.connect(a)
		<-changed
		y.must(y.store.Update(y.t.Context(), func(w store.Writer) error {
			m, err := w.Machine("Machines-1")
			if m.IsDisabled = true; err != nil {
				return err
			}
			return w.PutMachine(m)
		}))
		y.must(y.fleet.Load(y.t.Context()))
		<-ended
		synctest.Wait()
		log := y.fleet.LineLog("Machines-1")
		if len(log) != 2 || log[0].Kind != fleet.LineUp || !strings.HasSuffix(log[0].Text, "is up, of an agent 1.0.0") ||
			log[1].Kind != fleet.LineDown || !strings.Contains(log[1].Text, "the machine is disabled at the server") {
			t.Errorf("it says %+v", log)
		}
		if got := y.fleet.LineLog("Machines-9"); got != nil {
			t.Errorf("of nobody: %+v", got)
		}
	})
}

// TestTheLogOfALineIsBounded: an agent that is dialled in vain fills it with one line, and many causes with the latest.
func TestTheLogOfALineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		server, err := trust.NewIdentity("server", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		err = opened.Update(t.Context(), func(w store.Writer) error {
			return w.PutMachine(deploy.Machine{
				ID: "Machines-1", Space: deploy.DefaultSpace, Name: "lt", Style: deploy.Listening, Address: "lt:10933",
				Pin: strings.Repeat("ab", 32),
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var causes, dials atomic.Int64
		causes.Store(1)
		f := fleet.New(fleet.Deps{
			Store: opened, Keeper: link.NewKeeper(), Server: fleet.Server{Identity: server},
			Check: func(context.Context, []deploy.MachineID) {},
			Env: host.Env{
				Wall: time.Now, Log: slog.New(slog.DiscardHandler),
				Rand: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
				Net: lane{fails: func() error {
					return &net.OpError{Op: "dial", Err: errors.New(fmt.Sprint("cause ", dials.Add(1)%causes.Load()))}
				}},
			},
		})
		done := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { done <- f.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		tried := int(dials.Load())
		if log := f.LineLog("Machines-1"); len(log) != 1 || log[0].Count != tried || tried < 50 || log[0].Kind != fleet.LineTrouble {
			t.Errorf("after %d dials: %+v", tried, log)
		}
		causes.Store(7)
		time.Sleep(time.Hour)
		synctest.Wait()
		tried = int(dials.Load())
		if log := f.LineLog("Machines-1"); len(log) != 12 || !strings.Contains(log[11].Text, fmt.Sprint("cause ", tried%7)) {
			t.Errorf("after %d dials: %+v", tried, log)
		}
		stop()
		<-done
	})
}
