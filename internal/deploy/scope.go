// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strings"
)

// Place is where a variable is asked for: an action of a deployment on a machine.
type Place struct {
	Environment EnvironmentID
	Channel     ChannelID
	Action      string // id
	Machine     Machine
	StepTags    []string // the tags the step picked the machine by
}

// rank orders scopes by how exactly they fit, most exact first: action, machine, tag of the step,
// tag, environment, channel. Source: the precedence that Octopus documents (features.md VAR-2).
func (s Scope) rank(p Place) (rank int, fits bool) {
	fits = within(s.Environments, p.Environment) && within(s.Channels, p.Channel) && within(s.Actions, p.Action) &&
		within(s.Machines, p.Machine.ID) && (len(s.Tags) == 0 || slices.ContainsFunc(s.Tags, p.Machine.HasTag))
	weigh := func(set bool, weight int) {
		if set {
			rank += weight
		}
	}
	weigh(len(s.Actions) > 0, 32)
	weigh(len(s.Machines) > 0, 16)
	weigh(slices.ContainsFunc(s.Tags, func(t string) bool { return slices.Contains(p.StepTags, t) }), 8)
	weigh(len(s.Tags) > 0, 4)
	weigh(len(s.Environments) > 0, 2)
	weigh(len(s.Channels) > 0, 1)
	return rank, fits
}

func within[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// Resolve picks the value of each name for a place. Names keep the spelling of the value that
// won. Two values that fit equally well are settled by the smaller id, and named in ties.
func (s VariableSet) Resolve(p Place) (values map[string]string, ties []string) {
	type winner struct {
		variable Variable
		rank     int
		tied     bool
	}
	best := map[string]winner{}
	for _, v := range s.Variables {
		rank, fits := v.Scope.rank(p)
		key := strings.ToLower(v.Name)
		held, taken := best[key]
		switch {
		case !fits:
		case !taken || rank > held.rank:
			best[key] = winner{v, rank, false}
		case rank == held.rank:
			if v.ID < held.variable.ID {
				held.variable = v
			}
			held.tied = true
			best[key] = held
		}
	}
	values = make(map[string]string, len(best))
	for _, w := range best {
		values[w.variable.Name] = w.variable.Value
		if w.tied {
			ties = append(ties, w.variable.Name)
		}
	}
	slices.Sort(ties)
	return values, ties
}
