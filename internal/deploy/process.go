// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "strings"

// Process is how a project is deployed: steps in order.
type Process struct {
	Project ProjectID
	Version int // raised by each change
	Steps   []Step
}

// Step runs its actions on the machines that carry one of its tags.
type Step struct {
	ID        string // UUID
	Name      string // unique in its process
	Tags      []string
	Condition Condition
	Window    int // at most so many machines at once; 0 means DefaultWindow
	// WithPrevious lets it start together with the step before it.
	WithPrevious bool
	Properties   map[string]string
	Actions      []Action
}

// DefaultWindow is how many machines a step works on at once unless it says otherwise.
// Source: Octopus Deploy's Octopus.Action.MaxParallelism, default 10.
const DefaultWindow = 10

// Condition says when a step runs.
type Condition string

// The conditions; the words are the wire's.
const (
	OnSuccess Condition = "Success"
	OnFailure Condition = "Failure"
	Always    Condition = "Always"
	// OnExpression runs it when PropCondition comes to something true, after a failure too.
	OnExpression Condition = "Variable"
)

// ActionKind says what an action does.
type ActionKind string

// The kinds; the words are the wire's ActionType.
const (
	ScriptAction  ActionKind = "Octopus.Script"
	PackageAction ActionKind = "Octopus.TentaclePackage"
	// ManualAction asks people; it is the only action of its step, and runs on no machine.
	ManualAction ActionKind = "Octopus.Manual"
)

// IsManual reports whether the step asks people instead of machines.
func (s Step) IsManual() bool { return isManual(s.Actions) }

func isManual(actions []Action) bool { return len(actions) > 0 && actions[0].Kind == ManualAction }

// Action is one thing to do on each machine.
type Action struct {
	ID         string // UUID
	Name       string
	Kind       ActionKind
	IsDisabled bool
	IsRequired bool   // cannot be skipped
	Notes      string // for people
	// Environments and ExcludedEnvironments narrow where it runs; empty means everywhere.
	Environments         []EnvironmentID
	ExcludedEnvironments []EnvironmentID
	Channels             []ChannelID // whose releases it is for; empty means all
	Packages             []PackageReference
	// Properties keep the wire's names and pass through unharmed, known or not.
	Properties map[string]string
}

// PackageReference names a package that an action needs.
type PackageReference struct {
	ID        string // UUID
	Name      string // "" for the action's own package
	PackageID string
}

// The properties that the engine acts on, beside those of Policy.
const (
	PropTargetTags     = "Octopus.Action.TargetRoles"
	PropMaxParallelism = "Octopus.Action.MaxParallelism"
	PropCondition      = "Octopus.Step.ConditionVariableExpression" // of a step
	PropInstructions   = "Octopus.Action.Manual.Instructions"
	PropTeams          = "Octopus.Action.Manual.ResponsibleTeamIds" // with commas; "": everybody who may
	PropScriptBody     = "Octopus.Action.Script.ScriptBody"
	PropScriptSource   = "Octopus.Action.Script.ScriptSource" // "Inline"
	PropScriptSyntax   = "Octopus.Action.Script.Syntax"       // "Bash"
	PropRunOnServer    = "Octopus.Action.RunOnServer"
	PropSubstituteIn   = "Octopus.Action.SubstituteInFiles.TargetFiles" // globs, one a line
	PropIsolation      = "Fairlead.Action.Isolation"                    // "full" (default), "none", or a name
)

// ResponsibleTeams are the ids of the teams that may answer what the action asks; none: everybody who may.
func (a Action) ResponsibleTeams() (ids []string) {
	for id := range strings.SplitSeq(a.Properties[PropTeams], ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
