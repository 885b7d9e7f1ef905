// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"
	"strings"
)

// Surroundings are what the orders of steps that start together have in common: it is worked out once for them, since
// some of it grows with the machines.
type Surroundings struct {
	Plan     Plan
	Process  Process // of the release
	Machines []Machine
	Past     Past
	// Steps is how far those before the group have come. The group goes from Start to before End.
	Steps      []StepProgress
	Start, End int
}

// Past is what there was before a deployment; zero where there was nothing.
type Past struct {
	Release    NamedRelease // of the project, made just before
	Attempted  NamedRelease // by the last deployment into the environment that began
	Current    NamedRelease // by the last one that succeeded
	Successful DeploymentID // the last one that succeeded
}

// NamedRelease is a release by its id and its number.
type NamedRelease struct {
	ID     ReleaseID
	Number string
}

// Variables are the system's own that are the same for all orders of the group. Source of the names: Octopus Deploy's
// documentation of system variables. A step beside the one that asks has no status: it may end at any moment.
func (s Surroundings) Variables() map[string]string {
	all := map[string]string{
		"Octopus.Deployment.Machines":                   strings.Join(machineTexts(s.Plan), ","),
		"Octopus.Deployment.PreviousSuccessful.Id":      string(s.Past.Successful),
		"Octopus.Release.Previous.Id":                   string(s.Past.Release.ID),
		"Octopus.Release.Previous.Number":               s.Past.Release.Number,
		"Octopus.Release.PreviousForEnvironment.Id":     string(s.Past.Attempted.ID),
		"Octopus.Release.PreviousForEnvironment.Number": s.Past.Attempted.Number,
		"Octopus.Release.CurrentForEnvironment.Id":      string(s.Past.Current.ID),
		"Octopus.Release.CurrentForEnvironment.Number":  s.Past.Current.Number,
	}
	taken := map[string]bool{} // names are one whatever their case: the first one stays
	set := func(name, value string) {
		if key := strings.ToLower(name); !taken[key] {
			taken[key], all[name] = true, value
		}
	}
	for i, step := range s.Plan.Steps {
		code, fault := s.status(i)
		if code != "" {
			set(statusName(step, "Code"), code)
			set(statusName(step, "Error"), fault)
		}
	}
	for _, step := range s.Process.Steps {
		for _, a := range step.Actions {
			set("Octopus.Action["+a.Name+"].TargetRoles", strings.Join(step.Tags, ","))
		}
		for _, tag := range step.Tags {
			set("Octopus.Environment.MachinesInRole["+tag+"]", s.tagged(tag))
		}
	}
	return all
}

func statusName(step PlannedStep, what string) string {
	return "Octopus.Step[" + step.Name + "].Status." + what
}

// status is the word for how a step stands, and what went wrong with it; "" while it is under way with the group.
func (s Surroundings) status(i int) (code, fault string) {
	switch {
	case i >= s.End:
		return "Pending", ""
	case i >= s.Start || i >= len(s.Steps):
		return "", ""
	}
	p, step := s.Steps[i], s.Plan.Steps[i]
	switch p.Activity {
	case ActivitySuccess:
		return "Succeeded", ""
	case ActivitySkipped:
		if len(step.Actions) > 0 && len(step.Machines) == 0 && !step.IsManual() { // it found no machine
			return "Abandoned", ""
		}
	case ActivityFailed, ActivityCanceled:
		fault = p.Reason
		if bad := count(p.Machines, ActivityFailed) + count(p.Machines, ActivityCanceled); fault == "" && bad > 0 {
			fault = fmt.Sprintf("failed on %d of %d machines", bad, len(step.Machines))
		}
	case ActivityPending, ActivityRunning:
	}
	return string(p.Activity), fault
}

// tagged are the ids of the plan's machines with a tag, sorted.
func (s Surroundings) tagged(tag string) string {
	var ids []string
	for _, m := range s.Machines {
		if m.HasTag(tag) {
			ids = append(ids, string(m.ID))
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
}
