// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type releaseBody struct {
	Space       deploy.SpaceID        `json:"space"`
	Notes       string                `json:"notes,omitempty"`
	AssembledBy string                `json:"assembled_by,omitempty"`
	ProcessOf   deploy.ProjectID      `json:"process_of"`
	Process     processBody           `json:"process"`
	VariablesOf deploy.OwnerID        `json:"variables_of"`
	Variables   variableSetBody       `json:"variables"`
	Library     []librarySnapshot     `json:"library,omitempty"`
	Taking      int                   `json:"taking,omitempty"`
	Earlier     []takingBody          `json:"earlier,omitempty"`
	Packages    []selectedPackageBody `json:"packages,omitempty"`
	IgnoreRules bool                  `json:"ignores_rules,omitempty"`
	Custom      map[string]string     `json:"custom_fields,omitempty"`
	Defects     []defectBody          `json:"defects,omitempty"`
}

// librarySnapshot is a library set's variables as a release took them along.
type librarySnapshot struct {
	Of        deploy.OwnerID  `json:"of"`
	Variables variableSetBody `json:"variables"`
}

// takingBody is the variables that a release took along before.
type takingBody struct {
	Number    int               `json:"number"`
	Of        deploy.OwnerID    `json:"of"`
	Variables variableSetBody   `json:"variables"`
	Library   []librarySnapshot `json:"library,omitempty"`
}

func bodyOfLibrary(sets []deploy.VariableSet) []librarySnapshot {
	return each(sets, func(v deploy.VariableSet) librarySnapshot {
		return librarySnapshot{Of: v.Owner, Variables: bodyOfVariables(v)}
	})
}

func library(bodies []librarySnapshot) []deploy.VariableSet {
	return each(bodies, func(l librarySnapshot) deploy.VariableSet { return l.Variables.variables(l.Of) })
}

func bodyOfTaking(t deploy.Taking) takingBody {
	return takingBody{t.Number, t.Variables.Owner, bodyOfVariables(t.Variables), bodyOfLibrary(t.Library)}
}

func (b takingBody) taking() deploy.Taking {
	return deploy.Taking{Number: b.Number, Variables: b.Variables.variables(b.Of), Library: library(b.Library)}
}

type defectBody struct {
	ID          string    `json:"id"`
	Description string    `json:"description"`
	ReportedAt  time.Time `json:"reported_at,omitzero"`
	ReportedBy  string    `json:"reported_by"`
	ResolvedAt  time.Time `json:"resolved_at,omitzero"`
	ResolvedBy  string    `json:"resolved_by,omitempty"`
}

type selectedPackageBody struct {
	Action    string `json:"action"`
	Step      string `json:"step"`
	Reference string `json:"reference,omitempty"`
	PackageID string `json:"package"`
	Version   string `json:"version"`
}

const selectRelease = "SELECT id, project, channel, version, assembled_at, body, sum FROM release"

func scanRelease(row scanner) (deploy.Release, error) {
	var s sealed
	var body releaseBody
	var r deploy.Release
	var assembled int64
	if err := row.Scan(&r.ID, &r.Project, &r.Channel, &r.Version, &assembled, &s.text, &s.sum); err != nil {
		return r, err
	}
	err := s.open("release "+string(r.ID), &body)
	return deploy.Release{
		ID: r.ID, Space: body.Space, Project: r.Project, Channel: r.Channel, Version: r.Version, Notes: body.Notes,
		AssembledAt: moment(assembled), AssembledBy: body.AssembledBy,
		Process: body.Process.process(body.ProcessOf), Variables: body.Variables.variables(body.VariablesOf),
		Library: library(body.Library), Taking: body.Taking, Earlier: each(body.Earlier, takingBody.taking),
		Packages: each(body.Packages, func(p selectedPackageBody) deploy.SelectedPackage {
			return deploy.SelectedPackage(p)
		}),
		IgnoresRules: body.IgnoreRules, CustomFields: body.Custom,
		Defects: each(body.Defects, func(d defectBody) deploy.Defect { return deploy.Defect(d) }),
	}, err
}

func (r *reader) Release(id deploy.ReleaseID) (deploy.Release, error) {
	return one(r, "release "+string(id), scanRelease, selectRelease+" WHERE id = ?", id)
}

func (r *reader) ReleaseNumbered(project deploy.ProjectID, version string) (deploy.Release, error) {
	return one(r, "release "+version+" of project "+string(project), scanRelease,
		selectRelease+" WHERE project = ? AND version = ?", project, version)
}

func (r *reader) Releases(project deploy.ProjectID) ([]store.ReleaseRow, error) {
	return list(r, "list releases", func(row scanner) (r store.ReleaseRow, err error) {
		var assembled int64
		err = row.Scan(&r.ID, &r.Project, &r.Channel, &r.Version, &assembled)
		r.AssembledAt = moment(assembled)
		return r, err
	}, "SELECT id, project, channel, version, assembled_at FROM release WHERE project = ? "+
		"ORDER BY assembled_at DESC, number DESC, id DESC", project)
}

func (w *writer) PutRelease(r deploy.Release) error {
	err := w.free("release "+r.Version+" of project "+string(r.Project),
		"SELECT id FROM release WHERE project = ? AND version = ? AND id <> ?", r.Project, r.Version, r.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(releaseBody{
		Space: r.Space, Notes: r.Notes, AssembledBy: r.AssembledBy,
		ProcessOf: r.Process.Project, Process: bodyOfProcess(r.Process),
		VariablesOf: r.Variables.Owner, Variables: bodyOfVariables(r.Variables),
		Library: bodyOfLibrary(r.Library), Taking: r.Taking, Earlier: each(r.Earlier, bodyOfTaking),
		Packages:    each(r.Packages, func(p deploy.SelectedPackage) selectedPackageBody { return selectedPackageBody(p) }),
		IgnoreRules: r.IgnoresRules, Custom: r.CustomFields,
		Defects: each(r.Defects, func(d deploy.Defect) defectBody {
			d.ReportedAt, d.ResolvedAt = clean(d.ReportedAt), clean(d.ResolvedAt)
			return defectBody(d)
		}),
	})
	if err != nil {
		return err
	}
	renamed, err := one(&w.reader, "a count", count,
		"SELECT count(*) FROM release WHERE id = ? AND version <> ?", r.ID, r.Version)
	if err != nil {
		return err
	}
	w.allCells = w.allCells || renamed > 0
	_, err = w.exec("write release "+string(r.ID),
		"INSERT INTO release (id, project, channel, version, assembled_at, number, body, sum) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET project = excluded.project, "+
			"channel = excluded.channel, version = excluded.version, assembled_at = excluded.assembled_at, "+
			"body = excluded.body, sum = excluded.sum",
		r.ID, r.Project, r.Channel, r.Version, stamp(r.AssembledAt), store.IDNumber(string(r.ID)), body, sum)
	return err
}

func (w *writer) DeleteRelease(id deploy.ReleaseID) error {
	what := "release " + string(id)
	w.allCells = true
	return w.change("delete "+what, what, "DELETE FROM release WHERE id = ?", id)
}
