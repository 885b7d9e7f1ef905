// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/catalog"
)

func TestReleasesAreNumbered(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.9.0")
	s.fill(step("Web", packageAction("Web", "Web.App")))
	ok(s.CreateChannel(s.ctx, root(), catalog.ChannelDraft{Project: "Web", Name: "Hotfix"}))(t)
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		_, err := w.PutVariables(deploy.VariableSet{Owner: "Projects-1", Variables: []deploy.Variable{
			{ID: "a", Name: "Base", Value: "4"},
			{ID: "b", Name: "Base", Value: "5", Scope: deploy.Scope{Channels: []deploy.ChannelID{"Channels-2"}}},
		}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	number := func(v catalog.Versioning, q catalog.ReleaseRequest) string {
		t.Helper()
		ok(s.EditSettings(s.ctx, root(), "web", catalog.ProjectSettings{Versioning: &v}))(t)
		q.Project = "Web"
		made, _, err := s.CreateRelease(s.ctx, root(), q)
		if err != nil {
			return err.Error()
		}
		return made.Version
	}
	const base = "#{Base}.#{Octopus.Date.Year}.i"
	for _, c := range []struct {
		v    catalog.Versioning
		q    catalog.ReleaseRequest
		want string
	}{
		{catalog.Versioning{Template: base}, catalog.ReleaseRequest{}, "4.2026.0"},
		{catalog.Versioning{Template: base}, catalog.ReleaseRequest{}, "4.2026.1"},
		{catalog.Versioning{Template: base}, catalog.ReleaseRequest{Channel: "hotfix"}, "5.2026.0"},
		{catalog.Versioning{Template: base}, catalog.ReleaseRequest{Version: "4.c.i-x"}, "4.2026.2-x"},
		{catalog.Versioning{Donor: deploy.ActionPackage{Action: "Web"}}, catalog.ReleaseRequest{}, "1.9.0"},
		{catalog.Versioning{}, catalog.ReleaseRequest{}, "5.2026.1"},
	} {
		if got := number(c.v, c.q); got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.v, c.q, got, c.want)
		}
	}
	_, err = s.EditSettings(s.ctx, root(), "web", catalog.ProjectSettings{
		Versioning: &catalog.Versioning{Donor: deploy.ActionPackage{Action: "Nope"}},
	})
	refused(t, "an unknown donor", err, `no action "Nope"`)
}

func TestChannelRulesMayBeKept(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.9.0")
	s.fill(step("Web", packageAction("Web", "Web.App")))
	no := false
	ok(s.EditSettings(s.ctx, root(), "web", catalog.ProjectSettings{AllowIgnoreRules: &no}))(t)
	_, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", IgnoreChannelRules: true})
	refused(t, "ignoring rules", err, "does not let a release ignore")
}

func TestReleasesAreEdited(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.9.0", "2.0.0")
	s.fill(step("Web", packageAction("Web", "Web.App")))
	made, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"})
	if err != nil {
		t.Fatal(err)
	}
	id := string(made.ID)
	edited := ok(s.EditRelease(s.ctx, root(), id, catalog.ReleaseDraft{Packages: []string{"Web:1.9.0"}, Notes: new("n")}))(t)
	if edited.Packages[0].Version != "1.9.0" || edited.Version != made.Version || edited.Notes != "n" {
		t.Errorf("%+v", edited)
	}
	_, err = s.EditRelease(s.ctx, root(), id, catalog.ReleaseDraft{Packages: []string{"Web:7"}, Version: "a b", Channel: "x"})
	if got := reasons(t, err); len(got) != 3 {
		t.Errorf("reasons %q", got)
	}
	ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{Project: "Web", Release: id, Environments: []string{"dev"}}))(t)
	_, err = s.EditRelease(s.ctx, root(), id, catalog.ReleaseDraft{Packages: []string{"Web:2.0.0"}})
	refused(t, "a deployed release", err, "only its notes can change")
	ok(s.EditRelease(s.ctx, root(), id, catalog.ReleaseDraft{Packages: []string{"Web:1.9.0"}, Notes: new("m")}))(t)
	if _, err := s.EditRelease(s.ctx, root(), "Releases-9", catalog.ReleaseDraft{}); errkind.Of(err) != errkind.NotFound {
		t.Errorf("unknown release: %v", err)
	}
	if missing := ok(s.MissingPackages(s.ctx, root(), id))(t); len(missing) != 0 {
		t.Errorf("missing %v", missing)
	}
}
