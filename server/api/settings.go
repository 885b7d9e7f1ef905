// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

// settingsPrefix and the project's id are the id of its deployment settings.
const settingsPrefix = "deploymentsettings-"

// The words of SkipMachineBehavior.
const (
	skipNone        = "None"
	skipUnavailable = "SkipUnavailableMachines"
)

func showSettings(p deploy.Project) obj {
	project := spacePath + "projects/" + string(p.ID)
	return obj{
		"Id": settingsPrefix + string(p.ID), "SpaceId": p.Space, "ProjectId": p.ID,
		"ConnectivityPolicy": showConnectivity(p.Connectivity), "DefaultGuidedFailureMode": guidedMode(p),
		"DefaultToSkipIfAlreadyInstalled": p.SkipIfInstalled, "DeploymentChangesTemplate": p.ChangesTemplate,
		"ReleaseNotesTemplate": p.NotesTemplate, "VersioningStrategy": showVersioning(p),
		"Links": obj{"Self": project + "/deploymentsettings", "Project": project},
	}
}

func guidedMode(p deploy.Project) deploy.GuidedFailure {
	if p.GuidedFailure == "" {
		return deploy.GuidedAsEnvironment
	}
	return p.GuidedFailure
}

type shownConnectivity struct {
	AllowDeploymentsToNoTargets bool
	ExcludeUnhealthyTargets     bool
	SkipMachineBehavior         string
	TargetRoles                 []string
}

func showConnectivity(c deploy.Connectivity) shownConnectivity {
	behavior := skipNone
	if c.SkipUnavailable {
		behavior = skipUnavailable
	}
	return shownConnectivity{
		SkipMachineBehavior: behavior, TargetRoles: list(c.SkipTags), AllowDeploymentsToNoTargets: c.AllowNoMachine,
		ExcludeUnhealthyTargets: c.ExcludeUnhealthy,
	}
}

type shownVersioning struct {
	DonorPackage       *shownDonor
	DonorPackageStepID *string `json:"DonorPackageStepId"`
	Template           string
}

type shownDonor struct{ DeploymentAction, PackageReference string }

func showVersioning(p deploy.Project) shownVersioning {
	if p.VersionDonor != (deploy.ActionPackage{}) {
		return shownVersioning{DonorPackage: &shownDonor{p.VersionDonor.Action, p.VersionDonor.Reference}}
	}
	return shownVersioning{Template: cmp.Or(p.VersionTemplate, deploy.DefaultVersionTemplate)}
}

type connectivityRequest struct {
	SkipMachineBehavior         string
	TargetRoles                 []string
	AllowDeploymentsToNoTargets bool
	ExcludeUnhealthyTargets     bool
}

func (q *connectivityRequest) connectivity() (*deploy.Connectivity, error) {
	if q == nil {
		return nil, nil
	}
	c := deploy.Connectivity{
		SkipTags: q.TargetRoles, ExcludeUnhealthy: q.ExcludeUnhealthyTargets, AllowNoMachine: q.AllowDeploymentsToNoTargets,
	}
	switch {
	case q.SkipMachineBehavior == "" || strings.EqualFold(q.SkipMachineBehavior, skipNone):
	case strings.EqualFold(q.SkipMachineBehavior, skipUnavailable):
		c.SkipUnavailable = true
	default:
		return nil, errkind.Invalid.Errorf("SkipMachineBehavior is %.40q: want %s or %s", q.SkipMachineBehavior,
			skipNone, skipUnavailable)
	}
	return &c, nil
}

// settingsRequest is what a project and its deployment settings have in common.
type settingsRequest struct {
	DefaultGuidedFailureMode        deploy.GuidedFailure
	DefaultToSkipIfAlreadyInstalled *bool
	DeploymentChangesTemplate       *string
	ReleaseNotesTemplate            *string
	VersioningStrategy              *struct {
		Template     string
		DonorPackage *actionPackageRequest
	}
}

func (q settingsRequest) settings() (catalog.ProjectSettings, error) {
	s := catalog.ProjectSettings{
		GuidedFailure: q.DefaultGuidedFailureMode, SkipIfInstalled: q.DefaultToSkipIfAlreadyInstalled,
		NotesTemplate: q.ReleaseNotesTemplate, ChangesTemplate: q.DeploymentChangesTemplate,
	}
	if q.VersioningStrategy == nil {
		return s, nil
	}
	s.Versioning = &catalog.Versioning{Template: q.VersioningStrategy.Template}
	if donor := q.VersioningStrategy.DonorPackage; donor != nil && donor.DeploymentAction != "" {
		s.Versioning.Donor = deploy.ActionPackage{Action: donor.DeploymentAction, Reference: donor.PackageReference}
		if s.Versioning.Template != "" {
			return s, errkind.Invalid.Errorf("releases take their version from a template or from a package: give one of them")
		}
	}
	return s, nil
}

func (a *api) getSettings(c *call) error {
	p, err := a.Catalog.Project(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showSettings(p))
}

func (a *api) editSettings(c *call) error {
	var q struct {
		ProjectID          string `json:"ProjectId"` // the address counts
		ConnectivityPolicy *connectivityRequest
		settingsRequest
	}
	if err := c.decode(&q); err != nil {
		return err
	}
	settings, err := q.settings()
	if err != nil {
		return err
	}
	if settings.Connectivity, err = q.ConnectivityPolicy.connectivity(); err != nil {
		return err
	}
	p, err := a.Catalog.EditSettings(c.ctx(), c.principal, c.param("id"), settings)
	if err != nil {
		return err
	}
	return c.ok(showSettings(p))
}
