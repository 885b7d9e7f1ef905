// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// GroupDraft is what a caller may choose of a project group.
type GroupDraft struct{ Name, Description string }

// Groups lists all project groups by name. Errors: Denied.
func (c *Catalog) Groups(ctx context.Context, p identity.Principal) (all []deploy.ProjectGroup, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) (err error) {
		all, err = r.ProjectGroups(spaceOf(r))
		return err
	})
	return all, err
}

// Group finds one. Errors: Denied, NotFound.
func (c *Catalog) Group(ctx context.Context, p identity.Principal, ref string) (g deploy.ProjectGroup, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) (err error) {
		g, err = findGroup(r, ref)
		return err
	})
	return g, err
}

// CreateGroup adds a project group. Errors: Denied, Invalid.
func (c *Catalog) CreateGroup(ctx context.Context, p identity.Principal, draft GroupDraft) (g deploy.ProjectGroup,
	err error,
) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		g = deploy.ProjectGroup{Space: spaceOf(w)}
		if err := fillGroup(w, &g, draft); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if g.ID, err = nextID[deploy.ProjectGroupID](w, "ProjectGroups"); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectGroupAdded", g.ID, "project group %s was added", g.Name), w.PutProjectGroup(g)
	})
	return g, err
}

// EditGroup changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditGroup(
	ctx context.Context, p identity.Principal, ref string, draft GroupDraft,
) (g deploy.ProjectGroup, err error) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if g, err = findGroup(w, ref); err != nil {
			return deploy.Event{}, err
		}
		if err := fillGroup(w, &g, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectGroupEdited", g.ID, "project group %s was changed", g.Name), w.PutProjectGroup(g)
	})
	return g, err
}

func fillGroup(r store.Reader, g *deploy.ProjectGroup, draft GroupDraft) error {
	all, err := r.ProjectGroups(spaceOf(r))
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.ProjectGroup) bool { return o.ID == g.ID && g.ID != "" })
	var why reasons
	g.Name, g.Description = why.name("a project group", draft.Name), why.description(draft.Description)
	if slices.ContainsFunc(others, func(o deploy.ProjectGroup) bool { return strings.EqualFold(o.Name, g.Name) }) {
		why.taken("A project group with the name %s exists already.", g.Name)
	}
	if g.Slug == "" {
		g.Slug = freeSlug(g.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.ProjectGroup) bool { return o.Slug == slug })
		})
	}
	return why.err()
}

// DeleteGroup removes one that holds no project. Errors: Denied, NotFound, Invalid.
func (c *Catalog) DeleteGroup(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		g, err := findGroup(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		projects, err := w.Projects(spaceOf(w))
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		for _, project := range projects {
			if project.Group == g.ID {
				why.add("project group %s holds project %s", g.Name, project.Name)
			}
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectGroupDeleted", g.ID, "project group %s was deleted", g.Name), w.DeleteProjectGroup(g.ID)
	})
}
