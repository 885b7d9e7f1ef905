// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// variablesPrefix and the id of a project or a library set are the id of its variables.
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
	Prompt      *promptRequest
	Scope       map[string][]string
}

type promptRequest struct {
	Label           string
	Description     string
	Required        bool
	DisplaySettings map[string]any
}

// The settings of a prompt's field. Options are lines of "value|text".
const (
	controlType   = "Octopus.ControlType"
	selectOptions = "Octopus.SelectOptions"
)

const sensitiveType = "Sensitive"

// deploymentPrefix begins the ids of deployments; no slug begins with it, as it has a capital.
const deploymentPrefix = "Deployments-"

func (q variablesRequest) set() (deploy.VariableSet, error) {
	var not later
	set := deploy.VariableSet{Version: q.Version, Variables: []deploy.Variable{}}
	for _, v := range q.Variables {
		sensitive := v.IsSensitive || strings.EqualFold(v.Type, sensitiveType)
		not.add(!sensitive && v.Type != "" && !strings.EqualFold(v.Type, "String"),
			"variable %s: a type other than String and Sensitive, such as %.40q,", v.Name, v.Type)
		one := deploy.Variable{
			ID: v.ID, Name: v.Name, Value: v.Value, Description: v.Description, IsSensitive: sensitive,
			Prompt: v.Prompt.prompt(),
		}
		for key, values := range v.Scope {
			not.scope(&one, key, values)
		}
		set.Variables = append(set.Variables, one)
	}
	return set, not.err()
}

func (q *promptRequest) prompt() *deploy.Prompt {
	if q == nil {
		return nil
	}
	p := &deploy.Prompt{Label: q.Label, Help: q.Description, IsRequired: q.Required}
	for name, value := range q.DisplaySettings {
		text, isText := value.(string)
		switch {
		case !isText:
		case strings.EqualFold(name, controlType):
			p.Control = deploy.Control(text)
		case strings.EqualFold(name, selectOptions):
			p.Options = options(text)
		}
	}
	return p
}

func options(text string) (list []deploy.Option) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		value, shown, both := strings.Cut(line, "|")
		if !both {
			shown = value
		}
		if line != "" {
			list = append(list, deploy.Option{Value: value, Text: shown})
		}
	}
	return list
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
	case "processowner":
		v.Scope.Owners = ids[deploy.OwnerID](values)
	default:
		l.add(len(values) > 0, "variable %s: a scope other than Environment, Machine, Role, Action, Channel "+
			"and ProcessOwner, such as %.40q,", v.Name, key)
	}
}

func ids[ID ~string](texts []string) []ID {
	list := make([]ID, len(texts))
	for i, t := range texts {
		list[i] = ID(t)
	}
	return list
}

func showScope(s deploy.Scope) obj {
	scope := obj{}
	put := func(key string, n int, values any) {
		if n > 0 {
			scope[key] = values
		}
	}
	put("Environment", len(s.Environments), s.Environments)
	put("Machine", len(s.Machines), s.Machines)
	put("Role", len(s.Tags), s.Tags)
	put("Action", len(s.Actions), s.Actions)
	put("Channel", len(s.Channels), s.Channels)
	put("ProcessOwner", len(s.Owners), s.Owners)
	return scope
}

func showVariable(v deploy.Variable) obj {
	shown := obj{
		"Id": v.ID, "Name": v.Name, "Value": v.Value, "Description": v.Description, "Type": "String",
		"IsSensitive": v.IsSensitive, "IsEditable": true, "Prompt": nil, "Scope": showScope(v.Scope),
	}
	if v.IsSensitive {
		shown["Type"], shown["Value"] = sensitiveType, nil
	}
	if v.Prompt != nil {
		shown["Prompt"] = showPrompt(*v.Prompt)
	}
	return shown
}

func showPrompt(p deploy.Prompt) obj {
	return obj{
		"Label": p.Label, "Description": p.Help, "Required": p.IsRequired, "DisplaySettings": displaySettings(p),
	}
}

func displaySettings(p deploy.Prompt) obj {
	settings := obj{controlType: p.Control}
	if len(p.Options) > 0 {
		lines := make([]string, len(p.Options))
		for i, o := range p.Options {
			lines[i] = o.Value + "|" + o.Text
		}
		settings[selectOptions] = strings.Join(lines, "\n")
	}
	return settings
}

func showVariables(v catalog.Variables) obj {
	id, values := variablesPrefix+string(v.Set.Owner), v.Values
	return obj{
		"Id": id, "SpaceId": thisSpace, "OwnerId": v.Set.Owner, "Version": v.Set.Version,
		"Variables": each(v.Set.Variables, showVariable), "Warnings": list(v.Warnings),
		"ScopeValues": obj{
			"Environments": each(values.Environments, func(e deploy.Environment) obj { return obj{"Id": e.ID, "Name": e.Name} }),
			"Machines":     each(values.Machines, func(m deploy.Machine) obj { return obj{"Id": m.ID, "Name": m.Name} }),
			"Actions":      each(values.Actions, func(a deploy.Action) obj { return obj{"Id": a.ID, "Name": a.Name} }),
			"Roles":        each(values.Tags, func(tag string) obj { return obj{"Id": tag, "Name": tag} }),
			"Channels":     each(values.Channels, func(ch deploy.Channel) obj { return obj{"Id": ch.ID, "Name": ch.Name} }),
			"TenantTags":   []obj{},
			"Processes": each(values.Processes, func(p deploy.Project) obj {
				return obj{"Id": p.ID, "Name": p.Name, "ProcessType": "Deployment"}
			}),
		},
		"Links": obj{"Self": spacePath + "variables/" + id},
	}
}

// variablesOwner takes the id of a variable set, or below projects/ that of the project.
func variablesOwner(c *call) (string, error) {
	if strings.HasPrefix(c.route.Pattern, "/api/S/projects/") {
		return c.param("id"), nil
	}
	return owner(variablesPrefix, c.param("id"))
}

func (a *api) getVariables(c *call) error {
	of, err := variablesOwner(c)
	if err != nil {
		return err
	}
	if s, ok := newSnapshot(of); ok {
		v, err := a.Catalog.ReleaseVariables(c.ctx(), c.principal, s.release, s.owner, s.version)
		if err != nil {
			return err
		}
		return c.ok(taken(showVariables(v), "variables/", variablesPrefix+s.String()))
	}
	read := a.Catalog.Variables
	if strings.HasPrefix(of, deploymentPrefix) {
		read = a.Catalog.DeploymentVariables
	}
	v, err := read(c.ctx(), c.principal, of)
	if err != nil {
		return err
	}
	return c.ok(showVariables(v))
}

func (a *api) saveVariables(c *call) error {
	of, err := variablesOwner(c)
	if err != nil {
		return err
	}
	if err := refuseTaken(of); err != nil {
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
	saved, err := a.Catalog.SaveVariables(c.ctx(), c.principal, of, wanted)
	if err != nil {
		return err
	}
	return c.ok(showVariables(saved))
}

func (a *api) variableNames(c *call) error {
	names, err := a.Catalog.VariableNames(c.ctx(), c.principal, c.query()["project"])
	if err != nil {
		return err
	}
	return c.ok(list(names))
}

func (a *api) previewVariables(c *call) error {
	q := c.query()
	v, err := a.Catalog.PreviewVariables(c.ctx(), c.principal, catalog.PreviewRequest{
		Project: q["project"], Environment: q["environment"], Channel: q["channel"], Machine: q["machine"], Tag: q["role"],
		Action: q["action"],
	})
	if err != nil {
		return err
	}
	return c.ok(obj{
		"Variables": each(v.Picks, func(k deploy.Pick) obj {
			shown := showVariable(k.Variable)
			shown["OwnerId"], shown["Source"] = k.Owner, v.Sources[k.Owner]
			return shown
		}),
		"Ties": list(v.Ties), "Links": obj{},
	})
}

// formOf are the fields that a deployment asks for, and what they begin with.
func formOf(asked []deploy.Variable) obj {
	values, elements := obj{}, []obj{}
	for _, v := range asked {
		values[v.ID] = v.Value
		elements = append(elements, obj{
			"Name": v.ID, "IsValueRequired": v.Prompt.IsRequired && !v.HasValue(),
			"Control": obj{
				"Type": "VariableValue", "Name": v.Name, "Label": v.Prompt.Label, "Description": v.Prompt.Help,
				"Required": v.Prompt.IsRequired, "DisplaySettings": displaySettings(*v.Prompt),
			},
		})
	}
	return obj{"Values": values, "Elements": elements}
}

// answerTexts are the values that a caller gives prompted variables, as texts.
func answerTexts(given map[string]any) map[string]string {
	texts := map[string]string{}
	for name, value := range given {
		switch v := value.(type) {
		case string:
			texts[name] = v
		case bool:
			texts[name] = map[bool]string{true: "True", false: "False"}[v]
		case float64:
			texts[name] = strconv.FormatFloat(v, 'f', -1, 64)
		case map[string]any: // a secret: {"NewValue": "text"}
			for key, inner := range v {
				if text, isText := inner.(string); isText && strings.EqualFold(key, "NewValue") {
					texts[name] = text
				}
			}
		}
	}
	return texts
}

// formValues are the answers of a deployment that may be shown.
func formValues(d deploy.Deployment) obj {
	values := obj{}
	for _, answer := range d.Answers {
		values[answer.Variable] = answer.Value
	}
	return values
}
