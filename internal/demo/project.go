// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Step is one step of a project, of one action.
type Step struct {
	Name string
	Tag  string
	// Instructions make it a step that asks people, with nothing else.
	Instructions string
	// Script is the body of a bash script; "" makes it a package step.
	Script string
	// Package is the id of the package to install, SubstituteIn the files in it whose #{...} are replaced.
	Package      string
	SubstituteIn []string
	// Isolation is "" (full), "none" or the name of a lock.
	Isolation string
	// Settings are further properties of the step's action.
	Settings map[string]string
	// Window is on how many machines it runs at once; 0: on all.
	Window int
	// Expression decides for each machine whether it runs; "": it runs unless a step before it failed.
	Expression string
}

type object = map[string]any

func (s Step) resource() object {
	properties := map[string]string{"Octopus.Action.RunOnServer": "false"}
	action := object{"Name": s.Name, "ActionType": "Octopus.Script", "Properties": properties}
	switch {
	case s.Instructions != "":
		action["ActionType"] = "Octopus.Manual"
		properties["Octopus.Action.Manual.Instructions"] = s.Instructions
	case s.Script != "":
		properties["Octopus.Action.Script.ScriptSource"] = "Inline"
		properties["Octopus.Action.Script.Syntax"] = "Bash"
		properties["Octopus.Action.Script.ScriptBody"] = s.Script
	default:
		action["ActionType"] = "Octopus.TentaclePackage"
		action["Packages"] = []object{{"Name": "", "PackageId": s.Package, "FeedId": "feeds-builtin"}}
		properties["Octopus.Action.SubstituteInFiles.TargetFiles"] = strings.Join(s.SubstituteIn, "\n")
	}
	if s.Isolation != "" {
		properties["Fairlead.Action.Isolation"] = s.Isolation
	}
	maps.Copy(properties, s.Settings)
	step := object{"Octopus.Action.TargetRoles": s.Tag}
	if s.Window > 0 {
		step["Octopus.Action.MaxParallelism"] = strconv.Itoa(s.Window)
	}
	condition := "Success"
	if s.Expression != "" {
		condition, step["Octopus.Step.ConditionVariableExpression"] = "Variable", s.Expression
	}
	return object{"Name": s.Name, "Properties": step, "Condition": condition, "Actions": []object{action}}
}

// Variable is one value of a project's variable.
type Variable struct {
	Name, Value string
	// Machine limits the value to one machine, by id; "" means everywhere.
	Machine string
	// IsSensitive seals the value: nobody is shown it.
	IsSensitive bool
}

func (v Variable) resource() object {
	scope := object{}
	if v.Machine != "" {
		scope["Machine"] = []string{v.Machine}
	}
	kind := "String"
	if v.IsSensitive {
		kind = "Sensitive"
	}
	return object{"Name": v.Name, "Value": v.Value, "Type": kind, "IsSensitive": v.IsSensitive, "Scope": scope}
}

// CreateEnvironment adds an environment.
func (r *REST) CreateEnvironment(ctx context.Context, name string) error {
	return r.Post(ctx, spacePath("environments"), object{"Name": name}, nil)
}

// Machine is what the server says of a machine.
type Machine struct {
	ID           string `json:"Id"`
	Name         string
	IsOnline     bool
	HealthStatus string
}

// Machine reads one by its name.
func (r *REST) Machine(ctx context.Context, name string) (m Machine, err error) {
	return m, r.Get(ctx, spacePath("machines/"+url.PathEscape(name)), &m)
}

// CreateProject adds a project with its process and variables.
func (r *REST) CreateProject(ctx context.Context, name string, steps []Step, variables []Variable) error {
	var groups, lifecycles []struct{ Id string }
	if err := r.Get(ctx, spacePath("projectgroups/all"), &groups); err != nil {
		return err
	}
	if err := r.Get(ctx, spacePath("lifecycles/all"), &lifecycles); err != nil {
		return err
	}
	var project struct{ DeploymentProcessId, VariableSetId string }
	request := object{"Name": name, "ProjectGroupId": groups[0].Id, "LifecycleId": lifecycles[0].Id}
	if err := r.Post(ctx, spacePath("projects"), request, &project); err != nil {
		return err
	}
	process := spacePath("deploymentprocesses/" + project.DeploymentProcessId)
	if err := r.edit(ctx, process, "Steps", resources(steps)); err != nil {
		return err
	}
	return r.saveVariables(ctx, project.VariableSetId, variables)
}

func (r *REST) saveVariables(ctx context.Context, set string, variables []Variable) error {
	return r.edit(ctx, spacePath("variables/"+set), "Variables", resources(variables))
}

// SaveVariables replaces the variables of a project.
func (r *REST) SaveVariables(ctx context.Context, name string, variables []Variable) error {
	var project struct{ VariableSetId string }
	if err := r.Get(ctx, spacePath("projects/"+url.PathEscape(name)), &project); err != nil {
		return err
	}
	return r.saveVariables(ctx, project.VariableSetId, variables)
}

func resources[T interface{ resource() object }](all []T) []object {
	list := make([]object, len(all))
	for i, one := range all {
		list[i] = one.resource()
	}
	return list
}

// edit reads a document, replaces one member and writes it back, as every caller of this surface does.
func (r *REST) edit(ctx context.Context, path, member string, value any) error {
	var document map[string]json.RawMessage
	if err := r.Get(ctx, path, &document); err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	document[member] = text
	return r.Put(ctx, path, document, nil)
}

// PushFile uploads a package from a file.
func (r *REST) PushFile(ctx context.Context, name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.Upload(ctx, name, file)
}
