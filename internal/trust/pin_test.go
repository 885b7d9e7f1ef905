// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/trust"
)

const pinText = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"

func TestParsePinForms(t *testing.T) {
	want, err := trust.ParsePin(pinText)
	if err != nil {
		t.Fatal(err)
	}
	colons := strings.ToUpper(strings.Join(pairs(pinText), ":"))
	for _, text := range []string{
		pinText, strings.ToUpper(pinText), colons, strings.ReplaceAll(colons, ":", " "), want.Grouped(),
		"  " + pinText + "\n", "sha256 Fingerprint=" + colons + "\n", "SHA256 Fingerprint=" + colons,
	} {
		got, err := trust.ParsePin(text)
		if err != nil || got != want {
			t.Errorf("ParsePin(%q) = %v, %v", text, got, err)
		}
	}
	if want.String() != pinText || want.Short() != pinText[:12] {
		t.Errorf("String %s, Short %s", want, want.Short())
	}
	if got := want.Grouped(); len(got) != 64+15 || got[:9] != "0011-2233" {
		t.Errorf("Grouped %s", got)
	}
}

func pairs(text string) []string {
	var out []string
	for ; text != ""; text = text[2:] {
		out = append(out, text[:2])
	}
	return out
}

func TestParsePinRefuses(t *testing.T) {
	for _, text := range []string{
		"", "0", pinText[:63], pinText + "0", pinText[:40], "g" + pinText[1:], ":" + pinText, pinText + ":",
		pinText[:2] + "::" + pinText[2:], pinText[:2] + ":-" + pinText[2:], strings.Repeat("0", 64),
		"md5 Fingerprint=" + pinText, strings.Repeat(pinText, 100), "\x00" + pinText[1:],
	} {
		if pin, err := trust.ParsePin(text); errkind.Of(err) != errkind.Invalid || err == nil {
			t.Errorf("ParsePin(%.80q) = %v, %v: want Invalid", text, pin, err)
		}
	}
	_, err := trust.ParsePin(pinText[:40])
	wantKind(t, err, errkind.Invalid, "SHA-1", "openssl")
}

func TestT2FullPinCompared(t *testing.T) {
	pin, _ := trust.ParsePin(pinText)
	for i := range pin {
		other := pin
		other[i] ^= 1
		if pin.Equal(other) {
			t.Errorf("pins that differ in byte %d are equal", i)
		}
	}
	if !pin.Equal(pin) || (trust.Pin{}).Equal(trust.Pin{}) {
		t.Error("a pin must equal itself, and the zero pin nothing")
	}
	// Same first 20 bytes, the length of a SHA-1 thumbprint: a set must tell them apart.
	set, twin := trust.NewPinSet(), pin
	twin[31] ^= 0x80
	if err := set.Add(pin, trust.Grant{Role: trust.RoleAgent, Subject: "machines-1"}); err != nil {
		t.Fatal(err)
	}
	_, err := set.Lookup(twin)
	wantKind(t, err, errkind.Untrusted)
}

func TestPinInJSON(t *testing.T) {
	pin, _ := trust.ParsePin(pinText)
	raw, err := json.Marshal(map[trust.Pin]trust.Pin{pin: pin})
	if err != nil || string(raw) != `{"`+pinText+`":"`+pinText+`"}` {
		t.Fatalf("%s, %v", raw, err)
	}
	var back map[trust.Pin]trust.Pin
	if err := json.Unmarshal(raw, &back); err != nil || back[pin] != pin {
		t.Fatalf("%v, %v", back, err)
	}
}

func TestIdentityFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.pem")
	id := identity(t, "web-01")
	if err := id.Save(host.Fsync{}, path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	back, err := trust.LoadIdentity(path)
	if err != nil || back.Pin != id.Pin {
		t.Fatalf("%v, %v", back, err)
	}
	leaf := back.Certificate.Leaf
	if leaf.Subject.CommonName != "web-01" || leaf.SerialNumber.BitLen() < 64 {
		t.Errorf("name %q, serial %v", leaf.Subject.CommonName, leaf.SerialNumber)
	}
	if days := leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24; days != 397 {
		t.Errorf("valid for %v days", days)
	}
	err = identity(t, "other").Save(host.Fsync{}, path)
	wantKind(t, err, errkind.Conflict, "exists", "never overwritten")
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestIdentityFileRefused(t *testing.T) {
	good := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "identity.pem")
		if err := identity(t, "web-01").Save(host.Fsync{}, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("S9 group readable", func(t *testing.T) {
		path := good(t)
		os.Chmod(path, 0o640)
		_, err := trust.LoadIdentity(path)
		wantKind(t, err, errkind.Denied, "0640", "chmod 600")
	})
	t.Run("H3 symbolic link", func(t *testing.T) {
		path := good(t)
		link := path + ".link"
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		_, err := trust.LoadIdentity(link)
		wantKind(t, err, errkind.Denied, "symbolic link")
	})
	t.Run("folder", func(t *testing.T) {
		_, err := trust.LoadIdentity(t.TempDir())
		wantKind(t, err, errkind.Denied)
	})
	t.Run("missing", func(t *testing.T) {
		_, err := trust.LoadIdentity(filepath.Join(t.TempDir(), "none"))
		wantKind(t, err, errkind.NotFound)
	})
	t.Run("cut short", func(t *testing.T) {
		path := good(t)
		os.Truncate(path, 200)
		_, err := trust.LoadIdentity(path)
		wantKind(t, err, errkind.Corrupt, "backup")
	})
	t.Run("key of another", func(t *testing.T) {
		a, _ := os.ReadFile(good(t))
		b, _ := os.ReadFile(good(t))
		_, keyOfB, _ := strings.Cut(string(b), "-----END CERTIFICATE-----\n")
		certOfA, _, _ := strings.Cut(string(a), "-----BEGIN PRIVATE KEY-----")
		path := filepath.Join(t.TempDir(), "mixed.pem")
		os.WriteFile(path, []byte(certOfA+keyOfB), 0o600)
		_, err := trust.LoadIdentity(path)
		wantKind(t, err, errkind.Corrupt)
	})
	t.Run("no folder", func(t *testing.T) {
		err := identity(t, "web-01").Save(host.Fsync{}, filepath.Join(t.TempDir(), "none", "identity.pem"))
		wantKind(t, err, errkind.NotFound)
	})
}

func TestIdentityNeverPrintsItsKey(t *testing.T) {
	id := identity(t, "web-01")
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, id); got != "identity "+id.Pin.String() {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

func FuzzParsePin(f *testing.F) {
	f.Add(pinText)
	f.Add("sha256 Fingerprint=" + strings.ToUpper(strings.Join(pairs(pinText), ":")))
	f.Add("::")
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		pin, err := trust.ParsePin(text)
		if err != nil {
			if errkind.Of(err) != errkind.Invalid {
				t.Fatalf("kind %v", errkind.Of(err))
			}
			return
		}
		for _, again := range []string{pin.String(), pin.Grouped()} {
			if back, err := trust.ParsePin(again); err != nil || back != pin {
				t.Fatalf("%q: %v, %v", again, back, err)
			}
		}
	})
}
