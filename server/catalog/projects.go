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

// ProjectDraft is what a caller may choose of a project. Group and Lifecycle are ids, names or
// slugs; "" means the first one there is (for an edit: as it is).
type ProjectDraft struct {
	Name        string
	Description string
	Group       string
	Lifecycle   string
	IsDisabled  bool
	Settings    ProjectSettings
	Libraries   []string    // ids or names of library sets, in order; nil leaves them
	Kept        deploy.Kept // what is named is replaced
}

// ProjectSettings are how a project's releases and deployments are made. What is nil or empty
// stays as it is.
type ProjectSettings struct {
	Versioning       *Versioning
	Connectivity     *deploy.Connectivity
	GuidedFailure    deploy.GuidedFailure
	SkipIfInstalled  *bool
	AllowIgnoreRules *bool // releases may ask to ignore the rules of their channel
	NotesTemplate    *string
	ChangesTemplate  *string
}

// Versioning is how releases get their version: by a template, or from a package.
type Versioning struct {
	Template string // "" means the default one
	Donor    deploy.ActionPackage
}

// Projects lists all projects by name. Errors: Denied.
func (c *Catalog) Projects(ctx context.Context, p identity.Principal) (all []deploy.Project, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) (err error) {
		all, err = r.Projects(spaceOf(r))
		return err
	})
	return all, err
}

// Project finds one. Errors: Denied, NotFound.
func (c *Catalog) Project(ctx context.Context, p identity.Principal, ref string) (project deploy.Project, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) (err error) {
		project, err = findProject(r, ref)
		return err
	})
	return project, err
}

// CreateProject adds one with its default channel; its process and variables are empty.
// Errors: Denied, Invalid.
func (c *Catalog) CreateProject(ctx context.Context, p identity.Principal,
	draft ProjectDraft,
) (made deploy.Project, err error) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		made = deploy.Project{Space: spaceOf(w)}
		if err := fillProject(w, &made, draft); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if made.ID, err = nextID[deploy.ProjectID](w, "Projects"); err != nil {
			return deploy.Event{}, err
		}
		if err := w.PutProject(made); err != nil {
			return deploy.Event{}, err
		}
		channel := deploy.Channel{
			Space: spaceOf(w), Project: made.ID, IsDefault: true,
			Name: DefaultChannelName, Slug: deploy.Slug(DefaultChannelName),
		}
		if channel.ID, err = nextID[deploy.ChannelID](w, "Channels"); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectAdded", made.ID, "project %s was added", made.Name), w.PutChannel(channel)
	})
	return made, err
}

// EditProject changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditProject(
	ctx context.Context, p identity.Principal, ref string, draft ProjectDraft,
) (project deploy.Project, err error) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if project, err = findProject(w, ref); err != nil {
			return deploy.Event{}, err
		}
		if err := fillProject(w, &project, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectEdited", project.ID, "project %s was changed", project.Name), w.PutProject(project)
	})
	return project, err
}

func fillProject(r store.Reader, project *deploy.Project, draft ProjectDraft) error {
	var why reasons
	all, err := r.Projects(spaceOf(r))
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.Project) bool { return o.ID == project.ID && o.ID != "" })
	renamed := project.Name != strings.TrimSpace(draft.Name)
	project.Name = why.name("a project", draft.Name)
	project.Description, project.IsDisabled = why.description(draft.Description), draft.IsDisabled
	if slices.ContainsFunc(others, func(o deploy.Project) bool { return strings.EqualFold(o.Name, project.Name) }) {
		why.taken("A project with the name %s exists already.", project.Name)
	}
	// A project keeps its slug when it is renamed: addresses in other people's scripts use it.
	if project.Slug == "" && renamed {
		project.Slug = freeSlug(project.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Project) bool { return o.Slug == slug })
		})
	}
	project.Kept = why.kept(project.Kept, draft.Kept)
	if err := why.settings(r, project, draft.Settings); err != nil {
		return err
	}
	if err := why.belonging(r, project, draft); err != nil {
		return err
	}
	if err := why.libraries(r, project, draft.Libraries); err != nil {
		return err
	}
	return why.err()
}

// belonging settles group and lifecycle.
func (why *reasons) belonging(r store.Reader, project *deploy.Project, draft ProjectDraft) error {
	groups, err := r.ProjectGroups(spaceOf(r))
	if err != nil {
		return err
	}
	lifecycles, err := r.Lifecycles(spaceOf(r))
	if err != nil {
		return err
	}
	switch {
	case draft.Group != "":
		group, err := find("project group", draft.Group, groups, groupKeys)
		if err != nil {
			why.add("%s", err)
		}
		project.Group = group.ID
	case project.Group == "" && len(groups) > 0:
		project.Group = groups[0].ID
	}
	switch {
	case draft.Lifecycle != "":
		lifecycle, err := find("lifecycle", draft.Lifecycle, lifecycles, lifecycleKeys)
		if err != nil {
			why.add("%s", err)
		}
		project.Lifecycle = lifecycle.ID
	case project.Lifecycle == "" && len(lifecycles) > 0:
		project.Lifecycle = lifecycles[0].ID
	}
	return nil
}

// DeleteProject removes one with all that belongs to it. Errors: Denied, NotFound, Invalid (a
// task of it has not ended).
func (c *Catalog) DeleteProject(ctx context.Context, p identity.Principal, ref string) error {
	err := c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		project, err := findProject(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := noOpenTask(w, store.TaskFilter{Project: project.ID}, nil); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectDeleted", project.ID, "project %s was deleted", project.Name), w.DeleteProject(project.ID)
	})
	return c.tidied(ctx, err)
}

// noOpenTask refuses while a task of the filter, and of the deployments if given, has not ended.
func noOpenTask(r store.Reader, f store.TaskFilter, of []deploy.DeploymentID) error {
	f.States = deploy.OpenStates()
	open, _, err := r.Tasks(f)
	if err != nil {
		return err
	}
	var why reasons
	for _, task := range open {
		if of == nil || slices.Contains(of, task.Deployment) {
			why.add("%s has not ended: %s", task.ID, task.Description)
		}
	}
	return why.err()
}
