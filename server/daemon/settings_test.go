// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/server/daemon"
)

func TestProxyProtocolFrom(t *testing.T) {
	for text, says := range map[string]string{
		`["10.0.0.0/24", "2001:db8::/64", "192.0.2.7", "::1"]`: "",
		`["10.0.0.9/24"]`:       `"10.0.0.9/24": want a prefix`,
		`["lb.example.com"]`:    `"lb.example.com": want a prefix`,
		`["10.0.0.0/33"]`:       "want a prefix",
		`["::ffff:10.0.0.1"]`:   "want a prefix",
		`["fe80::1%eth0"]`:      "want a prefix",
		`["10.0.0.0/24", ""]`:   `"": want a prefix`,
		`["10.0.0.1-10.0.0.9"]`: "want a prefix",
	} {
		path := filepath.Join(t.TempDir(), "server.toml")
		if err := os.WriteFile(path, []byte("proxy_protocol_from = "+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := daemon.LoadSettings(path)
		if says == "" && err == nil {
			continue
		}
		if errkind.Of(err) != errkind.Invalid || err == nil || !strings.Contains(err.Error(), "proxy_protocol_from: "+says) &&
			!strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// TestPortsOfListeners: a port that cannot be one is refused before anything listens. 0 is any free one.
func TestPortsOfListeners(t *testing.T) {
	for address, says := range map[string]string{
		"127.0.0.1:0":     "",
		"[::1]:65535":     "",
		":8065":           "",
		"0.0.0.0:99999":   `port "99999" is not a number from 0 to 65535`,
		"127.0.0.1:http":  `port "http" is not a number from 0 to 65535`,
		"127.0.0.1":       "is not host:port",
		"http://here:800": "is not host:port",
	} {
		path := filepath.Join(t.TempDir(), "server.toml")
		if err := os.WriteFile(path, []byte("http = \""+address+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := daemon.LoadSettings(path)
		if says == "" && err != nil ||
			says != "" && (errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", address, err, says)
		}
	}
}

// TestDaysOfTasks: 0 is for ever, and nobody means more than ten years.
func TestDaysOfTasks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.toml")
	if s, err := daemon.LoadSettings(path); err != nil || s.TaskDays != 30 {
		t.Errorf("without a file: %d days, %v; want Octopus's 30", s.TaskDays, err)
	}
	for days, says := range map[string]string{"0": "", "3650": "", "-1": "want 0 to 3650, got -1", "3651": "want 0 to 3650, got 3651"} {
		if err := os.WriteFile(path, []byte("task_days = "+days+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := daemon.LoadSettings(path)
		if says == "" && err != nil || says != "" && (errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s days: %v, want %q", days, err, says)
		}
	}
}
