// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Names of what every installation starts with.
const (
	DefaultLifecycleName = "Default Lifecycle"
	DefaultGroupName     = "Default Project Group"
	DefaultChannelName   = "Default"
	AdministratorName    = "admin"
)

// Seed fills a new store with what every installation has; an old one stays as it is.
func (c *Catalog) Seed(ctx context.Context, name string) (created bool, err error) {
	err = c.Store.Update(ctx, func(w store.Writer) error {
		created = false
		_, err := w.Installation()
		if !errors.Is(err, errkind.NotFound) {
			return err
		}
		created = true
		return c.seed(w, name)
	})
	return created, err
}

func (c *Catalog) seed(w store.Writer, name string) error {
	now := c.Wall()
	row := store.Installation{ID: newUUID(), Name: name, CreatedAt: now}
	if err := w.PutInstallation(row); err != nil {
		return err
	}
	if _, err := w.NextID("Users"); err != nil { // Users-1 is the administrator
		return err
	}
	admin := deploy.User{
		ID: identity.AdministratorID, Name: AdministratorName, DisplayName: "Administrator", IsActive: true,
	}
	if err := w.PutUser(admin); err != nil {
		return err
	}
	if err := furnish(w, deploy.DefaultSpace); err != nil {
		return err
	}
	_, err := w.AddEvent(deploy.Event{
		At: now, User: identity.SystemName, Category: "InstallationCreated", Subject: row.ID,
		Message: "the installation " + name + " was created",
	})
	return err
}

// furnish gives a space what each starts with. Its machine policy and its feed need no row.
func furnish(w store.Writer, space deploy.SpaceID) error {
	lifecycle := deploy.Lifecycle{
		Space: space, Name: DefaultLifecycleName, Slug: deploy.Slug(DefaultLifecycleName),
		Description: "Every environment is open to every release.", OnMachine: deploy.Retention{
			Strategy: deploy.KeepCount, Quantity: deploy.DefaultKeepOnMachine, Unit: deploy.KeepItems,
		},
	}
	var err error
	if lifecycle.ID, err = nextID[deploy.LifecycleID](w, "Lifecycles"); err != nil {
		return err
	}
	if err := w.PutLifecycle(lifecycle); err != nil {
		return err
	}
	group := deploy.ProjectGroup{Space: space, Name: DefaultGroupName, Slug: deploy.Slug(DefaultGroupName)}
	if group.ID, err = nextID[deploy.ProjectGroupID](w, "ProjectGroups"); err != nil {
		return err
	}
	return w.PutProjectGroup(group)
}
