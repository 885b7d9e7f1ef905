// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/download"
	"fairlead/server/identity"
)

func (a *api) artifactRoutes() []Route {
	return []Route{
		get("/api/S/artifacts", identity.ArtifactView,
			"Files that scripts handed over, newest first; regarding= a task, deployment, project or environment, ids=, "+
				"partialName=", a.listArtifacts),
		get("/api/S/artifacts/all", identity.ArtifactView, "The same, all", a.allArtifacts),
		get("/api/S/artifacts/{id}", identity.ArtifactView, "One file: its name, task and size", a.getArtifact),
		get("/api/S/artifacts/{id}/content", identity.ArtifactView,
			"Its content, as a download; ranges are served", a.artifactContent),
		post("/api/S/artifacts", identity.ArtifactEdit, "400: artifacts come from scripts, by new_octopusartifact",
			a.createArtifact),
		put("/api/S/artifacts/{id}", identity.ArtifactEdit, "Give a file another name: {Filename}", a.editArtifact),
		del("/api/S/artifacts/{id}", identity.ArtifactDelete, "Delete a file", a.deleteArtifact),
	}
}

func showArtifact(d catalog.ArtifactDetail) obj {
	self := spacePath + "artifacts/" + string(d.ID)
	return obj{
		"Id": d.ID, "SpaceId": d.Space, "Filename": d.Name, "Source": d.Machine, "ServerTaskId": d.Task.ID,
		"LogCorrelationId": string(d.Task.ID) + "_" + string(d.Ticket), "Created": at(d.KeptAt),
		"SizeBytes": d.Size, "Hash": d.SHA256, "RelatedDocumentIds": d.Related(),
		"Links": obj{"Self": self, "Content": self + "/content", "Task": "/api/tasks/" + string(d.Task.ID)},
	}
}

func (a *api) artifacts(c *call) ([]catalog.ArtifactDetail, error) {
	all, err := a.Catalog.ListArtifacts(c.ctx(), c.principal, c.query()["regarding"])
	return chosen(c, all, func(d catalog.ArtifactDetail) (string, string) { return string(d.ID), d.Name }), err
}

func (a *api) listArtifacts(c *call) error {
	all, err := a.artifacts(c)
	if err != nil {
		return err
	}
	return paged(c, "Artifact", all, showArtifact)
}

func (a *api) allArtifacts(c *call) error {
	all, err := a.artifacts(c)
	if err != nil {
		return err
	}
	return c.ok(each(all, showArtifact))
}

func (a *api) getArtifact(c *call) error {
	d, err := a.Catalog.Artifact(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showArtifact(d))
}

func (a *api) artifactContent(c *call) error {
	d, content, err := a.Catalog.OpenArtifact(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	defer content.Close()
	download.Serve(c.w, c.r, download.File{Name: d.Name, SHA256: d.SHA256, At: d.KeptAt}, content)
	return nil
}

func (a *api) createArtifact(c *call) error {
	var q obj
	if err := c.decode(&q); err != nil {
		return err
	}
	return errkind.Hinted(errkind.Invalid.Errorf("artifacts come from scripts, with the file that they are about"),
		"call new_octopusartifact FILE [NAME] in a step")
}

func (a *api) editArtifact(c *call) error {
	var q struct{ Filename string }
	if err := c.decode(&q); err != nil {
		return err
	}
	d, err := a.Catalog.RenameArtifact(c.ctx(), c.principal, c.param("id"), q.Filename)
	if err != nil {
		return err
	}
	return c.ok(showArtifact(d))
}

func (a *api) deleteArtifact(c *call) error {
	if err := a.Catalog.DeleteArtifact(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}
