// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	maxVariables          = 5_000
	maxVariableValueBytes = 1 << 20
	maxPromptCharacters   = 1_000
	maxPromptOptions      = 500
)

// ScopeValues lists what the scope of variables may name.
type ScopeValues struct {
	Environments []deploy.Environment
	Machines     []deploy.Machine
	Tags         []string
	Channels     []deploy.Channel // of a project alone
	Actions      []deploy.Action  // likewise
	Processes    []deploy.Project
}

// Variables are those of a project or a library set, and what their scopes may name. Sensitive ones
// have no Value. Warnings say what is wrong with values that were just saved.
type Variables struct {
	Set      deploy.VariableSet
	Name     string // of the owner
	Values   ScopeValues
	Warnings []string
}

// Variables reads those of an owner: a project by id, name or slug, or a library set by its id. Errors:
// Denied, NotFound.
func (c *Catalog) Variables(ctx context.Context, p identity.Principal, owner string) (v Variables, err error) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) (err error) {
		v, err = variablesOf(r, owner)
		return err
	})
	return v, err
}

// ReleaseVariables are those that a release took from an owner, in the version asked for. Errors: Denied, NotFound.
func (c *Catalog) ReleaseVariables(ctx context.Context, p identity.Principal, release, owner string, version int) (
	v Variables, err error,
) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		if v, err = variablesOf(r, owner); err != nil {
			return err
		}
		var took bool
		if v.Set, took = held.Took(v.Set.Owner, version); !took {
			err = errkind.NotFound.Errorf("release %s took no version %d of the variables of %s", held.ID, version, owner)
		}
		return err
	})
	return v, err
}

// DeploymentVariables are those that a deployment goes by: its project's and library sets' as they were when it was
// queued. Errors: Denied, NotFound (also when it has ended, and the release has taken others since).
func (c *Catalog) DeploymentVariables(ctx context.Context, p identity.Principal, id string) (v Variables, err error) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) error {
		d, err := r.Deployment(deploy.DeploymentID(properID("Deployments", id)))
		if err != nil {
			return err
		}
		release, err := r.Release(d.Release)
		if err != nil {
			return err
		}
		if v, err = variablesOf(r, string(release.Project)); err != nil {
			return err
		}
		if !release.Keeps(d.Taking) {
			return errkind.NotFound.Errorf(
				"the variables of %s are not kept: it has ended, and release %s has taken others since", d.ID, release.Version)
		}
		release = release.At(d.Taking)
		v.Set = deploy.VariableSet{Owner: deploy.OwnerID(d.ID), Version: release.Variables.Version}
		for _, set := range release.Sets() {
			v.Set.Variables = append(v.Set.Variables, set.Variables...)
		}
		return nil
	})
	return v, err
}

// isLibrary reports whether a reference is the id of a library set.
func isLibrary(ref string) bool {
	return properID(librarySets, ref) != ref || strings.HasPrefix(ref, librarySets+"-")
}

func variablesOf(r store.Reader, ref string) (v Variables, err error) {
	if isLibrary(ref) {
		set, err := findLibrarySet(r, ref)
		if err != nil {
			return v, err
		}
		v.Name, v.Set = set.Name, set.Set()
		v.Values, err = scopeValues(r, "")
		return v, err
	}
	project, err := findProject(r, ref)
	if err != nil {
		return v, err
	}
	if v.Set, err = r.Variables(project.ID); err != nil {
		return v, err
	}
	v.Name, v.Set.Owner = project.Name, deploy.OwnerID(project.ID)
	v.Values, err = scopeValues(r, project.ID)
	return v, err
}

// scopeValues are those for a project, or for a library set when it is "".
func scopeValues(r store.Reader, project deploy.ProjectID) (v ScopeValues, err error) {
	if v.Environments, err = r.Environments(spaceOf(r)); err != nil {
		return v, err
	}
	if v.Machines, err = r.Machines(store.MachineFilter{Space: spaceOf(r)}); err != nil {
		return v, err
	}
	for _, m := range v.Machines {
		v.Tags = append(v.Tags, m.Tags...)
	}
	if v.Processes, err = r.Projects(spaceOf(r)); err != nil {
		return v, err
	}
	if project != "" {
		v.Processes = slices.DeleteFunc(v.Processes, func(p deploy.Project) bool { return p.ID != project })
		if err := v.ofProject(r, project); err != nil {
			return v, err
		}
	}
	v.Tags = sortedSet(v.Tags)
	return v, nil
}

func (v *ScopeValues) ofProject(r store.Reader, project deploy.ProjectID) (err error) {
	if v.Channels, err = r.Channels(project); err != nil {
		return err
	}
	process, err := r.Process(project)
	for _, step := range process.Steps {
		v.Tags = append(v.Tags, step.Tags...)
		v.Actions = append(v.Actions, step.Actions...)
	}
	return err
}

// SaveVariables replaces the variables of an owner, as Variables finds it. The version must be the one
// that was read. A sensitive value comes in Value; an empty one keeps the value that is there. Errors:
// Denied, NotFound, Invalid (every broken rule), Conflict (somebody else was faster).
func (c *Catalog) SaveVariables(
	ctx context.Context, p identity.Principal, owner string, wanted deploy.VariableSet,
) (saved Variables, err error) {
	err = c.change(ctx, p, identity.VariableEdit, func(w store.Writer) (deploy.Event, error) {
		held, err := variablesOf(w, owner)
		if err != nil {
			return deploy.Event{}, err
		}
		saved = Variables{Name: held.Name, Values: held.Values}
		saved.Set = deploy.VariableSet{Owner: held.Set.Owner, Version: wanted.Version}
		if saved.Set.Variables, err = checkVariables(wanted.Variables, held.Set.Variables, held.Values); err != nil {
			return deploy.Event{}, err
		}
		if err := c.sealAll(w, &saved, held.Set.Variables); err != nil {
			return deploy.Event{}, err
		}
		if saved.Set.Version, err = putVariables(w, saved.Set, held); err != nil {
			return deploy.Event{}, staleVariables(err, held, wanted.Version)
		}
		kind := "project"
		if isLibrary(string(held.Set.Owner)) {
			kind = "library set"
		}
		text := strings.Join(append([]string{""}, saved.Warnings...), "; ")
		return event("VariableSetEdited", saved.Set.Owner, "the variables of %s %s were changed: version %d%s", kind,
			held.Name, saved.Set.Version, text), nil
	})
	return saved, err
}

func putVariables(w store.Writer, set deploy.VariableSet, held Variables) (int, error) {
	if !isLibrary(string(set.Owner)) {
		return w.PutVariables(set)
	}
	library, err := findLibrarySet(w, string(set.Owner))
	if err != nil {
		return 0, err
	}
	if set.Version != held.Set.Version {
		return 0, errkind.Conflict.Errorf("they are version %d, not %d", held.Set.Version, set.Version)
	}
	library.Version, library.Variables = set.Version+1, set.Variables
	return library.Version, w.PutLibrarySet(library)
}

func staleVariables(err error, held Variables, given int) error {
	if errkind.Of(err) != errkind.Conflict {
		return err
	}
	return errkind.Hinted(errkind.Conflict.Errorf(
		"the variables of %s were changed by somebody else: they are version %d, not %d", held.Name, held.Set.Version, given),
		"read them again, make the change there and save that")
}

// sealAll seals the values of sensitive variables, and keeps those that are not given anew.
func (c *Catalog) sealAll(w store.Writer, saved *Variables, held []deploy.Variable) error {
	for i := range saved.Set.Variables {
		v := &saved.Set.Variables[i]
		if !v.IsSensitive {
			v.Sealed = ""
			continue
		}
		at := slices.IndexFunc(held, func(o deploy.Variable) bool { return o.ID == v.ID })
		plain := v.Value
		v.Value, v.Sealed = "", ""
		switch {
		case plain == "" && at < 0:
			continue
		case plain == "" && held[at].IsSensitive:
			v.Sealed = held[at].Sealed
			continue
		case plain == "" && held[at].Value == "":
			continue
		case plain == "":
			plain = held[at].Value // it becomes sensitive
		}
		if warning := tooShort(v.Name, plain); warning != "" {
			saved.Warnings = append(saved.Warnings, warning)
		}
		err := tooLong(v.Name, plain)
		if err != nil {
			return err
		}
		if v.Sealed, err = c.seal(w, plain, v.SealedAs(saved.Set.Owner)); err != nil {
			return err
		}
	}
	return nil
}

func checkVariables(wanted, held []deploy.Variable, values ScopeValues) ([]deploy.Variable, error) {
	var why reasons
	if len(wanted) > maxVariables {
		why.add("%d variables are more than the limit of %d", len(wanted), maxVariables)
		return nil, why.err()
	}
	known, before := map[string]bool{}, map[string]deploy.Scope{}
	for _, v := range held {
		known[v.ID], before[v.ID] = true, v.Scope
	}
	places := values.scopable()
	checked := make([]deploy.Variable, 0, len(wanted))
	for _, v := range wanted {
		v.ID = keepID(v.ID, known)
		v.Name, v.Description = why.name("a variable", v.Name), why.description(v.Description)
		if len(v.Value) > maxVariableValueBytes {
			why.add("the value of variable %s has %d bytes: limit is %d", v.Name, len(v.Value), maxVariableValueBytes)
		}
		v.Scope.Tags = why.tags(v.Scope.Tags)
		why.scope(v, before[v.ID], places)
		why.prompt(&v)
		checked = append(checked, v)
	}
	return checked, why.err()
}

// prompt checks what a variable asks. A field that hides what is typed makes a sensitive variable.
func (r *reasons) prompt(v *deploy.Variable) {
	if v.Prompt == nil {
		return
	}
	p := *v.Prompt
	if p.Control == "" {
		p.Control = deploy.ControlLine
	}
	v.Prompt = &p
	v.IsSensitive = v.IsSensitive || p.Control == deploy.ControlSensitive
	if err := p.Check(); err != nil {
		r.add("variable %s: %s", v.Name, err)
	}
	if len(p.Label) > maxPromptCharacters || len(p.Help) > maxPromptCharacters || len(p.Options) > maxPromptOptions {
		r.add("variable %s: its prompt has a label or help of more than %d bytes, or more than %d options", v.Name,
			maxPromptCharacters, maxPromptOptions)
	}
}

// scopable is what scopes may name, to look it up.
type scopable struct {
	environments map[deploy.EnvironmentID]bool
	machines     map[deploy.MachineID]bool
	channels     map[deploy.ChannelID]bool
	actions      map[string]bool
	owners       map[deploy.OwnerID]bool
}

func (v ScopeValues) scopable() scopable {
	return scopable{
		environments: idSet(v.Environments, func(e *deploy.Environment) deploy.EnvironmentID { return e.ID }),
		machines:     idSet(v.Machines, func(m *deploy.Machine) deploy.MachineID { return m.ID }),
		channels:     idSet(v.Channels, func(ch *deploy.Channel) deploy.ChannelID { return ch.ID }),
		actions:      idSet(v.Actions, func(a *deploy.Action) string { return a.ID }),
		owners:       idSet(v.Processes, func(p *deploy.Project) deploy.OwnerID { return deploy.OwnerID(p.ID) }),
	}
}

func idSet[T any, ID comparable](list []T, id func(*T) ID) map[ID]bool {
	set := make(map[ID]bool, len(list))
	for i := range list {
		set[id(&list[i])] = true
	}
	return set
}

// scope refuses names of things that there are not, or that belong to another project. What the variable named before
// may be gone by now, as machines come and go: it stays, since without it the value would hold in more places.
func (r *reasons) scope(v deploy.Variable, before deploy.Scope, known scopable) {
	inScope(r, v.Name, "an environment", v.Scope.Environments, before.Environments, known.environments)
	inScope(r, v.Name, "a machine", v.Scope.Machines, before.Machines, known.machines)
	inScope(r, v.Name, "a channel", v.Scope.Channels, before.Channels, known.channels)
	inScope(r, v.Name, "an action", v.Scope.Actions, before.Actions, known.actions)
	inScope(r, v.Name, "a process", v.Scope.Owners, before.Owners, known.owners)
}

func inScope[ID ~string](r *reasons, variable, what string, ids, before []ID, known map[ID]bool) {
	for _, id := range ids {
		if !known[id] && !slices.Contains(before, id) {
			r.add("variable %s is scoped to %s that there is not: %q", variable, what, string(id))
		}
	}
}

// librarySnapshot reads the library sets that a project includes, as a release takes them along.
func librarySnapshot(r store.Reader, project deploy.Project) (sets []deploy.VariableSet, err error) {
	for _, id := range project.Libraries {
		set, err := r.LibrarySet(id)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set.Set())
	}
	return sets, nil
}

// world is where the variables of a release may be asked for.
func world(r store.Reader, process deploy.Process, channel deploy.ChannelID) (w deploy.World, err error) {
	environments, err := r.Environments(spaceOf(r))
	if err != nil {
		return w, err
	}
	w.Channel, w.Process = channel, process
	for _, e := range environments {
		w.Environments = append(w.Environments, e.ID)
	}
	w.Machines, err = r.Machines(store.MachineFilter{Space: spaceOf(r)})
	return w, err
}

// ties refuses variables of which nobody could say what their value is.
func (r *reasons) ties(from store.Reader, release deploy.Release) error {
	w, err := world(from, release.Process, release.Channel)
	if err != nil {
		return err
	}
	environments, err := from.Environments(spaceOf(from))
	if err != nil {
		return err
	}
	for _, tie := range w.Ties(release.Sets()) {
		r.add("variable %s has several values that fit equally well%s: narrow the scope of one, or remove it", tie.Name,
			placeWords(tie.Place, environments, release.Process))
	}
	return nil
}

// placeWords says where: " for action Deploy on machine web-1 in Production".
func placeWords(p deploy.Place, environments []deploy.Environment, process deploy.Process) (text string) {
	for _, step := range process.Steps {
		for _, a := range step.Actions {
			if a.ID == p.Action {
				text = " for action " + a.Name
			}
		}
	}
	switch {
	case p.Machine.Name != "":
		text += " on machine " + p.Machine.Name
	case len(p.Machine.Tags) > 0:
		text += fmt.Sprintf(" on a machine with the tag %s", p.Machine.Tags[0])
	}
	for _, e := range environments {
		if e.ID == p.Environment {
			text += " in " + e.Name
		}
	}
	return text
}
