// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "slices"

// ProjectGroup keeps projects together on the dashboard.
type ProjectGroup struct {
	ID          ProjectGroupID
	Space       SpaceID
	Name        string
	Slug        string
	Description string
}

// Kept are members of a resource that nothing here acts on yet, as JSON by their name on the wire,
// so that who reads a resource and writes it back changes nothing.
type Kept map[string]string

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
	// VersionDonor gives releases the version of this package, instead of the template.
	VersionDonor ActionPackage
	Connectivity Connectivity
	// GuidedFailure says whether deployments stop at a failed step and ask.
	GuidedFailure GuidedFailure
	// SkipIfInstalled leaves a package alone that the machine has in this version.
	SkipIfInstalled bool
	// KeepsChannelRules refuses releases that ask to ignore them.
	KeepsChannelRules bool
	NotesTemplate     string // of release notes
	ChangesTemplate   string // of deployment changes
	ClonedFrom        ProjectID
	// Libraries are the library sets whose variables its releases take along, in this order.
	Libraries []LibrarySetID
	Kept      Kept
}

// GuidedFailure is when a deployment stops at a failed step and asks.
type GuidedFailure string

// The modes; the words are the wire's.
const (
	GuidedAsEnvironment GuidedFailure = "EnvironmentDefault" // "" means the same
	GuidedNever         GuidedFailure = "Off"
	GuidedAlways        GuidedFailure = "On"
)

// Holds reports whether a deployment asks, by what it was told, what its project says and what the
// environment does.
func (g GuidedFailure) Holds(project GuidedFailure, environment bool) bool {
	for _, mode := range []GuidedFailure{g, project} {
		switch mode {
		case GuidedAlways:
			return true
		case GuidedNever:
			return false
		case GuidedAsEnvironment:
		}
	}
	return environment
}

// Connectivity says which machines a deployment may do without.
type Connectivity struct {
	// SkipUnavailable leaves out machines that cannot be reached; SkipTags narrows that to machines
	// with one of these tags, none meaning all.
	SkipUnavailable  bool
	SkipTags         []string
	ExcludeUnhealthy bool
	// AllowNoMachine lets a deployment succeed that finds no machine.
	AllowNoMachine bool
}

// LeavesOut reports whether a deployment does without the machine, by what its last health check
// found.
func (c Connectivity) LeavesOut(m Machine) bool {
	switch m.Health.Status {
	case HealthUnavailable:
		return c.SkipUnavailable && (len(c.SkipTags) == 0 || slices.ContainsFunc(c.SkipTags, m.HasTag))
	case HealthUnhealthy:
		return c.ExcludeUnhealthy
	case HealthUnknown, HealthHealthy, HealthHasWarnings:
	}
	return false
}
