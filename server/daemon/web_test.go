// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/settings"
)

func TestPublicURL(t *testing.T) {
	for _, row := range []struct{ public, listening, want string }{
		{"", "127.0.0.1:8065", "http://localhost:8065"},
		{"", "[::1]:8065", "http://localhost:8065"},
		{"", "0.0.0.0:8065", "http://srv:8065"},
		{"", ":80", "http://srv:80"},
		{"", "10.1.2.3:8065", "http://10.1.2.3:8065"},
		{"https://deploy.example/", "127.0.0.1:8065", "https://deploy.example"},
	} {
		if got := (Settings{PublicURL: row.public}).publicURL("srv", row.listening); got != row.want {
			t.Errorf("publicURL of %q at %q = %q, want %q", row.public, row.listening, got, row.want)
		}
	}
}

func TestHostSettings(t *testing.T) {
	for text, want := range map[string]string{
		`hosts = ["deploy.example", "10.1.2.3", "::1"]`: "",
		`public_url = "https://deploy.example"`:         "",
		`hosts = ["deploy.example:8065"]`:               "hosts",
		`hosts = ["http://deploy.example"]`:             "hosts",
		`hosts = [""]`:                                  "hosts",
		`public_url = "deploy.example"`:                 "public_url",
		`public_url = "https://u:p@deploy.example"`:     "public_url",
		`public_url = "https://deploy.example/app"`:     "public_url",
		`public_url = "javascript:alert(1)"`:            "public_url",
	} {
		s := DefaultSettings()
		err := settings.Parse([]byte(text), &s)
		if err == nil {
			err = s.check()
		}
		if (err == nil) != (want == "") || err != nil && (errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// newServer is one in a home of its own; it is closed at the test's end.
func newServer(t *testing.T, s Settings) *Daemon {
	t.Helper()
	env := host.Real(slog.New(slog.DiscardHandler))
	d, err := New(t.Context(), Options{Home: Home(t.TempDir()), Settings: s, Version: "1.0.0"}, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestX6HostsAreAskedFor covers X6: with hosts set, nothing is served under another name, and
// commands on this machine still get through.
func TestX6HostsAreAskedFor(t *testing.T) {
	s := DefaultSettings()
	s.Hosts, s.PublicURL = []string{"deploy.example"}, "https://deploy.example"
	d := newServer(t, s)
	for _, row := range []struct {
		hosts      []string
		name, path string
		want       int
	}{
		{s.Hosts, "evil.example", "/app/sign-in", http.StatusMisdirectedRequest},
		{s.Hosts, "evil.example", "/api", http.StatusMisdirectedRequest},
		{s.Hosts, "deploy.example:8065", "/api", http.StatusOK},
		{s.Hosts, "DEPLOY.example", "/app/sign-in", http.StatusOK},
		{nil, "localhost", "/api", http.StatusOK},
	} {
		request := httptest.NewRequest(http.MethodGet, row.path, nil)
		request.Host = row.name
		response := httptest.NewRecorder()
		d.newWeb(row.hosts).ServeHTTP(response, request)
		if response.Code != row.want {
			t.Errorf("%s of %s with hosts %v: status %d, want %d", row.path, row.name, row.hosts, response.Code, row.want)
		}
	}
}
