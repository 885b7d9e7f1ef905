// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// keeper is a machine that keeps results and lists them two at a time.
type keeper struct {
	scripted
	held   []contract.ListedTicket
	listed int
}

func (k *keeper) Target(deploy.MachineID) (target.Target, string, error) { return k, "state-1", nil }

func (k *keeper) List(_ context.Context, after contract.TicketID) (list contract.TicketList, err error) {
	k.listed++
	for _, one := range k.held {
		if one.Ticket > after && len(list.Tickets) == 2 {
			list.More = true
			break
		}
		if one.Ticket > after {
			list.Tickets = append(list.Tickets, one)
		}
	}
	return list, nil
}

func (k *keeper) Status(_ context.Context, id contract.TicketID) (contract.TicketStatus, error) {
	for _, one := range k.held {
		if one.Ticket == id {
			return contract.TicketStatus{Ticket: id, State: one.State, Verdict: one.Verdict}, nil
		}
	}
	return contract.TicketStatus{Ticket: id, State: contract.Unknown}, nil
}

func (k *keeper) Forget(_ context.Context, id contract.TicketID) error {
	k.held = slices.DeleteFunc(k.held, func(one contract.ListedTicket) bool { return one.Ticket == id })
	return nil
}

func finished(id contract.TicketID) contract.ListedTicket {
	return contract.ListedTicket{
		Ticket: id, Task: "ServerTasks-8", Name: "Deploy Web", State: contract.Finished,
		Verdict: &contract.Verdict{Outcome: contract.Failed, Code: 3},
	}
}

// newRestored makes an engine over a store that knows the ticket t-2 of a machine that keeps t-1 to t-5.
func newRestored(t *testing.T, restores int64) (*engine.Engine, store.Store, *keeper) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fairlead.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	err = db.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(w.PutInstallation(store.Installation{ID: "i", Restores: restores}),
			w.PutMachine(deploy.Machine{ID: "Machines-1", Name: "web-1", Pin: "aa"}),
			w.PutTask(deploy.Task{ID: "ServerTasks-1"}),
			w.PutTicket(deploy.Ticket{ID: "t-2", Task: "ServerTasks-1", Machine: "Machines-1", State: deploy.TicketForgotten}))
	})
	if err != nil {
		t.Fatal(err)
	}
	running := contract.ListedTicket{Ticket: "t-4", State: contract.Running}
	k := &keeper{held: []contract.ListedTicket{finished("t-1"), finished("t-2"), finished("t-3"), running, finished("t-5")}}
	env := host.Real(slog.New(slog.DiscardHandler))
	return engine.New(engine.Deps{Store: db, Reach: k, Env: env}), db, k
}

// TestB2OrphanResults covers case B2: what a machine has and the server does not know is told, noted once, never
// sent again, and forgotten on a person's word only.
func TestB2OrphanResults(t *testing.T) {
	e, db, k := newRestored(t, 1)
	names := func() (all []string) {
		found, err := e.Orphans(t.Context(), "Machines-1")
		if err != nil {
			t.Error(err)
		}
		for _, one := range found {
			all = append(all, string(one.Ticket))
		}
		return all
	}
	if got := strings.Join(names(), " "); got != "t-1 t-3 t-4 t-5" {
		t.Errorf("orphans %s, want all but t-2", got)
	}
	for range 2 {
		if err := e.NoteOrphans(t.Context(), "Machines-1"); err != nil {
			t.Fatal(err)
		}
	}
	events := func(category string) (all []deploy.Event) {
		err := db.View(t.Context(), func(r store.Reader) (err error) {
			all, err = r.Events(store.EventFilter{Category: category})
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return all
	}
	if noted := events("OrphanResultFound"); len(noted) != 4 || noted[3].Subject != "t-1" ||
		!strings.Contains(noted[3].Message, "web-1 holds a result that this server does not know: Deploy Web (ServerTasks-8)") {
		t.Errorf("the audit trail has %+v, want one event for each of 4", noted)
	}
	for id, want := range map[contract.TicketID]errkind.Kind{
		"t-2": errkind.Conflict, "t-4": errkind.Conflict, "t-9": errkind.NotFound,
	} {
		if err := e.ForgetOrphan(t.Context(), "ada", "Machines-1", id); err == nil || errkind.Of(err) != want {
			t.Errorf("forget %s = %v, want %v", id, err, want)
		}
	}
	if err := e.ForgetOrphan(t.Context(), "ada", "Machines-1", "t-1"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(names(), " "); got != "t-3 t-4 t-5" || len(k.held) != 4 {
		t.Errorf("orphans after t-1 was forgotten: %s", got)
	}
	if said := events("OrphanResultForgotten"); len(said) != 1 || said[0].User != "ada" || said[0].Subject != "t-1" {
		t.Errorf("the audit trail has %+v, want what ada did", said)
	}
}

// TestOrphansWithoutARestore asks no machine.
func TestOrphansWithoutARestore(t *testing.T) {
	e, _, k := newRestored(t, 0)
	if err := e.NoteOrphans(t.Context(), "Machines-1"); err != nil || k.listed != 0 {
		t.Errorf("NoteOrphans() = %v after %d lists, want none", err, k.listed)
	}
}
