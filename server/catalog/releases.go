// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"context"
	"slices"
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
	IgnoreChannelRules   bool
	CustomFields         map[string]string
}

// MadeRelease is the answer to a ReleaseRequest.
type MadeRelease struct {
	Release deploy.Release
	IsNew   bool
	// Automatic are the environments that its deployment was queued for, as its lifecycle says.
	Automatic []deploy.Environment
}

// CreateRelease is MakeRelease for who does not ask where the release goes by itself.
func (c *Catalog) CreateRelease(
	ctx context.Context, p identity.Principal, q ReleaseRequest,
) (made deploy.Release, created bool, err error) {
	m, err := c.MakeRelease(ctx, p, q)
	return m.Release, m.IsNew, err
}

// MakeRelease snapshots a project's process and variables with the versions of its packages, and
// queues its deployment to the automatic environments of the first phase. IsNew is false when the
// release was there and that is fine. Errors: Denied, NotFound (no such project), Invalid (every broken
// rule), Conflict (version taken).
func (c *Catalog) MakeRelease(
	ctx context.Context, p identity.Principal, q ReleaseRequest,
) (made MadeRelease, err error) {
	if err := p.Need(identity.ReleaseCreate); err != nil {
		return made, err
	}
	if q.IgnoreIfAlreadyThere && q.Version != "" {
		made.Release, err = c.releaseNumbered(ctx, p, q.Project, q.Version)
		if errkind.Of(err) != errkind.NotFound {
			return made, err
		}
	}
	err = c.change(ctx, p, identity.ReleaseCreate, func(w store.Writer) (deploy.Event, error) {
		made = MadeRelease{IsNew: true}
		project, err := findProject(w, q.Project)
		if err != nil {
			return deploy.Event{}, err
		}
		release, err := c.assemble(w, project, q)
		if err != nil {
			return deploy.Event{}, err
		}
		release.AssembledAt, release.AssembledBy = c.Wall(), p.Name()
		if err := w.PutRelease(release); err != nil {
			return deploy.Event{}, err
		}
		made.Release = release
		made.Automatic, err = c.goOn(w, release)
		return event("ReleaseCreated", release.ID, "release %s of project %s was created", release.Version, project.Name), err
	})
	if err != nil {
		return MadeRelease{}, err
	}
	if len(made.Automatic) > 0 {
		c.Queued()
	}
	return made, nil
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
		release, err = numbered(r, owner, strings.TrimSpace(version))
		return err
	})
	return release, err
}

func (c *Catalog) assemble(w store.Writer, project deploy.Project, q ReleaseRequest) (made deploy.Release, err error) {
	var why reasons
	made = deploy.Release{
		Space: spaceOf(w), Project: project.ID, Notes: q.Notes, IgnoresRules: q.IgnoreChannelRules,
		CustomFields: why.customFields(q.CustomFields),
	}
	if project.IsDisabled {
		why.add("project %s is disabled", project.Name)
	}
	if q.IgnoreChannelRules && project.KeepsChannelRules {
		why.add("project %s does not let a release ignore the rules of its channel", project.Name)
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
	if made.Library, err = librarySnapshot(w, project); err != nil {
		return made, err
	}
	channel, err := releaseChannel(w, project.ID, q.Channel)
	if err := why.addErr(err); err != nil {
		return made, err
	}
	made.Channel = channel.ID
	if err := why.ties(w, made); err != nil {
		return made, err
	}
	if made.Packages, err = why.selected(w, made.Process, channel, q); err != nil {
		return made, err
	}
	if made.Version, err = why.version(c.numbering(w, project, channel), q.Version, made.Packages); err != nil {
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
		release, err = numbered(r, owner, version)
		return err
	})
	return release, err
}

// numbered is the release of a project under a version. Errors: NotFound, which names the project.
func numbered(r store.Reader, owner deploy.Project, version string) (deploy.Release, error) {
	release, err := r.ReleaseNumbered(owner.ID, version)
	if errkind.Of(err) == errkind.NotFound {
		err = errkind.NotFound.Errorf("project %s (%s) has no release %.100q", owner.Name, owner.ID, version)
	}
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

// EachRelease hands releases with their snapshots out, one by one in the order of the rows: thousands of them would be
// much memory. Those that are gone are left out. Errors: Denied.
func (c *Catalog) EachRelease(
	ctx context.Context, p identity.Principal, rows []ReleaseRow, take func(deploy.Release),
) error {
	return c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		for _, row := range rows {
			release, err := r.Release(row.ID)
			switch {
			case err == nil:
				take(release)
			case errkind.Of(err) != errkind.NotFound:
				return err
			}
		}
		return nil
	})
}

// ChannelReleases lists the releases of a channel, newest first. Errors: Denied, NotFound.
func (c *Catalog) ChannelReleases(ctx context.Context, p identity.Principal, id string) (rows []ReleaseRow, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		project, ch, err := anyChannel(r, id)
		if err != nil {
			return err
		}
		rows, err = r.Releases(project.ID)
		rows = slices.DeleteFunc(rows, func(row ReleaseRow) bool { return row.Channel != ch.ID })
		return err
	})
	return rows, err
}

// AllReleases lists the releases of every project, newest first. Errors: Denied.
func (c *Catalog) AllReleases(ctx context.Context, p identity.Principal) (rows []ReleaseRow, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		rows = nil
		projects, err := r.Projects(spaceOf(r))
		if err != nil {
			return err
		}
		for _, project := range projects {
			some, err := r.Releases(project.ID)
			if err != nil {
				return err
			}
			rows = append(rows, some...)
		}
		slices.SortStableFunc(rows, func(a, b ReleaseRow) int {
			return cmp.Or(b.AssembledAt.Compare(a.AssembledAt), store.CompareIDs(b.ID, a.ID))
		})
		return nil
	})
	return rows, err
}

// ReleaseDraft is what may change in a release. "" leaves version and channel as they are, nil the notes.
type ReleaseDraft struct {
	Version string
	Notes   *string
	Channel string // id, name or slug
	// Packages replace versions of the snapshot's packages, as in ReleaseRequest; none leaves them.
	Packages     []string
	CustomFields map[string]string // nil leaves them
}

// EditRelease changes the version, the notes, the channel and the packages of a release. Once it
// was deployed only its notes and custom fields may change. Errors: Denied, NotFound, Invalid,
// Conflict (version taken).
func (c *Catalog) EditRelease(
	ctx context.Context, p identity.Principal, id string, draft ReleaseDraft,
) (release deploy.Release, err error) {
	err = c.change(ctx, p, identity.ReleaseEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if release, err = w.Release(deploy.ReleaseID(properID("Releases", id))); err != nil {
			return deploy.Event{}, err
		}
		before := release
		var why reasons
		if err := why.editRelease(w, &release, draft); err != nil {
			return deploy.Event{}, err
		}
		isChanged := before.Version != release.Version || before.Channel != release.Channel ||
			!slices.Equal(before.Packages, release.Packages)
		deployments, err := w.Deployments(store.DeploymentFilter{Space: spaceOf(w), Release: release.ID, Take: 1})
		if err != nil {
			return deploy.Event{}, err
		}
		if isChanged && len(deployments) > 0 {
			why.add("release %s was deployed: only its notes can change", before.Version)
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		if taken, err := w.ReleaseNumbered(release.Project, release.Version); err == nil && taken.ID != release.ID {
			return deploy.Event{}, errkind.Conflict.Errorf("there is a release %s already", release.Version)
		}
		return event("ReleaseEdited", release.ID, "release %s was changed", release.Version), w.PutRelease(release)
	})
	return release, err
}

func (why *reasons) editRelease(r store.Reader, release *deploy.Release, draft ReleaseDraft) error {
	if version := strings.TrimSpace(draft.Version); version != "" && version != release.Version {
		if _, err := deploy.ParseVersion(version); err != nil {
			why.add("%s", sentence(err))
		}
		release.Version = version
	}
	if draft.Notes != nil {
		if len(*draft.Notes) > maxNotesBytes {
			why.add("the release notes have %d bytes: limit is %d", len(*draft.Notes), maxNotesBytes)
		}
		release.Notes = *draft.Notes
	}
	if draft.CustomFields != nil {
		release.CustomFields = why.customFields(draft.CustomFields)
	}
	ref := draft.Channel
	if ref == "" {
		ref = string(release.Channel)
	}
	channel, err := findChannel(r, release.Project, ref)
	if err := why.addErr(err); err != nil {
		return err
	}
	release.Channel = channel.ID
	if len(draft.Packages) == 0 || sameChoices(*release, draft.Packages) {
		return nil
	}
	q := ReleaseRequest{Packages: draft.Packages, IgnoreChannelRules: release.IgnoresRules}
	release.Packages, err = why.selected(r, release.Process, channel, q)
	return err
}

// sameChoices reports whether the entries ask for what the release carries: whoever writes a release
// back may do so although a package of it is gone.
func sameChoices(release deploy.Release, entries []string) bool {
	choose := selection{}
	for _, text := range entries {
		entry, err := parseChoice(text)
		if err != nil {
			return false
		}
		choose.choices = append(choose.choices, entry)
	}
	for _, p := range release.Packages {
		reference := deploy.PackageReference{Name: p.Reference, PackageID: p.PackageID}
		if wanted := choose.pick(p.Step, p.Action, reference); !strings.EqualFold(wanted, p.Version) {
			return false
		}
	}
	return !slices.ContainsFunc(choose.choices, func(c choice) bool { return !c.used && c.name != "*" })
}

// SnapshotVariables takes the variables of a release afresh from its project. Errors: Denied,
// NotFound, Invalid (some fit equally well).
func (c *Catalog) SnapshotVariables(
	ctx context.Context, p identity.Principal, id string,
) (release deploy.Release, err error) {
	err = c.change(ctx, p, identity.ReleaseEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if release, err = w.Release(deploy.ReleaseID(properID("Releases", id))); err != nil {
			return deploy.Event{}, err
		}
		return takeAfresh(w, &release)
	})
	return release, err
}

func takeAfresh(w store.Writer, release *deploy.Release) (deploy.Event, error) {
	if err := takeVariables(w, release); err != nil {
		return deploy.Event{}, err
	}
	return event("ReleaseVariablesUpdated", release.ID, "release %s took the variables of its project afresh: version %d",
		release.Version, release.Variables.Version), w.PutRelease(*release)
}

// MissingPackages are those that a release needs and the feed does not hold any more. Errors:
// Denied, NotFound.
func (c *Catalog) MissingPackages(
	ctx context.Context, p identity.Principal, id string,
) (missing []deploy.SelectedPackage, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		missing = nil
		release, err := r.Release(deploy.ReleaseID(properID("Releases", id)))
		if err != nil {
			return err
		}
		for _, selected := range release.Packages {
			_, err := r.Package(spaceOf(r), selected.PackageID, selected.Version)
			switch {
			case errkind.Of(err) == errkind.NotFound:
				missing = append(missing, selected)
			case err != nil:
				return err
			}
		}
		return nil
	})
	return missing, err
}

// DeleteRelease removes one. Errors: Denied, NotFound, Invalid (a deployment of it has not ended).
func (c *Catalog) DeleteRelease(ctx context.Context, p identity.Principal, id string) error {
	err := c.change(ctx, p, identity.ReleaseDelete, func(w store.Writer) (deploy.Event, error) {
		release, err := w.Release(deploy.ReleaseID(properID("Releases", id)))
		if err != nil {
			return deploy.Event{}, err
		}
		deployments, err := w.DeploymentCells(store.DeploymentFilter{Space: spaceOf(w), Release: release.ID})
		if err != nil {
			return deploy.Event{}, err
		}
		ids := []deploy.DeploymentID{}
		for _, d := range deployments {
			ids = append(ids, d.Deployment)
		}
		if err := noOpenTask(w, store.TaskFilter{Project: release.Project}, ids); err != nil {
			return deploy.Event{}, err
		}
		return event("ReleaseDeleted", release.ID, "release %s was deleted", release.Version), w.DeleteRelease(release.ID)
	})
	return c.tidied(ctx, err)
}

// properID gives an id of a collection its proper case: "releases-7" is "Releases-7".
func properID(collection, id string) string {
	if n := len(collection); len(id) > n && strings.EqualFold(id[:n], collection) {
		return collection + id[n:]
	}
	return id
}
