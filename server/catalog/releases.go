// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// maxVersionCharacters is the longest version of a release.
const maxVersionCharacters = 200

// ReleaseRow is a release without its snapshot.
type ReleaseRow = store.ReleaseRow

// ReleaseRequest asks for a release. Project and Channel are ids, names or slugs.
type ReleaseRequest struct {
	Project string
	Channel string // "" means the default channel
	Version string // "" means the next one by the project's template
	Notes   string
	// PackageVersion is for every package without an entry in Packages; "" means the newest.
	PackageVersion string
	Packages       []string // "name:version" or "name:reference:version"
	// Prerelease lets "newest" be a prerelease with this word.
	Prerelease           string
	IgnoreIfAlreadyThere bool
}

// CreateRelease snapshots a project's process and variables with the versions of its packages.
// Created is false when the release was there and that is fine. Errors: Denied, NotFound (no such
// project), Invalid (every broken rule), Conflict (version taken).
func (c *Catalog) CreateRelease(
	ctx context.Context, p identity.Principal, q ReleaseRequest,
) (made deploy.Release, created bool, err error) {
	if err := p.Need(identity.ReleaseCreate); err != nil {
		return made, false, err
	}
	if q.IgnoreIfAlreadyThere && q.Version != "" {
		made, err := c.releaseNumbered(ctx, p, q.Project, q.Version)
		if errkind.Of(err) != errkind.NotFound {
			return made, false, err
		}
	}
	err = c.change(ctx, p, identity.ReleaseCreate, func(w store.Writer) (deploy.Event, error) {
		project, err := findProject(w, q.Project)
		if err != nil {
			return deploy.Event{}, err
		}
		if made, err = c.assemble(w, project, q); err != nil {
			return deploy.Event{}, err
		}
		made.AssembledAt, made.AssembledBy = c.Wall(), p.Name()
		return event("ReleaseCreated", made.ID, "release %s of project %s was created", made.Version, project.Name),
			w.PutRelease(made)
	})
	return made, err == nil, err
}

// releaseNumbered is for whoever may create: he may know that it is there already.
func (c *Catalog) releaseNumbered(
	ctx context.Context, p identity.Principal, project, version string,
) (release deploy.Release, err error) {
	err = c.view(ctx, p, identity.ReleaseCreate, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		release, err = r.ReleaseNumbered(owner.ID, strings.TrimSpace(version))
		return err
	})
	return release, err
}

func (c *Catalog) assemble(w store.Writer, project deploy.Project, q ReleaseRequest) (made deploy.Release, err error) {
	var why reasons
	made = deploy.Release{Space: space, Project: project.ID, Notes: q.Notes}
	if project.IsDisabled {
		why.add("project %s is disabled", project.Name)
	}
	if len(q.Notes) > maxNotesBytes {
		why.add("the release notes have %d bytes: limit is %d", len(q.Notes), maxNotesBytes)
	}
	if made.Process, err = w.Process(project.ID); err != nil {
		return made, err
	}
	if len(made.Process.Steps) == 0 {
		why.add("the process of project %s has no steps", project.Name)
	}
	if made.Variables, err = w.Variables(project.ID); err != nil {
		return made, err
	}
	channel, err := releaseChannel(w, project.ID, q.Channel)
	if err := why.addErr(err); err != nil {
		return made, err
	}
	made.Channel = channel.ID
	if made.Packages, err = why.selected(w, made.Process, q); err != nil {
		return made, err
	}
	if made.Version, err = why.version(w, project, q.Version); err != nil {
		return made, err
	}
	if err := why.err(); err != nil {
		return made, err
	}
	if _, err := w.ReleaseNumbered(project.ID, made.Version); errkind.Of(err) != errkind.NotFound {
		if err != nil {
			return made, err
		}
		return made, errkind.Conflict.Errorf("project %s has a release %s already", project.Name, made.Version)
	}
	made.ID, err = nextID[deploy.ReleaseID](w, "Releases")
	return made, err
}

func releaseChannel(r store.Reader, project deploy.ProjectID, ref string) (deploy.Channel, error) {
	if ref != "" {
		return findChannel(r, project, ref)
	}
	all, err := r.Channels(project)
	if err == nil && len(all) == 0 {
		err = errkind.Internal.Errorf("project %s has no channel", project)
	}
	if err != nil {
		return deploy.Channel{}, err
	}
	return all[0], nil
}

// version settles the number of a release.
func (why *reasons) version(r store.Reader, project deploy.Project, wanted string) (string, error) {
	wanted = strings.TrimSpace(wanted)
	if wanted != "" {
		if _, err := deploy.ParseVersion(wanted); err != nil {
			why.add("%s", sentence(err))
		}
		if len(wanted) > maxVersionCharacters {
			why.add("the version has %d characters: limit is %d", len(wanted), maxVersionCharacters)
		}
		return wanted, nil
	}
	next, err := nextVersion(r, project)
	return next, why.addErr(err)
}

func nextVersion(r store.Reader, project deploy.Project) (string, error) {
	rows, err := r.Releases(project.ID)
	if err != nil {
		return "", err
	}
	numbers := make([]string, len(rows))
	for i, row := range rows {
		numbers[i] = row.Version
	}
	last := ""
	if versions := sortVersions(numbers); len(versions) > 0 {
		last = versions[0].String()
	}
	template := project.VersionTemplate
	if template == "" {
		template = deploy.DefaultVersionTemplate
	}
	return deploy.NextVersion(template, last)
}

// sortVersions parses and sorts, highest first; what is no version is left out.
func sortVersions(texts []string) []deploy.Version {
	versions := make([]deploy.Version, 0, len(texts))
	for _, text := range texts {
		if v, err := deploy.ParseVersion(text); err == nil {
			versions = append(versions, v)
		}
	}
	deploy.SortDescending(versions)
	return versions
}

// selected settles the version of each package of the process.
func (why *reasons) selected(r store.Reader, process deploy.Process, q ReleaseRequest) ([]deploy.SelectedPackage,
	error,
) {
	choose := selection{version: strings.TrimSpace(q.PackageVersion), prerelease: q.Prerelease}
	for _, text := range q.Packages {
		entry, err := parseChoice(text)
		if err != nil {
			why.add("%s", err)
			continue
		}
		choose.choices = append(choose.choices, entry)
	}
	list := []deploy.SelectedPackage{}
	for _, step := range process.Steps {
		for _, action := range step.Actions {
			for _, reference := range action.Packages {
				version, err := why.packageVersion(r, &choose, step.Name, action.Name, reference)
				if err != nil {
					return nil, err
				}
				list = append(list, deploy.SelectedPackage{
					Action: action.Name, Step: step.Name, Reference: reference.Name,
					PackageID: reference.PackageID, Version: version,
				})
			}
		}
	}
	for _, entry := range choose.choices {
		if !entry.used && entry.name != "*" {
			why.add("package %q fits no package of the process", entry.text)
		}
	}
	return list, nil
}

func (why *reasons) packageVersion(
	r store.Reader, choose *selection, step, action string, reference deploy.PackageReference,
) (string, error) {
	held, err := r.Packages(store.PackageFilter{ID: reference.PackageID})
	if err != nil {
		return "", err
	}
	wanted := choose.pick(step, action, reference)
	if wanted == "" {
		texts := make([]string, len(held))
		for i, p := range held {
			texts[i] = p.Version
		}
		newest, ok := choose.newest(sortVersions(texts))
		if !ok {
			why.add("step %s needs the package %s, and the feed holds no version of it that fits", step, reference.PackageID)
			return "", nil
		}
		return newest.String(), nil
	}
	for _, p := range held {
		if strings.EqualFold(p.Version, wanted) {
			return p.Version, nil
		}
	}
	why.add("step %s needs the package %s %s, and the feed does not hold it", step, reference.PackageID, wanted)
	return "", nil
}

// NextVersion is the number that a release of the project would get now. Errors: Denied, NotFound.
func (c *Catalog) NextVersion(ctx context.Context, p identity.Principal, project string) (next string, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		next, err = nextVersion(r, owner)
		return err
	})
	return next, err
}

// Release reads one by id. Errors: Denied, NotFound.
func (c *Catalog) Release(ctx context.Context, p identity.Principal, id string) (release deploy.Release, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		release, err = r.Release(deploy.ReleaseID(properID("Releases", id)))
		return err
	})
	return release, err
}

// ReleaseNumbered reads one by project and version. Errors: Denied, NotFound.
func (c *Catalog) ReleaseNumbered(
	ctx context.Context, p identity.Principal, project, version string,
) (release deploy.Release, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		release, err = r.ReleaseNumbered(owner.ID, version)
		return err
	})
	return release, err
}

// Releases lists the releases of a project, newest first. Errors: Denied, NotFound.
func (c *Catalog) Releases(ctx context.Context, p identity.Principal, project string) (rows []ReleaseRow, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		rows, err = r.Releases(owner.ID)
		return err
	})
	return rows, err
}

// DeleteRelease removes one. Errors: Denied, NotFound, Invalid (a deployment of it has not ended).
func (c *Catalog) DeleteRelease(ctx context.Context, p identity.Principal, id string) error {
	return c.change(ctx, p, identity.ReleaseDelete, func(w store.Writer) (deploy.Event, error) {
		release, err := w.Release(deploy.ReleaseID(properID("Releases", id)))
		if err != nil {
			return deploy.Event{}, err
		}
		deployments, err := w.Deployments(store.DeploymentFilter{Space: space, Release: release.ID})
		if err != nil {
			return deploy.Event{}, err
		}
		ids := []deploy.DeploymentID{}
		for _, d := range deployments {
			ids = append(ids, d.ID)
		}
		if err := noOpenTask(w, store.TaskFilter{Project: release.Project}, ids); err != nil {
			return deploy.Event{}, err
		}
		return event("ReleaseDeleted", release.ID, "release %s was deleted", release.Version), w.DeleteRelease(release.ID)
	})
}

// properID gives an id of a collection its proper case: "releases-7" is "Releases-7".
func properID(collection, id string) string {
	if n := len(collection); len(id) > n && strings.EqualFold(id[:n], collection) {
		return collection + id[n:]
	}
	return id
}
