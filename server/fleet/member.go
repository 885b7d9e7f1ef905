// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// member is what the fleet keeps of a stored machine while it runs: there may be ten thousand of
// them, so no more than it needs.
type member struct {
	name       string
	style      deploy.Style
	address    string // of a listening agent
	pin        string // likewise
	isDisabled bool
	why        string // of a disabled machine: the last finding
	health     deploy.HealthStatus
	checkedAt  time.Time
	lastSeen   time.Time
}

func newMember(m deploy.Machine) member {
	k := member{
		name: m.Name, style: m.Style, isDisabled: m.IsDisabled, health: m.Health.Status,
		checkedAt: m.Health.CheckedAt, lastSeen: m.Health.LastSeen,
	}
	if m.Style == deploy.Listening {
		k.address, k.pin = m.Address, m.Pin
	}
	if m.IsDisabled {
		k.why = m.Health.Summary
	}
	return k
}

// facts is what is kept of an agent's hello while its session lives.
type facts struct {
	runID, stateID, version, hostname string
}

func newFacts(f contract.Facts) facts {
	return facts{runID: f.RunID, stateID: f.StateID, version: f.Version, hostname: f.Hostname}
}
