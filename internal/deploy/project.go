// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

// ProjectGroup keeps projects together on the dashboard.
type ProjectGroup struct {
	ID          ProjectGroupID
	Space       SpaceID
	Name        string
	Slug        string
	Description string
}

// Lifecycle orders the environments a release passes. Without phases every environment is open.
type Lifecycle struct {
	ID          LifecycleID
	Space       SpaceID
	Name        string
	Slug        string
	Description string
	Phases      []Phase
	// KeepOnMachine is how many installed versions stay on a machine; 0 means all.
	KeepOnMachine int
}

// Phase is one stretch of a lifecycle.
type Phase struct {
	ID           string
	Name         string
	Environments []EnvironmentID
	// Minimum is how many of them must have succeeded to go on; 0 means all.
	Minimum    int
	IsOptional bool
}

// Channel lets releases of one project go different ways.
type Channel struct {
	ID          ChannelID
	Space       SpaceID
	Project     ProjectID
	Name        string
	Slug        string
	Description string
	IsDefault   bool
	Lifecycle   LifecycleID // "" means the project's
}

// Project is a thing that is released.
type Project struct {
	ID              ProjectID
	Space           SpaceID
	Name            string // unique in its space without regard to case
	Slug            string
	Description     string
	Group           ProjectGroupID
	Lifecycle       LifecycleID
	IsDisabled      bool
	VersionTemplate string // "#{Octopus.Version.LastMajor}.…"; "" means the default
}

// Variable is one value of a name, for the scope it is meant for.
type Variable struct {
	ID          string // UUID
	Name        string // compared without regard to case
	Value       string
	Description string
	Scope       Scope
}

// Scope narrows a variable. Each empty list means "any"; all must match.
type Scope struct {
	Environments []EnvironmentID
	Machines     []MachineID
	Tags         []string
	Actions      []string // action ids
	Channels     []ChannelID
}

// VariableSet holds the variables of a project.
type VariableSet struct {
	Owner     ProjectID
	Version   int // raised by each change
	Variables []Variable
}
