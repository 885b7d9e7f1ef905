// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

// Plan is what a task will do: steps in order, each on its machines. It is fixed when the task is
// queued, so that what was agreed to is what happens.
type Plan struct {
	Steps []PlannedStep
	// IsGuided asks people what to do about a machine that failed.
	IsGuided bool
	// Notes are sentences for the beginning of the task's log: what the plan does without.
	Notes []string
}

// GroupStart is the index of the first step of those that start together with a step: what came
// before it has ended when the step begins.
func (p Plan) GroupStart(step int) int {
	for step > 0 && p.Steps[step].WithPrevious {
		step--
	}
	return step
}

// GroupEnd is the index behind the last step of the group that starts with a step.
func (p Plan) GroupEnd(start int) int {
	end := min(start+1, len(p.Steps))
	for end < len(p.Steps) && p.Steps[end].WithPrevious {
		end++
	}
	return end
}

// PlannedStep is one step with the machines it was planned for.
type PlannedStep struct {
	Number    int // from 1, as shown: "Step 2"
	Name      string
	Condition Condition
	Window    int // at most so many machines at once
	// WithPrevious starts it together with the step before it.
	WithPrevious bool
	// Expression decides for each machine whether it runs, when Condition is OnExpression.
	Expression string
	Machines   []MachineID // none when it is manual
	Actions    []Action
	// Skip says in a sentence why the step does nothing; "" means it runs.
	Skip string
}

// IsManual reports whether the step asks people instead of machines.
func (s PlannedStep) IsManual() bool { return isManual(s.Actions) }

// PlanRequest is what a plan is made from.
type PlanRequest struct {
	Process     Process
	Environment EnvironmentID
	Channel     ChannelID
	Machines    []Machine // all of the space, any order
	// Connectivity leaves machines out by their last health, and may allow that none is left.
	Connectivity Connectivity
	Only         []MachineID
	Except       []MachineID
	SkipSteps    []string // names of steps or actions, compared without regard to case
	// SkipActions are ids; a step all of whose actions are skipped is.
	SkipActions []string
	IsGuided    bool
	// IsPreview makes a plan also when nothing would happen: people look at why.
	IsPreview bool
	// KeepsDisabled leaves actions that are disabled in the plan: for a preview alone.
	KeepsDisabled bool
}

// NewPlan says what a deployment will do. Errors: Invalid with the reason, when nothing would
// happen or a required step would be skipped.
func NewPlan(r PlanRequest) (Plan, error) {
	plan := Plan{IsGuided: r.IsGuided}
	for i, step := range r.Process.Steps {
		planned, err := r.step(i, step)
		if err != nil {
			return Plan{}, err
		}
		plan.Steps = append(plan.Steps, planned)
	}
	isIdle := !slices.ContainsFunc(plan.Steps, func(s PlannedStep) bool { return s.Skip == "" })
	if isIdle && !r.IsPreview && !(r.Connectivity.AllowNoMachine && len(plan.Steps) > 0) {
		return Plan{}, errkind.Invalid.Errorf("nothing to deploy: %s", r.whyNothing(plan))
	}
	return plan, nil
}

func (r PlanRequest) whyNothing(plan Plan) string {
	if len(plan.Steps) == 0 {
		return "the process has no steps"
	}
	reasons := make([]string, 0, len(plan.Steps))
	for _, s := range plan.Steps {
		reasons = append(reasons, "step "+s.Name+" "+s.Skip)
	}
	return strings.Join(reasons, "; ")
}

func (r PlanRequest) step(i int, step Step) (PlannedStep, error) {
	planned := PlannedStep{
		Number: i + 1, Name: step.Name, Condition: step.Condition, Window: step.Window,
		WithPrevious: i > 0 && step.WithPrevious, Actions: r.actions(step),
	}
	if step.Condition == OnExpression {
		planned.Expression = step.Properties[PropCondition]
	}
	if planned.Window <= 0 {
		planned.Window = DefaultWindow
	}
	switch {
	case slices.ContainsFunc(step.Actions, func(a Action) bool { return a.IsRequired && r.skips(step, a) }):
		return PlannedStep{}, errkind.Invalid.Errorf("step %q is required and cannot be skipped", step.Name)
	case len(step.Actions) > 0 && !slices.ContainsFunc(step.Actions, func(a Action) bool { return !r.skips(step, a) }):
		planned.Skip = "is skipped as asked"
	case len(planned.Actions) == 0:
		planned.Skip = "has no action for this environment and channel"
	case planned.IsManual():
	default:
		planned.Machines = r.machines(step)
		if len(planned.Machines) == 0 {
			planned.Skip = "finds no enabled machine with " + tagWords(step.Tags) + " in this environment"
			if off := r.disabled(step); len(off) > 0 {
				planned.Skip += "; disabled: " + strings.Join(off, ", ")
			}
			if r.Connectivity.SkipUnavailable || r.Connectivity.ExcludeUnhealthy {
				planned.Skip += " that the project's connectivity policy does not leave out"
			}
		}
	}
	return planned, nil
}

func tagWords(tags []string) string {
	if len(tags) == 1 {
		return "the tag " + tags[0]
	}
	return "any of the tags " + strings.Join(tags, ", ")
}

func (r PlanRequest) skips(step Step, action Action) bool {
	named := func(s string) bool { return strings.EqualFold(s, step.Name) || strings.EqualFold(s, action.Name) }
	return slices.ContainsFunc(r.SkipSteps, named) ||
		slices.ContainsFunc(r.SkipActions, func(id string) bool { return strings.EqualFold(id, action.ID) })
}

func (r PlanRequest) actions(step Step) []Action {
	return slices.DeleteFunc(slices.Clone(step.Actions), func(a Action) bool {
		elsewhere := !within(a.Environments, r.Environment) || !within(a.Channels, r.Channel) ||
			slices.Contains(a.ExcludedEnvironments, r.Environment)
		return a.IsDisabled && !r.KeepsDisabled || r.skips(step, a) || elsewhere
	})
}

// disabled names the machines that the step would have picked if they were not disabled.
func (r PlanRequest) disabled(step Step) (names []string) {
	for _, m := range r.Machines {
		if m.IsDisabled && m.In(r.Environment) && slices.ContainsFunc(step.Tags, m.HasTag) {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Missed are the machines with a step's tags in the environment that a deployment may do without: unavailable ones by
// their last health check, whether the project waits for them or not, and others that the plan leaves out.
func (r PlanRequest) Missed(step Step) (unavailable, leftOut []Machine) {
	for _, m := range r.Machines {
		switch {
		case !m.In(r.Environment) || !slices.ContainsFunc(step.Tags, m.HasTag):
		case m.IsDisabled || m.Health.Status != HealthUnavailable && r.Connectivity.LeavesOut(m):
			leftOut = append(leftOut, m)
		case m.Health.Status == HealthUnavailable:
			unavailable = append(unavailable, m)
		}
	}
	return unavailable, leftOut
}

// machines picks by tag, never by name, and sorts by name so that plans read alike.
func (r PlanRequest) machines(step Step) []MachineID {
	picked := slices.DeleteFunc(slices.Clone(r.Machines), func(m Machine) bool {
		named := len(r.Only) == 0 || slices.Contains(r.Only, m.ID)
		tagged := slices.ContainsFunc(step.Tags, m.HasTag)
		return m.IsDisabled || !named || !tagged || !m.In(r.Environment) || slices.Contains(r.Except, m.ID) ||
			r.Connectivity.LeavesOut(m)
	})
	slices.SortFunc(picked, func(a, b Machine) int { return strings.Compare(a.Name, b.Name) })
	ids := make([]MachineID, len(picked))
	for i, m := range picked {
		ids[i] = m.ID
	}
	return ids
}
