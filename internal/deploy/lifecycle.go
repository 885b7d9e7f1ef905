// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "slices"

// Lifecycle orders the environments a release passes. Without phases every environment is open.
type Lifecycle struct {
	ID          LifecycleID
	Space       SpaceID
	Name        string
	Slug        string
	Description string
	Phases      []Phase
	Releases    Retention // how long releases are kept
	OnMachine   Retention // how many installed versions stay on a machine
}

// Phase is one stretch of a lifecycle.
type Phase struct {
	ID   string
	Name string
	// Environments are all of its environments, sorted. None means each one that no other phase names.
	Environments []EnvironmentID
	// Automatic are those of them that a release is deployed to as soon as it may be; sorted.
	Automatic []EnvironmentID
	// Minimum is how many of them must have succeeded to go on; 0 means all.
	Minimum    int
	IsOptional bool
	// IsPriority puts deployments to it before others in the queue.
	IsPriority bool
	Releases   Retention // zero: the lifecycle's
	OnMachine  Retention // likewise
}

// Retention says how long something is kept. The zero Retention keeps it for ever; in a phase it
// stands for what the lifecycle says.
type Retention struct {
	Strategy RetentionStrategy
	Quantity int
	Unit     RetentionUnit
}

// RetentionStrategy is how a Retention decides.
type RetentionStrategy string

// The strategies; the words are the wire's.
const (
	KeepForever RetentionStrategy = "Forever"
	KeepCount   RetentionStrategy = "Count" // Quantity of Unit
	KeepDefault RetentionStrategy = "Default"
)

// RetentionUnit is what a Retention counts.
type RetentionUnit string

// The units; the words are the wire's.
const (
	KeepDays  RetentionUnit = "Days"
	KeepItems RetentionUnit = "Items"
)

// DefaultKeepOnMachine is how many earlier versions stay on a machine where nobody chose.
const DefaultKeepOnMachine = 3

// OnMachineItems is how many versions stay on a machine; 0 means all. Days are not counted there:
// nothing is removed then.
func (r Retention) OnMachineItems() int {
	switch {
	case r.Strategy == KeepDefault:
		return DefaultKeepOnMachine
	case r.Strategy == KeepCount && r.Unit == KeepItems:
		return r.Quantity
	}
	return 0
}

// PhaseProgress is where a release stands in one phase of its lifecycle.
type PhaseProgress struct {
	// Phase names its environments, also where the lifecycle leaves them open.
	Phase Phase
	// Reached are those of its environments that a deployment of the release succeeded in.
	Reached []EnvironmentID
	// IsOpen is true when the release may go to the phase's environments now.
	IsOpen bool
	// IsComplete is true when enough of its environments have the release.
	IsComplete bool
	// IsBlocked is true when nothing but a defect of the release closes the phase.
	IsBlocked bool
}

// Promotion is what decides where a release may go.
type Promotion struct {
	Lifecycle    Lifecycle
	Environments []EnvironmentID // all of the space, in their order
	Reached      []EnvironmentID // a deployment of the release succeeded there
	HasDefect    bool            // the release has one that is not resolved
}

// Phases works out where the release stands. A defect closes each phase that no deployment has
// succeeded in, but for the first. A lifecycle without phases gives none. Source of the rules:
// Octopus Deploy's pages on lifecycles and on preventing progression.
func (p Promotion) Phases() []PhaseProgress {
	list := make([]PhaseProgress, 0, len(p.Lifecycle.Phases))
	open := true
	for i, phase := range p.Filled() {
		at := PhaseProgress{Phase: phase, Reached: []EnvironmentID{}}
		for _, e := range phase.Environments {
			if slices.Contains(p.Reached, e) {
				at.Reached = append(at.Reached, e)
			}
		}
		at.IsComplete = len(at.Reached) >= phase.Need()
		at.IsBlocked = open && p.HasDefect && i > 0 && len(at.Reached) == 0
		at.IsOpen = open && !at.IsBlocked
		open = open && (at.IsComplete || phase.IsOptional)
		list = append(list, at)
	}
	return list
}

// Need is how many of the phase's environments must have succeeded to go on.
func (p Phase) Need() int {
	if p.Minimum <= 0 || p.Minimum > len(p.Environments) {
		return len(p.Environments)
	}
	return p.Minimum
}

// Filled are the lifecycle's phases, each with its environments: one that names none has those
// that no phase names.
func (p Promotion) Filled() []Phase {
	phases := slices.Clone(p.Lifecycle.Phases)
	rest := slices.DeleteFunc(slices.Clone(p.Environments), func(e EnvironmentID) bool {
		return slices.ContainsFunc(phases, func(phase Phase) bool { return slices.Contains(phase.Environments, e) })
	})
	for i := range phases {
		if len(phases[i].Environments) == 0 {
			phases[i].Environments = rest
		}
	}
	return phases
}

// Open lists where the release may go now, in the order of the phases.
func (p Promotion) Open() []EnvironmentID {
	list := []EnvironmentID{}
	if len(p.Lifecycle.Phases) == 0 {
		for _, e := range p.Environments {
			if !p.HasDefect || slices.Contains(p.Reached, e) {
				list = append(list, e)
			}
		}
		return list
	}
	for _, at := range p.Phases() {
		for _, e := range at.Phase.Environments {
			if at.IsOpen && !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}

// Automatic lists where the release is to be deployed without being asked, given where it was
// deployed to already, in whatever state that ended. Optional phases deploy nothing by themselves.
func (p Promotion) Automatic(tried []EnvironmentID) []EnvironmentID {
	list := []EnvironmentID{}
	for _, at := range p.Phases() {
		for _, e := range at.Phase.Automatic {
			if at.IsOpen && !at.Phase.IsOptional && !slices.Contains(tried, e) && !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}
