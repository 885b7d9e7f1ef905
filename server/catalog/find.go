// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// sortedSet sorts and drops repeats. It never returns nil.
func sortedSet[T ~string](list []T) []T {
	if len(list) == 0 {
		return []T{}
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// find is pick with a hint, for one reference. Errors: NotFound.
func find[T any](what, ref string, items []T, keys func(T) (id, name, slug string)) (T, error) {
	item, err := pick(what, ref, items, keys)
	if err != nil {
		if near := nearName(ref, items, keys); near != "" {
			err = errkind.Hinted(err, "did you mean %q?", near)
		}
	}
	return item, err
}

// maxNear is among how many things one is looked for that may be meant.
const maxNear = 1000

// nearName is the name that is most like a reference, or "". An id is no name with a slip in it.
func nearName[T any](ref string, items []T, keys func(T) (id, name, slug string)) string {
	ref = strings.ToLower(ref)
	names, folded := make([]string, 0, min(len(items), maxNear)), make([]string, 0, min(len(items), maxNear))
	for _, item := range items[:min(len(items), maxNear)] {
		id, name, _ := keys(item)
		if kind, _, _ := strings.Cut(strings.ToLower(id), "-"); strings.HasPrefix(ref, kind+"-") {
			return ""
		}
		names, folded = append(names, name), append(folded, strings.ToLower(name))
	}
	if at := slices.Index(folded, nearest.Of(ref, folded)); at >= 0 {
		return names[at]
	}
	return ""
}

// pick looks for ref as an id, then as a name, then as a slug. Errors: NotFound.
func pick[T any](what, ref string, items []T, keys func(T) (id, name, slug string)) (T, error) {
	for pass := range 3 {
		for _, item := range items {
			id, name, slug := keys(item)
			if strings.EqualFold([]string{id, name, slug}[pass], ref) && ref != "" {
				return item, nil
			}
		}
	}
	var zero T
	return zero, errkind.NotFound.Errorf("there is no %s %.100q", what, ref)
}

// freeSlug makes a slug that no other item has.
func freeSlug(name string, taken func(slug string) bool) string {
	base := deploy.Slug(name)
	if base == "" {
		base = "x"
	}
	slug := base
	for n := 2; taken(slug); n++ {
		slug = base + "-" + strconv.Itoa(n)
	}
	return slug
}

func environmentKeys(e deploy.Environment) (string, string, string) {
	return string(e.ID), e.Name, e.Slug
}

func machineKeys(m deploy.Machine) (string, string, string) { return string(m.ID), m.Name, m.Name }

func projectKeys(p deploy.Project) (string, string, string) { return string(p.ID), p.Name, p.Slug }

func groupKeys(g deploy.ProjectGroup) (string, string, string) { return string(g.ID), g.Name, g.Slug }

func lifecycleKeys(l deploy.Lifecycle) (string, string, string) { return string(l.ID), l.Name, l.Slug }

func channelKeys(c deploy.Channel) (string, string, string) { return string(c.ID), c.Name, c.Slug }

func findEnvironment(r store.Reader, ref string) (deploy.Environment, error) {
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return deploy.Environment{}, err
	}
	return environmentOf(r, ref, all)
}

// environmentOf finds one among those that r has. Errors: NotFound.
func environmentOf(r store.Reader, ref string, all []deploy.Environment) (deploy.Environment, error) {
	shown := isShown(r, identity.EnvironmentView, identity.EnvironmentEdit)
	return findShown(shown, "environment", ref, all, environmentKeys)
}

// isShown reports whether all of a list that r has is shown to the caller. A reader that is guarded for another
// permission lets him name what lies outside of his reach, and a hint must not tell him of it. Whoever has that other
// permission everywhere is shown the names with what he reads: the scopes of variables have them all.
func isShown(r store.Reader, about ...identity.Permission) bool {
	switch g := r.(type) {
	case *guard:
		return g.isAbout(about...)
	case *writeGuard:
		return g.isAbout(about...)
	}
	return true
}

// findShown is find where the items are shown, else pick.
func findShown[T any](isShown bool, what, ref string, items []T, keys func(T) (id, name, slug string)) (T, error) {
	if isShown {
		return find(what, ref, items, keys)
	}
	return pick(what, ref, items, keys)
}

func findMachine(r store.Reader, ref string) (deploy.Machine, error) {
	all, err := r.Machines(store.MachineFilter{Space: spaceOf(r)})
	if err != nil {
		return deploy.Machine{}, err
	}
	return findShown(isShown(r, identity.MachineView, identity.MachineEdit), "machine", ref, all, machineKeys)
}

func findProject(r store.Reader, ref string) (deploy.Project, error) {
	// By its id it is one row; by name or slug all are looked at.
	project, err := r.Project(deploy.ProjectID(properID("Projects", ref)))
	if errkind.Of(err) != errkind.NotFound {
		return project, err
	}
	all, err := r.Projects(spaceOf(r))
	if err != nil {
		return deploy.Project{}, err
	}
	return find("project", ref, all, projectKeys)
}

func findGroup(r store.Reader, ref string) (deploy.ProjectGroup, error) {
	all, err := r.ProjectGroups(spaceOf(r))
	if err != nil {
		return deploy.ProjectGroup{}, err
	}
	return find("project group", ref, all, groupKeys)
}

func findLifecycle(r store.Reader, ref string) (deploy.Lifecycle, error) {
	all, err := r.Lifecycles(spaceOf(r))
	if err != nil {
		return deploy.Lifecycle{}, err
	}
	return find("lifecycle", ref, all, lifecycleKeys)
}

func findChannel(r store.Reader, project deploy.ProjectID, ref string) (deploy.Channel, error) {
	all, err := r.Channels(project)
	if err != nil {
		return deploy.Channel{}, err
	}
	return find("channel", ref, all, channelKeys)
}

// environmentIDs turns references into ids; unknown ones become reasons.
func (why *reasons) environmentIDs(r store.Reader, refs []string) ([]deploy.EnvironmentID, error) {
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return nil, err
	}
	ids := make([]deploy.EnvironmentID, 0, len(refs))
	for _, ref := range refs {
		e, err := pick("environment", ref, all, environmentKeys)
		if err := why.addErr(err); err != nil {
			return nil, err
		}
		if e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
	return sortedSet(ids), nil
}

// machineIDs turns references into ids; unknown ones become reasons.
func (why *reasons) machineIDs(all []deploy.Machine, refs []string) []deploy.MachineID {
	ids := make([]deploy.MachineID, 0, len(refs))
	for _, ref := range refs {
		m, err := pick("machine", ref, all, machineKeys)
		if err != nil {
			why.put(errkind.NotFound, err.Error())
			continue
		}
		ids = append(ids, m.ID)
	}
	return sortedSet(ids)
}
