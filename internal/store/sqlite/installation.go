// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type installationBody struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	BundleEpoch int64     `json:"bundle_epoch"`
	MasterKey   string    `json:"master_key,omitempty"`
	Restores    int64     `json:"restores,omitempty"`
	RestoredAt  time.Time `json:"restored_at,omitzero"`
	BackupAt    time.Time `json:"backup_at,omitzero"`
	AcceptedAt  time.Time `json:"accepted_at,omitzero"`
	Maintenance bool      `json:"maintenance,omitempty"`
}

func (b installationBody) installation() store.Installation {
	return store.Installation{
		ID: b.ID, Name: b.Name, CreatedAt: b.CreatedAt, BundleEpoch: b.BundleEpoch, MasterKey: b.MasterKey,
		Restores: b.Restores, RestoredAt: b.RestoredAt, BackupAt: b.BackupAt, AcceptedAt: b.AcceptedAt,
		IsInMaintenance: b.Maintenance,
	}
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
		return body.installation(), err
	}, "SELECT body, sum FROM installation WHERE id = 1")
}

func (w *writer) PutInstallation(i store.Installation) error {
	i.CreatedAt, i.RestoredAt = clean(i.CreatedAt), clean(i.RestoredAt)
	i.BackupAt, i.AcceptedAt = clean(i.BackupAt), clean(i.AcceptedAt)
	body, sum, err := seal(installationBody{
		ID: i.ID, Name: i.Name, CreatedAt: i.CreatedAt, BundleEpoch: i.BundleEpoch, MasterKey: i.MasterKey,
		Restores: i.Restores, RestoredAt: i.RestoredAt, BackupAt: i.BackupAt, AcceptedAt: i.AcceptedAt,
		Maintenance: i.IsInMaintenance,
	})
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
	last, err := w.raise(collection, 1)
	return fmt.Sprintf("%s-%d", collection, last), err
}

// raise adds to a counter, from 0 when there is none.
func (w *writer) raise(collection string, by int64) (last int64, err error) {
	what := "counter " + collection
	counter, err := one(&w.reader, what, func(row scanner) (body counterBody, err error) {
		var s sealed
		if err := row.Scan(&s.text, &s.sum); err != nil {
			return body, err
		}
		return body, s.open(what, &body)
	}, "SELECT body, sum FROM counter WHERE collection = ?", collection)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return 0, err
	}
	counter.Last += by
	body, sum, err := seal(counter)
	if err != nil {
		return 0, err
	}
	_, err = w.exec("raise "+what, "INSERT INTO counter (collection, body, sum) VALUES (?, ?, ?) "+
		"ON CONFLICT (collection) DO UPDATE SET body = excluded.body, sum = excluded.sum", collection, body, sum)
	return counter.Last, err
}

func (w *writer) JumpIDs(by int64, why deploy.Event) error {
	if by < 0 {
		return errkind.Invalid.Errorf("jump by %d ids: want 0 or more", by)
	}
	collections, err := list(&w.reader, "list the counters", text[string],
		"SELECT collection FROM counter ORDER BY collection")
	if err != nil {
		return err
	}
	for _, collection := range collections {
		if _, err := w.raise(collection, by); err != nil {
			return err
		}
	}
	_, err = w.addEvent(why, by)
	return err
}
