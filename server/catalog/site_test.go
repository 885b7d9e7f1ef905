// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
	"fairlead/internal/trust"
	"fairlead/server/artifact"
	"fairlead/server/catalog"
	"fairlead/server/feed"
	"fairlead/server/identity"
)

// site is a catalog over a real store.
type site struct {
	*catalog.Catalog
	t      *testing.T
	ctx    context.Context
	store  store.Store
	logs   *tasklog.Folder
	now    time.Time
	queued atomic.Int32
	token  trust.Token
}

// root is who may do everything.
func root() identity.Principal { return identity.System() }

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, ctx: t.Context(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	opened, err := sqlite.Open(s.ctx, filepath.Join(dir, "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s.store = opened
	wall := func() time.Time { return s.now }
	packages, err := feed.New(opened, filepath.Join(dir, "packages"), host.Fsync{}, wall, feed.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := artifact.New(artifact.Deps{
		Store: opened, Dir: filepath.Join(dir, "artifacts"), Disk: host.Fsync{}, Limits: artifact.DefaultLimits(),
		Vitals: func(string) host.Vitals { return host.Vitals{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.logs, err = tasklog.Open(filepath.Join(dir, "logs"), host.Fsync{}, wall); err != nil {
		t.Fatal(err)
	}
	s.Catalog = catalog.New(catalog.Deps{
		Artifacts: kept,
		Logs:      s.logs,
		Secrets:   secret.NewKey(),
		Pin:       strings.Repeat("5e", 32),
		Store:     opened, Feed: packages, Wall: wall, Queued: func() { s.queued.Add(1) }, Changed: func() {},
		Mint: func() (token trust.Token, err error) {
			s.token, err = trust.NewToken("fairlead.example.test:10943", trust.Pin{1})
			return s.token, err
		},
	})
	if created, err := s.Seed(s.ctx, "test"); err != nil || !created {
		t.Fatalf("seed: %v, %v", created, err)
	}
	return s
}

// ok ends the test on an error.
func ok[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *site) push(id string, versions ...string) {
	s.t.Helper()
	for _, v := range versions {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		if _, err := z.Create(v); err != nil {
			s.t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			s.t.Fatal(err)
		}
		if _, _, err := s.PushPackage(s.ctx, root(), feed.Upload{FileName: id + "." + v + ".zip", Content: &b}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func packageAction(name, id string) deploy.Action {
	return deploy.Action{Name: name, Kind: deploy.PackageAction, Packages: []deploy.PackageReference{{PackageID: id}}}
}

func scriptAction(name string) deploy.Action {
	return deploy.Action{Name: name, Kind: deploy.ScriptAction, Properties: map[string]string{
		deploy.PropScriptSyntax: "Bash", deploy.PropScriptBody: "true",
	}}
}

func step(name string, actions ...deploy.Action) deploy.Step {
	return deploy.Step{Name: name, Tags: []string{"web"}, Actions: actions}
}

// fill makes environments Dev and Production, machine web-1 in both, and project Web.
func (s *site) fill(steps ...deploy.Step) {
	s.t.Helper()
	for _, name := range []string{"Dev", "Production"} {
		ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: name}))(s.t)
	}
	s.machine("web-1", 1)
	ok(s.CreateProject(s.ctx, root(), catalog.ProjectDraft{Name: "Web"}))(s.t)
	ok(s.SaveProcess(s.ctx, root(), "web", deploy.Process{Steps: steps}))(s.t)
}

func (s *site) machine(name string, n int) deploy.Machine {
	s.t.Helper()
	return ok(s.AddListening(s.ctx, root(), catalog.MachineDraft{
		Name: name, Environments: []string{"dev", "production"}, Tags: []string{"web"},
		Address: name + ":10933", Pin: fmt.Sprintf("%064x", n),
	}))(s.t)
}

// reasons are the broken rules of an error.
func reasons(t *testing.T, err error) []string {
	t.Helper()
	broken, is := errors.AsType[*catalog.ValidationError](err)
	if !is || errkind.Of(err) != errkind.Invalid {
		t.Fatalf("error %v of kind %v is no list of reasons", err, errkind.Of(err))
	}
	return broken.Reasons
}

func (s *site) finish(task deploy.TaskID, state deploy.TaskState) {
	s.t.Helper()
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		row, err := w.Task(task)
		if err != nil {
			return err
		}
		row.State, row.CompletedAt = state, s.now
		return w.PutTask(row)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
