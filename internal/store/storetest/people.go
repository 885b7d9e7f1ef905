// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// peopleGo checks teams, user roles and machine policies: names are taken, deletes find what is there, the mark of
// people moves, and with a user go his keys and sessions.
func peopleGo(t *testing.T, s store.Store) {
	for _, put := range []func(store.Writer) error{
		func(w store.Writer) error { return w.PutUser(deploy.User{ID: "Users-7", Name: "ada"}) },
		func(w store.Writer) error { return w.PutUser(deploy.User{ID: "Users-8", Name: "bob"}) },
		func(w store.Writer) error {
			return w.PutAPIKey(deploy.APIKey{ID: "k", User: "Users-7", SecretSHA256: "x"})
		},
		func(w store.Writer) error {
			return w.PutAPIKey(deploy.APIKey{ID: "l", User: "Users-8", SecretSHA256: "y"})
		},
		func(w store.Writer) error { return w.PutTeam(deploy.Team{ID: "Teams-1", Name: "Night"}) },
		func(w store.Writer) error { return w.PutUserRole(deploy.UserRole{ID: "UserRoles-1", Name: "Night"}) },
	} {
		before := s.PeopleMark()
		update(t, s, put)
		if s.PeopleMark() == before {
			t.Error("a write of people has not moved their mark")
		}
	}
	update(t, s, func(w store.Writer) error {
		return errors.Join(
			w.PutSession(deploy.Session{CookieSHA256: "c", User: "Users-7", Key: "k"}),
			w.PutSession(deploy.Session{CookieSHA256: "d", User: "Users-7"}),
			w.PutMachinePolicy(deploy.MachinePolicy{ID: "MachinePolicies-1", Space: deploy.DefaultSpace, Name: "Night"}),
		)
	})
	for what, put := range map[string]func(store.Writer) error{
		"team": func(w store.Writer) error { return w.PutTeam(deploy.Team{ID: "Teams-2", Name: "nIGHT"}) },
		"role": func(w store.Writer) error { return w.PutUserRole(deploy.UserRole{ID: "UserRoles-2", Name: "nIGHT"}) },
		"policy": func(w store.Writer) error {
			return w.PutMachinePolicy(deploy.MachinePolicy{ID: "MachinePolicies-2", Space: deploy.DefaultSpace, Name: "nIGHT"})
		},
	} {
		t.Log(what)
		refused(t, s, errkind.Conflict, put)
	}
	deletes := map[string]func(store.Writer) error{
		"key":    func(w store.Writer) error { return w.DeleteAPIKey("l") },
		"user":   func(w store.Writer) error { return w.DeleteUser("Users-7") },
		"team":   func(w store.Writer) error { return w.DeleteTeam("Teams-1") },
		"role":   func(w store.Writer) error { return w.DeleteUserRole("UserRoles-1") },
		"policy": func(w store.Writer) error { return w.DeleteMachinePolicy("MachinePolicies-1") },
	}
	for what, remove := range deletes {
		t.Log(what)
		before := s.PeopleMark()
		update(t, s, remove)
		if moved := s.PeopleMark() != before; moved != (what != "policy") {
			t.Errorf("%s: that the mark of people has moved is %t", what, moved)
		}
		refused(t, s, errkind.NotFound, remove)
	}
	view(t, s, func(r store.Reader) error {
		for what, err := range map[string]error{
			"user": second(r.User("Users-7")), "key": second(r.APIKeyByHash("x")), "session": second(r.SessionByHash("c")),
			"password session": second(r.SessionByHash("d")), "team": second(r.Team("Teams-1")),
			"role": second(r.UserRole("UserRoles-1")),
		} {
			if errkind.Of(err) != errkind.NotFound {
				t.Errorf("%s after it was deleted: %v, want not-found", what, err)
			}
		}
		return nil
	})
}
