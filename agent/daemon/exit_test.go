// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// closedPort is an address that nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestExitCodes runs each command of the agent into each kind of failure it can meet, and compares with the
// table in docs/operations.md.
func TestExitCodes(t *testing.T) {
	pin, token := strings.Repeat("ab", 32), newServer(t).token(t).Reveal()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	toNobody := "mode = 'polling'\nname = 'web-1'\nserver = '" + closedPort(t) + "'\n"
	for _, row := range []struct {
		name, args, token, settings string
		code                        int
	}{
		{"run before join", "run", "", "", 3},
		{"status before join", "status", "", "", 3},
		{"doctor before join", "doctor", "", "", 3},
		{"status of one that never ran", "status", "", toNobody, 5},
		{"doctor without an identity", "doctor", "", toNobody, 3},
		{"doctor with a token of nobody", "doctor --server " + closedPort(t), token, "", 5},
		{"doctor of a listening agent", "doctor", "", "mode = 'listening'\nlisten = '127.0.0.1:1'\n", 2},
		{"join without a token", "join", "", "", 2},
		{"join with a token on the command line", "join " + token, "", "", 2},
		{"join with a token in a flag", "join --token=" + token, "", "", 2},
		{"join with a token for a file", "join --token-file " + token, "", "", 2},
		{"join with half a token", "join", token[:40], "", 2},
		{"join with a file that is not there", "join --token-file /no/such/token", "", "", 3},
		{"join a server that is away", "join --server " + closedPort(t), token, "", 5},
		{"join under no name", "join --name a/b", token, "", 2},
		{"join listening without an address", "join --listening", token, "", 2},
		{"join through no proxy", "join --proxy ftp://a:1", token, "", 2},
		{"listen without a pin", "listen", "", "", 2},
		{"listen with half a pin", "listen --trust abcd", "", "", 2},
		{"listen on a port in use", "listen --listen " + busy.Addr().String() + " --trust " + pin, "", "", 6},
		{"listen on an address of another host", "listen --listen 192.0.2.1:1 --trust " + pin, "", "", 2},
		{"unknown setting", "run", "", toNobody + "nmae = 'x'\n", 2},
		{"unknown command", "jion", "", "", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			if row.token != "" {
				m.env["FAIRLEAD_TOKEN"] = row.token
			}
			if row.settings != "" {
				if err := os.MkdirAll(m.home, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(m.home, "agent.toml"), []byte(row.settings), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := m.run(t, strings.Fields(row.args)...); got.code != row.code {
				t.Errorf("%s: code %d, want %d: %s", row.args, got.code, row.code, got.err)
			} else if !strings.Contains(got.err, "hint: ") {
				t.Errorf("%s: no word on what to do: %s", row.args, got.err)
			} else if strings.Contains(got.err, token[5:]) {
				t.Errorf("%s: the message holds the token", row.name)
			}
		})
	}
}
