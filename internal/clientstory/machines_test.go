// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"testing"
	"time"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/machinepolicies"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/machines"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/tasks"
)

func (o *office) machines(t *testing.T) {
	service := o.client.Machines
	name := func(m *machines.DeploymentTarget) string { return m.Name }
	all := try(service.GetAll()).must(t)
	listening := named(t, all, "web-2", name)
	equal(t, "style", listening.Endpoint.GetCommunicationStyle(), "TentaclePassive")
	polling := named(t, all, "web-1", name)
	equal(t, "style", polling.Endpoint.GetCommunicationStyle(), "TentacleActive")
	equal(t, "health", polling.HealthStatus, "Healthy")
	equal(t, "status", polling.Status, "Online")
	equal(t, "by id", try(service.GetByID(polling.ID)).must(t).Name, "web-1")
	equal(t, "by name", try(service.GetByIdentifier("web-1")).must(t).ID, polling.ID)
	named(t, try(service.GetByPartialName("eb-1")).must(t), "web-1", name)
	for what, query := range map[string]machines.MachinesQuery{
		"role":       {Roles: []string{tag}, Name: "web-1"},
		"style":      {CommunicationStyles: []string{"TentacleActive"}},
		"type":       {DeploymentTargetTypes: []string{"TentacleActive"}},
		"health":     {HealthStatuses: []string{"Healthy"}, PartialName: "web-1"},
		"thumbprint": {Thumbprint: polling.Thumbprint},
	} {
		named(t, try(service.Get(query)).must(t).Items, "web-1", name)
		equal(t, "machines by "+what, len(try(service.Get(query)).must(t).Items), 1)
	}
	roles := try(o.client.MachineRoles.GetAll()).must(t)
	named(t, roles, tag, func(s *string) string { return *s })

	polling.Roles = append(polling.Roles, "db")
	polling.IsDisabled = true
	changed := try(service.Update(polling)).must(t)
	equal(t, "tags", len(changed.Roles), 2)
	equal(t, "disabled", try(machines.GetByID(o.client, space, polling.ID)).must(t).IsDisabled, true)
	equal(t, "status", changed.Status, "Disabled")
	changed.Roles, changed.IsDisabled = []string{tag}, false
	try(machines.Update(o.client, changed)).must(t)
	must(t, o.AwaitOnline(t.Context(), o.polling)) // disabling had sent it away

	health := tasks.NewTask()
	health.Name, health.Description = "Health", "Look at both"
	health.Arguments = map[string]any{"MachineIds": []string{polling.ID, listening.ID}}
	o.succeed(t, try(o.client.Tasks.Add(health)).must(t).ID)
	equal(t, "health", try(service.GetByID(polling.ID)).must(t).HealthStatus, "Healthy")
}

func (o *office) machinePolicies(t *testing.T) {
	service := o.client.MachinePolicies
	first := try(service.GetAll()).must(t)
	equal(t, "default policy", first[0].IsDefault, true)
	wish := machines.NewMachinePolicy("Patient")
	wish.MachineHealthCheckPolicy.HealthCheckInterval = 2 * time.Hour
	wish.MachineHealthCheckPolicy.HealthCheckType = "OnlyConnectivity"
	made := try(service.Add(wish)).must(t)
	made.Description = "Waits"
	made.MachineCleanupPolicy.DeleteMachinesBehavior = "DeleteUnavailableMachines"
	made.MachineCleanupPolicy.DeleteMachinesElapsedTimeSpan = 20 * time.Hour // the library forgets whole days when it reads
	try(service.Update(made)).must(t)
	got := try(service.GetByID(made.ID)).must(t)
	equal(t, "description", got.Description, "Waits")
	equal(t, "interval", got.MachineHealthCheckPolicy.HealthCheckInterval, 2*time.Hour)
	equal(t, "check", got.MachineHealthCheckPolicy.HealthCheckType, "OnlyConnectivity")
	equal(t, "clean-up", got.MachineCleanupPolicy.DeleteMachinesElapsedTimeSpan, 20*time.Hour)
	named(t, try(service.GetByPartialName("patie")).must(t), "Patient", func(p *machines.MachinePolicy) string { return p.Name })
	equal(t, "template", try(service.GetTemplate()).must(t).ConnectionRetryCountLimit > 0, true)
	named(t, try(machinepolicies.GetAll(o.client, space)).must(t), "Patient", func(p *machinepolicies.MachinePolicy) string { return p.Name })
	must(t, service.DeleteByID(made.ID))
}
