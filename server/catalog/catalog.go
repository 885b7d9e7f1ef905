// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package catalog holds the use cases on what is deployed, where and how: environments, machines,
// projects, processes, variables, packages, releases, deployments, tasks, join tokens.
//
// It carries no deployment out (server/engine), holds no line (server/fleet) and knows no HTTP.
//
//  1. Every use case takes the Principal and asks for his permission before it looks at anything,
//     so that a refusal says nothing about what exists.
//     Where he has it in some places only, what lies outside is as if it were not there, and a write
//     there is Denied: guard.go stands between each use case and the store. Below it stands wall.go, for
//     which there is one space alone.
//  2. Checks, changes and exactly one audit event are one transaction: a refused call changes
//     nothing.
//  3. All broken rules are told at once (ValidationError), not the first one only.
//  4. Things are found by id, name or slug, without regard to case, in this order.
//  5. After a task was committed, Deps.Queued is called.
//
// Safe for concurrent use.
//
// reasons.go collects broken rules, find.go finds things, seed.go fills a new store; the rest has
// one file for each thing.
package catalog

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/trust"
	"fairlead/server/feed"
	"fairlead/server/identity"
)

// Deps is what the use cases work with. All fields must be set but Logs, TaskDays, Secrets, Room, Pin and
// Accepted.
type Deps struct {
	Store store.Store
	Feed  Feed
	// Artifacts keeps the content of files that scripts handed over.
	Artifacts Artifacts
	// Logs keeps what tasks said; whoever leaves it out sets no TaskDays and never calls SweepLogs.
	Logs Logs
	// TaskDays is for how many days after their end tasks are kept that belong to no deployment, 0 for ever.
	TaskDays int
	// Secrets seals sensitive values; without a key none can be kept.
	Secrets secret.Key
	// Wall dates what is stored and decides expiry.
	Wall func() time.Time
	// Room refuses what is new while the server has no space for it; nil never does. Errors: Unavailable.
	Room func() error
	// Pin is the server's own, which no machine can have.
	Pin string
	// Mint makes a join token. It knows the address and the pin that agents are to use.
	Mint func() (trust.Token, error)
	// Queued hints that a task was queued or is to be canceled. It must not block.
	Queued func()
	// Accepted is told when a person has accepted a restore; nil when nobody asks. It must not block.
	Accepted func()
	// Changed hints that machines came, went or changed. It must not block.
	Changed func()
}

// Feed is the built-in package repository.
type Feed interface {
	Receive(ctx context.Context, u feed.Upload) (deploy.Package, feed.Result, error)
	// Versions are highest first, and Latest are one for each id, by id.
	Versions(ctx context.Context, space deploy.SpaceID, id string) ([]deploy.Package, error)
	Latest(ctx context.Context, space deploy.SpaceID, contains string) ([]deploy.Package, error)
	Get(ctx context.Context, space deploy.SpaceID, id, version string) (deploy.Package, error)
	Open(p deploy.Package) (io.ReadSeekCloser, error)
	// Tidy removes those contents that no package has any more.
	Tidy(ctx context.Context, sums ...string) error
	Delete(ctx context.Context, space deploy.SpaceID, id, version string, force bool, by string) error
}

// Catalog carries the use cases out.
type Catalog struct {
	Deps

	roster roster
}

// New makes a catalog.
func New(d Deps) *Catalog { return &Catalog{Deps: d} }

// view reads for a principal who has the permission.
func (c *Catalog) view(
	ctx context.Context, p identity.Principal, need identity.Permission, f func(store.Reader) error,
) error {
	if err := p.Need(need); err != nil {
		return err
	}
	return c.Store.View(ctx, func(r store.Reader) error { return f(guarded(walled(r, p.SpaceID()), p, need)) })
}

// change writes for a principal who has the permission; f returns the event to record.
func (c *Catalog) change(
	ctx context.Context, p identity.Principal, need identity.Permission, f func(store.Writer) (deploy.Event, error),
) error {
	if err := p.Need(need); err != nil {
		return err
	}
	if err := c.room(need); err != nil {
		return err
	}
	return c.changeFull(ctx, p, need, f)
}

// changeFull is change while the server has no space for what is new, too.
func (c *Catalog) changeFull(
	ctx context.Context, p identity.Principal, need identity.Permission, f func(store.Writer) (deploy.Event, error),
) error {
	if err := p.Need(need); err != nil {
		return err
	}
	return c.Store.Update(ctx, func(w store.Writer) error {
		if err := refuseHeld(w, need); err != nil {
			return err
		}
		if err := identity.RefuseMaintenance(w, p); err != nil {
			return err
		}
		inside := walledWriter(w, p.SpaceID())
		event, err := f(guardedWriter(inside, p, need))
		if err != nil {
			return err
		}
		return c.tell(inside, p.Name(), event)
	})
}

// tell adds an event to the audit trail, with the time and whose doing it was.
func (c *Catalog) tell(w store.Writer, by string, e deploy.Event) error {
	e.At, e.User = c.Wall(), by
	_, err := w.AddEvent(e)
	return err
}

// room refuses new work when there is no space for it. What only changes or removes is always taken.
func (c *Catalog) room(need identity.Permission) error {
	switch need {
	case identity.DeploymentCreate, identity.ReleaseCreate, identity.TaskCreate, identity.PackagePush:
		if c.Room != nil {
			return c.Room()
		}
	default:
	}
	return nil
}

// event makes an audit row; change adds time and user.
func event[ID ~string](category string, subject ID, format string, args ...any) deploy.Event {
	return deploy.Event{Category: category, Subject: string(subject), Message: fmt.Sprintf(format, args...)}
}

// nextID assigns an id of a collection.
func nextID[ID ~string](w store.Writer, collection string) (ID, error) {
	id, err := w.NextID(collection)
	return ID(id), err
}

// newUUID makes a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Events lists the audit trail, newest first. Errors: Denied.
func (c *Catalog) Events(ctx context.Context, p identity.Principal, f EventFilter) (events []deploy.Event, err error) {
	err = c.view(ctx, p, identity.EventView, func(r store.Reader) (err error) {
		events, err = r.Events(f)
		return err
	})
	return events, err
}

// EventFilter picks audit rows.
type EventFilter = store.EventFilter

// Installation is the server's own row. Everybody may see it: the root document shows it.
func (c *Catalog) Installation(ctx context.Context) (row store.Installation, err error) {
	err = c.Store.View(ctx, func(r store.Reader) (err error) {
		row, err = r.Installation()
		return err
	})
	return row, err
}

// Probe writes to the store and changes nothing: it tells whether the server can work.
func (c *Catalog) Probe(ctx context.Context) error {
	return c.Store.Update(ctx, func(w store.Writer) error {
		row, err := w.Installation()
		if err != nil {
			return err
		}
		return w.PutInstallation(row)
	})
}
