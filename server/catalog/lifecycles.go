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

// Lifecycles lists all lifecycles by name. Errors: Denied.
func (c *Catalog) Lifecycles(ctx context.Context, p identity.Principal) (all []deploy.Lifecycle, err error) {
	err = c.view(ctx, p, identity.LifecycleView, func(r store.Reader) (err error) {
		all, err = r.Lifecycles(spaceOf(r))
		return err
	})
	return all, err
}

// Lifecycle finds one. Errors: Denied, NotFound.
func (c *Catalog) Lifecycle(ctx context.Context, p identity.Principal, ref string) (l deploy.Lifecycle, err error) {
	err = c.view(ctx, p, identity.LifecycleView, func(r store.Reader) (err error) {
		l, err = findLifecycle(r, ref)
		return err
	})
	return l, err
}

// maxPhases is how many phases a lifecycle may have.
const maxPhases = 100

// LifecycleDraft is what a caller may choose of a lifecycle.
type LifecycleDraft struct {
	Name                string
	Description         string
	Releases, OnMachine deploy.Retention
	Phases              []PhaseDraft
}

// PhaseDraft is what a caller may choose of a phase. Automatic and Manual are ids, names or slugs
// of environments.
type PhaseDraft struct {
	ID                     string // "" makes one
	Name                   string
	Automatic, Manual      []string
	Minimum                int
	IsOptional, IsPriority bool
	Releases, OnMachine    deploy.Retention
}

// CreateLifecycle adds one. Errors: Denied, Invalid.
func (c *Catalog) CreateLifecycle(
	ctx context.Context, p identity.Principal, draft LifecycleDraft,
) (l deploy.Lifecycle, err error) {
	err = c.change(ctx, p, identity.LifecycleEdit, func(w store.Writer) (deploy.Event, error) {
		l = deploy.Lifecycle{Space: spaceOf(w)}
		if err := fillLifecycle(w, &l, draft); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if l.ID, err = nextID[deploy.LifecycleID](w, "Lifecycles"); err != nil {
			return deploy.Event{}, err
		}
		return event("LifecycleAdded", l.ID, "lifecycle %s was added", l.Name), w.PutLifecycle(l)
	})
	return l, err
}

// EditLifecycle changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditLifecycle(
	ctx context.Context, p identity.Principal, ref string, draft LifecycleDraft,
) (l deploy.Lifecycle, err error) {
	err = c.change(ctx, p, identity.LifecycleEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if l, err = findLifecycle(w, ref); err != nil {
			return deploy.Event{}, err
		}
		if err := fillLifecycle(w, &l, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("LifecycleEdited", l.ID, "lifecycle %s was changed", l.Name), w.PutLifecycle(l)
	})
	return l, err
}

func fillLifecycle(r store.Reader, l *deploy.Lifecycle, draft LifecycleDraft) error {
	all, err := r.Lifecycles(spaceOf(r))
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.Lifecycle) bool { return o.ID == l.ID && l.ID != "" })
	var why reasons
	l.Name, l.Description = why.name("a lifecycle", draft.Name), why.description(draft.Description)
	if slices.ContainsFunc(others, func(o deploy.Lifecycle) bool { return strings.EqualFold(o.Name, l.Name) }) {
		why.taken("A lifecycle with the name %s exists already.", l.Name)
	}
	if l.Slug == "" {
		l.Slug = freeSlug(l.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Lifecycle) bool { return o.Slug == slug })
		})
	}
	why.retention("lifecycle "+l.Name, draft.Releases)
	why.retention("lifecycle "+l.Name, draft.OnMachine)
	l.Releases, l.OnMachine = draft.Releases, draft.OnMachine
	if l.Phases, err = why.phases(r, draft.Phases); err != nil {
		return err
	}
	return why.err()
}

// phases checks them: names are unique, and an environment is in one phase only, because a release
// could not tell which of two it has passed.
func (why *reasons) phases(r store.Reader, drafts []PhaseDraft) ([]deploy.Phase, error) {
	if len(drafts) > maxPhases {
		why.add("the lifecycle has %d phases: limit is %d", len(drafts), maxPhases)
		return nil, nil
	}
	phases := make([]deploy.Phase, 0, len(drafts))
	names, homes, ids := map[string]bool{}, map[deploy.EnvironmentID]string{}, map[string]bool{}
	for _, d := range drafts {
		phase, err := why.phase(r, d)
		if err != nil {
			return nil, err
		}
		if names[strings.ToLower(phase.Name)] {
			why.add("two phases have the name %s", phase.Name)
		}
		if ids[phase.ID] {
			phase.ID = newUUID()
		}
		names[strings.ToLower(phase.Name)], ids[phase.ID] = true, true
		for _, e := range phase.Environments {
			if first, taken := homes[e]; taken {
				held, err := r.Environment(e)
				if err != nil {
					return nil, err
				}
				why.add("environment %s (%s) is in the phases %s and %s", held.Name, e, first, phase.Name)
			}
			homes[e] = phase.Name
		}
		phases = append(phases, phase)
	}
	return phases, nil
}

func (why *reasons) phase(r store.Reader, d PhaseDraft) (phase deploy.Phase, err error) {
	phase = deploy.Phase{
		ID: strings.TrimSpace(d.ID), Name: why.name("a phase", d.Name), Minimum: d.Minimum,
		IsOptional: d.IsOptional, IsPriority: d.IsPriority, Releases: d.Releases, OnMachine: d.OnMachine,
	}
	if phase.ID == "" || len(phase.ID) > maxNameCharacters {
		phase.ID = newUUID()
	}
	if phase.Automatic, err = why.environmentIDs(r, d.Automatic); err != nil {
		return phase, err
	}
	manual, err := why.environmentIDs(r, d.Manual)
	if err != nil {
		return phase, err
	}
	phase.Environments = sortedSet(append(manual, phase.Automatic...))
	if n := len(phase.Environments); d.Minimum < 0 || n > 0 && d.Minimum > n {
		why.add("phase %s wants %d of its %d environments", phase.Name, d.Minimum, n)
	}
	why.retention("phase "+phase.Name, d.Releases)
	why.retention("phase "+phase.Name, d.OnMachine)
	return phase, nil
}

// maxRetention bounds days and items that are kept: 100 years of days.
const maxRetention = 36_500

func (why *reasons) retention(owner string, r deploy.Retention) {
	switch r.Strategy {
	case "", deploy.KeepForever, deploy.KeepDefault:
	case deploy.KeepCount:
		if r.Quantity < 1 || r.Quantity > maxRetention {
			why.add("%s keeps %d: want 1 to %d, or the strategy Forever", owner, r.Quantity, maxRetention)
		}
		if r.Unit != deploy.KeepDays && r.Unit != deploy.KeepItems {
			why.add("%s keeps %q: want Days or Items", owner, r.Unit)
		}
	default:
		why.add("%s has the retention strategy %q: want Forever, Count or Default", owner, r.Strategy)
	}
}

// DeleteLifecycle removes one that nothing uses. Errors: Denied, NotFound, Invalid.
func (c *Catalog) DeleteLifecycle(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.LifecycleEdit, func(w store.Writer) (deploy.Event, error) {
		l, err := findLifecycle(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := lifecycleInUse(w, l); err != nil {
			return deploy.Event{}, err
		}
		return event("LifecycleDeleted", l.ID, "lifecycle %s was deleted", l.Name), w.DeleteLifecycle(l.ID)
	})
}

func lifecycleInUse(r store.Reader, l deploy.Lifecycle) error {
	var why reasons
	all, err := r.Lifecycles(spaceOf(r))
	if err != nil {
		return err
	}
	if len(all) == 1 {
		why.add("lifecycle %s is the last one: new projects need one", l.Name)
	}
	projects, err := r.Projects(spaceOf(r))
	if err != nil {
		return err
	}
	for _, project := range projects {
		if project.Lifecycle == l.ID {
			why.add("project %s uses lifecycle %s", project.Name, l.Name)
		}
		channels, err := r.Channels(project.ID)
		if err != nil {
			return err
		}
		for _, ch := range channels {
			if ch.Lifecycle == l.ID {
				why.add("channel %s of project %s uses lifecycle %s", ch.Name, project.Name, l.Name)
			}
		}
	}
	return why.err()
}

// LifecycleProjects lists the projects of a lifecycle by name, also those that use it in a channel
// only. Errors: Denied, NotFound.
func (c *Catalog) LifecycleProjects(
	ctx context.Context, p identity.Principal, ref string,
) (users []deploy.Project, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		users = nil
		l, err := findLifecycle(r, ref)
		if err != nil {
			return err
		}
		projects, err := r.Projects(spaceOf(r))
		if err != nil {
			return err
		}
		for _, project := range projects {
			channels, err := r.Channels(project.ID)
			if err != nil {
				return err
			}
			named := slices.ContainsFunc(channels, func(ch deploy.Channel) bool { return ch.Lifecycle == l.ID })
			if project.Lifecycle == l.ID || named {
				users = append(users, project)
			}
		}
		return nil
	})
	return users, err
}

// PreviewLifecycle is a lifecycle with the environments of each phase filled in; one without phases
// has a phase for each environment. Errors: Denied, NotFound.
func (c *Catalog) PreviewLifecycle(
	ctx context.Context, p identity.Principal, ref string,
) (l deploy.Lifecycle, err error) {
	err = c.view(ctx, p, identity.LifecycleView, func(r store.Reader) error {
		var err error
		if l, err = findLifecycle(r, ref); err != nil {
			return err
		}
		all, err := r.Environments(spaceOf(r))
		if err != nil {
			return err
		}
		promotion := deploy.Promotion{Lifecycle: l, Environments: environmentsOf(all)}
		l.Phases = promotion.Filled()
		for _, e := range all {
			if len(promotion.Lifecycle.Phases) == 0 {
				phase := deploy.Phase{ID: string(e.ID), Name: e.Name, Environments: []deploy.EnvironmentID{e.ID}}
				phase.IsOptional = true
				l.Phases = append(l.Phases, phase)
			}
		}
		return nil
	})
	return l, err
}

func environmentsOf(all []deploy.Environment) []deploy.EnvironmentID {
	ids := make([]deploy.EnvironmentID, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	return ids
}
