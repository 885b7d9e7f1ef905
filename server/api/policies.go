// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// Words of the wire.
const (
	runScript        = "RunScript"
	onlyConnectivity = "OnlyConnectivity"
	expectedOnline   = "ExpectedToBeOnline"
	mayBeOffline     = "MayBeOfflineAndCanBeSkipped"
	doNotDelete      = "DoNotDelete"
	deleteMachines   = "DeleteUnavailableMachines"
	inheritScript    = "InheritFromDefault"
)

// keptPolicyMembers are settings that agents here have no use for.
func keptPolicyMembers() []string {
	return []string{
		"ConnectionConnectTimeout", "ConnectionRetryCountLimit", "ConnectionRetrySleepInterval", "ConnectionRetryTimeLimit",
		"PollingRequestQueueTimeout", "PollingRequestMaximumMessageProcessingTimeout", "MachineUpdatePolicy",
		"MachinePackageCacheRetentionPolicy", "MachineRpcCallRetryPolicy",
	}
}

// showPolicy has every field that clients check, with time spans in the .NET shape. Source:
// octopus-rest.md c.17.
func showPolicy(p deploy.MachinePolicy) obj {
	kind, connectivity, cleanUp := runScript, expectedOnline, doNotDelete
	if p.OnlyConnectivity {
		kind = onlyConnectivity
	}
	if p.MayBeOffline {
		connectivity = mayBeOffline
	}
	if p.DeleteAfter > 0 {
		cleanUp = deleteMachines
	}
	return withKept(p.Kept, obj{
		"Id": p.ID, "SpaceId": thisSpace, "Name": p.Name, "Description": p.Description,
		"IsDefault":                p.ID == deploy.DefaultPolicyID(p.Space),
		"ConnectionConnectTimeout": "00:01:00", "ConnectionRetryCountLimit": 5, "ConnectionRetrySleepInterval": "00:00:01",
		"ConnectionRetryTimeLimit": "00:05:00", "PollingRequestQueueTimeout": "00:02:00",
		"PollingRequestMaximumMessageProcessingTimeout": "00:10:00",
		"MachineHealthCheckPolicy": obj{
			"HealthCheckType": kind, "HealthCheckInterval": timeSpan(p.HealthInterval), "HealthCheckCron": orNull(p.HealthCron),
			"HealthCheckCronTimezone":     cmp.Or(p.HealthZone, "UTC"),
			"PowerShellHealthCheckPolicy": obj{"RunType": inheritScript, "ScriptBody": nil},
			"BashHealthCheckPolicy": obj{
				"RunType": cmp.Or(string(p.HealthRun), inheritScript), "ScriptBody": orNull(p.HealthScript),
			},
		},
		"MachineConnectivityPolicy": obj{"MachineConnectivityBehavior": connectivity},
		"MachineCleanupPolicy": obj{
			"DeleteMachinesBehavior":        cleanUp,
			"DeleteMachinesElapsedTimeSpan": timeSpan(p.DeleteAfter),
		},
		"MachineUpdatePolicy": obj{
			"CalamariUpdateBehavior": "UpdateOnDeployment", "TentacleUpdateBehavior": "NeverUpdate",
			"TentacleUpdateAccountId": nil, "KubernetesAgentUpdateBehavior": "NeverUpdate",
		},
		"MachinePackageCacheRetentionPolicy": obj{
			"Strategy": "Default", "QuantityOfPackagesToKeep": 0, "PackageUnit": "Items", "QuantityOfVersionsToKeep": 0,
			"VersionUnit": "Items",
		},
		"Links": obj{
			"Self":     spacePath + "machinepolicies/" + string(p.ID),
			"Template": spacePath + "machinepolicies/template",
		},
	})
}

// timeSpan writes a time span as .NET does: hh:mm:ss, with days and a point before where there are any.
func timeSpan(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	text := fmt.Sprintf("%02d:%02d:%02d", rest/time.Hour, rest/time.Minute%60, rest/time.Second%60)
	if days > 0 {
		text = strconv.FormatInt(int64(days), 10) + "." + text
	}
	return text
}

// parseSpan reads what timeSpan writes; fractions of a second are dropped. Errors: Invalid.
func parseSpan(member, text string) (time.Duration, error) {
	shape := regexp.MustCompile(`^(?:(\d{1,5})\.)?([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,7})?$`)
	parts := shape.FindStringSubmatch(text)
	if parts == nil {
		return 0, errkind.Invalid.Errorf("%s is %.40q: want hh:mm:ss or d.hh:mm:ss", member, text)
	}
	total := time.Duration(0)
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(parts[i+1]) // digits, or "" which is 0
		total += time.Duration(n) * unit
	}
	return total, nil
}

func policyKeys(p deploy.MachinePolicy) (string, string) { return string(p.ID), p.Name }

func (a *api) listPolicies(c *call) error {
	all, err := a.Catalog.MachinePolicies(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return paged(c, "MachinePolicy", chosen(c, all, policyKeys), showPolicy)
}

func (a *api) allPolicies(c *call) error {
	all, err := a.Catalog.MachinePolicies(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showPolicy))
}

func (a *api) getPolicy(c *call) error {
	p, err := a.Catalog.MachinePolicy(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showPolicy(p))
}

// policyTemplate is what a new policy may start from.
func (a *api) policyTemplate(c *call) error {
	shown := showPolicy(deploy.MachinePolicy{HealthInterval: deploy.DefaultHealthInterval})
	shown["Links"] = obj{}
	return c.ok(shown)
}

type policyRequest struct {
	Name, Description        string
	MachineHealthCheckPolicy *struct {
		HealthCheckType, HealthCheckInterval, HealthCheckCron, HealthCheckCronTimezone string
		BashHealthCheckPolicy                                                          *struct{ RunType, ScriptBody string }
	}
	MachineConnectivityPolicy *struct{ MachineConnectivityBehavior string }
	MachineCleanupPolicy      *struct{ DeleteMachinesBehavior, DeleteMachinesElapsedTimeSpan string }
}

// policyDraft reads a policy; what is left out is as in the template.
func (c *call) policyDraft() (draft deploy.MachinePolicy, err error) {
	var raw members
	if err := c.decode(&raw); err != nil {
		return draft, err
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return draft, errkind.Invalid.Errorf("the body is not as expected: %w", err)
	}
	var q policyRequest
	if err := json.Unmarshal(text, &q); err != nil {
		return draft, errkind.Invalid.Errorf("the body is not as expected: %w", err)
	}
	given := members{}
	for name, value := range raw {
		for _, known := range keptPolicyMembers() {
			if strings.EqualFold(name, known) {
				given[known] = value
			}
		}
	}
	draft = deploy.MachinePolicy{
		Name: q.Name, Description: q.Description, HealthInterval: deploy.DefaultHealthInterval, Kept: keep(given),
	}
	return draft, q.fill(&draft)
}

func (q policyRequest) fill(draft *deploy.MachinePolicy) (err error) {
	if h := q.MachineHealthCheckPolicy; h != nil {
		draft.HealthCron, draft.HealthZone = h.HealthCheckCron, h.HealthCheckCronTimezone
		if b := h.BashHealthCheckPolicy; b != nil {
			if draft.HealthRun, err = scriptSource(b.RunType); err != nil {
				return err
			}
			draft.HealthScript = b.ScriptBody
		}
		if draft.OnlyConnectivity, err = word("HealthCheckType", h.HealthCheckType, runScript, onlyConnectivity); err != nil {
			return err
		}
		if h.HealthCheckInterval == "" {
			draft.HealthInterval = 0
		} else if draft.HealthInterval, err = parseSpan("HealthCheckInterval", h.HealthCheckInterval); err != nil {
			return err
		}
	}
	if p := q.MachineConnectivityPolicy; p != nil {
		draft.MayBeOffline, err = word("MachineConnectivityBehavior", p.MachineConnectivityBehavior, expectedOnline,
			mayBeOffline)
		if err != nil {
			return err
		}
	}
	if p := q.MachineCleanupPolicy; p != nil {
		deletes, err := word("DeleteMachinesBehavior", p.DeleteMachinesBehavior, doNotDelete, deleteMachines)
		if err != nil {
			return err
		}
		if deletes {
			draft.DeleteAfter, err = parseSpan("DeleteMachinesElapsedTimeSpan", p.DeleteMachinesElapsedTimeSpan)
			if err != nil {
				return err
			}
			if draft.DeleteAfter == 0 {
				return errkind.Invalid.Errorf("DeleteMachinesElapsedTimeSpan is 0: machines would go at once")
			}
		}
	}
	return nil
}

// scriptSource reads where a health check's script comes from. Errors: Invalid.
func scriptSource(text string) (deploy.HealthRun, error) {
	switch {
	case text == "" || strings.EqualFold(text, inheritScript):
		return deploy.InheritedScript, nil
	case strings.EqualFold(text, string(deploy.OwnScript)), strings.EqualFold(text, "InlineBash"):
		return deploy.OwnScript, nil
	case strings.EqualFold(text, onlyConnectivity):
		return deploy.NoScript, nil
	}
	return "", errkind.Invalid.Errorf("RunType is %.40q: want %s, %s or %s", text, inheritScript, deploy.OwnScript,
		onlyConnectivity)
}

// orNull is null on the wire for "".
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// word reports which of two words a text is; "" is the first. Errors: Invalid.
func word(member, text, first, second string) (isSecond bool, err error) {
	switch {
	case text == "" || strings.EqualFold(text, first):
		return false, nil
	case strings.EqualFold(text, second):
		return true, nil
	}
	return false, errkind.Invalid.Errorf("%s is %.40q: want %s or %s", member, text, first, second)
}

func (a *api) createPolicy(c *call) error {
	draft, err := c.policyDraft()
	if err != nil {
		return err
	}
	p, err := a.Catalog.CreateMachinePolicy(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showPolicy(p))
}

func (a *api) editPolicy(c *call) error {
	draft, err := c.policyDraft()
	if err != nil {
		return err
	}
	p, err := a.Catalog.EditMachinePolicy(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showPolicy(p))
}

func (a *api) deletePolicy(c *call) error {
	if err := a.Catalog.DeleteMachinePolicy(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}
