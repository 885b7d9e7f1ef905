// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Artifacts keeps the content of files that scripts handed over.
type Artifacts interface {
	Open(a deploy.Artifact) (io.ReadSeekCloser, error)
	// Tidy removes content that no artifact has any more.
	Tidy(ctx context.Context, now time.Time) (removed int, err error)
}

// ArtifactDetail is an artifact and where it comes from.
type ArtifactDetail struct {
	deploy.Artifact
	Task    deploy.Task
	Machine string // its name, or its id once it is gone
}

// Related are the ids of what the artifact is about.
func (d ArtifactDetail) Related() []string {
	ids := []string{string(d.Task.ID)}
	for _, id := range []string{string(d.Task.Deployment), string(d.Task.Project), string(d.Task.Environment)} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// TaskArtifacts lists what the scripts of one task handed over, newest first. Errors: Denied.
func (c *Catalog) TaskArtifacts(
	ctx context.Context, p identity.Principal, task deploy.TaskID,
) ([]ArtifactDetail, error) {
	return c.artifacts(ctx, p, store.ArtifactFilter{Task: task}, "")
}

// ListArtifacts lists files that scripts handed over, newest first. Regarding is the id of a task, a
// deployment, a project or an environment; "" means all. Errors: Denied.
func (c *Catalog) ListArtifacts(ctx context.Context, p identity.Principal, regarding string) ([]ArtifactDetail, error) {
	f := store.ArtifactFilter{}
	if store.IDNumber(regarding) > 0 && strings.HasPrefix(strings.ToLower(regarding), "servertasks-") {
		f.Task = deploy.TaskID(properID("ServerTasks", regarding))
	}
	return c.artifacts(ctx, p, f, regarding)
}

func (c *Catalog) artifacts(
	ctx context.Context, p identity.Principal, f store.ArtifactFilter, regarding string,
) (all []ArtifactDetail, err error) {
	err = c.view(ctx, p, identity.ArtifactView, func(r store.Reader) error {
		all = nil
		list, err := r.Artifacts(f)
		for _, a := range list {
			d, err := artifactDetail(r, a)
			if err != nil {
				return err
			}
			if regarding == "" ||
				slices.ContainsFunc(d.Related(), func(id string) bool { return strings.EqualFold(id, regarding) }) {
				all = append(all, d)
			}
		}
		return err
	})
	return all, err
}

func artifactDetail(r store.Reader, a deploy.Artifact) (d ArtifactDetail, err error) {
	d.Artifact, d.Machine = a, string(a.Slot.Machine)
	if d.Task, err = r.Task(a.Task); err != nil {
		return d, err
	}
	m, err := r.Machine(a.Slot.Machine)
	switch {
	case err == nil:
		d.Machine = m.Name
	case errkind.Of(err) != errkind.NotFound:
		return d, err
	}
	return d, nil
}

// Artifact reads one. Errors: Denied, NotFound.
func (c *Catalog) Artifact(ctx context.Context, p identity.Principal, id string) (d ArtifactDetail, err error) {
	err = c.view(ctx, p, identity.ArtifactView, func(r store.Reader) error {
		a, err := r.Artifact(deploy.ArtifactID(properID("Artifacts", id)))
		if err != nil {
			return err
		}
		d, err = artifactDetail(r, a)
		return err
	})
	return d, err
}

// OpenArtifact opens the content of one. Errors: Denied, NotFound, Corrupt (the content is gone).
func (c *Catalog) OpenArtifact(
	ctx context.Context, p identity.Principal, id string,
) (d ArtifactDetail, content io.ReadSeekCloser, err error) {
	if d, err = c.Artifact(ctx, p, id); err != nil {
		return d, nil, err
	}
	content, err = c.Deps.Artifacts.Open(d.Artifact)
	return d, content, err
}

// RenameArtifact gives one another name; deploy.FileName makes it safe. Errors: Denied, NotFound, Invalid (no name).
func (c *Catalog) RenameArtifact(
	ctx context.Context, p identity.Principal, id, name string,
) (d ArtifactDetail, err error) {
	err = c.change(ctx, p, identity.ArtifactEdit, func(w store.Writer) (deploy.Event, error) {
		a, err := w.Artifact(deploy.ArtifactID(properID("Artifacts", id)))
		if err != nil {
			return deploy.Event{}, err
		}
		if strings.TrimSpace(name) == "" {
			return deploy.Event{}, errkind.Invalid.Errorf("the file name is missing")
		}
		old := a.Name
		a.Name = deploy.FileName(name)
		if err := w.PutArtifact(a); err != nil {
			return deploy.Event{}, err
		}
		d, err = artifactDetail(w, a)
		return event("ArtifactEdited", a.ID, "artifact %s of %s was renamed to %s", old, a.Task, a.Name), err
	})
	return d, err
}

// DeleteArtifact removes one, and its content when no other has the same. Errors: Denied, NotFound.
func (c *Catalog) DeleteArtifact(ctx context.Context, p identity.Principal, id string) error {
	err := c.change(ctx, p, identity.ArtifactDelete, func(w store.Writer) (deploy.Event, error) {
		a, err := w.Artifact(deploy.ArtifactID(properID("Artifacts", id)))
		if err != nil {
			return deploy.Event{}, err
		}
		return event("ArtifactDeleted", a.ID, "artifact %s of %s was deleted, SHA-256 %s", a.Name, a.Task, a.SHA256),
			w.DeleteArtifact(a.ID)
	})
	return c.tidied(ctx, err)
}

// tidied removes content that is in no use any more when something was deleted. What cannot be removed now is
// for the server's housekeeping.
func (c *Catalog) tidied(ctx context.Context, err error) error {
	if err == nil {
		_, _ = c.Artifacts.Tidy(context.WithoutCancel(ctx), c.Wall())
	}
	return err
}
