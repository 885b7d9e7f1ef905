// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"io"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// artifacts are the files of a task, oldest first; none for who may see the task but not them.
func (p pages) artifacts(ctx context.Context, who identity.Principal, task deploy.TaskID) ([]portal.Artifact, error) {
	all, err := p.c.TaskArtifacts(ctx, who, task)
	if errkind.Of(err) == errkind.Denied {
		return nil, nil
	}
	list := make([]portal.Artifact, len(all))
	for i, a := range all {
		list[i] = pageArtifact(a)
	}
	slices.Reverse(list)
	return list, err
}

func pageArtifact(a catalog.ArtifactDetail) portal.Artifact {
	return portal.Artifact{ID: a.ID, Name: a.Name, Machine: a.Machine, Size: a.Size, SHA256: a.SHA256, KeptAt: a.KeptAt}
}

// OpenArtifact implements portal.Reader.
func (p pages) OpenArtifact(
	ctx context.Context, who identity.Principal, task deploy.TaskID, id deploy.ArtifactID,
) (portal.Artifact, io.ReadSeekCloser, error) {
	a, content, err := p.c.OpenArtifact(ctx, who, string(id))
	if err != nil {
		return portal.Artifact{}, nil, err
	}
	if !strings.EqualFold(string(a.Artifact.Task), string(task)) {
		_ = content.Close() // read only
		return portal.Artifact{}, nil, errkind.NotFound.Errorf("task %s has no artifact %s", task, id)
	}
	return pageArtifact(a), content, nil
}
