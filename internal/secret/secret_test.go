// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package secret_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/secret"
)

func TestSealedTextsOpen(t *testing.T) {
	key := secret.NewKey()
	rapid.Check(t, func(t *rapid.T) {
		plain, place := rapid.String().Draw(t, "plain"), rapid.String().Draw(t, "place")
		sealed := key.Seal(plain, place)
		if got, err := key.Open(sealed, place); err != nil || got != plain {
			t.Fatalf("Open() = %q, %v, want %q", got, err, plain)
		}
		if again := key.Seal(plain, place); again == sealed {
			t.Fatal("the same text is sealed twice in the same way")
		}
		if len(plain) > 3 && strings.Contains(sealed, plain) {
			t.Fatalf("%q shows %q", sealed, plain)
		}
	})
}

func TestS10SealedTextOfAnotherRow(t *testing.T) {
	key := secret.NewKey()
	sealed := key.Seal("canary", "variable Projects-1/a")
	for _, place := range []string{"", "variable Projects-1/b", "variable Projects-1/a ", "variable projects-1/a"} {
		if got, err := key.Open(sealed, place); errkind.Of(err) != errkind.Corrupt || got != "" {
			t.Errorf("Open(for %q) = %q, %v, want corrupt", place, got, err)
		}
	}
	other := secret.NewKey()
	if got, err := other.Open(sealed, "variable Projects-1/a"); errkind.Of(err) != errkind.Denied || got != "" {
		t.Errorf("Open(with another key) = %q, %v, want denied", got, err)
	}
	relabeled := strings.Replace(sealed, key.ID(), other.ID(), 1)
	if got, err := other.Open(relabeled, "variable Projects-1/a"); errkind.Of(err) != errkind.Corrupt || got != "" {
		t.Errorf("Open(relabeled) = %q, %v, want corrupt", got, err)
	}
}

func TestAlteredTextDoesNotOpen(t *testing.T) {
	key := secret.NewKey()
	sealed := key.Seal("canary", "p")
	for i := range len(sealed) {
		for _, c := range []byte("Aa0:=\x00") {
			bad := sealed[:i] + string(c) + sealed[i+1:]
			if got, err := key.Open(bad, "p"); bad != sealed && err == nil {
				t.Fatalf("byte %d changed to %q: Open() = %q", i, c, got)
			}
		}
		if got, err := key.Open(sealed[:i], "p"); err == nil {
			t.Fatalf("cut to %d bytes: Open() = %q", i, got)
		}
	}
}

func TestKeyText(t *testing.T) {
	key := secret.NewKey()
	again, err := secret.ParseKey(" " + key.Text() + "\n")
	if err != nil || again.ID() != key.ID() || len(key.ID()) != 16 {
		t.Fatalf("ParseKey(Text()) = %v, %v, want %v", again, err, key)
	}
	for _, text := range []string{"", "flk1_", key.Text() + "A", key.Text()[:20], "flk2_" + key.Text()[5:], key.Text()[5:]} {
		_, err := secret.ParseKey(text)
		if errkind.Of(err) != errkind.Invalid || len(text) > 10 && strings.Contains(err.Error(), text[5:]) {
			t.Errorf("ParseKey(%q) = %v, want invalid without the text", text, err)
		}
	}
	for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if shown := fmt.Sprintf(verb, key); strings.Contains(shown, key.Text()[5:]) || !strings.Contains(shown, key.ID()) {
			t.Errorf("printed with %s: %s", verb, shown)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(key.Text()[5:])
		held := struct{ key secret.Key }{key} // package fmt calls no method of what is not exported
		shown := fmt.Sprintf(verb, held)
		for _, form := range []string{"%v", "%x", "%#v", "%s", "%q"} {
			bytes := strings.Trim(fmt.Sprintf(form, raw[:8]), "[]{}\"byt")
			if strings.Contains(shown, bytes) || strings.Contains(shown, strings.ReplaceAll(bytes, " ", ", ")) {
				t.Fatalf("printed with %s as a part of something: %s", verb, shown)
			}
		}
	}
}

func TestS9KeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	key := secret.NewKey()
	if err := key.Save(host.Fsync{}, path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := secret.NewKey().Save(host.Fsync{}, path); errkind.Of(err) != errkind.Conflict {
		t.Errorf("Save() over a key = %v, want conflict", err)
	}
	if got, err := secret.LoadKey(path); err != nil || got.ID() != key.ID() {
		t.Errorf("LoadKey() = %v, %v, want %v", got, err, key)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadKey(path); errkind.Of(err) != errkind.Denied {
			t.Errorf("LoadKey(mode %o) = %v, want denied", mode, err)
		}
	}
	_ = os.Chmod(path, 0o600)
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		_, err := secret.LoadKey(path)
		if errkind.Of(err) != errkind.Denied || !strings.Contains(errkind.Hint(err), "sudo -u '#12345'") {
			t.Errorf("LoadKey(of another user) = %v, hint %q", err, errkind.Hint(err))
		}
		_ = os.Chown(path, 0, -1)
	}
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadKey(link); errkind.Of(err) != errkind.Denied {
		t.Errorf("LoadKey(link) = %v, want denied", err)
	}
	if _, err := secret.LoadKey(path + ".none"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("LoadKey(nothing) = %v, want not-found", err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadKey(path); errkind.Of(err) != errkind.Invalid {
		t.Errorf("LoadKey(no key) = %v, want invalid", err)
	}
}
