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

// EnvironmentDraft is what a caller may choose of an environment.
type EnvironmentDraft struct {
	Name             string
	Description      string
	SortOrder        int
	UseGuidedFailure bool
	AllowDynamic     bool
	Kept             deploy.Kept // what is named is replaced
}

// Environments lists all environments by sort order, then name. Errors: Denied.
func (c *Catalog) Environments(ctx context.Context, p identity.Principal) (all []deploy.Environment, err error) {
	err = c.view(ctx, p, identity.EnvironmentView, func(r store.Reader) (err error) {
		all, err = r.Environments(spaceOf(r))
		return err
	})
	return all, err
}

// Environment finds one. Errors: Denied, NotFound.
func (c *Catalog) Environment(ctx context.Context, p identity.Principal, ref string) (e deploy.Environment, err error) {
	err = c.view(ctx, p, identity.EnvironmentView, func(r store.Reader) (err error) {
		e, err = findEnvironment(r, ref)
		return err
	})
	return e, err
}

// CreateEnvironment adds one. Errors: Denied, Invalid.
func (c *Catalog) CreateEnvironment(
	ctx context.Context, p identity.Principal, draft EnvironmentDraft,
) (e deploy.Environment, err error) {
	err = c.change(ctx, p, identity.EnvironmentEdit, func(w store.Writer) (deploy.Event, error) {
		e = deploy.Environment{Space: spaceOf(w)}
		if err := fillEnvironment(w, &e, draft); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if e.ID, err = nextID[deploy.EnvironmentID](w, "Environments"); err != nil {
			return deploy.Event{}, err
		}
		if e.SortOrder, err = lastPlace(w, e.SortOrder); err != nil {
			return deploy.Event{}, err
		}
		return event("EnvironmentAdded", e.ID, "environment %s was added", e.Name), w.PutEnvironment(e)
	})
	return e, err
}

// lastPlace puts an environment without a wish behind the others, so that they stand in the
// order in which they were made: Development, Staging, Production.
func lastPlace(r store.Reader, wish int) (int, error) {
	all, err := r.Environments(spaceOf(r))
	if err != nil || wish != 0 {
		return wish, err
	}
	last := -1
	for _, e := range all {
		last = max(last, e.SortOrder)
	}
	return last + 1, nil
}

// EditEnvironment changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditEnvironment(
	ctx context.Context, p identity.Principal, ref string, draft EnvironmentDraft,
) (e deploy.Environment, err error) {
	err = c.change(ctx, p, identity.EnvironmentEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if e, err = findEnvironment(w, ref); err != nil {
			return deploy.Event{}, err
		}
		if err := fillEnvironment(w, &e, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("EnvironmentEdited", e.ID, "environment %s was changed", e.Name), w.PutEnvironment(e)
	})
	return e, err
}

func fillEnvironment(r store.Reader, e *deploy.Environment, draft EnvironmentDraft) error {
	var why reasons
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.Environment) bool { return o.ID == e.ID && e.ID != "" })
	renamed := e.Name != strings.TrimSpace(draft.Name)
	e.Name = why.name("an environment", draft.Name)
	e.Description, e.SortOrder = why.description(draft.Description), draft.SortOrder
	e.AllowDynamic, e.Kept = draft.AllowDynamic, why.kept(e.Kept, draft.Kept)
	if slices.ContainsFunc(others, func(o deploy.Environment) bool { return strings.EqualFold(o.Name, e.Name) }) {
		why.taken("An environment with the name %s exists already.", e.Name)
	}
	e.UseGuidedFailure = draft.UseGuidedFailure
	if renamed || e.Slug == "" {
		e.Slug = freeSlug(e.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Environment) bool { return o.Slug == slug })
		})
	}
	return why.err()
}

// DeleteEnvironment removes one that nothing uses. Errors: Denied, NotFound, Invalid (in use).
func (c *Catalog) DeleteEnvironment(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.EnvironmentEdit, func(w store.Writer) (deploy.Event, error) {
		e, err := findEnvironment(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := environmentInUse(w, e); err != nil {
			return deploy.Event{}, err
		}
		return event("EnvironmentDeleted", e.ID, "environment %s was deleted", e.Name), w.DeleteEnvironment(e.ID)
	})
}

func environmentInUse(r store.Reader, e deploy.Environment) error {
	var why reasons
	machines, err := r.Machines(store.MachineFilter{Space: spaceOf(r), Environment: e.ID})
	if err != nil {
		return err
	}
	for _, m := range machines {
		why.add("machine %s belongs to environment %s", m.Name, e.Name)
	}
	lifecycles, err := r.Lifecycles(spaceOf(r))
	if err != nil {
		return err
	}
	for _, l := range lifecycles {
		for _, phase := range l.Phases {
			if slices.Contains(phase.Environments, e.ID) {
				why.add("phase %s of lifecycle %s uses environment %s", phase.Name, l.Name, e.Name)
			}
		}
	}
	deployments, err := r.Deployments(store.DeploymentFilter{Space: spaceOf(r), Environment: e.ID, Take: 1})
	if err != nil {
		return err
	}
	if len(deployments) > 0 {
		why.add("releases were deployed to environment %s: delete their projects first", e.Name)
	}
	if err := why.limitedTo(r, e); err != nil {
		return err
	}
	return why.err()
}

// limitedTo adds what is limited to an environment: without it, it would be limited to something that there is not.
func (why *reasons) limitedTo(r store.Reader, e deploy.Environment) error {
	accounts, err := r.Accounts(spaceOf(r))
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if slices.Contains(a.Environments, e.ID) {
			why.add("account %s is limited to environment %s", a.Name, e.Name)
		}
	}
	teams, err := r.Teams()
	isIn := func(role deploy.ScopedRole) bool { return slices.Contains(role.Environments, e.ID) }
	for _, t := range teams {
		if slices.ContainsFunc(t.Roles, isIn) {
			why.add("team %s has a role in environment %s", t.Name, e.Name)
		}
	}
	return err
}

// SortEnvironments puts environments in the order given; those that are not named follow, in the
// order they had. Errors: Denied, Invalid.
func (c *Catalog) SortEnvironments(ctx context.Context, p identity.Principal, refs []string) error {
	return c.change(ctx, p, identity.EnvironmentEdit, func(w store.Writer) (deploy.Event, error) {
		all, err := w.Environments(spaceOf(w))
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		if len(refs) == 0 {
			why.add("no environment is named")
		}
		place := map[deploy.EnvironmentID]int{}
		for _, ref := range refs {
			e, err := pick("environment", ref, all, environmentKeys)
			if err := why.addErr(err); err != nil {
				return deploy.Event{}, err
			}
			if _, again := place[e.ID]; again {
				why.add("environment %s is named twice", e.Name)
			}
			place[e.ID] = len(place)
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		for _, e := range all {
			if _, named := place[e.ID]; !named {
				place[e.ID] = len(place)
			}
		}
		for _, e := range all {
			if e.SortOrder == place[e.ID] {
				continue
			}
			e.SortOrder = place[e.ID]
			if err := w.PutEnvironment(e); err != nil {
				return deploy.Event{}, err
			}
		}
		return event("EnvironmentsSorted", spaceOf(w), "the environments were put in another order"), nil
	})
}
