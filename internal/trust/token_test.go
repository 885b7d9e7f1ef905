// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

func newToken(t testing.TB, address string) trust.Token {
	t.Helper()
	token, err := trust.NewToken(address, trust.Pin{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenRoundTrip(t *testing.T) {
	for _, address := range []string{
		"deploy.example.com:10943", "10.0.0.1:443", "[2001:db8::1]:10943", "[::1]:1", "a.b.c.d.e.:65535",
		"xn--bcher-kva.example:10943", "host_name:10943", strings.Repeat("a.", 120) + "b:10943",
	} {
		token := newToken(t, address)
		back, err := trust.ParseToken(" " + token.Reveal() + "\n")
		if err != nil || back != token || back.Address() != address {
			t.Errorf("%s: %v, %v", address, back, err)
		}
		if strings.Trim(token.Reveal(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("%s needs quoting somewhere", token.Reveal())
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,10}(\.[a-z0-9][a-z0-9-]{0,10}){0,4}`).Draw(t, "host")
		address := fmt.Sprintf("%s:%d", host, rapid.IntRange(1, 65535).Draw(t, "port"))
		token, err := trust.NewToken(address, trust.Pin(rapid.SliceOfN(rapid.ByteRange(1, 255), 32, 32).Draw(t, "pin")))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := trust.ParseToken(token.Reveal()); err != nil || back != token {
			t.Fatalf("%v, %v", back, err)
		}
	})
}

func TestNewTokenRefuses(t *testing.T) {
	for _, address := range []string{
		"", "host", "host:", "host:0", "host:65536", "host:010", ":10943", "2001:db8::1:10943", "[fe80::1%eth0]:10943",
		"ho st:1", "höst:1", "host\x00:1", "user@host:1", "-host:1", "a..b:1", "host:http", strings.Repeat("a", 64) + ":1",
		strings.Repeat("a.", 130) + "b:1", "http://host:1", "../x:1", "host\n:1",
	} {
		if _, err := trust.NewToken(address, trust.Pin{1}); err == nil || errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: %v", address, err)
		}
	}
	_, err := trust.NewToken("host:1", trust.Pin{})
	wantKind(t, err, errkind.Invalid)
}

// Any mistake of whoever copies a token is told apart from a token that nobody issued, and the
// text never appears in the error.
func TestTokenMistakes(t *testing.T) {
	text := newToken(t, "deploy.example.com:10943").Reveal()
	for n := range len(text) {
		_, err := trust.ParseToken(text[:n])
		if err == nil || errkind.Of(err) != errkind.Invalid {
			t.Fatalf("%d characters: %v", n, err)
		}
		if n > 24 {
			wantKind(t, err, errkind.Invalid, "cut short", "copy the whole line")
			if strings.Contains(err.Error(), text[n-16:n]) {
				t.Fatalf("error shows the token: %v", err)
			}
		}
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	for i := len(trust.TokenPrefix); i < len(text); i++ {
		for _, c := range []byte(alphabet) {
			changed := []byte(text)
			changed[i] = c
			if _, err := trust.ParseToken(string(changed)); (err == nil) != (string(changed) == text) {
				t.Fatalf("character %d as %c: %v", i, c, err)
			}
		}
	}
	for name, row := range map[string]struct{ text, want string }{
		"too long":      {text + "AAAA", "too long"},
		"mistyped":      {text[:60] + "!" + text[61:], "mistyped"},
		"line break":    {text[:60] + "\n" + text[60:], "mistyped"},
		"version":       {"fl2_" + text[4:], `version "fl2_"`},
		"API key":       {"API-ABCDEFGHIJKLMNOP", "no join token"},
		"empty":         {"", "empty"},
		"blank":         {" \n", "empty"},
		"prefix":        {"fl1_", "cut short"},
		"endless":       {"fl1_" + strings.Repeat("A", 1<<20), "no token has more"},
		"wrong digit":   {swap(text, len(text)-1), "mistyped"},
		"other address": {swap(text, 10), "mistyped"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trust.ParseToken(row.text)
			wantKind(t, err, errkind.Invalid, row.want)
		})
	}
}

func swap(text string, at int) string {
	c := byte('A')
	if text[at] == c {
		c = 'B'
	}
	return text[:at] + string(c) + text[at+1:]
}

func TestTokenHidesItsSecret(t *testing.T) {
	token := newToken(t, "deploy.example.com:10943")
	secret := token.Secret().Reveal()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "token", token, "secret", token.Secret())
	plain := slog.New(slog.NewTextHandler(&log, nil))
	plain.Info("x", "token", token, "secret", token.Secret(), "request", trust.JoinRequest{Secret: token.Secret()})
	request := trust.JoinRequest{Secret: token.Secret()}
	raw, err := json.Marshal(map[string]any{"t": token, "s": token.Secret(), "q": request})
	if err != nil {
		t.Fatal(err)
	}
	log.Write(raw)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, format+format+format, token, token.Secret(), trust.JoinRequest{Secret: token.Secret()})
	}
	fmt.Fprintf(&log, "%x %d %X", token, token.Secret(), token.Secret())
	for _, leak := range []string{secret, token.Reveal(), secret[:12]} {
		if strings.Contains(log.String(), leak) {
			t.Errorf("secret printed: %s", log.String())
		}
	}
	if !strings.Contains(log.String(), token.ID().String()) || !strings.Contains(log.String(), token.Address()) {
		t.Errorf("id or address missing: %s", log.String())
	}
}

func TestSecretHash(t *testing.T) {
	token, other := newToken(t, "h:1"), newToken(t, "h:1")
	hash := token.Secret().Hash()
	if !hash.Check(token.Secret()) || hash.Check(other.Secret()) || hash.Check(trust.Secret{}) {
		t.Error("the hash fits the wrong secret, or not the right one")
	}
	back, err := trust.ParseSecret(token.Secret().Reveal())
	if err != nil || back != token.Secret() {
		t.Errorf("%v", err)
	}
	for _, text := range []string{"", "***", token.Secret().Reveal() + "A", token.Secret().Reveal()[:42]} {
		if _, err := trust.ParseSecret(text); errkind.Of(err) != errkind.Invalid {
			t.Errorf("ParseSecret(%q): %v", text, err)
		}
	}
	var id trust.TokenID
	for _, text := range []string{"", "0011223344556677" + "00", "00112233445566GG", "001122334455667A"} {
		if err := id.UnmarshalText([]byte(text)); errkind.Of(err) != errkind.Invalid {
			t.Errorf("token id %q: %v", text, err)
		}
	}
}

func TestAdmit(t *testing.T) {
	token := newToken(t, "h:1")
	mine, other := trust.Pin{9}, trust.Pin{8}
	fresh := trust.TokenRecord{ID: token.ID(), Hash: token.Secret().Hash(), ExpiresAt: today().Add(time.Hour)}
	used, bound, withdrawn := fresh, fresh, fresh
	used.UsedBy, bound.Machine, withdrawn.Withdrawn = mine, "web-02", true
	request := trust.JoinRequest{TokenID: token.ID(), Secret: token.Secret(), Name: "web-01"}
	guess := request
	guess.Secret = newToken(t, "h:1").Secret()
	otherID := request
	otherID.TokenID = trust.TokenID{1}
	late := today().Add(time.Hour)
	for _, row := range []struct {
		name    string
		record  trust.TokenRecord
		request trust.JoinRequest
		pin     trust.Pin
		now     time.Time
		want    trust.Admission
		reason  string
	}{
		{"first use", fresh, request, mine, today(), trust.AdmitNew, ""},
		{"E1 second use by another key", used, request, other, today(), trust.AdmitNobody, trust.DenyReuse},
		{"E1 second use by another key after the end", used, request, other, late, trust.AdmitNobody, trust.DenyReuse},
		{"E3 retry by the same key", used, request, mine, today(), trust.AdmitAgain, ""},
		{"E3 retry by the same key after the end", used, request, mine, late, trust.AdmitAgain, ""},
		{"E2 unknown", trust.TokenRecord{}, request, mine, today(), trust.AdmitNobody, trust.DenyUnknown},
		{"E2 zeros", trust.TokenRecord{}, trust.JoinRequest{}, mine, today(), trust.AdmitNobody, trust.DenyUnknown},
		{"E2 guessed secret", fresh, guess, mine, today(), trust.AdmitNobody, trust.DenyUnknown},
		{"E2 other id", fresh, otherID, mine, today(), trust.AdmitNobody, trust.DenyUnknown},
		{"E2 expired this very moment", fresh, request, mine, late, trust.AdmitNobody, trust.DenyExpired},
		{"E2 a nanosecond before the end", fresh, request, mine, late.Add(-1), trust.AdmitNew, ""},
		{"E2 other machine name", bound, request, mine, today(), trust.AdmitNobody, trust.DenyMachine},
		{"E2 withdrawn", withdrawn, request, mine, today(), trust.AdmitNobody, trust.DenyWithdrawn},
		{"no pin", fresh, request, trust.Pin{}, today(), trust.AdmitNobody, trust.DenyUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, reason := row.record.Admit(row.request, row.pin, row.now)
			if got != row.want || reason != row.reason {
				t.Errorf("%v %q: want %v %q", got, reason, row.want, row.reason)
			}
		})
	}
	wantKind(t, trust.TokenRefused(), errkind.Untrusted, "join token", "fairlead-server token create")
}

func TestE5MachineNames(t *testing.T) {
	for _, name := range []string{"a", "0", "web-01", "a-", "w" + strings.Repeat("-", 62), strings.Repeat("z", 63)} {
		if err := trust.CheckMachineName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "-a", "A", "web_01", "web.01", "web 01", "../x", "a/b", `a\b`, "a,b", `a"b`, "a'b", "\x1b[31mweb", "web\u202e",
		"wеb", "a\x00", "a\n", "a%2fb", strings.Repeat("z", 64), strings.Repeat("z", 10<<10), "#{x}", "$(id)", "ｗeb",
	} {
		err := trust.CheckMachineName(name)
		if errkind.Of(err) != errkind.Invalid || err == nil {
			t.Errorf("%.40q: %v", name, err)
			continue
		}
		if strings.ContainsAny(err.Error(), "\x1b\x00\n\u202e") || len(err.Error()) > 600 {
			t.Errorf("the error shows the name raw: %q", err.Error())
		}
	}
	wantKind(t, trust.CheckMachineName("Web_01"), errkind.Invalid, "for example web-01")
	for in, want := range map[string]string{
		"Web_01.example.com": "web-01-example-com", "": "", "...": "", "-x-": "x", "日本": "",
		strings.Repeat("a", 99): strings.Repeat("a", 63),
	} {
		if got := trust.MachineNameFrom(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if name := trust.MachineNameFrom(rapid.String().Draw(t, "host")); name != "" && trust.CheckMachineName(name) != nil {
			t.Fatalf("%q is no machine name", name)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add(newToken(f, "deploy.example.com:10943").Reveal())
	f.Add(newToken(f, "[2001:db8::1]:443").Reveal())
	f.Add("fl1_AAAA")
	f.Add("fl99_AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := trust.ParseToken(text)
		if err != nil {
			if errkind.Of(err) != errkind.Invalid {
				t.Fatalf("kind %v", errkind.Of(err))
			}
			return
		}
		if token.Reveal() != strings.TrimSpace(text) {
			t.Fatalf("%q is a second text of %q", text, token.Reveal())
		}
	})
}
