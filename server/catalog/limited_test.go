// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"slices"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/catalog"
)

// TestAnEnvironmentThatThingsAreLimitedToStays: an account or a role would be limited to nothing, and could not be saved.
func TestAnEnvironmentThatThingsAreLimitedToStays(t *testing.T) {
	s := newSite(t)
	s.fill()
	e := ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: "Night"}))(t)
	account := deploy.Account{
		ID: "Accounts-9", Space: deploy.DefaultSpace, Name: "Cloud", Kind: deploy.PasswordAccount,
		Environments: []deploy.EnvironmentID{e.ID},
	}
	team := deploy.Team{ID: "Teams-9", Name: "Owls", Roles: []deploy.ScopedRole{{
		ID: "ScopedUserRoles-9", Role: "UserRoles-1", Space: deploy.DefaultSpace, Environments: []deploy.EnvironmentID{e.ID},
	}}}
	put := func() {
		t.Helper()
		if err := s.store.Update(s.ctx, func(w store.Writer) error {
			if err := w.PutAccount(account); err != nil {
				return err
			}
			return w.PutTeam(team)
		}); err != nil {
			t.Fatal(err)
		}
	}
	put()
	want := []string{"account Cloud is limited to environment Night", "team Owls has a role in environment Night"}
	if got := reasons(t, s.DeleteEnvironment(s.ctx, root(), "Night")); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	account.Environments, team.Roles = nil, nil
	put()
	if err := s.DeleteEnvironment(s.ctx, root(), "Night"); err != nil {
		t.Error(err)
	}
}
