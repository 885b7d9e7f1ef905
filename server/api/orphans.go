// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	"fairlead/server/identity"
)

// Orphans are results on machines that the server does not know, as it was restored from a backup.
// Errors: Denied, NotFound, Unavailable (the machine is off line), Conflict (not one to be forgotten).
type Orphans interface {
	Orphans(ctx context.Context, who identity.Principal, machine string) ([]Orphan, error)
	ForgetOrphan(ctx context.Context, who identity.Principal, machine, ticket string) error
}

// Orphan is what an agent tells of one.
type Orphan struct {
	Ticket string `json:"Id"`
	Task   string `json:"TaskId"` // in the time that was lost
	Name   string
	State  string // waiting, running or finished
	// Outcome, ExitCode and Sentence are the verdict of a finished one.
	Outcome  string
	ExitCode int
	Sentence string
}

func (a *api) orphanRoutes() []Route {
	return []Route{
		get("/api/S/machines/{id}/orphans", identity.MachineView,
			"Results there that a restored server does not know, by ticket; at most 1000", a.listOrphans),
		del("/api/S/machines/{id}/orphans/{ticket}", identity.MachineEdit,
			"Let the machine forget such a result that has ended", a.forgetOrphan),
		post("/api/serverstatus/accept-restore", identity.ServerAdmin,
			"End the safe mode of a restored server: {Restores}, the number of the restore, may be left out", a.acceptRestore),
	}
}

func (a *api) listOrphans(c *call) error {
	found, err := a.Orphans.Orphans(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(list(found))
}

func (a *api) forgetOrphan(c *call) error {
	if err := a.Orphans.ForgetOrphan(c.ctx(), c.principal, c.param("id"), c.param("ticket")); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) acceptRestore(c *call) error {
	var q struct{ Restores int64 } // the one that was looked at; 0 for whichever it is
	if err := c.decode(&q); err != nil {
		return err
	}
	row, err := a.Catalog.AcceptRestore(c.ctx(), c.principal, q.Restores)
	if err != nil {
		return err
	}
	return c.ok(obj{"Restores": row.Restores, "BackupAt": at(row.BackupAt), "AcceptedAt": at(row.AcceptedAt)})
}
