// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

// facts is what an order is made from, read in one view.
type facts struct {
	machine     deploy.Machine
	environment deploy.Environment
	project     deploy.Project
	lifecycle   deploy.Lifecycle
	release     deploy.Release
	packages    map[string]deploy.Package // by action name and reference
}

// order makes the order of a ticket. The same ticket always gets the same order, as a release
// and a plan do not change. Errors: Invalid, NotFound (a package was deleted).
func (c *carrier) order(ctx context.Context) (contract.Order, []target.Content, error) {
	action := c.step.Actions[c.ticket.Action]
	f, err := c.read(ctx)
	if err != nil {
		return contract.Order{}, nil, err
	}
	order := contract.Order{
		Ticket: c.ticket.ID, Task: string(c.task.ID), Epoch: c.task.LeaseEpoch,
		Name:      c.title(action),
		Isolation: isolation(action),
		GraceMS:   c.worker.engine.Limits.Grace.Milliseconds(),
		TimeoutMS: c.policy.TimeLimit.Milliseconds(),
		Variables: c.variables(f, action),
	}
	if _, wrong := deploy.NewPolicy(action); len(wrong) > 0 {
		return contract.Order{}, nil, errkind.Invalid.Errorf("action %q: %s", action.Name, strings.Join(wrong, "; "))
	}
	c.warnOfUnknown(action)
	switch action.Kind {
	case deploy.ScriptAction:
		order.Script, err = c.script(action, order.Variables)
		return order, nil, err
	case deploy.PackageAction:
		content, err := c.pack(&order, f, action)
		return order, []target.Content{content}, err
	}
	return contract.Order{}, nil, errkind.Invalid.Errorf("action %q has the type %q: want %s or %s",
		action.Name, action.Kind, deploy.ScriptAction, deploy.PackageAction)
}

// warnOfUnknown names settings of an action that mean something to Octopus and nothing here: a
// step that silently does less than its author wrote would be worse than one that says so.
func (c *carrier) warnOfUnknown(action deploy.Action) {
	var unknown []string
	for name, value := range action.Properties {
		meant := strings.HasPrefix(name, "Octopus.Action.CustomScripts.") ||
			name == "Octopus.Action.Package.CustomInstallationDirectory" ||
			name == "Octopus.Action.Package.JsonConfigurationVariablesTargets"
		if meant && value != "" {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		c.say(tasklog.Warning, "This version does not act on "+strings.Join(unknown, ", ")+".")
	}
}

func (c *carrier) title(action deploy.Action) string {
	title := fmt.Sprintf("%s: step %d (%s)", c.task.Description, c.step.Number, c.step.Name)
	if len(c.step.Actions) > 1 {
		title += ", " + action.Name
	}
	return title
}

func (c *carrier) read(ctx context.Context) (f facts, err error) {
	task := c.task
	err = c.worker.engine.Store.View(ctx, func(r store.Reader) (err error) {
		f = facts{packages: map[string]deploy.Package{}}
		if f.machine, err = r.Machine(c.ticket.Machine); err != nil || task.Kind != deploy.DeployTask {
			return err
		}
		deployment, err := r.Deployment(task.Deployment)
		if err != nil {
			return err
		}
		if f.release, err = r.Release(deployment.Release); err != nil {
			return err
		}
		if f.environment, err = r.Environment(deployment.Environment); err != nil {
			return err
		}
		if f.project, err = r.Project(deployment.Project); err != nil {
			return err
		}
		return f.look(r, c.step.Actions[c.ticket.Action].Name)
	})
	return f, err
}

func (f *facts) look(r store.Reader, action string) error {
	lifecycles, err := r.Lifecycles(f.project.Space)
	if err != nil {
		return err
	}
	for _, l := range lifecycles {
		if l.ID == f.project.Lifecycle {
			f.lifecycle = l
		}
	}
	for _, s := range f.release.Packages {
		if s.Action != action {
			continue
		}
		p, err := r.Package(s.PackageID, s.Version)
		if err != nil {
			return fmt.Errorf("package of action %q: %w", action, err)
		}
		f.packages[s.Reference] = p
	}
	return nil
}

// variables are the release's, for this place, with the system's own on top.
func (c *carrier) variables(f facts, action deploy.Action) map[string]string {
	values, ties := f.release.Variables.Resolve(deploy.Place{
		Environment: f.environment.ID, Channel: f.release.Channel, Action: action.ID, Machine: f.machine, StepTags: c.tags(f),
	})
	if len(ties) > 0 {
		text := "Several values fit equally well; the oldest one is used for "
		c.say(tasklog.Warning, text+strings.Join(ties, ", ")+".")
	}
	system := map[string]string{
		"Octopus.Task.Id": string(c.task.ID), "Octopus.Task.Name": c.task.Description,
		"Octopus.Machine.Id": string(f.machine.ID), "Octopus.Machine.Name": f.machine.Name,
		"Octopus.Machine.Roles": strings.Join(f.machine.Tags, ","),
		"Octopus.Step.Name":     c.step.Name, "Octopus.Step.Number": strconv.Itoa(c.step.Number),
		"Octopus.Action.Id": action.ID, "Octopus.Action.Name": action.Name,
		"Octopus.Action.Number": strconv.Itoa(c.ticket.Action + 1),
		"Fairlead.Ticket":       string(c.ticket.ID),
	}
	if c.task.Kind == deploy.DeployTask {
		maps.Copy(system, map[string]string{
			"Octopus.Deployment.Id": string(c.task.Deployment),
			"Octopus.Release.Id":    string(f.release.ID), "Octopus.Release.Number": f.release.Version,
			"Octopus.Release.Notes":  f.release.Notes,
			"Octopus.Environment.Id": string(f.environment.ID), "Octopus.Environment.Name": f.environment.Name,
			"Octopus.Project.Id": string(f.project.ID), "Octopus.Project.Name": f.project.Name,
		})
	}
	return overlay(values, system)
}

// overlay puts the system's variables on top of the user's. Names are one whatever their case: an
// order that held both would be refused by the agent.
func overlay(values, system map[string]string) map[string]string {
	isSystem := map[string]bool{}
	for name := range system {
		isSystem[strings.ToLower(name)] = true
	}
	maps.DeleteFunc(values, func(name, _ string) bool { return isSystem[strings.ToLower(name)] })
	maps.Copy(values, system)
	return values
}

func (c *carrier) tags(f facts) []string {
	if c.ticket.Step < len(f.release.Process.Steps) {
		return f.release.Process.Steps[c.ticket.Step].Tags
	}
	return nil
}

// isolation follows Octopus: scripts run alone on a machine unless the action says otherwise.
func isolation(action deploy.Action) contract.Isolation {
	switch word := action.Properties[deploy.PropIsolation]; word {
	case "", string(contract.IsolationFull):
		return contract.Isolation{Level: contract.IsolationFull}
	case string(contract.IsolationNone):
		return contract.Isolation{Level: contract.IsolationNone}
	default:
		return contract.Isolation{Level: contract.IsolationNamed, Name: word}
	}
}

func (c *carrier) script(action deploy.Action, variables map[string]string) (*contract.Script, error) {
	body, missing, err := deploy.Expand(action.Properties[deploy.PropScriptBody], deploy.NewValues(variables))
	if err != nil {
		return nil, errkind.Invalid.Errorf("action %q: expand the script: %w", action.Name, err)
	}
	if len(missing) > 0 {
		c.say(tasklog.Warning, "No variable has the name "+strings.Join(missing, ", ")+"; the text stays as it is.")
	}
	return &contract.Script{Interpreter: "bash", Body: body}, nil
}

func (c *carrier) pack(order *contract.Order, f facts, action deploy.Action) (target.Content, error) {
	p, ok := f.packages[""]
	if !ok {
		return target.Content{}, errkind.Invalid.Errorf("action %q: the release holds no package for it", action.Name)
	}
	keep := f.lifecycle.OnMachine.OnMachineItems()
	if keep > 0 {
		keep++ // Octopus counts the versions beside the current one.
	}
	order.Package = &contract.Package{
		ID: p.ID, Version: p.Version, Format: p.Format, SHA256: p.SHA256, Size: p.Size,
		Project: f.project.Name, Environment: f.environment.Name, Step: c.step.Name,
		SubstituteIn: globs(action.Properties[deploy.PropSubstituteIn]), Keep: keep,
	}
	return c.worker.engine.Packages.Content(p), nil
}

func globs(text string) []string {
	list := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
