// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"maps"
	"slices"
	"strings"
)

// Place is where a variable is asked for: an action of a deployment on a machine.
type Place struct {
	Environment EnvironmentID
	Channel     ChannelID
	Owner       OwnerID // whose process it is
	Action      string  // id
	Machine     Machine
	StepTags    []string // the tags the step picked the machine by
}

// rank orders scopes by how exactly they fit, most exact first: action, machine, tag of the step,
// tag, environment, channel, process. Each weighs more than all that follow it together.
// Source: the precedence that Octopus documents (features.md VAR-2).
func (s Scope) rank(p Place) (rank int, fits bool) {
	fits = within(s.Environments, p.Environment) && within(s.Channels, p.Channel) && within(s.Actions, p.Action) &&
		within(s.Machines, p.Machine.ID) && (len(s.Tags) == 0 || slices.ContainsFunc(s.Tags, p.Machine.HasTag)) &&
		within(s.Owners, p.Owner)
	weigh := func(set bool, weight int) {
		if set {
			rank += weight
		}
	}
	weigh(len(s.Actions) > 0, 64)
	weigh(len(s.Machines) > 0, 32)
	weigh(slices.ContainsFunc(s.Tags, func(t string) bool {
		return p.Machine.HasTag(t) && slices.Contains(p.StepTags, t)
	}), 16)
	weigh(len(s.Tags) > 0, 8)
	weigh(len(s.Environments) > 0, 4)
	weigh(len(s.Channels) > 0, 2)
	weigh(len(s.Owners) > 0, 1)
	return rank, fits
}

func within[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// Pick is the variable that won its name at a place.
type Pick struct {
	Owner    OwnerID // of the set it is from
	Variable Variable
	isTied   bool
	rank     int
	level    int
}

// beats reports whether a pick wins over another one that fits too, and whether they are equal: a
// project's value wins over one of a library set that fits as well.
func (k Pick) beats(o Pick) (wins, ties bool) {
	switch {
	case k.rank != o.rank:
		return k.rank > o.rank, false
	case k.level != o.level:
		return k.level < o.level, false
	}
	return CompareVariables(k.Variable, o.Variable) < 0, true
}

// CompareVariables orders by id.
func CompareVariables(a, b Variable) int { return strings.Compare(a.ID, b.ID) }

// Resolve picks the variable of each name for a place, sorted by name without regard to case. The
// first set is the project's, the others are library sets. Two that fit equally well are settled by
// the smaller id, and named in ties.
func Resolve(sets []VariableSet, p Place) (picks []Pick, ties []string) {
	best := map[string]Pick{}
	for i, set := range sets {
		for _, v := range set.Variables {
			rank, fits := v.Scope.rank(p)
			if !fits {
				continue
			}
			k := Pick{Owner: set.Owner, Variable: v, rank: rank, level: min(i, 1)}
			key := strings.ToLower(v.Name)
			best[key] = settle(best, key, k)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(best)) {
		picks = append(picks, best[key])
		if best[key].isTied {
			ties = append(ties, best[key].Variable.Name)
		}
	}
	return picks, ties
}

// settle returns the winner of the name so far and k.
func settle(best map[string]Pick, key string, k Pick) Pick {
	held, taken := best[key]
	if !taken {
		return k
	}
	wins, ties := k.beats(held)
	switch {
	case ties && wins:
		k.isTied = true
		return k
	case ties:
		held.isTied = true
		return held
	case wins:
		return k
	}
	return held
}

// Sets are the variables that the release was made with, as Resolve takes them.
func (r Release) Sets() []VariableSet { return append([]VariableSet{r.Variables}, r.Library...) }

// Reaches reports whether the scope can fit in an environment, whatever the machine and the action.
func (s Scope) Reaches(e EnvironmentID, channel ChannelID, owner OwnerID) bool {
	return within(s.Environments, e) && within(s.Channels, channel) && within(s.Owners, owner)
}
