// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// fakeStore keeps what the feed uses of a store, in memory; refuse makes Updates fail.
type fakeStore struct {
	store.Store
	mu      sync.Mutex
	rows    map[string]deploy.Package
	events  []deploy.Event
	release *deploy.Release
	refuse  error
}

func newFake() *fakeStore { return &fakeStore{rows: map[string]deploy.Package{}} }

func (s *fakeStore) View(_ context.Context, f func(store.Reader) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(&fakeTx{s: s})
}

func (s *fakeStore) Update(_ context.Context, f func(store.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, events := maps.Clone(s.rows), slices.Clone(s.events)
	err := f(&fakeTx{s: s})
	if err == nil {
		err = s.refuse
	}
	if err != nil {
		s.rows, s.events = rows, events
	}
	return err
}

type fakeTx struct {
	store.Writer
	s *fakeStore
}

func key(id, version string) string { return strings.ToLower(id) + "/" + version }

func (t *fakeTx) Package(_ deploy.SpaceID, id, version string) (deploy.Package, error) {
	p, ok := t.s.rows[key(id, version)]
	if !ok {
		return p, errkind.NotFound.Errorf("no package %s %s", id, version)
	}
	return p, nil
}

func (t *fakeTx) Packages(f store.PackageFilter) (list []deploy.Package, err error) {
	for _, k := range slices.Sorted(maps.Keys(t.s.rows)) {
		p := t.s.rows[k]
		if (f.ID == "" || strings.EqualFold(f.ID, p.ID)) &&
			strings.Contains(strings.ToLower(p.ID), strings.ToLower(f.Contains)) {
			list = append(list, p)
		}
	}
	return list, nil
}

func (t *fakeTx) PackagesWithContent(sum string) (n int, err error) {
	for _, p := range t.s.rows {
		if p.SHA256 == sum {
			n++
		}
	}
	return n, nil
}

func (t *fakeTx) PutPackage(p deploy.Package) error {
	t.s.rows[key(p.ID, p.Version)] = p
	return nil
}

func (t *fakeTx) DeletePackage(_ deploy.SpaceID, id, version string) error {
	delete(t.s.rows, key(id, version))
	return nil
}

func (t *fakeTx) AddEvent(e deploy.Event) (int64, error) {
	t.s.events = append(t.s.events, e)
	return int64(len(t.s.events)), nil
}

func (t *fakeTx) Projects(deploy.SpaceID) ([]deploy.Project, error) {
	return []deploy.Project{{ID: "Projects-1", Name: "Shop"}}, nil
}

func (t *fakeTx) Releases(deploy.ProjectID) (rows []store.ReleaseRow, err error) {
	if t.s.release != nil {
		rows = append(rows, store.ReleaseRow{ID: t.s.release.ID})
	}
	return rows, nil
}

func (t *fakeTx) Release(deploy.ReleaseID) (deploy.Release, error) { return *t.s.release, nil }
