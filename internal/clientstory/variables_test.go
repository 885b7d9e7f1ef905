// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/accounts"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/core"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/projects"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/resources"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/variables"
)

func (o *office) variables(t *testing.T) {
	service := o.client.Variables
	project := o.project(t, "Variable")
	o.steps(t, project, scriptStep("Say hello", "echo hello"))
	before := try(service.GetAll(project.ID)).must(t)
	environmentID := named(t, before.ScopeValues.Environments, environment, func(r *resources.ReferenceDataItem) string { return r.Name }).ID
	named(t, before.ScopeValues.Machines, "web-1", func(r *resources.ReferenceDataItem) string { return r.Name })
	named(t, before.ScopeValues.Roles, tag, func(r *resources.ReferenceDataItem) string { return r.Name })
	named(t, before.ScopeValues.Actions, "Say hello", func(r *resources.ReferenceDataItem) string { return r.Name })
	named(t, before.ScopeValues.Channels, "Default", func(r *resources.ReferenceDataItem) string { return r.Name })

	greeting := variables.NewVariable("Greeting")
	greeting.Value, greeting.Description = "Hello #{Octopus.Environment.Name}", "What is said"
	try(service.AddSingle(project.ID, greeting)).must(t)
	scoped := variables.NewVariable("greeting")
	scoped.Value = "Hi"
	scoped.Scope = variables.VariableScope{Environments: []string{environmentID}, Roles: []string{tag}}
	try(service.AddSingle(project.ID, scoped)).must(t)
	secret := variables.NewVariable("Password")
	secret.Type, secret.IsSensitive, secret.Value = "Sensitive", true, "correct horse"
	set := try(service.AddSingle(project.ID, secret)).must(t)
	equal(t, "version", set.Version, before.Version+3)
	asked := variables.NewVariable("Ticket")
	asked.Prompt = &variables.VariablePromptOptions{
		Label: "Ticket number", Description: "Why?", IsRequired: true,
		DisplaySettings: resources.NewDisplaySettings(resources.ControlTypeSingleLineText, nil),
	}
	set = try(service.AddSingle(project.ID, asked)).must(t)

	found := try(service.GetByName(project.ID, "Greeting", &variables.VariableScope{Environments: []string{environmentID}})).must(t)
	equal(t, "scoped variables", len(found), 1)
	equal(t, "its value", found[0].Value, "Hi")
	one := named(t, set.Variables, "Password", func(v *variables.Variable) string { return v.Name })
	equal(t, "secret is shown", one.Value, "")
	equal(t, "secret is sensitive", one.IsSensitive, true)
	prompted := named(t, set.Variables, "Ticket", func(v *variables.Variable) string { return v.Name })
	equal(t, "label", prompted.Prompt.Label, "Ticket number")
	equal(t, "required", prompted.Prompt.IsRequired, true)
	one.Description = "Kept while this is said"
	try(service.UpdateSingle(project.ID, one)).must(t)
	equal(t, "by id", try(service.GetByID(project.ID, one.ID)).must(t).Description, "Kept while this is said")
	for _, v := range set.Variables {
		try(service.DeleteSingle(project.ID, v.ID)).must(t)
	}
	equal(t, "variables left", len(try(service.GetAll(project.ID)).must(t).Variables), 0)
	stale := before
	try(service.Update(project.ID, stale)).refused(t)
	must(t, o.client.Projects.DeleteByID(project.ID))
}

func (o *office) libraryVariableSets(t *testing.T) {
	service := o.client.LibraryVariableSets
	made := try(service.Add(variables.NewLibraryVariableSet("Shared"))).must(t)
	made.Description = "For all"
	equal(t, "description", try(service.Update(made)).must(t).Description, "For all")
	name := func(s *variables.LibraryVariableSet) string { return s.Name }
	named(t, try(service.GetAll()).must(t), "Shared", name)
	named(t, try(service.GetByPartialName("har")).must(t), "Shared", name)
	equal(t, "by id", try(service.GetByID(made.ID)).must(t).VariableSetID, "variableset-"+made.ID)
	colour := variables.NewVariable("Colour")
	colour.Value = "blue"
	equal(t, "variables", len(try(o.client.Variables.AddSingle(made.ID, colour)).must(t).Variables), 1)
	project := o.project(t, "Includer")
	project.IncludedLibraryVariableSets = []string{made.ID}
	equal(t, "sets", len(try(projects.Update(o.client, project)).must(t).IncludedLibraryVariableSets), 1)
	must(t, o.client.Projects.DeleteByID(project.ID))
	must(t, service.DeleteByID(made.ID))
}

func (o *office) accounts(t *testing.T) {
	service := o.client.Accounts
	password := try(accounts.NewUsernamePasswordAccount("Database")).must(t)
	password.SetUsername("reporter")
	password.SetPassword(core.NewSensitiveValue("correct horse"))
	made := try(accounts.Add(o.client, password)).must(t)
	token := try(accounts.NewTokenAccount("Cloud", core.NewSensitiveValue("battery staple"))).must(t)
	try(accounts.Add(o.client, token)).must(t)
	key := try(accounts.NewSSHKeyAccount("Shell", "root", core.NewSensitiveValue("-----BEGIN KEY-----"))).must(t)
	try(accounts.Add(o.client, key)).must(t)

	name := func(a accounts.IAccount) string { return a.GetName() }
	for _, each := range []string{"Database", "Cloud", "Shell"} {
		named(t, try(service.GetAll()).must(t), each, name)
	}
	query := accounts.AccountsQuery{AccountType: accounts.AccountTypeUsernamePassword}
	equal(t, "with a password", len(try(service.Get(query)).must(t).Items), 1)
	held := try(service.GetByID(made.GetID())).must(t)
	held.SetDescription("Reads only")
	equal(t, "description", try(service.Update(held)).must(t).GetDescription(), "Reads only")
	again := try(service.GetByID(made.GetID())).must(t).(*accounts.UsernamePasswordAccount)
	equal(t, "password is held", again.Password.HasValue, true)
	equal(t, "password is hidden", again.Password.NewValue == nil, true)
	equal(t, "usages", len(try(service.GetUsages(again)).must(t).Targets), 0)
	for _, a := range try(service.GetAll()).must(t) {
		must(t, service.DeleteByID(a.GetID()))
	}
}
