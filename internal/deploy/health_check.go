// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strconv"

	"fairlead/internal/contract"
)

// HealthCheck is what is asked of a machine.
type HealthCheck struct {
	OnlyConnectivity bool   // that its agent answers is enough
	Script           string // of bash, beside the agent's own report; "" for none
}

// HealthCheckOf is what the policy of a machine asks; one that inherits its script has the default policy's.
func HealthCheckOf(policies []MachinePolicy, m Machine) HealthCheck {
	p := PolicyOf(policies, m)
	if p.OnlyConnectivity {
		return HealthCheck{OnlyConnectivity: true}
	}
	from := p
	if p.HealthRun == InheritedScript {
		from = PolicyOf(policies, Machine{Space: m.Space})
	}
	switch from.HealthRun {
	case OwnScript:
		return HealthCheck{Script: from.HealthScript}
	case NoScript:
		return HealthCheck{OnlyConnectivity: true}
	case InheritedScript:
	}
	return HealthCheck{}
}

// The output variables by which the script of a health check tells what it found: the last thing it said.
const (
	HealthWarning = "Fairlead.Health.Warning"
	HealthError   = "Fairlead.Health.Error"
)

// AfterScript is the health of a machine that answered, once a script has looked at it too.
func (h Health) AfterScript(v contract.Verdict, said []OutputValue) Health {
	told := map[string]string{}
	for _, o := range said {
		if told[o.Name] = o.Value; o.Sealed != "" {
			told[o.Name] = "What it said is sensitive; the task's log has the rest."
		}
	}
	hasFailed := v.Outcome == contract.Failed
	switch {
	case v.Outcome == contract.Indeterminate:
		h.Status, h.Summary = HealthUnavailable, "The health check script: "+Sentence(v)
	case hasFailed && told[HealthError] == "" && v.Reason == "":
		h.Status, h.Summary = HealthUnhealthy, "The health check script failed: exit code "+strconv.Itoa(v.Code)+"."
	case hasFailed && told[HealthError] == "", v.Outcome != contract.Succeeded && !hasFailed:
		h.Status, h.Summary = HealthUnhealthy, "The health check script: "+Sentence(v)
	case told[HealthError] != "":
		h.Status, h.Summary = HealthUnhealthy, told[HealthError]
	case told[HealthWarning] != "":
		h.Status, h.Summary = HealthHasWarnings, told[HealthWarning]
	}
	return h
}
