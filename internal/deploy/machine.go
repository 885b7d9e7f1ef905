// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "time"

// Environment is a stage that releases go to, such as Production.
type Environment struct {
	ID          EnvironmentID
	Space       SpaceID
	Name        string // unique in its space without regard to case, 1 to 200 characters
	Slug        string
	Description string
	SortOrder   int
	// UseGuidedFailure pauses deployments here at a failed step.
	UseGuidedFailure bool
	// AllowDynamic lets scripts of a deployment add machines here.
	AllowDynamic bool
	Kept         Kept
}

// Style says who opens the line.
type Style string

// The styles.
const (
	Polling   Style = "polling"   // the agent dials the server
	Listening Style = "listening" // the server dials the agent
)

// Machine is a thing deployed to.
type Machine struct {
	ID           MachineID
	Space        SpaceID
	Name         string // grammar [a-z0-9][a-z0-9-]{0,62}, unique in its space
	Environments []EnvironmentID
	Tags         []string // target tags, "roles" on the wire; sorted, without repeats
	Style        Style
	Address      string // host:port of a listening agent; "" for a polling one
	Pin          string // SHA-256 of the agent's certificate, 64 lower hex digits; unique for ever
	IsDisabled   bool
	Policy       MachinePolicyID // "" stands for DefaultPolicyID
	// Quarantine says in a sentence why the server itself disabled the machine, and what to do; "" when it
	// did not, or a person has enabled it since.
	Quarantine string
	AddedAt    time.Time
	// Facts are what the agent last said of itself.
	Facts MachineFacts
	// Health is what the server last found.
	Health Health
}

// MachineFacts is what an agent says of itself when its line is up.
type MachineFacts struct {
	AgentVersion string
	OS           string // "linux"
	Distribution string
	Arch         string
	Hostname     string
	Shell        string // path of bash
	ShellVersion string
	StateID      string // changes when the agent's journal was lost
	BootID       string
	// Journal is the highest position of the agent's journal that the server was told.
	Journal int64
	// Rewinds counts how often a person accepted, or still has to, a journal that had gone back.
	Rewinds int
}

// HealthStatus is one word on a machine.
type HealthStatus string

// The health words; HasWarnings and so on are the wire's words too.
const (
	HealthUnknown     HealthStatus = "Unknown"
	HealthHealthy     HealthStatus = "Healthy"
	HealthHasWarnings HealthStatus = "HasWarnings"
	HealthUnhealthy   HealthStatus = "Unhealthy"
	HealthUnavailable HealthStatus = "Unavailable"
)

// Health is the last finding on a machine. Whether it is on line right now is not stored: the
// sessions know.
type Health struct {
	Status    HealthStatus
	Summary   string // a sentence
	CheckedAt time.Time
	LastSeen  time.Time // end of the last contact, or of the last hello while on line
	DiskFree  int64     // bytes; 0 when not known
}

// HasTag reports whether the machine carries the tag.
func (m Machine) HasTag(tag string) bool {
	for _, t := range m.Tags {
		if t == tag {
			return true
		}
	}
	return false
}

// In reports whether the machine belongs to the environment.
func (m Machine) In(e EnvironmentID) bool {
	for _, id := range m.Environments {
		if id == e {
			return true
		}
	}
	return false
}
