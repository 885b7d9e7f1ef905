// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// TestWhoIsKnownIsWhoIsThere: a directory that has let many in says of each key, after any change, what one that never
// let anybody in says.
func TestWhoIsKnownIsWhoIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSite(t)
		s.place(t)
		var keys []string
		for _, user := range []deploy.UserID{identity.AdministratorID, "Users-2", "Users-2"} {
			_, text := s.key(t, user, s.now.Add(time.Hour))
			keys = append(keys, text)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if err := s.store.Update(t.Context(), change(rt)); err != nil && errkind.Of(err) != errkind.NotFound {
				rt.Fatal(err)
			}
			s.now = s.now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(rt, "later"))
			fresh := identity.NewDirectory(s.store, func() time.Time { return s.now })
			for i, key := range keys {
				got, err := s.ByKey(t.Context(), "test", key)
				want, fault := fresh.ByKey(t.Context(), "test", key)
				if errkind.Of(err) != errkind.Of(fault) || cmp.Diff(shown(want), shown(got)) != "" {
					rt.Fatalf("key %d: %v, want %v (-want +got):\n%s", i, err, fault, cmp.Diff(shown(want), shown(got)))
				}
			}
		}
	})
}

// shown is all that a principal may do, in two spaces.
func shown(p identity.Principal) string {
	there := p.In("Spaces-2")
	return fmt.Sprintf("%+v %s %s %v %+v; there %v %+v", p.User, p.Key, p.KeyExpiresAt, p.Permissions.List(), p.Grants,
		there.Permissions.List(), there.Grants)
}

// change is one of those that say who may do what, or one that has nothing to do with it.
func change(rt *rapid.T) func(store.Writer) error {
	active := rapid.Bool().Draw(rt, "active")
	role := deploy.RoleID(rapid.SampledFrom([]string{"UserRoles-1", "userroles-projectlead"}).Draw(rt, "role"))
	word := rapid.SampledFrom([]string{"ProjectView", "ProjectEdit"}).Draw(rt, "permission")
	changes := []func(store.Writer) error{
		func(w store.Writer) error {
			return w.PutUser(deploy.User{ID: "Users-2", Name: "guest", IsActive: active})
		},
		func(w store.Writer) error {
			team := deploy.Team{ID: "Teams-1", Name: "Night", Roles: []deploy.ScopedRole{{ID: "s", Role: role, Space: "Spaces-2"}}}
			if active {
				team.Members = []deploy.UserID{"Users-2"}
			}
			return w.PutTeam(team)
		},
		func(w store.Writer) error { return w.DeleteTeam("Teams-1") },
		func(w store.Writer) error {
			return w.PutUserRole(deploy.UserRole{ID: "UserRoles-1", Name: "Night", Permissions: []string{word}})
		},
		func(w store.Writer) error { return w.DeleteUserRole("UserRoles-1") },
		func(w store.Writer) error {
			keys, err := w.APIKeys("Users-2")
			if err != nil || len(keys) == 0 {
				return err
			}
			return w.DeleteAPIKey(keys[0].ID)
		},
		func(w store.Writer) error {
			keys, err := w.APIKeys("Users-2")
			if err != nil || len(keys) == 0 {
				return err
			}
			keys[0].ExpiresAt = keys[0].ExpiresAt.Add(-time.Minute)
			return w.PutAPIKey(keys[0])
		},
		func(w store.Writer) error { return w.DeleteUser("Users-2") },
		func(w store.Writer) error {
			return w.PutProjectGroup(deploy.ProjectGroup{ID: "ProjectGroups-9", Space: deploy.DefaultSpace, Name: "other"})
		},
	}
	return changes[rapid.IntRange(0, len(changes)-1).Draw(rt, "change")]
}
