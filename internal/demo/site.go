// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of the waits for programs.
const (
	startLimit   = 20 * time.Second
	commandLimit = 40 * time.Second
	stopPatience = 10 * time.Second
)

// Site is a server and its agents, all on this machine, each with a home of its own below one folder.
type Site struct {
	// Dir holds homes, logs and the key. It is private (0700) and absolute.
	Dir      string
	Programs Programs
	Ports    *Ports
	// HTTP and Link are the server's addresses, host:port. They stay the same when it is started again.
	HTTP, Link string
	// REST speaks to the server once SignIn has made a key.
	REST *REST

	mu     sync.Mutex
	server *Process
	agents []*Agent
}

// Agent is one agent of a Site.
type Agent struct {
	Name string
	Home string
	// Listening says that the server dials the agent at Address; else the agent dials the server.
	Listening bool
	Address   string

	process *Process
}

// NewSite prepares a site below the folder dir. It starts nothing.
func NewSite(dir string, programs Programs, ports *Ports) (*Site, error) {
	s := &Site{Dir: dir, Programs: programs, Ports: ports}
	for _, address := range []*string{&s.HTTP, &s.Link} {
		port, err := ports.Next()
		if err != nil {
			return nil, err
		}
		*address = Loopback(port)
	}
	return s, os.MkdirAll(s.Logs(), 0o700)
}

// Logs is the folder that holds what the programs print.
func (s *Site) Logs() string { return filepath.Join(s.Dir, "logs") }

// ServerHome is the server's folder.
func (s *Site) ServerHome() string { return filepath.Join(s.Dir, "server") }

// KeyFile is where SignIn keeps the API key.
func (s *Site) KeyFile() string { return filepath.Join(s.Dir, "api-key") }

// Portal is the address for a browser.
func (s *Site) Portal() string { return "http://" + s.HTTP + "/app" }

// ServerCommand is how the server is started.
func (s *Site) ServerCommand() Command {
	return Command{
		Path: s.Programs.Server, Args: []string{"run", "--home", s.ServerHome(), "--http", s.HTTP, "--link", s.Link},
	}
}

// AgentCommand is how an agent is started.
func (s *Site) AgentCommand(a *Agent) Command {
	return Command{Path: s.Programs.Agent, Args: []string{"run", "--home", a.Home}}
}

// StartServer starts the server and returns when /healthz says that it can store.
func (s *Site) StartServer(ctx context.Context) error {
	p, err := Start(s.ServerCommand(), filepath.Join(s.Logs(), "server.log"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.server = p
	s.mu.Unlock()
	what := "the server to answer at http://" + s.HTTP + "/healthz"
	return Await(ctx, startLimit, what, func(ctx context.Context) (bool, error) {
		if ended, err := p.Ended(); ended {
			return false, fmt.Errorf("it ended: %w: %s", err, tail(filepath.Join(s.Logs(), "server.log"), 3))
		}
		return s.isHealthy(ctx), nil
	})
}

func (s *Site) isHealthy(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/healthz", nil)
	if err != nil {
		return false
	}
	web := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := web.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// SignIn makes an API key with the server's own command, keeps it in KeyFile and gives it to REST.
func (s *Site) SignIn(ctx context.Context) error {
	key, err := s.command(ctx, "admin", "api-key", "--home", s.ServerHome(), "--purpose", "demo")
	if err != nil {
		return err
	}
	s.REST = NewREST(s.HTTP, key)
	return os.WriteFile(s.KeyFile(), []byte(key+"\n"), 0o600)
}

// Token makes a join token with the server's own command; more are further flags.
func (s *Site) Token(ctx context.Context, environment, tag string, more ...string) (string, error) {
	args := []string{"token", "create", "--home", s.ServerHome(), "--environment", environment, "--tag", tag}
	return s.command(ctx, append(args, more...)...)
}

func (s *Site) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	r, err := Run(ctx, Command{Path: s.Programs.Server, Args: args})
	if err = errors.Join(err, r.need()); err != nil {
		return "", err
	}
	return strings.TrimSpace(r.Out), nil
}

// AddAgent names an agent and its home. It starts nothing.
func (s *Site) AddAgent(name string, listening bool) (*Agent, error) {
	a := &Agent{Name: name, Home: filepath.Join(s.Dir, name), Listening: listening}
	if listening {
		port, err := s.Ports.Next()
		if err != nil {
			return nil, err
		}
		a.Address = Loopback(port)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents = append(s.agents, a)
	return a, nil
}

// JoinCommand is how an agent joins. The token goes through the environment.
func (s *Site) JoinCommand(a *Agent, token string) Command {
	c := Command{
		Path: s.Programs.Agent, Args: []string{"join", "--home", a.Home, "--name", a.Name},
		Env: []string{"FAIRLEAD_TOKEN=" + token},
	}
	if a.Listening {
		c.Args = append(c.Args, "--listening", "--listen", a.Address, "--public-address", a.Address)
	}
	return c
}

// Join lets an agent join and returns what it said.
func (s *Site) Join(ctx context.Context, a *Agent, token string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	r, err := Run(ctx, s.JoinCommand(a, token))
	return strings.TrimSpace(r.Out), errors.Join(err, r.need())
}

// StartAgent starts an agent that has joined.
func (s *Site) StartAgent(a *Agent) error {
	p, err := Start(s.AgentCommand(a), filepath.Join(s.Logs(), a.Name+".log"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.process = p
	return nil
}

// Agents lists the agents in the order in which they were added.
func (s *Site) Agents() []*Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.agents)
}

// KillServer ends the server as kill -9 does.
func (s *Site) KillServer() {
	s.mu.Lock()
	p := s.server
	s.mu.Unlock()
	p.Kill()
}

// KillAgent ends an agent as kill -9 does; the shims it started live on.
func (s *Site) KillAgent(a *Agent) {
	s.mu.Lock()
	p := a.process
	s.mu.Unlock()
	p.Kill()
}

// WhileRunning does something that needs all programs, and ends it when one of them ends by itself.
func (s *Site) WhileRunning(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	defer group.Wait()
	done := make(chan struct{})
	defer close(done)
	for _, p := range s.running() {
		group.Go(func() {
			select {
			case <-p.done:
				cancel(&endedError{p})
			case <-done:
			}
		})
	}
	err := do(ctx)
	if ended, is := errors.AsType[*endedError](context.Cause(ctx)); is && err != nil {
		return ended
	}
	return err
}

// endedError says that a program ended which should have gone on.
type endedError struct{ process *Process }

func (e *endedError) Error() string {
	return fmt.Sprintf("%s ended by itself: %v", e.process.name, e.process.err)
}

// running lists the programs that were started, agents first.
func (s *Site) running() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Process
	for _, a := range s.agents {
		if a.process != nil {
			all = append(all, a.process)
		}
	}
	if s.server != nil {
		all = append(all, s.server)
	}
	return all
}

// Close stops the programs in good order, then whatever they left running, and removes the folder unless keep.
func (s *Site) Close(ctx context.Context, keep bool) error {
	ctx = context.WithoutCancel(ctx)
	running := s.running()
	ends := make([]error, len(running)+1)
	var group sync.WaitGroup
	for i, p := range running {
		group.Go(func() { ends[i] = p.Stop(stopPatience) })
	}
	group.Wait()
	ends[len(running)] = Sweep(ctx, s.Dir)
	if err := errors.Join(ends...); err != nil || keep {
		return err
	}
	return remove(ctx, s.Dir)
}

// LastWords are the last lines of each program's log.
func (s *Site) LastWords(lines int) string {
	logs, err := filepath.Glob(filepath.Join(s.Logs(), "*.log"))
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, path := range logs {
		if text := tail(path, lines); text != "" {
			fmt.Fprintf(&b, "%s:\n%s\n", path, text)
		}
	}
	return b.String()
}

// AwaitOnline waits until the server says that the machine is on line.
func (s *Site) AwaitOnline(ctx context.Context, a *Agent) error {
	return Await(ctx, startLimit, a.Name+" to be on line", func(ctx context.Context) (bool, error) {
		s.mu.Lock()
		p := a.process
		s.mu.Unlock()
		if ended, err := p.Ended(); ended {
			return false, fmt.Errorf("it ended: %w: %s", err, tail(filepath.Join(s.Logs(), a.Name+".log"), 3))
		}
		m, err := s.REST.Machine(ctx, a.Name)
		return err == nil && m.IsOnline, nil
	})
}
