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

const (
	librarySets     = "LibraryVariableSets" // the collection
	maxIncludedSets = 100
)

// LibraryDraft is what a caller may choose of a library set. Its variables are saved by SaveVariables.
type LibraryDraft struct {
	Name, Description string
	Kept              deploy.Kept // what is named is replaced
}

func findLibrarySet(r store.Reader, ref string) (deploy.LibrarySet, error) {
	all, err := r.LibrarySets(spaceOf(r))
	if err != nil {
		return deploy.LibrarySet{}, err
	}
	return find("library variable set", ref, all, func(l deploy.LibrarySet) (string, string, string) {
		return string(l.ID), l.Name, ""
	})
}

// LibrarySets lists all library sets by name, without their variables. Errors: Denied.
func (c *Catalog) LibrarySets(ctx context.Context, p identity.Principal) (all []deploy.LibrarySet, err error) {
	err = c.view(ctx, p, identity.LibraryView, func(r store.Reader) (err error) {
		all, err = r.LibrarySets(spaceOf(r))
		for i := range all {
			all[i].Variables = nil
		}
		return err
	})
	return all, err
}

// LibrarySet finds one by id or name, without its variables. Errors: Denied, NotFound.
func (c *Catalog) LibrarySet(ctx context.Context, p identity.Principal, ref string) (l deploy.LibrarySet, err error) {
	err = c.view(ctx, p, identity.LibraryView, func(r store.Reader) (err error) {
		l, err = findLibrarySet(r, ref)
		l.Variables = nil
		return err
	})
	return l, err
}

// LibraryUsers lists the projects that include a library set, by name. Errors: Denied, NotFound.
func (c *Catalog) LibraryUsers(
	ctx context.Context, p identity.Principal, ref string,
) (all []deploy.Project, err error) {
	err = c.view(ctx, p, identity.LibraryView, func(r store.Reader) error {
		l, err := findLibrarySet(r, ref)
		if err != nil {
			return err
		}
		all, err = including(r, l.ID)
		return err
	})
	return all, err
}

func including(r store.Reader, id deploy.LibrarySetID) ([]deploy.Project, error) {
	projects, err := r.Projects(spaceOf(r))
	return slices.DeleteFunc(projects, func(p deploy.Project) bool { return !slices.Contains(p.Libraries, id) }), err
}

// CreateLibrarySet adds one without variables. Errors: Denied, Invalid.
func (c *Catalog) CreateLibrarySet(
	ctx context.Context, p identity.Principal, draft LibraryDraft,
) (l deploy.LibrarySet, err error) {
	err = c.change(ctx, p, identity.LibraryEdit, func(w store.Writer) (deploy.Event, error) {
		l = deploy.LibrarySet{Space: spaceOf(w)}
		if err := fillLibrarySet(w, &l, draft); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if l.ID, err = nextID[deploy.LibrarySetID](w, librarySets); err != nil {
			return deploy.Event{}, err
		}
		return event("LibraryVariableSetAdded", l.ID, "library set %s was added", l.Name), w.PutLibrarySet(l)
	})
	return l, err
}

// EditLibrarySet changes one, not its variables. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditLibrarySet(
	ctx context.Context, p identity.Principal, ref string, draft LibraryDraft,
) (l deploy.LibrarySet, err error) {
	err = c.change(ctx, p, identity.LibraryEdit, func(w store.Writer) (deploy.Event, error) {
		held, err := findLibrarySet(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := fillLibrarySet(w, &held, draft); err != nil {
			return deploy.Event{}, err
		}
		l = held
		l.Variables = nil
		return event("LibraryVariableSetEdited", held.ID, "library set %s was changed", held.Name), w.PutLibrarySet(held)
	})
	return l, err
}

func fillLibrarySet(r store.Reader, l *deploy.LibrarySet, draft LibraryDraft) error {
	all, err := r.LibrarySets(spaceOf(r))
	if err != nil {
		return err
	}
	var why reasons
	l.Name, l.Description = why.name("a library variable set", draft.Name), why.description(draft.Description)
	if slices.ContainsFunc(all, func(o deploy.LibrarySet) bool {
		return o.ID != l.ID && strings.EqualFold(o.Name, l.Name)
	}) {
		why.taken("A library variable set with the name %s exists already.", l.Name)
	}
	l.Kept = why.kept(l.Kept, draft.Kept)
	return why.err()
}

// DeleteLibrarySet removes one that no project includes. Releases keep what they took along. Errors:
// Denied, NotFound, Invalid.
func (c *Catalog) DeleteLibrarySet(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.LibraryEdit, func(w store.Writer) (deploy.Event, error) {
		l, err := findLibrarySet(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		users, err := including(w, l.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		for _, project := range users {
			why.add("project %s includes library set %s", project.Name, l.Name)
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("LibraryVariableSetDeleted", l.ID, "library set %s was deleted", l.Name), w.DeleteLibrarySet(l.ID)
	})
}

// libraries settles which library sets a project includes; nil leaves them.
func (why *reasons) libraries(r store.Reader, project *deploy.Project, refs []string) error {
	if refs == nil {
		return nil
	}
	if len(refs) > maxIncludedSets {
		why.add("%d library sets are more than the limit of %d", len(refs), maxIncludedSets)
		return nil
	}
	project.Libraries = []deploy.LibrarySetID{}
	for _, ref := range refs {
		l, err := findLibrarySet(r, ref)
		if err := why.addErr(err); err != nil {
			return err
		}
		if l.ID != "" && !slices.Contains(project.Libraries, l.ID) {
			project.Libraries = append(project.Libraries, l.ID)
		}
	}
	return nil
}

// takeVariables snapshots the variables of a release's project afresh. Deployments that have not ended keep to those
// that they were queued with.
func takeVariables(w store.Writer, release *deploy.Release) error {
	project, err := w.Project(release.Project)
	if err != nil {
		return err
	}
	variables, err := w.Variables(project.ID)
	if err != nil {
		return err
	}
	library, err := librarySnapshot(w, project)
	if err != nil {
		return err
	}
	used, err := takingsInUse(w, release.ID)
	if err != nil {
		return err
	}
	release.Retake(variables, library, func(taking int) bool { return used[taking] })
	var why reasons
	if err := why.ties(w, *release); err != nil {
		return err
	}
	return why.err()
}

// takingsInUse are those of the release's deployments that have not ended, in places out of the principal's reach, too.
func takingsInUse(r store.Reader, release deploy.ReleaseID) (map[int]bool, error) {
	r = unguarded(r)
	cells, err := r.DeploymentCells(store.DeploymentFilter{Space: spaceOf(r), Release: release})
	used := map[int]bool{}
	for _, cell := range cells {
		if cell.State == "" || cell.State.IsCompleted() {
			continue
		}
		d, err := r.Deployment(cell.Deployment)
		if err != nil {
			return nil, err
		}
		used[d.Taking] = true
	}
	return used, err
}
