// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package store

import "fairlead/internal/deploy"

// ArtifactReader reads what is known of files that scripts handed over.
type ArtifactReader interface {
	Artifact(id deploy.ArtifactID) (deploy.Artifact, error)
	Artifacts(f ArtifactFilter) ([]deploy.Artifact, error) // newest first
	// ArtifactContents are the hashes of all contents, each once; sorted.
	ArtifactContents() ([]string, error)
	// ArtifactBytes is the size of all artifacts; content that some share counts for each.
	ArtifactBytes() (int64, error)
}

// ArtifactWriter writes it. DeleteRelease and DeleteProject delete the artifacts of their deployments too.
type ArtifactWriter interface {
	// PutArtifact refers to a task and, unless that is "", to a deployment.
	PutArtifact(deploy.Artifact) error
	DeleteArtifact(deploy.ArtifactID) error
}

// ArtifactFilter picks artifacts; empty fields pick all.
type ArtifactFilter struct {
	Space  deploy.SpaceID // that of the task
	Task   deploy.TaskID
	SHA256 string
}
