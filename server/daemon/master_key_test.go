// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/server/daemon"
)

const canary = "cAnArY-4711"

// withSecret makes a home whose store holds a sealed secret; it returns the key's text.
func withSecret(t *testing.T) (base, home, key string) {
	t.Helper()
	base = t.TempDir()
	home = filepath.Join(base, "home")
	d, stop := start(t, home)
	s := newSite(t, home, d)
	body := `{"Name":"token","AccountType":"Token","Token":{"HasValue":true,"NewValue":"` + canary + `"}}`
	if err := s.ask(t.Context(), "POST", "/api/Spaces-1/accounts", strings.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	stop()
	var shown struct{ Key string }
	must(t, &shown, "key", "export", "--home", home)
	return base, home, shown.Key
}

// open opens a home and gives it back.
func open(t *testing.T, home, key string) error {
	t.Helper()
	d, err := daemon.New(t.Context(), daemon.Options{
		Home: daemon.Home(home), Settings: daemon.DefaultSettings(), Version: "test", MasterKey: key,
	}, quiet())
	if err == nil {
		d.Close()
	}
	return err
}

// contents are hashes of what must not change in a home that does not open.
func contents(t *testing.T, home string) (text string) {
	t.Helper()
	for _, name := range []string{"fairlead.db", "identity.pem", "master.key"} {
		raw, _ := os.ReadFile(filepath.Join(home, name)) // what is not there counts as empty
		text += fmt.Sprintf("%s %x\n", name, sha256.Sum256(raw))
	}
	return text
}

func TestS11MasterKeyMissingOrWrong(t *testing.T) {
	base, home, key := withSecret(t)
	right, err := secret.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, aside := filepath.Join(home, "master.key"), filepath.Join(base, "aside")
	if err := os.Rename(file, aside); err != nil {
		t.Fatal(err)
	}
	before := contents(t, home)
	for name, c := range map[string]struct {
		key  string
		kind errkind.Kind
	}{
		"missing": {"", errkind.NotFound}, "wrong": {secret.NewKey().Text(), errkind.Denied}, "no key": {"x", errkind.Invalid},
	} {
		err := open(t, home, c.key)
		if errkind.Of(err) != c.kind {
			t.Errorf("%s: %v (%v), want %v", name, err, errkind.Of(err), c.kind)
			continue
		}
		hint := errkind.Hint(err)
		if name != "no key" && (!strings.Contains(err.Error(), right.ID()) || !strings.Contains(hint, file) ||
			!strings.Contains(hint, "key import")) {
			t.Errorf("%s: %v; hint %q: want the key's id, its place, and how it comes back", name, err, hint)
		}
		if after := contents(t, home); after != before {
			t.Errorf("%s: the home changed:\n%s\n%s", name, before, after)
		}
	}
	if err := open(t, home, key); err != nil {
		t.Errorf("with the key from the environment: %v", err)
	}
	importKey(t, home, "", 1)
	importKey(t, home, key, 0)
	importKey(t, home, key, 1)
	if err := open(t, home, ""); err != nil {
		t.Errorf("with the imported key: %v", err)
	}
}

// importKey runs `key import` with a text as standard input.
func importKey(t *testing.T, home, text string, wantFailure int) {
	t.Helper()
	var out, errs bytes.Buffer
	std := cli.IO{In: strings.NewReader(text), Out: &out, Err: &errs}
	code := daemon.Main(t.Context(), []string{"key", "import", "--home", home}, std, "test",
		func(*slog.Logger) host.Env { return quiet() })
	if (code != 0) != (wantFailure != 0) {
		t.Errorf("key import: code %d, %s%s", code, &out, &errs)
	}
	if text != "" && (strings.Contains(out.String(), text) || strings.Contains(errs.String(), text)) {
		t.Errorf("key import shows the key: %s%s", &out, &errs)
	}
}

// TestS10BackupHoldsNoSecretAndNoKey also restores: the new home needs the key.
func TestS10BackupHoldsNoSecretAndNoKey(t *testing.T) {
	base, home, key := withSecret(t)
	folder, restored := filepath.Join(base, "backup"), filepath.Join(base, "restored")
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	for place, needles := range map[string][]string{folder: {canary, key}, home: {canary}} {
		for _, name := range listing(t, place) {
			raw, err := os.ReadFile(filepath.Join(place, name))
			for _, needle := range needles {
				if err == nil && bytes.Contains(raw, []byte(needle)) {
					t.Errorf("%s holds %.10s…", filepath.Join(place, name), needle)
				}
			}
		}
	}
	var r daemon.Restored
	must(t, &r, "restore", folder, "--home", restored)
	right, _ := secret.ParseKey(key)
	if r.MasterKey != right.ID() {
		t.Errorf("restored, wants the master key %q, not %q", r.MasterKey, right.ID())
	}
	if err := open(t, restored, ""); errkind.Of(err) != errkind.NotFound {
		t.Errorf("the restored home without its key: %v", err)
	}
	importKey(t, restored, key, 0)
	if err := open(t, restored, ""); err != nil {
		t.Errorf("the restored home with its key: %v", err)
	}
}

// TestMasterKeyOfANewHome is made at the first start and stays; without secrets another one will do.
func TestMasterKeyOfANewHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	newDaemon(t, home).Close()
	info, err := os.Stat(filepath.Join(home, "master.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("master.key: %v, %v, want mode 0600", info, err)
	}
	before := contents(t, home)
	var first, second daemon.KeyShown
	must(t, &first, "key", "show", "--home", home)
	if err := open(t, home, ""); err != nil || contents(t, home)[:20] != before[:20] {
		t.Errorf("a second start: %v", err)
	}
	must(t, &second, "key", "show", "--home", home)
	if first != second || len(first.ID) != 16 {
		t.Errorf("the key was %v and is %v", first, second)
	}
	if err := os.Remove(filepath.Join(home, "master.key")); err != nil {
		t.Fatal(err)
	}
	if err := open(t, home, ""); err != nil {
		t.Errorf("nothing is sealed, and yet: %v", err)
	}
	must(t, &second, "key", "show", "--home", home)
	if first.ID == second.ID {
		t.Error("no new key was made")
	}
}
