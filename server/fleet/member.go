// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"strconv"
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
	quarantine string // why the server disabled it; "" when it did not
	journal    journal
	rewinds    int
	space      deploy.SpaceID
	policy     deploy.MachinePolicyID
	health     deploy.HealthStatus
	checkedAt  time.Time
	lastSeen   time.Time
}

func newMember(m deploy.Machine) member {
	policy := m.Policy
	if policy == "" {
		policy = deploy.DefaultPolicyID(m.Space)
	}
	k := member{
		name: m.Name, style: m.Style, isDisabled: m.IsDisabled, health: m.Health.Status,
		checkedAt: m.Health.CheckedAt, lastSeen: m.Health.LastSeen, quarantine: m.Quarantine,
		journal: journal{m.Facts.StateID, m.Facts.Journal}, rewinds: m.Facts.Rewinds, policy: policy, space: m.Space,
	}
	if m.Style == deploy.Listening {
		k.address, k.pin = m.Address, m.Pin
	}
	return k
}

// absence says in a clause why a disabled machine does not work.
func (m member) absence() string {
	if m.quarantine != "" {
		return "in quarantine: " + m.quarantine
	}
	return "disabled at the server"
}

// facts is what is kept of an agent's hello while its session lives.
type facts struct {
	runID, stateID, version, hostname string
	// journalID names the journal for the engine.
	journalID string
	journal   int64
}

// JournalID names a journal for the engine: the state id, and how often the journal went back.
func JournalID(stateID string, rewinds int) string {
	if rewinds > 0 {
		return stateID + "/" + strconv.Itoa(rewinds)
	}
	return stateID
}

func newFacts(f contract.Facts, rewinds int) facts {
	id := JournalID(f.StateID, rewinds)
	return facts{
		runID: f.RunID, stateID: f.StateID, journalID: id, journal: f.Journal, version: f.Version, hostname: f.Hostname,
	}
}
