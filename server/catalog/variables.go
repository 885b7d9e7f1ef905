// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	maxVariables          = 5_000
	maxVariableValueBytes = 1 << 20
)

// ScopeValues lists what the scope of a project's variables may name.
type ScopeValues struct {
	Environments []deploy.Environment
	Machines     []deploy.Machine
	Tags         []string
	Channels     []deploy.Channel
	Actions      []deploy.Action
}

// Variables reads the variables of a project and what their scopes may name. Errors: Denied,
// NotFound.
func (c *Catalog) Variables(
	ctx context.Context, p identity.Principal, project string,
) (set deploy.VariableSet, owner deploy.Project, values ScopeValues, err error) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) (err error) {
		if owner, err = findProject(r, project); err != nil {
			return err
		}
		if set, err = r.Variables(owner.ID); err != nil {
			return err
		}
		set.Owner = deploy.OwnerID(owner.ID)
		values, err = scopeValues(r, owner.ID)
		return err
	})
	return set, owner, values, err
}

func scopeValues(r store.Reader, project deploy.ProjectID) (v ScopeValues, err error) {
	if v.Environments, err = r.Environments(space); err != nil {
		return v, err
	}
	if v.Machines, err = r.Machines(store.MachineFilter{Space: space}); err != nil {
		return v, err
	}
	if v.Channels, err = r.Channels(project); err != nil {
		return v, err
	}
	process, err := r.Process(project)
	if err != nil {
		return v, err
	}
	for _, m := range v.Machines {
		v.Tags = append(v.Tags, m.Tags...)
	}
	for _, step := range process.Steps {
		v.Tags = append(v.Tags, step.Tags...)
		v.Actions = append(v.Actions, step.Actions...)
	}
	v.Tags = sortedSet(v.Tags)
	return v, nil
}

// SaveVariables replaces the variables of a project. The version must be the one that was read.
// Errors: Denied, NotFound, Invalid (every broken rule), Conflict (somebody else was faster).
func (c *Catalog) SaveVariables(
	ctx context.Context, p identity.Principal, project string, set deploy.VariableSet,
) (saved deploy.VariableSet, owner deploy.Project, values ScopeValues, err error) {
	err = c.change(ctx, p, identity.VariableEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if owner, err = findProject(w, project); err != nil {
			return deploy.Event{}, err
		}
		held, err := w.Variables(owner.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		if values, err = scopeValues(w, owner.ID); err != nil {
			return deploy.Event{}, err
		}
		saved = deploy.VariableSet{Owner: deploy.OwnerID(owner.ID), Version: set.Version}
		if saved.Variables, err = checkVariables(set.Variables, held.Variables, values); err != nil {
			return deploy.Event{}, err
		}
		if saved.Version, err = w.PutVariables(saved); err != nil {
			return deploy.Event{}, staleVersion(err, "variables", owner)
		}
		return event("VariableSetEdited", owner.ID,
			"the variables of project %s were changed: version %d", owner.Name, saved.Version), nil
	})
	return saved, owner, values, err
}

func checkVariables(wanted, held []deploy.Variable, values ScopeValues) ([]deploy.Variable, error) {
	var why reasons
	if len(wanted) > maxVariables {
		why.add("%d variables are more than the limit of %d", len(wanted), maxVariables)
		return nil, why.err()
	}
	known := map[string]bool{}
	for _, v := range held {
		known[v.ID] = true
	}
	checked := make([]deploy.Variable, 0, len(wanted))
	for _, v := range wanted {
		v.ID = keepID(v.ID, known)
		v.Name, v.Description = why.name("a variable", v.Name), why.description(v.Description)
		if len(v.Value) > maxVariableValueBytes {
			why.add("the value of variable %s has %d bytes: limit is %d", v.Name, len(v.Value), maxVariableValueBytes)
		}
		v.Scope.Tags = why.tags(v.Scope.Tags)
		why.scope(v, values)
		checked = append(checked, v)
	}
	return checked, why.err()
}

// scope refuses names of things that there are not, or that belong to another project.
func (r *reasons) scope(v deploy.Variable, values ScopeValues) {
	for _, id := range v.Scope.Environments {
		if !slices.ContainsFunc(values.Environments, func(e deploy.Environment) bool { return e.ID == id }) {
			r.add("variable %s is scoped to an environment that there is not: %q", v.Name, id)
		}
	}
	for _, id := range v.Scope.Machines {
		if !slices.ContainsFunc(values.Machines, func(m deploy.Machine) bool { return m.ID == id }) {
			r.add("variable %s is scoped to a machine that there is not: %q", v.Name, id)
		}
	}
	for _, id := range v.Scope.Channels {
		if !slices.ContainsFunc(values.Channels, func(ch deploy.Channel) bool { return ch.ID == id }) {
			r.add("variable %s is scoped to a channel that there is not: %q", v.Name, id)
		}
	}
	for _, id := range v.Scope.Actions {
		if !slices.ContainsFunc(values.Actions, func(a deploy.Action) bool { return a.ID == id }) {
			r.add("variable %s is scoped to an action that there is not: %q", v.Name, id)
		}
	}
}
