// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

type processBody struct {
	Version int        `json:"version"`
	Steps   []stepBody `json:"steps,omitempty"`
}

type stepBody struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Tags         []string          `json:"tags,omitempty"`
	Condition    deploy.Condition  `json:"condition,omitempty"`
	Window       int               `json:"window,omitempty"`
	WithPrevious bool              `json:"with_previous,omitempty"`
	Properties   map[string]string `json:"properties,omitempty"`
	Actions      []actionBody      `json:"actions,omitempty"`
}

type actionBody struct {
	ID                   string                 `json:"id"`
	Name                 string                 `json:"name"`
	Kind                 deploy.ActionKind      `json:"kind"`
	IsDisabled           bool                   `json:"is_disabled,omitempty"`
	IsRequired           bool                   `json:"is_required,omitempty"`
	Notes                string                 `json:"notes,omitempty"`
	Environments         []deploy.EnvironmentID `json:"environments,omitempty"`
	ExcludedEnvironments []deploy.EnvironmentID `json:"excluded_environments,omitempty"`
	Channels             []deploy.ChannelID     `json:"channels,omitempty"`
	Packages             []packageReferenceBody `json:"packages,omitempty"`
	Properties           map[string]string      `json:"properties,omitempty"`
}

type packageReferenceBody struct {
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	PackageID string `json:"package"`
}

type variableSetBody struct {
	Version   int            `json:"version"`
	Variables []variableBody `json:"variables,omitempty"`
}

type variableBody struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Value       string      `json:"value"`
	Description string      `json:"description,omitempty"`
	IsSensitive bool        `json:"is_sensitive,omitempty"`
	Sealed      string      `json:"sealed,omitempty"`
	Prompt      *promptBody `json:"prompt,omitempty"`
	Scope       scopeBody   `json:"scope,omitzero"`
}

type promptBody struct {
	Label      string         `json:"label,omitempty"`
	Help       string         `json:"help,omitempty"`
	IsRequired bool           `json:"is_required,omitempty"`
	Control    deploy.Control `json:"control,omitempty"`
	Options    []optionBody   `json:"options,omitempty"`
}

type optionBody struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

type scopeBody struct {
	Environments []deploy.EnvironmentID `json:"environments,omitempty"`
	Machines     []deploy.MachineID     `json:"machines,omitempty"`
	Tags         []string               `json:"tags,omitempty"`
	Actions      []string               `json:"actions,omitempty"`
	Channels     []deploy.ChannelID     `json:"channels,omitempty"`
	Owners       []deploy.OwnerID       `json:"owners,omitempty"`
}

// IsZero lets an empty scope out of the text.
func (s scopeBody) IsZero() bool {
	return len(s.Environments)+len(s.Machines)+len(s.Tags)+len(s.Actions)+len(s.Channels)+len(s.Owners) == 0
}

// each maps a list; an empty one becomes nil.
func each[T, U any](list []T, f func(T) U) []U {
	if len(list) == 0 {
		return nil
	}
	mapped := make([]U, len(list))
	for i, v := range list {
		mapped[i] = f(v)
	}
	return mapped
}

func actionsBody(actions []deploy.Action) []actionBody {
	return each(actions, func(a deploy.Action) actionBody {
		return actionBody{
			ID: a.ID, Name: a.Name, Kind: a.Kind, IsDisabled: a.IsDisabled, IsRequired: a.IsRequired,
			Notes: a.Notes, Environments: a.Environments, ExcludedEnvironments: a.ExcludedEnvironments, Channels: a.Channels,
			Properties: a.Properties,
			Packages: each(a.Packages, func(p deploy.PackageReference) packageReferenceBody {
				return packageReferenceBody(p)
			}),
		}
	})
}

func actions(bodies []actionBody) []deploy.Action {
	return each(bodies, func(a actionBody) deploy.Action {
		return deploy.Action{
			ID: a.ID, Name: a.Name, Kind: a.Kind, IsDisabled: a.IsDisabled, IsRequired: a.IsRequired,
			Notes: a.Notes, Environments: a.Environments, ExcludedEnvironments: a.ExcludedEnvironments, Channels: a.Channels,
			Properties: a.Properties,
			Packages: each(a.Packages, func(p packageReferenceBody) deploy.PackageReference {
				return deploy.PackageReference(p)
			}),
		}
	})
}

func bodyOfProcess(p deploy.Process) processBody {
	return processBody{Version: p.Version, Steps: each(p.Steps, func(s deploy.Step) stepBody {
		return stepBody{
			ID: s.ID, Name: s.Name, Tags: s.Tags, Condition: s.Condition, Window: s.Window,
			WithPrevious: s.WithPrevious, Properties: s.Properties, Actions: actionsBody(s.Actions),
		}
	})}
}

func (b processBody) process(project deploy.ProjectID) deploy.Process {
	return deploy.Process{Project: project, Version: b.Version, Steps: each(b.Steps, func(s stepBody) deploy.Step {
		return deploy.Step{
			ID: s.ID, Name: s.Name, Tags: s.Tags, Condition: s.Condition, Window: s.Window,
			WithPrevious: s.WithPrevious, Properties: s.Properties, Actions: actions(s.Actions),
		}
	})}
}

func bodyOfVariables(v deploy.VariableSet) variableSetBody {
	return variableSetBody{Version: v.Version, Variables: each(v.Variables, func(v deploy.Variable) variableBody {
		return variableBody{
			ID: v.ID, Name: v.Name, Value: v.Value, Description: v.Description, IsSensitive: v.IsSensitive,
			Sealed: v.Sealed, Prompt: bodyOfPrompt(v.Prompt), Scope: scopeBody(v.Scope),
		}
	})}
}

func bodyOfPrompt(p *deploy.Prompt) *promptBody {
	if p == nil {
		return nil
	}
	return &promptBody{
		Label: p.Label, Help: p.Help, IsRequired: p.IsRequired, Control: p.Control,
		Options: each(p.Options, func(o deploy.Option) optionBody { return optionBody(o) }),
	}
}

func (b *promptBody) prompt() *deploy.Prompt {
	if b == nil {
		return nil
	}
	return &deploy.Prompt{
		Label: b.Label, Help: b.Help, IsRequired: b.IsRequired, Control: b.Control,
		Options: each(b.Options, func(o optionBody) deploy.Option { return deploy.Option(o) }),
	}
}

func (b variableSetBody) variables(owner deploy.OwnerID) deploy.VariableSet {
	variables := each(b.Variables, func(v variableBody) deploy.Variable {
		return deploy.Variable{
			ID: v.ID, Name: v.Name, Value: v.Value, Description: v.Description, IsSensitive: v.IsSensitive,
			Sealed: v.Sealed, Prompt: v.Prompt.prompt(), Scope: deploy.Scope(v.Scope),
		}
	})
	return deploy.VariableSet{Owner: owner, Version: b.Version, Variables: variables}
}

func (r *reader) Process(project deploy.ProjectID) (deploy.Process, error) {
	p, err := one(r, "the process of project "+string(project), func(row scanner) (deploy.Process, error) {
		var s sealed
		var body processBody
		if err := row.Scan(&s.text, &s.sum); err != nil {
			return deploy.Process{}, err
		}
		err := s.open("the process of project "+string(project), &body)
		return body.process(project), err
	}, "SELECT body, sum FROM process WHERE project = ?", project)
	if errkind.Of(err) == errkind.NotFound {
		return deploy.Process{Project: project}, nil
	}
	return p, err
}

func (w *writer) PutProcess(p deploy.Process) (int, error) {
	stored, err := w.Process(p.Project)
	if err != nil {
		return 0, err
	}
	what := "the process of project " + string(p.Project)
	if stored.Version != p.Version {
		return 0, stale(what, p.Version, stored.Version)
	}
	p.Version++
	body, sum, err := seal(bodyOfProcess(p))
	if err != nil {
		return 0, err
	}
	_, err = w.exec("write "+what, "INSERT INTO process (project, body, sum) VALUES (?, ?, ?) "+
		"ON CONFLICT (project) DO UPDATE SET body = excluded.body, sum = excluded.sum", p.Project, body, sum)
	return p.Version, err
}

func (r *reader) Variables(project deploy.ProjectID) (deploy.VariableSet, error) {
	v, err := one(r, "the variables of project "+string(project), func(row scanner) (deploy.VariableSet, error) {
		var s sealed
		var body variableSetBody
		if err := row.Scan(&s.text, &s.sum); err != nil {
			return deploy.VariableSet{}, err
		}
		err := s.open("the variables of project "+string(project), &body)
		return body.variables(deploy.OwnerID(project)), err
	}, "SELECT body, sum FROM variable_set WHERE project = ?", project)
	if errkind.Of(err) == errkind.NotFound {
		return deploy.VariableSet{Owner: deploy.OwnerID(project)}, nil
	}
	return v, err
}

func (w *writer) PutVariables(v deploy.VariableSet) (int, error) {
	stored, err := w.Variables(deploy.ProjectID(v.Owner))
	if err != nil {
		return 0, err
	}
	what := "the variables of project " + string(v.Owner)
	if stored.Version != v.Version {
		return 0, stale(what, v.Version, stored.Version)
	}
	v.Version++
	body, sum, err := seal(bodyOfVariables(v))
	if err != nil {
		return 0, err
	}
	_, err = w.exec("write "+what, "INSERT INTO variable_set (project, body, sum) VALUES (?, ?, ?) "+
		"ON CONFLICT (project) DO UPDATE SET body = excluded.body, sum = excluded.sum", v.Owner, body, sum)
	return v.Version, err
}

func stale(what string, given, stored int) error {
	return errkind.Hinted(errkind.Conflict.Errorf("write %s: it is version %d, not %d", what, stored, given),
		"read it again and repeat the change")
}
