// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"fairlead/internal/demo"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// program is a program of ours that lives on a host, in one life after another.
type program struct {
	mu      sync.Mutex
	process *demo.Process
	lives   int
}

// begin starts a life of a program on a host, whose log goes to NAME.log.
func (g *program) begin(r *rig, host, kind, path string, args ...string) error {
	words := r.net.Command(host, path, args...)
	p, err := demo.Start(demo.Command{Path: words[0], Args: words[1:]}, filepath.Join(r.dir, host+".log"))
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.process = p
	g.lives++
	lives := g.lives
	g.mu.Unlock()
	r.record(history.Event{Kind: history.Launched, Who: host, Text: kind, N: lives})
	return nil
}

func (g *program) living() (*demo.Process, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.process, g.lives
}

func (g *program) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.process = nil
}

// stop ends the program in peace, if it runs.
func (g *program) stop() error {
	p, _ := g.living()
	if p == nil {
		return nil
	}
	g.forget()
	return p.Stop(stopPatience)
}

// kill ends the program at once.
func (g *program) kill(r *rig, host, kind string) {
	p, life := g.living()
	if p == nil {
		return
	}
	r.record(history.Event{Kind: history.Crashed, Who: host, Text: kind, N: life})
	p.Kill()
	g.forget()
}

// server is a machine for the server. All of them share one home, as a disk that moves with the task.
type server struct {
	program
	r    *rig
	spec plan.Server
}

func (v *server) home() string { return filepath.Join(v.r.dir, "server") }

func (v *server) dial(ctx context.Context, _, address string) (net.Conn, error) {
	return v.r.net.Dial(ctx, v.spec.Name, address)
}

// start begins a life of the server and waits until it answers.
func (v *server) start(ctx context.Context) error {
	public := fmt.Sprintf("%s:%d", v.spec.Name, v.spec.Link)
	err := v.begin(v.r, v.spec.Name, "server", v.r.o.Programs.Server, "run", "--home", v.home(), "--http", webAddress,
		"--link", fmt.Sprintf("0.0.0.0:%d", v.spec.Link), "--public-link", public)
	if err != nil {
		return err
	}
	p, _ := v.living()
	return demo.Await(ctx, startLimit, v.spec.Name+" to answer", func(ctx context.Context) (bool, error) {
		if ended, err := p.Ended(); ended {
			return false, fmt.Errorf("it ended: %w: see %s.log", errors.Join(err, errEnded), v.spec.Name)
		}
		conn, err := v.dial(ctx, "tcp", webAddress)
		if err != nil {
			return false, nil // not yet
		}
		return true, conn.Close()
	})
}

var errEnded = errors.New("by itself")

// command runs a command line of the server's program against the running server.
func (v *server) command(ctx context.Context, args ...string) (string, error) {
	return v.r.command(ctx, v.spec.Name, nil, v.r.o.Programs.Server, append(args, "--home", v.home())...)
}

// command runs one of our programs on a host, to its end, and returns what it printed.
func (r *rig) command(ctx context.Context, host string, env []string, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	words := r.net.Command(host, path, args...)
	result, err := demo.Run(ctx, demo.Command{Path: words[0], Args: words[1:], Env: env})
	if err == nil && result.Code != 0 {
		err = fmt.Errorf("it ended with %d: %s", result.Code, strings.TrimSpace(result.Err))
	}
	if err != nil {
		return "", fmt.Errorf("%s %s on %s: %w", filepath.Base(path), args[0], host, err)
	}
	return strings.TrimSpace(result.Out), nil
}

// agent is a machine with an agent on it.
type agent struct {
	program
	r     *rig
	group plan.Agents
	name  string
}

func (a *agent) home() string { return filepath.Join(a.r.dir, a.name) }

// join makes the agent known to the server from a place beside it, as in a plan all agents joined
// long ago, and then points it to where it is to call.
func (a *agent) join(ctx context.Context, at *server) error {
	token, err := at.command(ctx, "token", "create", "--environment", environment, "--tag", tag)
	if err != nil {
		return err
	}
	_, err = a.r.command(ctx, at.spec.Name, []string{"FAIRLEAD_TOKEN=" + token}, a.r.o.Programs.Agent,
		"join", "--home", a.home(), "--name", a.name, "--server", fmt.Sprintf("127.0.0.1:%d", at.spec.Link))
	if err != nil {
		return err
	}
	return point(filepath.Join(a.home(), "agent.toml"), a.group.Target)
}

var serverLine = regexp.MustCompile(`(?m)^server = .*$`)

// point changes the address that an agent dials.
func point(path, target string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !serverLine.Match(text) {
		return fmt.Errorf("point %s to %s: there is no line that begins with \"server = \"", path, target)
	}
	return os.WriteFile(path, serverLine.ReplaceAll(text, fmt.Appendf(nil, "server = %q", target)), 0o600)
}

func (a *agent) start() error {
	return a.begin(a.r, a.name, "agent", a.r.o.Programs.Agent, "run", "--home", a.home())
}
