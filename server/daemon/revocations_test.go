// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/daemon"
)

const listName = "revocations"

// revokedSite is a backup, and a home in which things were revoked after it.
type revokedSite struct {
	base, home, backup string
	machine            string // id
	key                struct{ Id, ApiKey string }
}

func listening(n int) string {
	return fmt.Sprintf(`{"Name":"web-%d","EnvironmentIds":["Test"],"Roles":["web"],"Endpoint":{"CommunicationStyle":`+
		`"TentaclePassive","Uri":"https://127.0.0.1:%d/","Thumbprint":"%064x"}}`, n, n, n)
}

func newRevokedSite(t *testing.T) (r revokedSite) {
	t.Helper()
	r.base = t.TempDir()
	r.home, r.backup = filepath.Join(r.base, "home"), filepath.Join(r.base, "backup")
	d, stop := start(t, r.home)
	s := newSite(t, r.home, d)
	ask := func(method, path, body string, reply any) {
		t.Helper()
		if err := s.ask(t.Context(), method, path, strings.NewReader(body), reply); err != nil {
			t.Fatal(err)
		}
	}
	var machine struct{ Id string }
	ask("POST", "/api/environments", `{"Name":"Test"}`, nil)
	ask("POST", "/api/machines", listening(1), &machine)
	ask("POST", "/api/machines", listening(2), nil)
	r.machine = machine.Id
	ask("POST", "/api/users/Users-1/apikeys", `{"Purpose":"CI"}`, &r.key)
	ask("POST", "/api/jointokens", `{"Environments":["Test"]}`, nil)
	var made daemon.Backup
	must(t, &made, "backup", r.backup, "--home", r.home)
	ask("DELETE", "/api/machines/"+machine.Id, "", nil)
	ask("DELETE", "/api/users/Users-1/apikeys/"+r.key.Id, "", nil)
	stop()
	return r
}

// look reads the database of a home that no server runs in.
func look(t *testing.T, home string, f func(store.Reader) error) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "fairlead.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// TestB2RevokedStaysRevoked covers case B2: what was revoked after the backup is so in the restored server, when the
// list of the old home is named; and what is short-lived has ended in any case.
func TestB2RevokedStaysRevoked(t *testing.T) {
	r := newRevokedSite(t)
	list := filepath.Join(r.home, listName)
	if info, err := os.Stat(list); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the list: %v, %v", info, err)
	}
	home := filepath.Join(r.base, "restored")
	var made daemon.Restored
	must(t, &made, "restore", r.backup, "--home", home, "--revocations", list)
	if want := []string{"machine web-1", "API key " + r.key.Id}; !slices.Equal(made.Revoked, want) || !made.Listed {
		t.Errorf("restored %+v, want revoked %q", made, want)
	}
	look(t, home, func(db store.Reader) error {
		machines, _ := db.Machines(store.MachineFilter{})
		retired, _ := db.RetiredPins()
		keys, _ := db.APIKeys("Users-1")
		tokens, err := db.JoinTokens(deploy.DefaultSpace)
		if len(machines) != 1 || machines[0].Name != "web-2" || len(retired) != 1 || len(tokens) != 0 ||
			slices.ContainsFunc(keys, func(k deploy.APIKey) bool { return string(k.ID) == r.key.Id }) {
			t.Errorf("machines %v, retired %v, keys %v, tokens %v", machines, retired, keys, tokens)
		}
		return err
	})
	if text, err := os.ReadFile(filepath.Join(home, listName)); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the restored home has the list %q, %v", text, err)
	}
	d, stop := start(t, home)
	defer stop()
	if err := (site{"http://" + d.Bound().HTTP, r.key.ApiKey}).ask(t.Context(), http.MethodGet, "/api/users/me", nil, nil); err == nil ||
		!strings.Contains(err.Error(), "401") {
		t.Errorf("the revoked key: %v", err)
	}
}

// TestRestoreWithoutTheListSaysSo: the same restore without the list brings the key back, and says so.
func TestRestoreWithoutTheListSaysSo(t *testing.T) {
	r := newRevokedSite(t)
	home := filepath.Join(r.base, "restored")
	var made daemon.Restored
	must(t, &made, "restore", r.backup, "--home", home)
	if made.Listed || len(made.Revoked) != 0 {
		t.Errorf("restored %+v", made)
	}
	look(t, home, func(db store.Reader) error {
		machines, err := db.Machines(store.MachineFilter{})
		if len(machines) != 2 {
			t.Errorf("machines %v", machines)
		}
		return err
	})
}

// TestListOfRevocationsIsChecked: a list that cannot be trusted is refused before anything is written, and one that a
// crash cut off is read up to there.
func TestListOfRevocationsIsChecked(t *testing.T) {
	r := newRevokedSite(t)
	sound, err := os.ReadFile(filepath.Join(r.home, listName))
	if err != nil {
		t.Fatal(err)
	}
	list, home := filepath.Join(r.base, "list"), filepath.Join(r.base, "restored")
	for name, c := range map[string]struct{ text, kind string }{
		"damaged line":       {strings.Replace(string(sound), `"kind":"machine"`, `"kind":"mac`, 1), "corrupt"},
		"unknown kind":       {strings.Replace(string(sound), `"kind":"machine"`, `"kind":"moon"`, 1), "corrupt"},
		"unknown member":     {strings.Replace(string(sound), `"kind"`, `"kin"`, 1), "corrupt"},
		"of another server":  {strings.Replace(string(sound), `"installation":"`, `"installation":"x`, 1), "invalid"},
		"a line without end": {string(sound) + strings.Repeat("x", 5000) + "\n", "corrupt"},
	} {
		put(t, list, c.text)
		refused(t, c.kind, "", "restore", r.backup, "--home", home, "--revocations", list)
		if _, err := os.Stat(home); !os.IsNotExist(err) {
			t.Errorf("%s: the home was touched: %v", name, err)
		}
	}
	refused(t, "not-found", "list of revocations", "restore", r.backup, "--home", home, "--revocations", list+"-not")
	put(t, list, string(sound)+`{"at":"2026-11-2`)
	var made daemon.Restored
	must(t, &made, "restore", r.backup, "--home", home, "--revocations", list)
	if len(made.Revoked) != 2 {
		t.Errorf("restored %+v", made)
	}
}

// TestRevokedUsersStayOut: of a user the last word counts.
func TestRevokedUsersStayOut(t *testing.T) {
	base := t.TempDir()
	home, backup, list := filepath.Join(base, "home"), filepath.Join(base, "backup"), filepath.Join(base, "list")
	newDaemon(t, home).Close()
	var installation string
	edit(t, home, func(w store.Writer) error {
		row, err := w.Installation()
		installation = row.ID
		return errors.Join(err, w.PutUser(deploy.User{ID: "Users-2", Name: "bob", IsActive: true}),
			w.PutUser(deploy.User{ID: "Users-3", Name: "eve", IsActive: true}))
	})
	var made daemon.Backup
	must(t, &made, "backup", backup, "--home", home)
	var text strings.Builder
	for _, line := range []string{`"Users-2"`, `"Users-2","again":true`, `"Users-3","again":true`, `"Users-3"`, `"Users-9"`} {
		fmt.Fprintf(&text, `{"at":"2026-11-22T12:00:00Z","installation":%q,"kind":"user","id":%s}`+"\n", installation, line)
	}
	put(t, list, text.String())
	restored := filepath.Join(base, "restored")
	var r daemon.Restored
	must(t, &r, "restore", backup, "--home", restored, "--revocations", list)
	if !slices.Equal(r.Revoked, []string{"user eve"}) {
		t.Errorf("revoked %q", r.Revoked)
	}
	look(t, restored, func(db store.Reader) error {
		bob, _ := db.User("Users-2")
		eve, err := db.User("Users-3")
		if !bob.IsActive || eve.IsActive {
			t.Errorf("bob is active: %v, eve: %v", bob.IsActive, eve.IsActive)
		}
		return err
	})
}

// TestRevocationsGoOnBehindATornLine: what a crash cut off does not spoil the next one.
func TestRevocationsGoOnBehindATornLine(t *testing.T) {
	r := newRevokedSite(t)
	list := filepath.Join(r.home, listName)
	change(t, list, func(text []byte) []byte { return append(text, `{"at":"2026-11`...) })
	d, stop := start(t, r.home)
	s := newSite(t, r.home, d)
	if err := s.ask(t.Context(), "DELETE", "/api/machines/web-2", nil, nil); err != nil {
		t.Fatal(err)
	}
	stop()
	text, err := os.ReadFile(list)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || len(lines) != 4 || !strings.Contains(lines[3], `"name":"web-2"`) {
		t.Errorf("the list: %v, %q", err, lines)
	}
}
