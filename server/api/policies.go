// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// policyID is the one machine policy there is. It describes what the server does anyway.
const (
	policyID   = "MachinePolicies-1"
	policyName = "Default Machine Policy"
)

// showPolicy has every field that clients check, with time spans in the .NET shape. Source:
// octopus-rest.md c.17.
func showPolicy(id string) obj {
	return obj{
		"Id": id, "SpaceId": deploy.DefaultSpace, "Name": policyName, "Description": "", "IsDefault": true,
		"ConnectionConnectTimeout": "00:01:00", "ConnectionRetryCountLimit": 5, "ConnectionRetrySleepInterval": "00:00:01",
		"ConnectionRetryTimeLimit": "00:05:00", "PollingRequestQueueTimeout": "00:02:00",
		"PollingRequestMaximumMessageProcessingTimeout": "00:10:00",
		"MachineHealthCheckPolicy": obj{
			"HealthCheckType": "RunScript", "HealthCheckInterval": "01:00:00", "HealthCheckCron": nil,
			"HealthCheckCronTimezone":     "UTC",
			"PowerShellHealthCheckPolicy": obj{"RunType": "InheritFromDefault", "ScriptBody": nil},
			"BashHealthCheckPolicy":       obj{"RunType": "InheritFromDefault", "ScriptBody": nil},
		},
		"MachineConnectivityPolicy": obj{"MachineConnectivityBehavior": "ExpectedToBeOnline"},
		"MachineCleanupPolicy": obj{
			"DeleteMachinesBehavior":        "DoNotDelete",
			"DeleteMachinesElapsedTimeSpan": "00:00:00",
		},
		"MachineUpdatePolicy": obj{
			"CalamariUpdateBehavior": "UpdateOnDeployment", "TentacleUpdateBehavior": "NeverUpdate",
			"TentacleUpdateAccountId": nil, "KubernetesAgentUpdateBehavior": "NeverUpdate",
		},
		"MachinePackageCacheRetentionPolicy": obj{
			"Strategy": "Default", "QuantityOfPackagesToKeep": 0, "PackageUnit": "Items", "QuantityOfVersionsToKeep": 0,
			"VersionUnit": "Items",
		},
		"Links": obj{"Self": spacePath + "machinepolicies/" + id},
	}
}

func (a *api) listPolicies(c *call) error {
	all := chosen(c, []string{policyID}, func(id string) (string, string) { return id, policyName })
	return paged(c, "MachinePolicy", all, showPolicy)
}

func (a *api) allPolicies(c *call) error { return c.ok([]obj{showPolicy(policyID)}) }

func (a *api) getPolicy(c *call) error {
	if id := c.param("id"); !strings.EqualFold(id, policyID) && !strings.EqualFold(id, policyName) {
		return errkind.NotFound.Errorf("there is no machine policy %q", id)
	}
	return c.ok(showPolicy(policyID))
}
