// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
)

type projectGroupBody struct {
	Name        string `json:"name"`
	Slug        string `json:"slug,omitempty"`
	Description string `json:"description,omitempty"`
}

type projectBody struct {
	Name            string                `json:"name"`
	Slug            string                `json:"slug,omitempty"`
	Description     string                `json:"description,omitempty"`
	Group           deploy.ProjectGroupID `json:"group,omitempty"`
	Lifecycle       deploy.LifecycleID    `json:"lifecycle,omitempty"`
	IsDisabled      bool                  `json:"is_disabled,omitempty"`
	VersionTemplate string                `json:"version_template,omitempty"`
	VersionDonor    *actionPackageBody    `json:"version_donor,omitempty"`
	Connectivity    *connectivityBody     `json:"connectivity,omitempty"`
	GuidedFailure   deploy.GuidedFailure  `json:"guided_failure,omitempty"`
	SkipIfInstalled bool                  `json:"skip_if_installed,omitempty"`
	KeepsRules      bool                  `json:"keeps_channel_rules,omitempty"`
	NotesTemplate   string                `json:"notes_template,omitempty"`
	ChangesTemplate string                `json:"changes_template,omitempty"`
	ClonedFrom      deploy.ProjectID      `json:"cloned_from,omitempty"`
	Libraries       []deploy.LibrarySetID `json:"libraries,omitempty"`
	Kept            deploy.Kept           `json:"kept,omitempty"`
}

type actionPackageBody struct {
	Action    string `json:"action,omitempty"`
	Reference string `json:"reference,omitempty"`
}

type connectivityBody struct {
	SkipUnavailable  bool     `json:"skip_unavailable,omitempty"`
	SkipTags         []string `json:"skip_tags,omitempty"`
	ExcludeUnhealthy bool     `json:"exclude_unhealthy,omitempty"`
	AllowNoMachine   bool     `json:"allow_no_machine,omitempty"`
}

type channelBody struct {
	Space       deploy.SpaceID     `json:"space"`
	Name        string             `json:"name"`
	Slug        string             `json:"slug,omitempty"`
	Description string             `json:"description,omitempty"`
	Lifecycle   deploy.LifecycleID `json:"lifecycle,omitempty"`
	Rules       []channelRuleBody  `json:"rules,omitempty"`
	Kept        deploy.Kept        `json:"kept,omitempty"`
}

type channelRuleBody struct {
	ID       string              `json:"id"`
	Packages []actionPackageBody `json:"packages,omitempty"`
	Versions string              `json:"versions,omitempty"`
	Tag      string              `json:"tag,omitempty"`
}

func (r *reader) ProjectGroups(space deploy.SpaceID) ([]deploy.ProjectGroup, error) {
	return list(r, "list project groups", func(row scanner) (g deploy.ProjectGroup, err error) {
		var s sealed
		var body projectGroupBody
		if err := row.Scan(&g.ID, &g.Space, &s.text, &s.sum); err != nil {
			return g, err
		}
		err = s.open("project group "+string(g.ID), &body)
		g.Name, g.Slug, g.Description = body.Name, body.Slug, body.Description
		return g, err
	}, "SELECT id, space, body, sum FROM project_group WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutProjectGroup(g deploy.ProjectGroup) error {
	err := w.free("a project group named "+g.Name,
		"SELECT id FROM project_group WHERE space = ? AND folded = ? AND id <> ?", g.Space, fold(g.Name), g.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(projectGroupBody{Name: g.Name, Slug: g.Slug, Description: g.Description})
	if err != nil {
		return err
	}
	_, err = w.exec("write project group "+string(g.ID),
		"INSERT INTO project_group (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		g.ID, g.Space, fold(g.Name), body, sum)
	return err
}

func (w *writer) DeleteProjectGroup(id deploy.ProjectGroupID) error {
	what := "project group " + string(id)
	return w.change("delete "+what, what, "DELETE FROM project_group WHERE id = ?", id)
}

const selectProject = "SELECT id, space, body, sum FROM project"

func (r *reader) scanProject(row scanner) (deploy.Project, error) {
	var s sealed
	var id deploy.ProjectID
	var space deploy.SpaceID
	if err := row.Scan(&id, &space, &s.text, &s.sum); err != nil {
		return deploy.Project{}, err
	}
	p, err := r.projects.open(string(id), s, func() (deploy.Project, error) { return openProject(id, s) })
	p.Space = space
	return p, err
}

func openProject(id deploy.ProjectID, s sealed) (deploy.Project, error) {
	var body projectBody
	err := s.open("project "+string(id), &body)
	p := deploy.Project{
		ID: id, Name: body.Name, Slug: body.Slug, Description: body.Description, Group: body.Group,
		Lifecycle: body.Lifecycle, IsDisabled: body.IsDisabled, VersionTemplate: body.VersionTemplate,
		GuidedFailure: body.GuidedFailure, SkipIfInstalled: body.SkipIfInstalled, KeepsChannelRules: body.KeepsRules,
		NotesTemplate: body.NotesTemplate, ChangesTemplate: body.ChangesTemplate, ClonedFrom: body.ClonedFrom,
		Libraries: body.Libraries, Kept: body.Kept,
	}
	if body.VersionDonor != nil {
		p.VersionDonor = deploy.ActionPackage(*body.VersionDonor)
	}
	if body.Connectivity != nil {
		p.Connectivity = deploy.Connectivity(*body.Connectivity)
	}
	return p, err
}

func (r *reader) Project(id deploy.ProjectID) (deploy.Project, error) {
	return one(r, "project "+string(id), r.scanProject, selectProject+" WHERE id = ?", id)
}

func (r *reader) Projects(space deploy.SpaceID) ([]deploy.Project, error) {
	return list(r, "list projects", r.scanProject, selectProject+" WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutProject(p deploy.Project) error {
	err := w.free("a project named "+p.Name,
		"SELECT id FROM project WHERE space = ? AND folded = ? AND id <> ?", p.Space, fold(p.Name), p.ID)
	if err != nil {
		return err
	}
	donor, connectivity := actionPackageBody(p.VersionDonor), connectivityBody(p.Connectivity)
	body, sum, err := seal(projectBody{
		Name: p.Name, Slug: p.Slug, Description: p.Description, Group: p.Group, Lifecycle: p.Lifecycle,
		IsDisabled: p.IsDisabled, VersionTemplate: p.VersionTemplate, VersionDonor: &donor, Connectivity: &connectivity,
		GuidedFailure: p.GuidedFailure, SkipIfInstalled: p.SkipIfInstalled, KeepsRules: p.KeepsChannelRules,
		NotesTemplate: p.NotesTemplate, ChangesTemplate: p.ChangesTemplate, ClonedFrom: p.ClonedFrom,
		Libraries: p.Libraries, Kept: p.Kept,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write project "+string(p.ID),
		"INSERT INTO project (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		p.ID, p.Space, fold(p.Name), body, sum)
	return err
}

func (w *writer) DeleteProject(id deploy.ProjectID) error {
	what := "project " + string(id)
	w.allCells = true
	return w.change("delete "+what, what, "DELETE FROM project WHERE id = ?", id)
}

func (r *reader) Channels(project deploy.ProjectID) ([]deploy.Channel, error) {
	return list(r, "list channels", func(row scanner) (c deploy.Channel, err error) {
		var s sealed
		var body channelBody
		if err := row.Scan(&c.ID, &c.Project, &c.IsDefault, &s.text, &s.sum); err != nil {
			return c, err
		}
		err = s.open("channel "+string(c.ID), &body)
		return deploy.Channel{
			ID: c.ID, Space: body.Space, Project: c.Project, Name: body.Name, Slug: body.Slug,
			Description: body.Description, IsDefault: c.IsDefault, Lifecycle: body.Lifecycle, Kept: body.Kept,
			Rules: each(body.Rules, func(r channelRuleBody) deploy.ChannelRule {
				return deploy.ChannelRule{
					ID: r.ID, Versions: r.Versions, Tag: r.Tag, Packages: each(r.Packages,
						func(p actionPackageBody) deploy.ActionPackage { return deploy.ActionPackage(p) }),
				}
			}),
		}, err
	}, "SELECT id, project, is_default, body, sum FROM channel WHERE project = ? "+
		"ORDER BY is_default DESC, folded", project)
}

func (w *writer) PutChannel(c deploy.Channel) error {
	err := w.free("a channel named "+c.Name,
		"SELECT id FROM channel WHERE project = ? AND folded = ? AND id <> ?", c.Project, fold(c.Name), c.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(channelBody{
		Space: c.Space, Name: c.Name, Slug: c.Slug, Description: c.Description, Lifecycle: c.Lifecycle, Kept: c.Kept,
		Rules: each(c.Rules, func(r deploy.ChannelRule) channelRuleBody {
			return channelRuleBody{
				ID: r.ID, Versions: r.Versions, Tag: r.Tag, Packages: each(r.Packages,
					func(p deploy.ActionPackage) actionPackageBody { return actionPackageBody(p) }),
			}
		}),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write channel "+string(c.ID),
		"INSERT INTO channel (id, project, folded, is_default, body, sum) VALUES (?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET project = excluded.project, folded = excluded.folded, "+
			"is_default = excluded.is_default, body = excluded.body, sum = excluded.sum",
		c.ID, c.Project, fold(c.Name), c.IsDefault, body, sum)
	return err
}

func (w *writer) DeleteChannel(id deploy.ChannelID) error {
	what := "channel " + string(id)
	return w.change("delete "+what, what, "DELETE FROM channel WHERE id = ?", id)
}
