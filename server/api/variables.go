// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// variablesPrefix and the project's id are the id of its variables.
const variablesPrefix = "variableset-"

type variablesRequest struct {
	Version   int
	Variables []variableRequest
}

type variableRequest struct {
	ID          string `json:"Id"`
	Name        string
	Value       string
	Description string
	Type        string
	IsSensitive bool
	Prompt      any
	Scope       map[string][]string
}

func (q variablesRequest) set() (deploy.VariableSet, error) {
	var not later
	set := deploy.VariableSet{Version: q.Version, Variables: []deploy.Variable{}}
	for _, v := range q.Variables {
		sensitive := v.IsSensitive || strings.EqualFold(v.Type, "Sensitive")
		not.add(sensitive, "variable %s: a sensitive value", v.Name)
		not.add(!sensitive && v.Type != "" && !strings.EqualFold(v.Type, "String"), "variable %s: the type %q", v.Name,
			v.Type)
		not.add(v.Prompt != nil, "variable %s: asking for the value at each deployment", v.Name)
		one := deploy.Variable{ID: v.ID, Name: v.Name, Value: v.Value, Description: v.Description}
		for key, values := range v.Scope {
			not.scope(&one, key, values)
		}
		set.Variables = append(set.Variables, one)
	}
	return set, not.err()
}

func (l *later) scope(v *deploy.Variable, key string, values []string) {
	switch strings.ToLower(key) {
	case "environment":
		v.Scope.Environments = ids[deploy.EnvironmentID](values)
	case "machine":
		v.Scope.Machines = ids[deploy.MachineID](values)
	case "channel":
		v.Scope.Channels = ids[deploy.ChannelID](values)
	case "action":
		v.Scope.Actions = values
	case "role", "targetrole":
		v.Scope.Tags = values
	default:
		l.add(len(values) > 0, "variable %s: the scope %q", v.Name, key)
	}
}

func ids[ID ~string](texts []string) []ID {
	list := make([]ID, len(texts))
	for i, t := range texts {
		list[i] = ID(t)
	}
	return list
}

func showVariable(v deploy.Variable) obj {
	scope := obj{}
	put := func(key string, n int, values any) {
		if n > 0 {
			scope[key] = values
		}
	}
	put("Environment", len(v.Scope.Environments), v.Scope.Environments)
	put("Machine", len(v.Scope.Machines), v.Scope.Machines)
	put("Role", len(v.Scope.Tags), v.Scope.Tags)
	put("Action", len(v.Scope.Actions), v.Scope.Actions)
	put("Channel", len(v.Scope.Channels), v.Scope.Channels)
	return obj{
		"Id": v.ID, "Name": v.Name, "Value": v.Value, "Description": v.Description, "Type": "String", "IsSensitive": false,
		"IsEditable": true, "Prompt": nil, "Scope": scope,
	}
}

func showVariables(set deploy.VariableSet, project deploy.Project, values catalog.ScopeValues) obj {
	id := variablesPrefix + string(project.ID)
	return obj{
		"Id": id, "SpaceId": project.Space, "OwnerId": project.ID, "Version": set.Version,
		"Variables": each(set.Variables, showVariable),
		"ScopeValues": obj{
			"Environments": each(values.Environments, func(e deploy.Environment) obj { return obj{"Id": e.ID, "Name": e.Name} }),
			"Machines":     each(values.Machines, func(m deploy.Machine) obj { return obj{"Id": m.ID, "Name": m.Name} }),
			"Actions":      each(values.Actions, func(a deploy.Action) obj { return obj{"Id": a.ID, "Name": a.Name} }),
			"Roles":        each(values.Tags, func(tag string) obj { return obj{"Id": tag, "Name": tag} }),
			"Channels":     each(values.Channels, func(ch deploy.Channel) obj { return obj{"Id": ch.ID, "Name": ch.Name} }),
			"TenantTags":   []obj{},
			"Processes":    []obj{{"Id": project.ID, "Name": project.Name, "ProcessType": "Deployment"}},
		},
		"Links": obj{"Self": spacePath + "variables/" + id},
	}
}

func (a *api) getVariables(c *call) error {
	project, err := owner(variablesPrefix, c.param("id"))
	if err != nil {
		return err
	}
	set, of, values, err := a.Catalog.Variables(c.ctx(), c.principal, project)
	if err != nil {
		return err
	}
	return c.ok(showVariables(set, of, values))
}

func (a *api) saveVariables(c *call) error {
	project, err := owner(variablesPrefix, c.param("id"))
	if err != nil {
		return err
	}
	var q variablesRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	wanted, err := q.set()
	if err != nil {
		return err
	}
	saved, of, values, err := a.Catalog.SaveVariables(c.ctx(), c.principal, project, wanted)
	if err != nil {
		return err
	}
	return c.ok(showVariables(saved, of, values))
}
