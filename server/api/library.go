// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// libraryContent is the one kind of library set there is.
const libraryContent = "Variables"

func showLibrarySet(l deploy.LibrarySet) obj {
	self := spacePath + "libraryvariablesets/" + string(l.ID)
	id := variablesPrefix + string(l.ID)
	return withKept(l.Kept, obj{
		"Id": l.ID, "SpaceId": l.Space, "Name": l.Name, "Description": l.Description, "VariableSetId": id,
		"ContentType": libraryContent, "Templates": []obj{}, "Version": l.Version,
		"Links": obj{
			"Self": self, "Variables": spacePath + "variables/" + id, "Usages": self + "/usages",
		},
	})
}

func (a *api) listLibrarySets(c *call) error {
	all, err := a.Catalog.LibrarySets(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	if kind := c.query()["contenttype"]; kind != "" && !strings.EqualFold(kind, libraryContent) {
		all = nil
	}
	all = chosen(c, all, func(l deploy.LibrarySet) (string, string) { return string(l.ID), l.Name })
	return paged(c, "LibraryVariableSet", all, showLibrarySet)
}

func (a *api) allLibrarySets(c *call) error {
	all, err := a.Catalog.LibrarySets(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showLibrarySet))
}

func (a *api) getLibrarySet(c *call) error {
	l, err := a.Catalog.LibrarySet(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showLibrarySet(l))
}

type librarySetRequest struct {
	Name        string
	Description string
	ContentType string
	Templates   json.RawMessage
}

func (c *call) libraryDraft() (catalog.LibraryDraft, error) {
	var q librarySetRequest
	if err := c.decode(&q); err != nil {
		return catalog.LibraryDraft{}, err
	}
	var not later
	isOther := q.ContentType != "" && !strings.EqualFold(q.ContentType, libraryContent)
	not.add(isOther, "a library set of %.40q", q.ContentType)
	return catalog.LibraryDraft{
		Name: q.Name, Description: q.Description, Kept: keep(members{"Templates": q.Templates}),
	}, not.err()
}

func (a *api) createLibrarySet(c *call) error {
	draft, err := c.libraryDraft()
	if err != nil {
		return err
	}
	l, err := a.Catalog.CreateLibrarySet(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showLibrarySet(l))
}

func (a *api) editLibrarySet(c *call) error {
	draft, err := c.libraryDraft()
	if err != nil {
		return err
	}
	l, err := a.Catalog.EditLibrarySet(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showLibrarySet(l))
}

func (a *api) deleteLibrarySet(c *call) error {
	if err := a.Catalog.DeleteLibrarySet(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) librarySetUsages(c *call) error {
	projects, err := a.Catalog.LibraryUsers(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(obj{"Projects": each(projects, func(p deploy.Project) obj {
		return obj{"ProjectId": p.ID, "ProjectName": p.Name, "ProjectSlug": p.Slug, "Releases": []obj{}}
	}), "Links": obj{}})
}
