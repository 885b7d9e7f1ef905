// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strconv"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	// healthScriptMinutes is how long the script of a health check may run.
	healthScriptMinutes = 5
	// healthLostMinutes is how long its machine may be out of reach meanwhile.
	healthLostMinutes = 1
)

// CheckHealth queues a health check of the machines named, or of all that are enabled. Errors:
// Denied, Invalid.
func (c *Catalog) CheckHealth(ctx context.Context, p identity.Principal, machines []string) (deploy.Task, error) {
	return c.queueOn(ctx, p, ScriptRequest{Machines: machines}, deploy.Task{Kind: deploy.HealthTask}, nil)
}

// healthPlan has a step for the machines that only report, and one for each script that policies have machines run.
func healthPlan(r store.Reader, machines []deploy.Machine) (plan deploy.Plan, err error) {
	policies, err := machinePolicies(r)
	if err != nil {
		return plan, err
	}
	scripts := []string{}
	of := map[string][]deploy.MachineID{}
	for _, m := range machines {
		script := deploy.HealthCheckOf(policies, m).Script
		if of[script] == nil {
			scripts = append(scripts, script)
		}
		of[script] = append(of[script], m.ID)
	}
	for i, script := range scripts {
		step := deploy.PlannedStep{
			Number: i + 1, Name: "Check health", Condition: deploy.Always, Window: deploy.DefaultWindow, Machines: of[script],
		}
		if script != "" {
			step.Name = "Check health with a script"
			step.Actions = []deploy.Action{healthAction(script)}
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan, nil
}

// healthAction runs a script beside others; a deployment has the machine for itself all the same.
func healthAction(script string) deploy.Action {
	return deploy.Action{
		ID: newUUID(), Name: "Check health", Kind: deploy.ScriptAction,
		Properties: map[string]string{
			deploy.PropRunOnServer: "false", deploy.PropScriptSource: "Inline", deploy.PropScriptSyntax: "Bash",
			deploy.PropScriptBody: script, deploy.PropIsolation: string(contract.IsolationNone),
			deploy.PropTimeoutMinutes: strconv.Itoa(healthScriptMinutes),
			deploy.PropWhenLost:       string(deploy.LostFails), deploy.PropLostMinutes: strconv.Itoa(healthLostMinutes),
		},
	}
}

// QueueHealthScripts queues a health check of those of some machines whose policies have a script, but for those that
// one waits or runs for already, and returns the others of the caller's space, which only have to be asked. Errors:
// Denied, and those that refuse a task.
func (c *Catalog) QueueHealthScripts(ctx context.Context, p identity.Principal, ids []deploy.MachineID) (
	plain []deploy.MachineID, err error,
) {
	var due []string
	err = c.view(ctx, p, identity.TaskCreate, func(r store.Reader) error {
		policies, err := machinePolicies(r)
		if err != nil {
			return err
		}
		busy := map[deploy.MachineID]bool{}
		if slices.ContainsFunc(policies, hasScript) {
			busy, err = underCheck(r)
		}
		for _, id := range ids {
			m, merr := r.Machine(id)
			switch {
			case errkind.Of(merr) == errkind.NotFound:
			case merr != nil:
				return merr
			case deploy.HealthCheckOf(policies, m).Script == "":
				plain = append(plain, id)
			case !busy[id] && !m.IsDisabled:
				due = append(due, string(id))
			}
		}
		return err
	})
	if err == nil && len(due) > 0 {
		_, err = c.CheckHealth(ctx, p, due)
	}
	return plain, err
}

func hasScript(p deploy.MachinePolicy) bool {
	return p.HealthRun == deploy.OwnScript && p.HealthScript != ""
}

// underCheck is the machines that a health check waits or runs for.
func underCheck(r store.Reader) (busy map[deploy.MachineID]bool, err error) {
	open, _, err := r.Tasks(store.TaskFilter{Kind: deploy.HealthTask, States: deploy.OpenStates()})
	busy = map[deploy.MachineID]bool{}
	for _, t := range open {
		for _, s := range t.Plan.Steps {
			for _, id := range s.Machines {
				busy[id] = true
			}
		}
	}
	return busy, err
}
