// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/store"
	"fairlead/server/daemon"
)

// TestB2DeletedUsersStayOut: a backup that is older than the end of a user must not let him in again.
func TestB2DeletedUsersStayOut(t *testing.T) {
	base := t.TempDir()
	home, backup, restored := filepath.Join(base, "home"), filepath.Join(base, "backup"), filepath.Join(base, "restored")
	d, stop := start(t, home)
	s := newSite(t, home, d)
	var user struct{ Id string }
	if err := s.ask(t.Context(), "POST", "/api/users", strings.NewReader(`{"Username":"eve"}`), &user); err != nil {
		t.Fatal(err)
	}
	var made daemon.Backup
	must(t, &made, "backup", backup, "--home", home)
	if err := s.ask(t.Context(), "DELETE", "/api/users/"+user.Id, strings.NewReader(""), nil); err != nil {
		t.Fatal(err)
	}
	stop()
	var r daemon.Restored
	must(t, &r, "restore", backup, "--home", restored, "--revocations", filepath.Join(home, listName))
	if !slices.Equal(r.Revoked, []string{"user eve"}) {
		t.Errorf("revoked %q", r.Revoked)
	}
	look(t, restored, func(db store.Reader) error {
		users, err := db.Users()
		for _, u := range users {
			if u.Name == "eve" && u.IsActive {
				t.Error("eve is let in again")
			}
		}
		return err
	})
}
