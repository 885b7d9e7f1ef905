// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/markdown"
	"fairlead/internal/tasklog"
)

// variables are the release's, for this place, with the answers of whoever deployed and the system's
// own on top; sensitive names those that nobody may read in the output. Errors: Invalid (a value
// cannot be opened).
func (c *carrier) variables(f facts, action deploy.Action) (all map[string]string, sensitive []string, err error) {
	place := deploy.Place{
		Environment: f.environment.ID, Channel: f.release.Channel, Owner: deploy.OwnerID(f.project.ID), Action: action.ID,
		Machine: f.machine, StepTags: c.tags(f),
	}
	picks, ties := deploy.Resolve(f.release.Sets(), place)
	if len(ties) > 0 {
		text := "Several values fit equally well; the oldest one is used for "
		c.say(tasklog.Warning, text+strings.Join(ties, ", ")+".")
	}
	values, secret := map[string]string{}, map[string]bool{}
	for _, k := range picks {
		value, err := c.worker.engine.value(f.deployment, k)
		if err != nil {
			return nil, nil, errkind.Invalid.Errorf("variable %s: %w", k.Variable.Name, err)
		}
		values[k.Variable.Name] = value
		secret[k.Variable.Name] = k.Variable.IsSensitive
	}
	outputs, hidden, err := f.handed.variables(c.task.Plan, c.worker.engine.Secrets.Open)
	if err != nil {
		return nil, nil, errkind.Invalid.Errorf("output variables: %w", err)
	}
	for _, name := range hidden {
		secret[name] = true
	}
	values = overlay(values, outputs)
	all = overlay(values, f.scene(c, action).Variables())
	all["Fairlead.Ticket"] = string(c.ticket.ID)
	for name := range secret {
		if _, kept := all[name]; kept && secret[name] {
			sensitive = append(sensitive, name)
		}
	}
	slices.Sort(sensitive)
	return all, sensitive, nil
}

// value is what a deployment gives a variable, or else its own value. Errors: of opening it.
func (e *Engine) value(d deploy.Deployment, k deploy.Pick) (string, error) {
	for _, a := range d.Answers {
		switch {
		case a.Variable != k.Variable.ID || k.Variable.Prompt == nil:
		case a.Sealed != "":
			return e.Secrets.Open(a.Sealed, a.SealedAs(d.ID))
		default:
			return a.Value, nil
		}
	}
	if k.Variable.Sealed != "" {
		return e.Secrets.Open(k.Variable.Sealed, k.Variable.SealedAs(k.Owner))
	}
	return k.Variable.Value, nil
}

// values are variables to expand with here and now, with every filter. Agents, which expand in files, have all but
// that for Markdown.
func (e *Engine) values(vars map[string]string) *deploy.Values {
	return markdown.In(deploy.NewValues(vars).At(e.Env.Wall()))
}

func (f facts) scene(c *carrier, action deploy.Action) deploy.Scene {
	s := deploy.Scene{
		Space: f.space,
		Task:  c.task, Deployment: f.deployment, Release: f.release, Channel: f.channel, Project: f.project, Group: f.group,
		Environment: f.environment, Machine: f.machine, Step: c.step, Action: action, ActionNumber: c.ticket.Action + 1,
		Failure: c.failure, Detail: c.detail, Tags: c.tags(f), Around: f.around,
	}
	if url := c.worker.engine.URL; url != nil {
		s.ServerURL = url()
	}
	return s
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
