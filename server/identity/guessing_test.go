// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// withPassword adds the user ada.
func (s *site) withPassword(t *testing.T) deploy.User {
	t.Helper()
	s.place(t)
	user, err := s.CreateUser(t.Context(), identity.System(), identity.UserDraft{Name: "ada", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// TestA8GuessesAtOnceAreCounted: forty at the same time look at no more passwords than forty in a row.
func TestA8GuessesAtOnceAreCounted(t *testing.T) {
	s := newSite(t)
	s.withPassword(t)
	var looked atomic.Int32
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			_, _, _, err := s.SignInWithPassword(t.Context(), "192.0.2.1", "ada", "wrong")
			if errkind.Of(err) == errkind.Untrusted {
				looked.Add(1)
			}
		})
	}
	group.Wait()
	if n := looked.Load(); n < 10 || n > 11 {
		t.Errorf("%d of 40 guesses were looked at, want 10 or 11", n)
	}
}

// TestNobodyIsLockedOutOfHisKey: wrong keys that begin like it, and from where it comes, are no matter to a right one.
func TestNobodyIsLockedOutOfHisKey(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, "Users-2", time.Time{})
	wrong := text[:8] + strings.Repeat("A", 28)
	var err error
	for range 40 {
		_, err = s.ByKey(t.Context(), "192.0.2.1", wrong)
	}
	wantKind(t, "the fortieth wrong one", err, errkind.Exhausted)
	if _, err := s.ByKey(t.Context(), "192.0.2.1", text); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// swapping runs before the first write.
type swapping struct {
	store.Store
	before func()
}

func (s *swapping) Update(ctx context.Context, f func(store.Writer) error) error {
	if before := s.before; before != nil {
		s.before = nil
		before()
	}
	return s.Store.Update(ctx, f)
}

// TestA6APasswordThatChangesMeanwhileOpensNothing changes it, and disables its user, between the look at the old one
// and the session.
func TestA6APasswordThatChangesMeanwhileOpensNothing(t *testing.T) {
	s := newSite(t)
	user := s.withPassword(t)
	for name, draft := range map[string]identity.UserDraft{
		"another password": {Name: "ada", Password: "another one"},
		"disabled":         {Name: "ada", Password: "correct horse", IsActive: new(false)},
	} {
		begin := identity.UserDraft{Name: "ada", Password: "correct horse", IsActive: new(true)}
		if _, err := s.EditUser(t.Context(), identity.System(), user.ID, begin); err != nil {
			t.Fatal(err)
		}
		racing := identity.NewDirectory(&swapping{Store: s.store, before: func() {
			if _, err := s.EditUser(t.Context(), identity.System(), user.ID, draft); err != nil {
				t.Error(err)
			}
		}}, func() time.Time { return s.now })
		_, cookie, _, err := racing.SignInWithPassword(t.Context(), "here", "ada", "correct horse")
		wantKind(t, name, err, errkind.Untrusted)
		if _, err := s.BySession(t.Context(), cookie); err == nil {
			t.Errorf("%s: the session is open", name)
		}
	}
}

// TestAuditTellsOfFailedSignIns: the first of a minute and the one that ends patience, with the user and the source,
// and never what was typed.
func TestAuditTellsOfFailedSignIns(t *testing.T) {
	s := newSite(t)
	user := s.withPassword(t)
	for range 12 {
		_, _, _, err := s.SignInWithPassword(t.Context(), "192.0.2.1", "Ada", "hunter2-typed")
		if refused := (*identity.Refused)(nil); !errors.As(err, &refused) {
			t.Fatal(err)
		}
	}
	_, _, _, err := s.SignInWithPassword(t.Context(), "192.0.2.2", "typed-into-the-name", "x")
	wantKind(t, "nobody", err, errkind.Untrusted)
	var events []deploy.Event
	err = s.store.View(t.Context(), func(r store.Reader) (err error) {
		events, err = r.Events(store.EventFilter{Category: "SignInFailed"})
		return err
	})
	if err != nil || len(events) != 3 {
		t.Fatalf("%d rows, %v: %v", len(events), err, events)
	}
	const told = "ada failed to sign in with a password from 192.0.2.1"
	for i, want := range []string{"somebody who is no user failed to sign in with a password from 192.0.2.2", told, told} {
		if events[i].Message != want {
			t.Errorf("%q; want %q", events[i].Message, want)
		}
	}
	if events[1].Subject != string(user.ID) || events[0].Subject != "" {
		t.Errorf("subjects %q, %q", events[1].Subject, events[0].Subject)
	}
}
