// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/trust"
)

func TestJoin(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	token := s.token(t)
	m.env["FAIRLEAD_TOKEN"] = token.Reveal()
	got := m.run(t, "join")
	want := result{0, "web-01-example-com has joined " + s.address + " as Machines-1 (environments: Production; tags: web).\n" +
		"Start the agent with: fairlead-agent run --home " + m.home + "\n", ""}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Fatalf("join (-want +got):\n%s", diff)
	}
	files := m.files(t)
	names := []string{"agent.toml", "identity.pem", "lock", "state-id", "trust.json"}
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	settings := "# what the server calls this machine\nname = 'web-01-example-com'\n" +
		"# polling: this agent dials the server; listening: the server dials it\nmode = 'polling'\n" +
		"# where the server listens for agents, host:port\nserver = '" + s.address + "'\n" +
		"# what received packages may take on the disk, in MiB; 0: no limit\n" +
		"cache_mb = 10240\n"
	if diff := cmp.Diff(settings, files["agent.toml"]); diff != "" {
		t.Errorf("agent.toml (-want +got):\n%s", diff)
	}
	q := s.asked()[0]
	if q.Facts.StateID != strings.TrimSpace(files["state-id"]) || q.TokenID != token.ID() || q.Mode != trust.ModePolling {
		t.Errorf("asked %+v; state-id %q", q, files["state-id"])
	}
}

func TestJoinTokenIsWrittenNowhere(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	token := s.token(t)
	m.in = token.Reveal() + "\n"
	got := m.run(t, "join", "--json")
	if got.code != 0 {
		t.Fatal(got)
	}
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	a.stop(t)
	seen := m.files(t)
	seen["out"], seen["err"], seen["log"] = got.out, got.err, a.log.String()
	for where, text := range seen {
		for _, secret := range []string{token.Reveal(), token.Secret().Reveal()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the token's secret", where)
			}
		}
		if info, err := os.Stat(filepath.Join(m.home, where)); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", where, info.Mode())
		}
	}
}

func TestJoinAgainChangesNothing(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(s.token(t).Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := m.run(t, "join", "--token-file", file); got.code != 0 {
		t.Fatal(got)
	}
	edited := strings.Replace(m.files(t)["agent.toml"], "10240", "512", 1)
	if err := os.WriteFile(filepath.Join(m.home, "agent.toml"), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	before := m.files(t)
	if got := m.run(t, "join", "--token-file", file); got.code != 0 {
		t.Fatal(got)
	}
	if diff := cmp.Diff(before, m.files(t)); diff != "" {
		t.Errorf("home (-before +after):\n%s", diff)
	}
	if q := s.asked(); len(q) != 2 || q[0].Facts.StateID != q[1].Facts.StateID {
		t.Errorf("asked %+v", q)
	}
}

func TestJoinRefusedLeavesTheHomeAsItWas(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	s.admit = refuse
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	got := m.run(t, "join")
	want := result{4, "", "fairlead-agent: join refused: the server does not accept this join token\n" +
		"  hint: a token works once, for an hour unless made otherwise, and may be bound to one machine name; " +
		"make a new one with: fairlead-server token create\n"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("join (-want +got):\n%s", diff)
	}
	if names := slices.Sorted(maps.Keys(m.files(t))); slices.Contains(names, "agent.toml") || slices.Contains(names, "trust.json") {
		t.Errorf("files %q", names)
	}
	good := newServer(t)
	m.env["FAIRLEAD_TOKEN"] = good.token(t).Reveal()
	if got := m.run(t, "join"); got.code != 0 {
		t.Fatal(got)
	}
	before := m.files(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	if got := m.run(t, "join"); got.code != 4 {
		t.Errorf("second join: %+v", got)
	}
	if diff := cmp.Diff(before, m.files(t)); diff != "" {
		t.Errorf("home (-before +after):\n%s", diff)
	}
}

func TestJoinMistakes(t *testing.T) {
	s := newServer(t)
	token := s.token(t).Reveal()
	other, err := trust.NewToken(s.address, trust.Pin{1})
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := trust.NewToken("127.0.0.1:1", s.identity.Pin)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token string
		args  []string
		code  int
		want  string
		made  bool // the home is there afterwards
	}{
		"no token":          {"", nil, 2, "no token was given", false},
		"no token at all":   {"hello", nil, 2, "text is no join token", false},
		"cut token":         {token[:40], nil, 2, "cut short", false},
		"wrong pin":         {other.Reveal(), nil, 4, "peer proved pin", true},
		"nobody there":      {nobody.Reveal(), nil, 5, "dial 127.0.0.1:1: connect: connection refused", true},
		"bad name":          {token, []string{"--name", "Web 1"}, 2, "for example web-1", false},
		"bad server":        {token, []string{"--server", "x"}, 2, "missing port in address", false},
		"no public address": {token, []string{"--listening"}, 2, "add --public-address HOST:PORT", false},
		"bad listen":        {token, []string{"--listening", "--public-address", "a:1", "--listen", "x"}, 2, "listen: address", false},
		"no token file":     {"", []string{"--token-file", "/nowhere/token"}, 3, "read token: open /nowhere/token", false},
		"folder as file":    {"", []string{"--token-file", "/"}, 4, "read token: read /", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.env["FAIRLEAD_TOKEN"] = test.token
			got := m.run(t, append([]string{"join"}, test.args...)...)
			if got.code != test.code || got.out != "" || !strings.Contains(got.err, test.want) {
				t.Errorf("join = %+v, want code %d and %q", got, test.code, test.want)
			}
			if _, err := os.Stat(m.home); (err == nil) != test.made {
				t.Errorf("home there: %v", err == nil)
			}
		})
	}
}

// A person who starts join without a token sees what it waits for and can leave.
func TestJoinAtATerminalCanBeInterrupted(t *testing.T) {
	m := newMachine(t)
	in, typed := io.Pipe()
	defer typed.Close()
	ctx, cancel := context.WithCancel(t.Context())
	errs, done := newOutput(), make(chan int, 1)
	var running sync.WaitGroup
	running.Go(func() {
		std := cli.IO{In: in, Out: io.Discard, Err: errs, Typed: true}
		done <- daemon.Main(ctx, []string{"join", "--home", m.home}, std, "1.2.3", m.real)
	})
	errs.await(t, "paste the token")
	cancel()
	select {
	case code := <-done:
		if code != 130 {
			t.Errorf("join ended with %d:\n%s", code, errs)
		}
	case <-time.After(patience):
		t.Error("join goes on after an interrupt")
	}
	typed.Close()
	running.Wait()
}

func TestJoinWhileTheAgentRuns(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	if got := m.run(t, "join"); got.code != 0 {
		t.Fatal(got)
	}
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	if got := m.run(t, "join"); got.code != 6 || !strings.Contains(got.err, "is in use by process") {
		t.Errorf("join = %+v", got)
	}
	a.stop(t)
}

func TestJoinKeepsABrokenSettingsFile(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	if err := os.Mkdir(m.home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.home, "agent.toml"), []byte("cache_bm = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := m.run(t, "join")
	if got.code != 2 || !strings.Contains(got.err, "unknown key cache_bm (did you mean cache_mb?)") || len(s.asked()) != 0 {
		t.Errorf("join = %+v, asked %d times", got, len(s.asked()))
	}
}
