// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type packageBody struct {
	ID     string `json:"id"`
	Format string `json:"format"`
	Size   int64  `json:"size"`
	// Description came later: rows from before have none.
	Description string `json:"description,omitempty"`
}

const selectPackage = "SELECT space, version, published_at, sha256, body, sum FROM package"

func scanPackage(row scanner) (p deploy.Package, err error) {
	var s sealed
	var body packageBody
	var published int64
	if err := row.Scan(&p.Space, &p.Version, &published, &p.SHA256, &s.text, &s.sum); err != nil {
		return p, err
	}
	err = s.open("a package of version "+p.Version, &body)
	p.ID, p.Format, p.Size, p.PublishedAt = body.ID, body.Format, body.Size, moment(published)
	p.Description = body.Description
	return p, err
}

func (r *reader) Package(space deploy.SpaceID, id, version string) (deploy.Package, error) {
	return one(r, "package "+id+" "+version, scanPackage, selectPackage+" WHERE space = ? AND folded = ? AND version = ?",
		space, fold(id), version)
}

func (r *reader) Packages(f store.PackageFilter) ([]deploy.Package, error) {
	w := where{}
	w.add(f.Space != "", "space = ?", f.Space)
	w.add(f.ID != "", "folded = ?", fold(f.ID))
	w.add(f.Contains != "", "instr(folded, ?) > 0", fold(f.Contains))
	return list(r, "list packages", scanPackage,
		selectPackage+w.clause()+" ORDER BY folded, published_at DESC, version DESC, space", w.args...)
}

func (r *reader) PackagesWithContent(sha256 string) (int, error) {
	return one(r, "a count", count, "SELECT count(*) FROM package WHERE sha256 = ?", sha256)
}

func (w *writer) PutPackage(p deploy.Package) error {
	body, sum, err := seal(packageBody{ID: p.ID, Format: p.Format, Size: p.Size, Description: p.Description})
	if err != nil {
		return err
	}
	_, err = w.exec("write package "+p.ID+" "+p.Version,
		"INSERT INTO package (space, folded, version, published_at, sha256, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (space, folded, version) DO UPDATE SET published_at = excluded.published_at, "+
			"sha256 = excluded.sha256, body = excluded.body, sum = excluded.sum",
		p.Space, fold(p.ID), p.Version, stamp(p.PublishedAt), p.SHA256, body, sum)
	return err
}

func (w *writer) DeletePackage(space deploy.SpaceID, id, version string) error {
	what := "package " + id + " " + version
	return w.change("delete "+what, what, "DELETE FROM package WHERE space = ? AND folded = ? AND version = ?",
		space, fold(id), version)
}
