// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/daemon"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/trust"
)

func load(t *testing.T, text string) (daemon.Settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return daemon.LoadSettings(path)
}

func TestLoadSettings(t *testing.T) {
	polling := "mode = 'polling'\nserver = 'deploy.example.com:10943'\n"
	for name, test := range map[string]struct {
		text string
		want daemon.Settings
	}{
		"polling": {polling, daemon.Settings{
			Mode: trust.ModePolling, Server: "deploy.example.com:10943", CacheMB: 10240,
		}},
		"no cache limit": {polling + "cache_mb = 0\n", daemon.Settings{
			Mode: trust.ModePolling, Server: "deploy.example.com:10943",
		}},
		"listening by hand": {
			"name = 'web-1'\nmode = 'listening'\nlisten = '[::]:10933'\ncache_mb = 300\ntrust = ['" + trust.Pin{1}.String() + "']\n",
			daemon.Settings{
				Name: "web-1", Mode: trust.ModeListening, Listen: "[::]:10933", CacheMB: 300, Trust: []trust.Pin{{1}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			path := filepath.Join(t.TempDir(), "agent.toml")
			if err := got.Save(host.Fsync{}, path); err != nil {
				t.Fatal(err)
			}
			if again, err := daemon.LoadSettings(path); err != nil || cmp.Diff(got, again) != "" {
				t.Errorf("saved and read again: %+v, %v", again, err)
			}
		})
	}
}

func TestLoadSettingsRefuses(t *testing.T) {
	polling := "mode = 'polling'\nserver = 'deploy.example.com:10943'\n"
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":      {polling + "sever = 'x:1'\n", "unknown key sever (did you mean server?)"},
		"two unknown keys": {polling + "sever = 'x:1'\nzzz = 1\n", "unknown key zzz"},
		"no mode":          {"server = 'a:1'\n", `mode: want "polling" or "listening", got ""`},
		"other mode":       {"mode = 'pulling'\n", `got "pulling"`},
		"no server":        {"mode = 'polling'\n", "server: address"},
		"port":             {"mode = 'listening'\nlisten = '0.0.0.0:0'\n", "listen: address"},
		"name":             {polling + "name = 'Web'\n", "name: machine name"},
		"negative cache":   {polling + "cache_mb = -1\n", "cache_mb: -1: want 0 (no limit) to"},
		"huge cache":       {polling + "cache_mb = 9000000000000000000\n", "cache_mb: 9000000000000000000"},
		"left-overs":       {polling + "left_overs = 'burn'\n", `left_overs: want "kill" or "keep", got "burn"`},
		"text for number":  {polling + "cache_mb = '10 GB'\n", "line 3, column 12"},
		"short pin":        {polling + "trust = ['abc']\n", "3 hex digits: want 64"},
		"no TOML":          {"mode: polling\n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.text)
			if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), "agent.toml") || errkind.Hint(err) == "" {
				t.Errorf("LoadSettings = %v (%v, hint %q), want %q", err, errkind.Of(err), errkind.Hint(err), test.want)
			}
		})
	}
}
