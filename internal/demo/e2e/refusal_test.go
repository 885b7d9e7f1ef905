// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/trust"
)

// refused runs a command that must fail with that code, in one sentence that holds each of wants, with what to do.
func refused(t *testing.T, c demo.Command, code int, wants ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r, err := demo.Run(ctx, c)
	must(t, err)
	name := filepath.Base(c.Path)
	message, hint, _ := strings.Cut(strings.TrimSpace(r.Err), "\n")
	switch {
	case r.Code != code:
		t.Errorf("%s ended with %d, want %d", r.CommandLine, r.Code, code)
	case !strings.HasPrefix(message, name+": ") || strings.Contains(message, "goroutine"):
		t.Errorf("%s says nothing that begins with its name", r.CommandLine)
	case !strings.HasPrefix(hint, "  hint: ") || strings.Contains(hint, "\n"):
		t.Errorf("%s does not say in one line what to do", r.CommandLine)
	case r.Out != "":
		t.Errorf("%s printed a result", r.CommandLine)
	}
	for _, want := range wants {
		if !strings.Contains(r.Err, want) {
			t.Errorf("%s does not say %q", r.CommandLine, want)
		}
	}
	t.Logf("%s\n%s%s", r.CommandLine, r.Out, r.Err)
}

// notJoined checks that nothing half done lies in an agent's home.
func notJoined(t *testing.T, a *demo.Agent) {
	t.Helper()
	for _, name := range []string{"agent.toml", "trust.json"} {
		if _, err := os.Stat(filepath.Join(a.Home, name)); !os.IsNotExist(err) {
			t.Errorf("%s lies in the home of an agent that was refused: %v", name, err)
		}
	}
}

func stranger(t *testing.T, site *demo.Site, name string) *demo.Agent {
	t.Helper()
	a, err := site.AddAgent(name, false)
	must(t, err)
	return a
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	must(t, site.StartServer(t.Context()))
	must(t, site.SignIn(t.Context()))
	must(t, site.REST.CreateEnvironment(t.Context(), environment))
	watch := watchArguments(t)
	first := stranger(t, site, "web-1")
	used, err := site.Token(t.Context(), environment, tag)
	must(t, err)
	_, err = site.Join(t.Context(), first, used)
	must(t, err)
	must(t, site.StartAgent(first))
	must(t, site.AwaitOnline(t.Context(), first))
	brief, err := site.Token(t.Context(), environment, tag, "--lifetime", "1s")
	must(t, err)
	expires := time.Now().Add(1100 * time.Millisecond)
	fresh, err := site.Token(t.Context(), environment, tag)
	must(t, err)

	t.Run("used token", func(t *testing.T) {
		a := stranger(t, site, "used-1")
		refused(t, site.JoinCommand(a, used), 4, "token", "fairlead-server token create")
		notJoined(t, a)
	})
	t.Run("expired token", func(t *testing.T) {
		must(t, demo.Await(t.Context(), limit, "the token to expire",
			func(context.Context) (bool, error) { return time.Now().After(expires), nil }))
		a := stranger(t, site, "late-1")
		refused(t, site.JoinCommand(a, brief), 4, "token", "fairlead-server token create")
		notJoined(t, a)
	})
	t.Run("token too long-lived", func(t *testing.T) {
		args := []string{"token", "create", "--home", site.ServerHome(), "--environment", environment, "--tag", tag, "--lifetime", "9999h"}
		refused(t, demo.Command{Path: programs.Server, Args: args}, 2, "--lifetime", "30 days")
	})
	t.Run("token for an environment that there is not", func(t *testing.T) {
		args := []string{"token", "create", "--home", site.ServerHome(), "--environment", "Moon"}
		refused(t, demo.Command{Path: programs.Server, Args: args}, 3, `"Moon"`, "fairlead-server environment create")
	})
	t.Run("garbage token", func(t *testing.T) {
		a := stranger(t, site, "garbage-1")
		refused(t, site.JoinCommand(a, "abracadabra"), 2, "token")
		refused(t, site.JoinCommand(a, fresh[:len(fresh)-5]), 2, "token")
		notJoined(t, a)
	})
	t.Run("no token", func(t *testing.T) {
		a := stranger(t, site, "empty-1")
		c := site.JoinCommand(a, "")
		refused(t, c, 2, "no token", "FAIRLEAD_TOKEN")
		notJoined(t, a)
	})
	t.Run("wrong pin", func(t *testing.T) {
		a := stranger(t, site, "pin-1")
		c := site.JoinCommand(a, otherToken(t))
		c.Args = append(c.Args, "--server", site.Link)
		refused(t, c, 4, "pin")
		notJoined(t, a)
	})
	t.Run("name that exists", func(t *testing.T) {
		a, err := site.AddAgent("again", false)
		must(t, err)
		a.Name = first.Name
		refused(t, site.JoinCommand(a, fresh), 6, "web-1", "exists already", "--name")
		notJoined(t, a)
	})
	t.Run("after refusals the token still works", func(t *testing.T) {
		a := stranger(t, site, "web-3")
		_, err := site.Join(t.Context(), a, fresh)
		must(t, err)
	})
	t.Run("server away", func(t *testing.T) {
		a := stranger(t, site, "away-1")
		port, err := ports.Next()
		must(t, err)
		c := site.JoinCommand(a, otherToken(t))
		c.Args = append(c.Args, "--server", demo.Loopback(port))
		refused(t, c, 5, demo.Loopback(port))
		notJoined(t, a)
	})
	t.Run("run before join", func(t *testing.T) {
		refused(t, site.AgentCommand(stranger(t, site, "eager-1")), 3, "not joined", "fairlead-agent join")
	})
	t.Run("unknown setting", func(t *testing.T) {
		a := stranger(t, site, "typo-1")
		must(t, os.MkdirAll(a.Home, 0o700))
		must(t, os.WriteFile(filepath.Join(a.Home, "agent.toml"), []byte("mode = \"polling\"\nservr = \"127.0.0.1:1\"\n"), 0o600))
		refused(t, site.AgentCommand(a), 2, "servr", "server", "agent.toml")
		other := newSite(t)
		must(t, os.MkdirAll(other.ServerHome(), 0o700))
		must(t, os.WriteFile(filepath.Join(other.ServerHome(), "server.toml"), []byte("task_limt = 3\n"), 0o600))
		refused(t, other.ServerCommand(), 2, "task_limt", "task_limit", "server.toml")
	})
	t.Run("second server on the same home", func(t *testing.T) {
		second := newSite(t)
		c := second.ServerCommand()
		c.Args[2] = site.ServerHome()
		refused(t, c, 6, "in use by process", "--home")
	})
	t.Run("second agent on the same home", func(t *testing.T) {
		refused(t, site.AgentCommand(first), 6, "in use by process", "--home")
	})
	t.Run("port in use", func(t *testing.T) { refusePorts(t) })

	key := strings.TrimSpace(string(read(t, site.KeyFile())))
	watch.lacks(t, key, used, brief, fresh)
	lacksInFiles(t, site, key, used, brief, fresh, secretOf(t, used), secretOf(t, fresh))
}

// otherToken is a token of another server, which does not run any more.
func otherToken(t *testing.T) string {
	t.Helper()
	other := newSite(t)
	must(t, other.StartServer(t.Context()))
	must(t, other.SignIn(t.Context()))
	must(t, other.REST.CreateEnvironment(t.Context(), environment))
	token, err := other.Token(t.Context(), environment, tag)
	must(t, err)
	other.KillServer()
	return token
}

// secretOf is the part of a token that nobody else may know.
func secretOf(t *testing.T, token string) string {
	t.Helper()
	parsed, err := trust.ParseToken(token)
	must(t, err)
	return parsed.Secret().Reveal()
}

// refusePorts takes each port of a site away before its program starts.
func refusePorts(t *testing.T) {
	site := newSite(t)
	agent, err := site.AddAgent("busy-1", true)
	must(t, err)
	for _, address := range []string{site.HTTP, site.Link, agent.Address} {
		taken, err := net.Listen("tcp", address)
		must(t, err)
		c := site.ServerCommand()
		if address == agent.Address {
			must(t, os.MkdirAll(agent.Home, 0o700))
			c = demo.Command{Path: programs.Agent, Args: []string{
				"listen", "--home", agent.Home, "--listen", address, "--trust", strings.Repeat("ab", 32),
			}}
			r, err := demo.Run(t.Context(), c)
			must(t, err)
			if r.Code != 6 || !strings.Contains(r.Err, address) || !strings.Contains(r.Err, "another program has this port") {
				t.Errorf("listen on a port in use: code %d, %q", r.Code, r.Err)
			}
		} else {
			refused(t, c, 6, address, "another program has this port")
		}
		must(t, taken.Close())
	}
	// Nothing half done: with its ports free, the same home starts.
	must(t, site.StartServer(t.Context()))
}
