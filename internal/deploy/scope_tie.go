// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"maps"
	"slices"
	"strings"
)

// World is where the variables of a release may be asked for.
type World struct {
	Environments []EnvironmentID
	Machines     []Machine // any order
	Channel      ChannelID
	Process      Process
}

// Tie is a name with two values that fit equally well, and a place where they do.
type Tie struct {
	Name  string
	Place Place
}

// Ties finds the names that have no single winner somewhere in the world, sorted, each once. A place
// is an action on a machine that its step picks in one of the machine's environments; as machines
// come and go, each environment is taken to have one machine for each tag, carrying that tag alone.
func (w World) Ties(sets []VariableSet) (ties []Tie) {
	all, byName := w.census(), map[string][]VariableSet{}
	for i, set := range sets {
		for _, v := range set.Variables {
			key := strings.ToLower(v.Name)
			if byName[key] == nil {
				byName[key] = make([]VariableSet, len(sets))
			}
			byName[key][i].Variables = append(byName[key][i].Variables, v)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byName)) {
		if !rivals(byName[key]) {
			continue
		}
		for _, p := range w.places(mentioned(byName[key]), all) {
			if _, names := Resolve(byName[key], p); len(names) > 0 {
				ties = append(ties, Tie{firstName(byName[key]), p})
				break
			}
		}
	}
	return ties
}

// firstName is how the first value spells its name.
func firstName(sets []VariableSet) string {
	for _, set := range sets {
		if len(set.Variables) > 0 {
			return set.Variables[0].Name
		}
	}
	return ""
}

// rivals reports whether two values of a name could tie at all.
func rivals(sets []VariableSet) bool {
	library := 0
	for _, set := range sets[1:] {
		library += len(set.Variables)
	}
	return len(sets[0].Variables) > 1 || library > 1
}

// mentions is what the scopes of one name tell apart.
type mentions struct {
	environments map[EnvironmentID]bool
	machines     map[MachineID]bool
	tags         map[string]bool
	actions      map[string]bool
}

func mentioned(sets []VariableSet) mentions {
	m := mentions{map[EnvironmentID]bool{}, map[MachineID]bool{}, map[string]bool{}, map[string]bool{}}
	for _, set := range sets {
		for _, v := range set.Variables {
			addAll(m.environments, v.Scope.Environments)
			addAll(m.machines, v.Scope.Machines)
			addAll(m.tags, v.Scope.Tags)
			addAll(m.actions, v.Scope.Actions)
		}
	}
	return m
}

func addAll[T comparable](set map[T]bool, list []T) {
	for _, v := range list {
		set[v] = true
	}
}

// places lists one place of each kind that the scopes can tell apart.
func (w World) places(m mentions, c census) (places []Place) {
	seen := map[string]bool{}
	add := func(p Place, e EnvironmentID, machine Machine) {
		p.Environment, p.Machine, p.Channel, p.Owner = e, machine, w.Channel, OwnerID(w.Process.Project)
		if key := m.kind(p); !seen[key] {
			seen[key] = true
			places = append(places, p)
		}
	}
	environments, machines := w.told(m), c.told(m)
	for _, a := range w.actions(m) {
		for _, e := range environments {
			for _, tag := range a.StepTags {
				add(a, e, Machine{Tags: []string{tag}})
			}
			if len(a.StepTags) > 0 {
				continue
			}
			add(a, e, Machine{})
			for _, tag := range slices.Sorted(maps.Keys(m.tags)) {
				add(a, e, Machine{Tags: []string{tag}})
			}
		}
		for _, machine := range machines {
			if len(a.StepTags) > 0 && !slices.ContainsFunc(a.StepTags, machine.HasTag) {
				continue
			}
			for _, e := range machine.Environments {
				add(a, e, machine)
			}
		}
	}
	return places
}

// kind is all of a place that the scopes can tell.
func (m mentions) kind(p Place) string {
	var b strings.Builder
	put := func(isTold bool, text string) {
		if isTold {
			b.WriteString(text)
		}
		b.WriteByte(0)
	}
	put(m.actions[p.Action], p.Action)
	put(m.environments[p.Environment], string(p.Environment))
	put(m.machines[p.Machine.ID], string(p.Machine.ID))
	if len(m.tags) == 0 {
		return b.String()
	}
	for _, tags := range [][]string{p.Machine.Tags, p.StepTags} {
		for _, tag := range slices.Sorted(slices.Values(tags)) {
			put(m.tags[tag], tag)
		}
		b.WriteByte(1)
	}
	return b.String()
}

// actions lists the actions that differ in what the scopes, and the choice of machines, can tell.
func (w World) actions(m mentions) (places []Place) {
	seen := map[string]bool{}
	for _, step := range w.Process.Steps {
		for _, action := range step.Actions {
			key := strings.Join(step.Tags, "\x00")
			if m.actions[action.ID] {
				key += "\x00\x00" + action.ID
			}
			if !seen[key] {
				seen[key] = true
				places = append(places, Place{Action: action.ID, StepTags: step.Tags})
			}
		}
	}
	return places
}

// told are the environments that scopes tell apart: those they name, and one that they do not.
func (w World) told(m mentions) (list []EnvironmentID) {
	isOther := false
	for _, e := range w.Environments {
		if m.environments[e] || !isOther {
			list = append(list, e)
		}
		isOther = isOther || !m.environments[e]
	}
	return list
}

// census groups the machines by all but their ids, so that they are counted through once and not for
// each name.
type census struct {
	groups [][]Machine
	byTag  map[string][]int // into groups
	byID   map[MachineID]Machine
}

func (w World) census() census {
	c, at := census{byTag: map[string][]int{}, byID: map[MachineID]Machine{}}, map[string]int{}
	for _, m := range w.Machines {
		c.byID[m.ID] = m
		key := strings.Join(slices.Sorted(slices.Values(m.Tags)), "\x00") + "\x00\x00"
		for _, e := range slices.Sorted(slices.Values(m.Environments)) {
			key += string(e) + "\x00"
		}
		i, known := at[key]
		if !known {
			i, at[key] = len(c.groups), len(c.groups)
			c.groups = append(c.groups, nil)
			for _, tag := range m.Tags {
				c.byTag[tag] = append(c.byTag[tag], i)
			}
		}
		c.groups[i] = append(c.groups[i], m)
	}
	return c
}

// told are the machines that scopes tell from one that carries a tag of its step alone: those they
// name, and one of each group that carries a tag they name.
func (c census) told(m mentions) (machines []Machine) {
	groups := map[int]bool{}
	for tag := range m.tags {
		addAll(groups, c.byTag[tag])
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if i := slices.IndexFunc(c.groups[g], func(o Machine) bool { return !m.machines[o.ID] }); i >= 0 {
			machines = append(machines, c.groups[g][i])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.machines)) {
		if machine, known := c.byID[id]; known {
			machines = append(machines, machine)
		}
	}
	return machines
}
