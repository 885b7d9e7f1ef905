// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/identity"
)

// site is a directory over a real store with an administrator and a guest.
type site struct {
	*identity.Directory
	store store.Store
	dir   string
	now   time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	opened, err := sqlite.Open(t.Context(), filepath.Join(s.dir, "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s.store = opened
	s.Directory = identity.NewDirectory(opened, func() time.Time { return s.now })
	err = opened.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(
			w.PutUser(deploy.User{ID: identity.AdministratorID, Name: "admin", IsActive: true}),
			w.PutUser(deploy.User{ID: "Users-2", Name: "guest", IsActive: true}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) key(t *testing.T, user deploy.UserID, expires time.Time) (deploy.APIKey, string) {
	t.Helper()
	row, text, err := s.CreateKey(t.Context(), identity.System(), user, "test", expires)
	if err != nil {
		t.Fatal(err)
	}
	return row, text
}

func wantKind(t *testing.T, what string, err error, want errkind.Kind) {
	t.Helper()
	if err == nil || errkind.Of(err) != want {
		t.Errorf("%s: error %v, want kind %v", what, err, want)
	}
}

func TestA1OnlyTheHashIsStored(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, identity.AdministratorID, time.Time{})
	cookie, _, err := s.SignIn(t.Context(), "test", text)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := s.store.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte(text)) || bytes.Contains(content, []byte(cookie)) {
		t.Error("A1 the store holds a secret as text")
	}
	p, err := s.ByKey(t.Context(), "test", text)
	if err != nil || p.User.Name != "admin" || p.Need(identity.ServerAdmin) != nil {
		t.Errorf("the right key: %+v, %v", p, err)
	}
}

func TestA2CookiesAreNewAtEachSignIn(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, identity.AdministratorID, time.Time{})
	first, _, err1 := s.SignIn(t.Context(), "test", text)
	second, _, err2 := s.SignIn(t.Context(), "test", text)
	if err := errors.Join(err1, err2); err != nil || first == second || len(first) < 43 {
		t.Errorf("A2 cookies %q and %q, %v", first, second, err)
	}
	_, err := s.BySession(t.Context(), "planted")
	wantKind(t, "A2 a planted cookie", err, errkind.Untrusted)
}

func TestA4AKeyCannotMakeMoreThanItself(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, identity.AdministratorID, s.now.Add(time.Hour))
	admin, err := s.ByKey(t.Context(), "test", text)
	if err != nil {
		t.Fatal(err)
	}
	for name, expires := range map[string]time.Time{"never ends": {}, "ends later": s.now.Add(time.Hour + time.Second)} {
		_, _, err := s.CreateKey(t.Context(), admin, identity.AdministratorID, "x", expires)
		wantKind(t, "A4 "+name, err, errkind.Denied)
	}
	if _, _, err := s.CreateKey(t.Context(), admin, identity.AdministratorID, "x", s.now.Add(time.Hour)); err != nil {
		t.Errorf("A4 the same end: %v", err)
	}
	_, guestText := s.key(t, "Users-2", time.Time{})
	guest, err := s.ByKey(t.Context(), "test", guestText)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.CreateKey(t.Context(), guest, identity.AdministratorID, "x", time.Time{})
	wantKind(t, "A4 a key for the administrator", err, errkind.Denied)
	guest.Permissions = identity.NewSet(identity.SignedIn, identity.UserEdit)
	_, _, err = s.CreateKey(t.Context(), guest, identity.AdministratorID, "x", time.Time{})
	wantKind(t, "A4 a key for somebody with more rights", err, errkind.Denied)
	_, err = s.Keys(t.Context(), identity.Principal{User: deploy.User{ID: "Users-2"}}, "Users-2")
	wantKind(t, "without any permission", err, errkind.Denied)
}

func TestA5ExpiryIsExact(t *testing.T) {
	s := newSite(t)
	end := s.now.Add(time.Hour)
	_, text := s.key(t, identity.AdministratorID, end)
	cookie, expires, err := s.SignIn(t.Context(), "test", text)
	if err != nil || !expires.Equal(end) {
		t.Fatalf("a session ends at %v, want at the key's end %v; %v", expires, end, err)
	}
	s.now = end.Add(-time.Second)
	if _, err := s.ByKey(t.Context(), "test", text); err != nil {
		t.Errorf("A5 a second before: %v", err)
	}
	if _, err := s.BySession(t.Context(), cookie); err != nil {
		t.Errorf("A5 session a second before: %v", err)
	}
	for _, late := range []time.Duration{0, time.Second} {
		s.now = end.Add(late)
		_, err := s.ByKey(t.Context(), "test", text)
		wantKind(t, "A5 key at its end", err, errkind.Untrusted)
		_, err = s.BySession(t.Context(), cookie)
		wantKind(t, "A5 session at its end", err, errkind.Untrusted)
	}
	_, _, err = s.CreateKey(t.Context(), identity.System(), identity.AdministratorID, "x", s.now)
	wantKind(t, "a key that has expired already", err, errkind.Invalid)
}

// counted counts the writes to a store.
type counted struct {
	store.Store
	writes int
	full   error
}

func (c *counted) Update(ctx context.Context, f func(store.Writer) error) error {
	c.writes++
	if c.full != nil {
		return c.full
	}
	return c.Store.Update(ctx, f)
}

// TestA5SessionsEndWhenNobodyAsks: a session that is used stays to its end, one that is not ends before; a request
// writes once a minute at most, and passes when nothing can be written.
func TestA5SessionsEndWhenNobodyAsks(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, identity.AdministratorID, time.Time{})
	watched := &counted{Store: s.store}
	d := identity.NewDirectory(watched, func() time.Time { return s.now })
	signIn := func() string {
		cookie, _, err := d.SignIn(t.Context(), "test", text)
		if err != nil {
			t.Fatal(err)
		}
		watched.writes = 0
		return cookie
	}
	asks := func(cookie string, after time.Duration) error {
		s.now = s.now.Add(after)
		_, err := d.BySession(t.Context(), cookie)
		return err
	}
	used, idle, began := signIn(), signIn(), s.now
	for s.now.Sub(began) < time.Hour {
		if err := asks(used, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if watched.writes > 60 || watched.writes < 30 {
		t.Errorf("%d writes for 360 requests in an hour, want one a minute", watched.writes)
	}
	if err := asks(idle, identity.SessionIdle-time.Hour-time.Second); err != nil {
		t.Errorf("a second before the limit: %v", err)
	}
	watched.full = errkind.Exhausted.Errorf("the disk is full")
	if err := asks(used, 0); err != nil {
		t.Errorf("with a full disk: %v", err)
	}
	wantKind(t, "A5 idle too long", asks(idle, identity.SessionIdle), errkind.Untrusted)
	wantKind(t, "A5 not noted", asks(used, 0), errkind.Untrusted)
	watched.full = nil
	used, began = signIn(), s.now
	for s.now.Sub(began) < identity.SessionLifetime-time.Hour {
		if err := asks(used, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, "A5 at its end, in use", asks(used, time.Hour), errkind.Untrusted)
}

func TestA6SessionsEndWithUserAndKey(t *testing.T) {
	s := newSite(t)
	row, text := s.key(t, "Users-2", time.Time{})
	cookie, _, err := s.SignIn(t.Context(), "test", text)
	if err != nil {
		t.Fatal(err)
	}
	letIn := func(id deploy.UserID, name string, active bool) error {
		draft := identity.UserDraft{Name: name, IsActive: &active}
		_, err := s.EditUser(t.Context(), identity.System(), id, draft)
		return err
	}
	if err := letIn("Users-2", "guest", false); err != nil {
		t.Fatal(err)
	}
	_, err = s.BySession(t.Context(), cookie)
	wantKind(t, "A6 session of a disabled user", err, errkind.Untrusted)
	_, err = s.ByKey(t.Context(), "test", text)
	wantKind(t, "A6 key of a disabled user", err, errkind.Untrusted)
	if err := letIn("Users-2", "guest", true); err != nil {
		t.Fatal(err)
	}
	if p, err := s.BySession(t.Context(), cookie); err != nil || !p.FromSession {
		t.Errorf("enabled again: %+v, %v", p, err)
	}
	if err := s.DeleteKey(t.Context(), identity.System(), "Users-2", row.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.BySession(t.Context(), cookie)
	wantKind(t, "A6 session of a deleted key", err, errkind.Untrusted)
	wantKind(t, "deleting twice", s.DeleteKey(t.Context(), identity.System(), "Users-2", row.ID), errkind.NotFound)
	wantKind(t, "locking everybody out", letIn(identity.AdministratorID, "admin", false), errkind.Invalid)
}

func TestSignOutEndsTheSession(t *testing.T) {
	s := newSite(t)
	_, text := s.key(t, identity.AdministratorID, time.Time{})
	cookie, expires, err := s.SignIn(t.Context(), "test", text)
	if err != nil || !expires.Equal(s.now.Add(identity.SessionLifetime)) {
		t.Fatalf("expires %v, %v", expires, err)
	}
	s.now = s.now.Add(time.Hour)
	if err := errors.Join(s.SignOut(t.Context(), cookie), s.SignOut(context.Background(), cookie)); err != nil {
		t.Errorf("sign out twice: %v", err)
	}
	_, err = s.BySession(t.Context(), cookie)
	wantKind(t, "after signing out", err, errkind.Untrusted)
}

func TestZeroPrincipalMayDoNothing(t *testing.T) {
	for _, need := range identity.Everything() {
		wantKind(t, string(need), identity.Principal{}.Need(need), errkind.Denied)
		if err := identity.System().Need(need); err != nil {
			t.Errorf("the server itself: %v", err)
		}
	}
}
