// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// EditSettings changes how a project's releases and deployments are made. Errors: Denied, NotFound,
// Invalid.
func (c *Catalog) EditSettings(
	ctx context.Context, p identity.Principal, ref string, settings ProjectSettings,
) (project deploy.Project, err error) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if project, err = findProject(w, ref); err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		if err := why.settings(w, &project, settings); err != nil {
			return deploy.Event{}, err
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("DeploymentSettingsEdited", project.ID, "the deployment settings of project %s were changed",
			project.Name), w.PutProject(project)
	})
	return project, err
}

func (why *reasons) settings(r store.Reader, project *deploy.Project, s ProjectSettings) error {
	if s.Versioning != nil {
		if err := why.versioning(r, project, *s.Versioning); err != nil {
			return err
		}
	}
	if s.Connectivity != nil {
		project.Connectivity = *s.Connectivity
		project.Connectivity.SkipTags = why.tags(s.Connectivity.SkipTags)
	}
	switch s.GuidedFailure {
	case "":
	case deploy.GuidedAsEnvironment, deploy.GuidedNever, deploy.GuidedAlways:
		project.GuidedFailure = s.GuidedFailure
	default:
		why.add("the guided failure mode is %q: want EnvironmentDefault, Off or On", s.GuidedFailure)
	}
	if s.SkipIfInstalled != nil {
		project.SkipIfInstalled = *s.SkipIfInstalled
	}
	if s.AllowIgnoreRules != nil {
		project.KeepsChannelRules = !*s.AllowIgnoreRules
	}
	why.template("release notes", &project.NotesTemplate, s.NotesTemplate)
	why.template("deployment changes", &project.ChangesTemplate, s.ChangesTemplate)
	return nil
}

func (why *reasons) template(of string, held, given *string) {
	if given == nil {
		return
	}
	if len(*given) > maxNotesBytes {
		why.add("the template of %s has %d bytes: limit is %d", of, len(*given), maxNotesBytes)
	}
	*held = *given
}

func (why *reasons) versioning(r store.Reader, project *deploy.Project, v Versioning) error {
	if v.Donor == (deploy.ActionPackage{}) {
		project.VersionTemplate, project.VersionDonor = strings.TrimSpace(v.Template), deploy.ActionPackage{}
		if err := deploy.CheckVersionTemplate(project.VersionTemplate); err != nil {
			why.add("%s", sentence(err))
		}
		return nil
	}
	process, err := r.Process(project.ID)
	if err != nil {
		return err
	}
	if project.VersionDonor != v.Donor && !process.HasPackage(v.Donor) {
		why.add("no action %q of the process has the package reference %q to take the version from",
			v.Donor.Action, v.Donor.Reference)
	}
	project.VersionTemplate, project.VersionDonor = "", v.Donor
	return nil
}
