// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

const (
	projectName = "Web"
	packageName = "webapp"
	contentName = "content.bin"
	packageStep = "Install"
	// maxHeard bounds of how many machines a step says what it sees.
	maxHeard = 3
)

// projectOf names the project for an op: each sort of process has one.
func projectOf(op plan.Op) string {
	name := projectName
	for _, sort := range []struct {
		is   bool
		word string
	}{
		{op.Reboot, " with a reboot"},
		{op.Restarts, " declared"},
		{op.Asks, " with a question"},
		{op.Gives > 0, " with a file"},
		{op.Outputs, " with outputs"},
		{op.Turns, " in turn"},
		{op.Stumbles, " that stumbles"},
		{op.Retries > 0, " and tries again"},
		{op.Repaints > 0, " in paint"},
		{op.Breaks, " that breaks"},
	} {
		if sort.is {
			name += sort.word
		}
	}
	return name
}

// steps are a project's process on some machines.
func steps(op plan.Op, machines []string) []demo.Step {
	all := []demo.Step{{Name: history.FirstStep, Tag: tag, Script: first(op), Settings: settings(op)}}
	if op.Asks {
		all = append(all, demo.Step{Name: "Approve", Instructions: "Shall #{Octopus.Release.Number} go on?"})
	}
	all = append(all, demo.Step{Name: packageStep, Tag: tag, Package: packageName})
	if op.Turns {
		script := "echo turn-#{Octopus.Release.Number}-#{Octopus.Machine.Name} by $$\nsleep 1"
		all = append(all, demo.Step{Name: "In turn", Tag: tag, Script: script, Window: 1, Isolation: "none"})
	}
	if op.Outputs {
		all = append(all, demo.Step{Name: history.TellStep, Tag: tag, Script: tell(machines)}, demo.Step{
			Name: history.ChosenStep, Tag: tag, Script: "echo chosen-#{Octopus.Machine.Name} by $$",
			Expression: `#{if ` + output("#{Octopus.Machine.Name}", history.ChoiceOutput) + ` == "yes"}True#{/if}`,
		})
	}
	if op.Stumbles {
		set := map[string]string{}
		if op.Retries > 0 {
			set[deploy.PropRetries] = strconv.Itoa(op.Retries)
		}
		script := "stumble #{Octopus.Deployment.Id}\necho holds-#{Octopus.Machine.Name} by $$"
		all = append(all, demo.Step{Name: "Fragile", Tag: tag, Script: script, Settings: set})
	}
	if op.Repaints > 0 {
		all = append(all, demo.Step{Name: "Paint", Tag: tag, Script: painted})
	}
	return all
}

const (
	paintVariable = "Paint"
	dryPaint      = "dry"
	wetPaint      = "wet"
	painted       = "echo " + history.PaintPrefix + "#{" + paintVariable + "} on #{Octopus.Machine.Name} by $$"
)

// paint are the variables of a project: none, unless an op repaints it.
func paint(op plan.Op, value string) []demo.Variable {
	if op.Repaints == 0 {
		return nil
	}
	return []demo.Variable{{Name: paintVariable, Value: value}}
}

// first is the script of the first step.
func first(op plan.Op) string {
	script := "echo before-#{Octopus.Release.Number}-#{Octopus.Machine.Name} by $$" // so that each try's lines differ
	if op.Outputs {
		script += "\nset_octopusvariable " + history.ToneOutput + " #{Octopus.Release.Number}-on-#{Octopus.Machine.Name}" +
			`#{if Octopus.Machine.Name | Match "-1$"}` + "\nset_octopusvariable " + history.ChoiceOutput + " yes#{/if}"
	}
	if op.Repaints > 0 {
		script += "\n" + painted
	}
	if op.Gives > 0 {
		script += fmt.Sprintf("\ngive #{Octopus.Release.Number}-#{Octopus.Machine.Name}.bin %d", op.Gives)
	}
	if op.Reboot {
		script += "\nreboot"
	}
	return script
}

// output is the expression for what the first step set on a machine.
func output(machine, name string) string {
	return "Octopus.Action[" + history.FirstStep + "].Output[" + machine + "]." + name
}

// tell says what a step sees of some machines' outputs.
func tell(machines []string) string {
	var lines strings.Builder
	for _, name := range machines[:min(len(machines), maxHeard)] {
		fmt.Fprintf(&lines, "echo %s%s=#{%s} by $$\n", history.HeardPrefix, name, output(name, history.ToneOutput))
	}
	return lines.String()
}

// settings are the properties of a script's action.
func settings(op plan.Op) map[string]string {
	set := map[string]string{}
	if op.Restarts {
		set[deploy.PropRestarts] = "True"
	}
	if op.Limit > 0 {
		set[deploy.PropTimeoutMinutes] = strconv.Itoa(int(op.Limit.D() / time.Minute))
	}
	if op.GivesUp > 0 {
		set[deploy.PropWhenLost] = string(deploy.LostFails)
		set[deploy.PropLostMinutes] = strconv.Itoa(int(op.GivesUp.D() / time.Minute))
	}
	return set
}
