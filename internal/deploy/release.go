// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"time"
)

// Package is one version of a package in the built-in feed.
type Package struct {
	Space       SpaceID
	ID          string // "Web.App", compared without regard to case
	Version     string // as written in the file name
	Format      string // "zip", "tar.gz", "tar" or "nupkg"
	Size        int64  // bytes
	SHA256      string // hex; also the name the content is stored under
	PublishedAt time.Time
	// Description is what a .nupkg says of itself; "" for others.
	Description string
}

// SelectedPackage is the version of a package that a release carries for an action.
type SelectedPackage struct {
	Action    string // name
	Step      string // name
	Reference string // PackageReference.Name
	PackageID string
	Version   string
}

// Release is an immutable snapshot of a project with the packages it deploys.
type Release struct {
	ID          ReleaseID
	Space       SpaceID
	Project     ProjectID
	Channel     ChannelID
	Version     string // unique in its project
	Notes       string
	AssembledAt time.Time
	AssembledBy string // user name
	Process     Process
	Variables   VariableSet
	Library     []VariableSet // of the library sets that the project included, in its order
	// Taking counts how often the variables were taken afresh from the project. Earlier are those of deployments
	// that were queued before and have not ended.
	Taking   int
	Earlier  []Taking
	Packages []SelectedPackage
	// IgnoresRules says that the channel's rules were not asked.
	IgnoresRules bool
	CustomFields map[string]string
	Defects      []Defect // in the order they were reported
}

// Taking is the variables that a release took along at one time.
type Taking struct {
	Number    int // Release.Taking at that time
	Variables VariableSet
	Library   []VariableSet
}

// Retake replaces the variables and keeps the earlier ones that are in use, by the numbers of their takings.
func (r *Release) Retake(variables VariableSet, library []VariableSet, inUse func(taking int) bool) {
	kept := append(slices.Clone(r.Earlier), Taking{r.Taking, r.Variables, r.Library})
	r.Earlier = slices.DeleteFunc(kept, func(t Taking) bool { return !inUse(t.Number) })
	r.Taking, r.Variables, r.Library = r.Taking+1, variables, library
}

// At is the release with the variables of a taking. Those that nobody keeps any more are the newest.
func (r Release) At(taking int) Release {
	for _, t := range r.Earlier {
		if t.Number == taking {
			r.Taking, r.Variables, r.Library = t.Number, t.Variables, t.Library
		}
	}
	return r
}

// Keeps reports whether the release still has the variables of a taking.
func (r Release) Keeps(taking int) bool { return r.At(taking).Taking == taking }

// Took finds a version of an owner's variables that the release took, and keeps.
func (r Release) Took(owner OwnerID, version int) (VariableSet, bool) {
	sets := r.Sets()
	for _, t := range r.Earlier {
		sets = append(append(sets, t.Variables), t.Library...)
	}
	i := slices.IndexFunc(sets, func(s VariableSet) bool { return s.Owner == owner && s.Version == version })
	if i < 0 {
		return VariableSet{}, false
	}
	return sets[i], true
}

// Defect is a reason why a release goes no further.
type Defect struct {
	ID          string // "Defects-1"
	Description string
	ReportedAt  time.Time
	ReportedBy  string // user name
	ResolvedAt  time.Time
	ResolvedBy  string // "" while it is not resolved
}

// IsResolved reports whether it holds the release no more.
func (d Defect) IsResolved() bool { return d.ResolvedBy != "" }

// OpenDefect finds the first defect that holds the release.
func (r Release) OpenDefect() (Defect, bool) {
	for _, d := range r.Defects {
		if !d.IsResolved() {
			return d, true
		}
	}
	return Defect{}, false
}

// DeployOptions narrow and change what a deployment does.
type DeployOptions struct {
	Only, Except []MachineID
	SkipSteps    []string // names
	SkipActions  []string // ids
	// Guided says whether it asks people about failures; "" is what the project says.
	Guided GuidedFailure
	// ForcesPackages sends packages that the machines hold already.
	ForcesPackages bool
	// NotBefore and NotAfter are when it may start; zero: now, and whenever.
	NotBefore, NotAfter time.Time
}

// Deployment is a release on its way into an environment.
type Deployment struct {
	ID          DeploymentID
	Space       SpaceID
	Project     ProjectID
	Release     ReleaseID
	Environment EnvironmentID
	Channel     ChannelID
	// Taking is that of the release's variables when the deployment was queued: it keeps to them.
	Taking    int
	Task      TaskID
	Name      string
	Comments  string
	CreatedAt time.Time
	CreatedBy string // user name
	// CreatedByID is "" when no person asked for it, and in rows from before it was kept.
	CreatedByID UserID
	// Options are what was asked for; Plan was made from them when the deployment was.
	Options DeployOptions
	Plan    Plan
	// Answers are the values that were given for prompted variables.
	Answers []Answer
}
