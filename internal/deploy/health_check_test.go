// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

func TestMachinesAreDueAtTheTimesOfTheirPolicy(t *testing.T) {
	checked := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC) // a Thursday
	nine := deploy.MachinePolicy{HealthInterval: time.Minute, HealthCron: "0 0 9 * * *"}
	berlin := nine
	berlin.HealthZone = "Europe/Berlin"
	for name, c := range map[string]struct {
		policy deploy.MachinePolicy
		later  time.Duration
		want   bool
	}{
		"just before":        {deploy.MachinePolicy{HealthInterval: time.Hour}, time.Hour - 1, false},
		"at the end":         {deploy.MachinePolicy{HealthInterval: time.Hour}, time.Hour, true},
		"never":              {deploy.MachinePolicy{}, 1000 * time.Hour, false},
		"before nine":        {nine, 23*time.Hour - 1, false},
		"at nine":            {nine, 23 * time.Hour, true},
		"before nine, there": {berlin, 22*time.Hour - 1, false},
		"at nine, there":     {berlin, 22 * time.Hour, true},
		"in a year that is gone": {
			deploy.MachinePolicy{HealthInterval: time.Minute, HealthCron: "* * * * * * 2025"}, time.Hour, false,
		},
	} {
		s, err := deploy.NewHealthSchedule(c.policy)
		if got := s.IsDue(checked.Add(c.later), deploy.Health{CheckedAt: checked}); err != nil || got != c.want {
			t.Errorf("%s: due %v, %v, want %v", name, got, err, c.want)
		}
	}
	if s, _ := deploy.NewHealthSchedule(nine); !s.IsDue(checked, deploy.Health{}) {
		t.Error("a machine that was never looked at is not due")
	}
	for _, zone := range []string{"Local", "Mars/Olympus", "../etc/passwd", "W. Europe Standard Time"} {
		if _, err := deploy.NewHealthSchedule(deploy.MachinePolicy{HealthZone: zone}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("zone %s: %v", zone, err)
		}
	}
}

func TestWhereTheScriptOfAHealthCheckComesFrom(t *testing.T) {
	own := deploy.MachinePolicy{ID: "MachinePolicies-2", HealthRun: deploy.OwnScript, HealthScript: "mine"}
	none := deploy.MachinePolicy{ID: "MachinePolicies-2", HealthRun: deploy.NoScript, HealthScript: "mine"}
	line := deploy.MachinePolicy{ID: "MachinePolicies-2", OnlyConnectivity: true}
	heir := deploy.MachinePolicy{ID: "MachinePolicies-2"}
	plain := deploy.MachinePolicy{ID: deploy.DefaultMachinePolicyID}
	house := deploy.MachinePolicy{ID: deploy.DefaultMachinePolicyID, HealthRun: deploy.OwnScript, HealthScript: "house"}
	bare := deploy.MachinePolicy{ID: deploy.DefaultMachinePolicyID, HealthRun: deploy.NoScript}
	for name, c := range map[string]struct {
		policies []deploy.MachinePolicy
		want     deploy.HealthCheck
	}{
		"its own":                       {[]deploy.MachinePolicy{house, own}, deploy.HealthCheck{Script: "mine"}},
		"the default policy's":          {[]deploy.MachinePolicy{heir, house}, deploy.HealthCheck{Script: "house"}},
		"none":                          {[]deploy.MachinePolicy{house, none}, deploy.HealthCheck{OnlyConnectivity: true}},
		"only the line":                 {[]deploy.MachinePolicy{house, line}, deploy.HealthCheck{OnlyConnectivity: true}},
		"nothing to inherit":            {[]deploy.MachinePolicy{plain, heir}, deploy.HealthCheck{}},
		"no default policy":             {[]deploy.MachinePolicy{heir}, deploy.HealthCheck{}},
		"inherits that there is none":   {[]deploy.MachinePolicy{bare, heir}, deploy.HealthCheck{OnlyConnectivity: true}},
		"its policy is gone: default's": {[]deploy.MachinePolicy{house}, deploy.HealthCheck{Script: "house"}},
	} {
		if got := deploy.HealthCheckOf(c.policies, deploy.Machine{Policy: "MachinePolicies-2"}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestWhatAScriptSaysOfAMachine(t *testing.T) {
	warned := deploy.OutputValue{Name: deploy.HealthWarning, Value: "swap is small"}
	failed := deploy.OutputValue{Name: deploy.HealthError, Value: "the disk dies"}
	other := deploy.OutputValue{Name: "Own", Value: "x"}
	succeeded := contract.Verdict{Outcome: contract.Succeeded}
	healthy := deploy.Health{Status: deploy.HealthHealthy, Summary: "fine"}
	for name, c := range map[string]struct {
		verdict contract.Verdict
		said    []deploy.OutputValue
		want    deploy.HealthStatus
		summary string
	}{
		"nothing":   {succeeded, []deploy.OutputValue{other}, "Healthy", "fine"},
		"a warning": {succeeded, []deploy.OutputValue{warned}, "HasWarnings", "swap is small"},
		"an error":  {succeeded, []deploy.OutputValue{warned, failed}, "Unhealthy", "the disk dies"},
		"a secret": {
			succeeded,
			[]deploy.OutputValue{{Name: deploy.HealthError, Sealed: "x"}},
			"Unhealthy",
			"What it said is sensitive; the task's log has the rest.",
		},
		"an exit code": {
			contract.Verdict{Outcome: contract.Failed, Code: 3},
			[]deploy.OutputValue{warned},
			"Unhealthy",
			"The health check script failed: exit code 3.",
		},
		"a failure": {
			contract.Verdict{Outcome: contract.Failed, Code: 1}, []deploy.OutputValue{failed}, "Unhealthy", "the disk dies",
		},
		"a reason": {
			contract.Verdict{Outcome: contract.Failed, Reason: "no room"},
			nil, "Unhealthy",
			"The health check script: Failed: no room.",
		},
		"too slow": {
			contract.Verdict{Outcome: contract.TimedOut},
			[]deploy.OutputValue{failed},
			"Unhealthy",
			"The health check script: Timed out.",
		},
		"not begun": {
			contract.Verdict{Outcome: contract.NotStarted, Reason: "no room"},
			nil, "Unhealthy",
			"The health check script: Not started; nothing ran on the machine: no room.",
		},
		"gone in the middle": {
			contract.Verdict{Outcome: contract.Indeterminate, Reason: "lost"},
			nil, "Unavailable",
			"The health check script: Nobody can tell whether it ran to its end: lost.",
		},
	} {
		got := healthy.AfterScript(c.verdict, c.said)
		if got.Status != c.want || got.Summary != c.summary {
			t.Errorf("%s: %s, %q; want %s, %q", name, got.Status, got.Summary, c.want, c.summary)
		}
	}
}
