// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
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
	space       deploy.Space
	machine     deploy.Machine
	environment deploy.Environment
	project     deploy.Project
	lifecycle   deploy.Lifecycle
	release     deploy.Release
	deployment  deploy.Deployment
	channel     deploy.Channel
	group       deploy.ProjectGroup
	packages    map[string]deploy.Package // by action name and reference
	handed      handed
	around      map[string]string // what the orders of the step share
}

// order makes the order of a ticket. What it does never changes, as a release and a plan do not; names, tags and the
// time in its variables are of now, so it is sent again only to a machine that does not know the ticket.
// Errors: Invalid, NotFound (a package was deleted).
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
	}
	if order.Variables, order.Sensitive, err = c.variables(f, action); err != nil {
		return contract.Order{}, nil, err
	}
	if _, wrong := deploy.NewPolicy(action); len(wrong) > 0 {
		return contract.Order{}, nil, errkind.Invalid.Errorf("action %q: %s", action.Name, strings.Join(wrong, "; "))
	}
	switch action.Kind {
	case deploy.ScriptAction:
		if takesPackage(action) {
			content, err := c.pack(&order, f, action)
			return order, []target.Content{content}, err
		}
		order.Script, err = c.script(&order, action)
		if c.task.Kind == deploy.HealthTask && err == nil {
			order.Script.Body = healthScript(order.Script.Body)
		}
		return order, nil, err
	case deploy.PackageAction:
		content, err := c.pack(&order, f, action)
		return order, []target.Content{content}, err
	}
	return contract.Order{}, nil, errkind.Invalid.Errorf("action %q has the type %q: want %s or %s",
		action.Name, action.Kind, deploy.ScriptAction, deploy.PackageAction)
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
		if f.space, err = spaceOf(r, task); err != nil {
			return err
		}
		if c.ticket.Machine != "" { // a manual step has none
			if f.machine, err = r.Machine(c.ticket.Machine); err != nil {
				return err
			}
		}
		f.handed, err = c.worker.handed(r, task, slotOf(c.ticket), c.before)
		if err != nil || task.Kind != deploy.DeployTask {
			return err
		}
		if f.deployment, err = r.Deployment(task.Deployment); err != nil {
			return err
		}
		if f.release, err = r.Release(f.deployment.Release); err != nil {
			return err
		}
		f.release = f.release.At(f.deployment.Taking)
		if f.environment, err = r.Environment(f.deployment.Environment); err != nil {
			return err
		}
		if f.project, err = r.Project(f.deployment.Project); err != nil {
			return err
		}
		if f.around, err = c.worker.around(r, f, c.ticket.Step, c.steps); err != nil {
			return err
		}
		return f.look(r, c.step.Actions[c.ticket.Action].Name)
	})
	return f, err
}

// spaceOf is the space of a task; one that is gone has its id alone.
func spaceOf(r store.Reader, task deploy.Task) (deploy.Space, error) {
	all, err := store.EverySpace(r)
	for _, s := range all {
		if s.ID == task.Space.OrDefault() {
			return s, err
		}
	}
	return deploy.Space{ID: task.Space.OrDefault()}, err
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
	if err := f.lookAround(r); err != nil {
		return err
	}
	for _, s := range f.release.Packages {
		if s.Action != action {
			continue
		}
		p, err := r.Package(f.project.Space, s.PackageID, s.Version)
		if err != nil {
			return fmt.Errorf("package of action %q: %w", action, err)
		}
		f.packages[s.Reference] = p
	}
	return nil
}

// lookAround finds what only the system's variables tell of: the channel and the group may be gone.
func (f *facts) lookAround(r store.Reader) error {
	channels, err := r.Channels(f.project.ID)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		if ch.ID == f.release.Channel {
			f.channel = ch
		}
	}
	groups, err := r.ProjectGroups(f.project.Space)
	for _, g := range groups {
		if g.ID == f.project.Group {
			f.group = g
		}
	}
	return err
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

func (c *carrier) script(order *contract.Order, action deploy.Action) (*contract.Script, error) {
	values := c.worker.engine.values(order.Variables)
	body, missing, err := deploy.Expand(action.Properties[deploy.PropScriptBody], values)
	if err != nil {
		return nil, errkind.Invalid.Errorf("action %q: expand the script: %w", action.Name, err)
	}
	c.warnOfMissing(order, missing)
	return &contract.Script{Interpreter: "bash", Body: body}, nil
}

func (c *carrier) warnOfMissing(order *contract.Order, names []string) {
	if names = deploy.Speakable(names, order.Sensitive, order.Variables); len(names) > 0 {
		c.say(tasklog.Warning, "No variable has the name "+strings.Join(names, ", ")+"; the text stays as it is.")
	}
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
		Keep: keep,
	}
	values := c.worker.engine.values(order.Variables)
	missing, err := wish(order.Package, action, values)
	if err == nil && action.Kind == deploy.ScriptAction {
		order.Package.Run, err = run(action, values)
	}
	if err != nil {
		return target.Content{}, errkind.Of(err).Errorf("action %q: %w", action.Name, err)
	}
	c.warnOfMissing(order, missing)
	content := c.worker.engine.Packages.Content(p)
	content.IsForced = f.deployment.Options.ForcesPackages && !c.isBrought
	return content, nil
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
