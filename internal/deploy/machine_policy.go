// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "time"

// MachinePolicyID has the form "MachinePolicies-1".
type MachinePolicyID string

// DefaultMachinePolicyID is the policy of a machine of the default space that names none.
const DefaultMachinePolicyID MachinePolicyID = "MachinePolicies-1"

// DefaultPolicyID is the policy of a machine of a space that names none.
func DefaultPolicyID(space SpaceID) MachinePolicyID {
	if space.OrDefault() == DefaultSpace {
		return DefaultMachinePolicyID
	}
	return MachinePolicyID("MachinePolicies-" + string(space))
}

// DefaultHealthInterval is how often a machine is looked at whose policy says nothing else.
const DefaultHealthInterval = time.Hour

// MachinePolicy says how machines are looked after.
type MachinePolicy struct {
	ID          MachinePolicyID
	Space       SpaceID
	Name        string // unique in its space without regard to case
	Description string
	// HealthInterval is the time between two health checks, 1 min to 30 d; 0 means never.
	HealthInterval time.Duration
	// HealthCron, unless it is "", says when instead, in the zone HealthZone, which is UTC when it is "".
	HealthCron string
	HealthZone string // a name of the IANA database
	// HealthRun says where the script of a health check comes from, HealthScript is its own one in bash.
	HealthRun    HealthRun
	HealthScript string
	// OnlyConnectivity is content with a machine whose agent answers; it asks for nothing else.
	OnlyConnectivity bool
	// MayBeOffline keeps an unreachable machine from being a reason to complain.
	MayBeOffline bool
	// DeleteAfter is how long a machine may be out of reach before it is deleted; 0 means for ever.
	DeleteAfter time.Duration
	// Kept are the settings that agents here have no use for.
	Kept Kept
}

// HealthRun says where the script of a health check comes from.
type HealthRun string

// The sources of a health check's script; the words are the wire's but for the first.
const (
	InheritedScript HealthRun = ""                 // of the default policy
	OwnScript       HealthRun = "Inline"           // its own, which may be empty
	NoScript        HealthRun = "OnlyConnectivity" // an agent that answers is enough
)

// MaxHealthScript bounds the script of a health check: 64 KiB.
const MaxHealthScript = 64 << 10

// DefaultMachinePolicy is the one that every space starts with.
func DefaultMachinePolicy(space SpaceID) MachinePolicy {
	return MachinePolicy{
		ID: DefaultPolicyID(space), Space: space, Name: "Default Machine Policy",
		HealthInterval: DefaultHealthInterval,
	}
}

// IsAbandoned reports whether a machine has been out of reach for so long that it is to be deleted.
// One that was never reached counts from when it was added.
func (p MachinePolicy) IsAbandoned(now time.Time, m Machine) bool {
	if p.DeleteAfter <= 0 || m.Health.Status != HealthUnavailable {
		return false
	}
	since := m.Health.LastSeen
	if since.IsZero() {
		since = m.AddedAt
	}
	return !now.Before(since.Add(p.DeleteAfter))
}

// PolicyOf finds the policy of a machine; the default one when it names none, or one that is gone.
func PolicyOf(policies []MachinePolicy, m Machine) MachinePolicy {
	fallback := DefaultMachinePolicy(m.Space)
	id := m.Policy
	if id == "" {
		id = fallback.ID
	}
	for _, p := range policies {
		if p.ID == id {
			return p
		}
		if p.ID == DefaultPolicyID(m.Space) {
			fallback = p
		}
	}
	return fallback
}
