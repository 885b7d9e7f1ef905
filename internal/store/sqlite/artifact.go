// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type artifactBody struct {
	Space  deploy.SpaceID `json:"space"`
	Ticket string         `json:"ticket"`
	Index  int            `json:"index"`
	Slot   slotBody       `json:"slot"`
	Name   string         `json:"name"`
	KeptAt time.Time      `json:"kept_at,omitzero"`
}

const selectArtifact = "SELECT id, task, COALESCE(deployment, ''), sha256, size, body, sum FROM artifact"

func scanArtifact(row scanner) (a deploy.Artifact, err error) {
	var s sealed
	var b artifactBody
	if err := row.Scan(&a.ID, &a.Task, &a.Deployment, &a.SHA256, &a.Size, &s.text, &s.sum); err != nil {
		return a, err
	}
	err = s.open("artifact "+string(a.ID), &b)
	a.Space, a.Ticket, a.Index, a.Slot = b.Space, contract.TicketID(b.Ticket), b.Index, deploy.Slot(b.Slot)
	a.Name, a.KeptAt = b.Name, b.KeptAt
	return a, err
}

func (r *reader) Artifact(id deploy.ArtifactID) (deploy.Artifact, error) {
	return one(r, "artifact "+string(id), scanArtifact, selectArtifact+" WHERE id = ?", id)
}

func (r *reader) Artifacts(f store.ArtifactFilter) ([]deploy.Artifact, error) {
	var w where
	w.add(f.Space != "", "task IN (SELECT id FROM task WHERE space = ?)", f.Space)
	w.add(f.Task != "", "task = ?", f.Task)
	w.add(f.SHA256 != "", "sha256 = ?", f.SHA256)
	return list(r, "list artifacts", scanArtifact, selectArtifact+w.clause()+" ORDER BY number DESC, id DESC", w.args...)
}

func (r *reader) ArtifactContents() ([]string, error) {
	return list(r, "list contents of artifacts", text[string], "SELECT DISTINCT sha256 FROM artifact ORDER BY sha256")
}

func (r *reader) ArtifactBytes() (int64, error) {
	return one(r, "size of artifacts", func(row scanner) (n int64, err error) { return n, row.Scan(&n) },
		"SELECT COALESCE(SUM(size), 0) FROM artifact")
}

func (w *writer) PutArtifact(a deploy.Artifact) error {
	body, sum, err := seal(artifactBody{
		Space: a.Space, Ticket: string(a.Ticket), Index: a.Index, Slot: slotBody(a.Slot), Name: a.Name,
		KeptAt: clean(a.KeptAt),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write artifact "+string(a.ID),
		"INSERT INTO artifact (id, task, deployment, sha256, size, number, body, sum) "+
			"VALUES (?, ?, NULLIF(?, ''), ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET task = excluded.task, "+
			"deployment = excluded.deployment, sha256 = excluded.sha256, size = excluded.size, "+
			"body = excluded.body, sum = excluded.sum",
		a.ID, a.Task, a.Deployment, a.SHA256, a.Size, store.IDNumber(string(a.ID)), body, sum)
	return err
}

func (w *writer) DeleteArtifact(id deploy.ArtifactID) error {
	what := "artifact " + string(id)
	return w.change("delete "+what, what, "DELETE FROM artifact WHERE id = ?", id)
}
