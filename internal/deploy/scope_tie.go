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
	byName := map[string][]VariableSet{}
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
		for _, p := range w.places(mentioned(byName[key])) {
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
func (w World) places(m mentions) (places []Place) {
	actions, stepTags := w.actions(m)
	machines := w.kinds(m, stepTags)
	for _, a := range actions {
		for _, p := range machines {
			if len(a.StepTags) > 0 && !slices.ContainsFunc(a.StepTags, p.Machine.HasTag) {
				continue
			}
			p.Action, p.StepTags, p.Channel, p.Owner = a.Action, a.StepTags, w.Channel, OwnerID(w.Process.Project)
			places = append(places, p)
		}
	}
	return places
}

// actions lists the actions that differ in what the scopes can tell, and all the tags of their steps.
func (w World) actions(m mentions) (places []Place, tags map[string]bool) {
	seen, tags := map[string]bool{}, map[string]bool{}
	for _, step := range w.Process.Steps {
		addAll(tags, step.Tags)
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
	return places, tags
}

// kinds lists the machines in their environments that differ in what scopes and steps can tell.
func (w World) kinds(m mentions, stepTags map[string]bool) (places []Place) {
	seen := map[string]bool{}
	add := func(e EnvironmentID, machine Machine) {
		key := ""
		if m.environments[e] {
			key = string(e)
		}
		key += "\x00"
		if m.machines[machine.ID] {
			key += string(machine.ID)
		}
		for _, tag := range slices.Sorted(slices.Values(machine.Tags)) {
			if m.tags[tag] || stepTags[tag] {
				key += "\x00" + tag
			}
		}
		if !seen[key] {
			seen[key] = true
			places = append(places, Place{Environment: e, Machine: machine})
		}
	}
	for _, machine := range w.Machines {
		for _, e := range machine.Environments {
			add(e, machine)
		}
	}
	tags := maps.Clone(stepTags)
	maps.Copy(tags, m.tags)
	for _, e := range w.Environments {
		add(e, Machine{})
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			add(e, Machine{Tags: []string{tag}})
		}
	}
	return places
}
