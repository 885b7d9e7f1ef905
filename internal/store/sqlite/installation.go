// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type installationBody struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	BundleEpoch int64     `json:"bundle_epoch"`
}

type counterBody struct {
	Last int64 `json:"last"`
}

func (r *reader) Installation() (store.Installation, error) {
	return one(r, "the installation", func(row scanner) (store.Installation, error) {
		var s sealed
		var body installationBody
		if err := row.Scan(&s.text, &s.sum); err != nil {
			return store.Installation{}, err
		}
		err := s.open("the installation", &body)
		return store.Installation(body), err
	}, "SELECT body, sum FROM installation WHERE id = 1")
}

func (w *writer) PutInstallation(i store.Installation) error {
	i.CreatedAt = clean(i.CreatedAt)
	body, sum, err := seal(installationBody(i))
	if err != nil {
		return err
	}
	_, err = w.exec("write the installation", "INSERT INTO installation (id, body, sum) VALUES (1, ?, ?) "+
		"ON CONFLICT (id) DO UPDATE SET body = excluded.body, sum = excluded.sum", body, sum)
	return err
}

func (w *writer) NextID(collection string) (string, error) {
	if collection == "" {
		return "", errkind.Invalid.Errorf("a collection needs a name")
	}
	what := "counter " + collection
	counter, err := one(&w.reader, what, func(row scanner) (body counterBody, err error) {
		var s sealed
		if err := row.Scan(&s.text, &s.sum); err != nil {
			return body, err
		}
		return body, s.open(what, &body)
	}, "SELECT body, sum FROM counter WHERE collection = ?", collection)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return "", err
	}
	counter.Last++
	body, sum, err := seal(counter)
	if err != nil {
		return "", err
	}
	_, err = w.exec("raise "+what, "INSERT INTO counter (collection, body, sum) VALUES (?, ?, ?) "+
		"ON CONFLICT (collection) DO UPDATE SET body = excluded.body, sum = excluded.sum", collection, body, sum)
	return fmt.Sprintf("%s-%d", collection, counter.Last), err
}
