// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/demo"
)

const (
	environment = "Test"
	tag         = "tortured"
	version     = "1.0.0"
	stepCount   = 4
	startLimit  = 20 * time.Second
)

// machineNames are the agents'.
func machineNames() []string { return []string{"m-1", "m-2"} }

// projectNames are two, so that deployments run beside each other.
func projectNames() []string { return []string{"one", "two"} }

// arena is a server that is killed and its agents.
type arena struct {
	site    *demo.Site
	server  *demo.Process
	effects string // the file that scripts write to
	tools   string // folder of the programs that were built
}

func newArena(ctx context.Context, o options) (*arena, error) {
	root, err := demo.FindRoot(".")
	if err != nil {
		return nil, err
	}
	tools, err := os.MkdirTemp("", "fairlead-server-programs-")
	if err != nil {
		return nil, err
	}
	programs, err := demo.FindPrograms(ctx, root, tools)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools))
	}
	dir, err := makeFolder(o.dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools))
	}
	a := &arena{effects: filepath.Join(dir, "effects"), tools: tools}
	if a.site, err = demo.NewSite(dir, programs, new(demo.Ports)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools), os.RemoveAll(dir))
	}
	return a, nil
}

// makeFolder makes the folder of a run: in memory, unless told otherwise.
func makeFolder(below string) (string, error) {
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); below == "" && err == nil {
		below = memory
	}
	return os.MkdirTemp(below, "fairlead-server-")
}

// open starts everything and makes the projects.
func (a *arena) open(ctx context.Context) error {
	if err := a.startServer(); err != nil {
		return err
	}
	// The command that makes the key waits for no server.
	err := demo.Await(ctx, startLimit, "the server to make a key", func(ctx context.Context) (bool, error) {
		return a.site.SignIn(ctx) == nil, nil
	})
	if err != nil {
		return err
	}
	if err := a.awaitServer(ctx); err != nil {
		return err
	}
	if err := a.site.REST.CreateEnvironment(ctx, environment); err != nil {
		return err
	}
	for _, name := range machineNames() {
		if err := a.join(ctx, name); err != nil {
			return err
		}
	}
	return a.makeProjects(ctx)
}

func (a *arena) join(ctx context.Context, name string) error {
	agent, err := a.site.AddAgent(name, false)
	if err != nil {
		return err
	}
	token, err := a.site.Token(ctx, environment, tag)
	if err != nil {
		return err
	}
	if _, err := a.site.Join(ctx, agent, token); err != nil {
		return err
	}
	if err := a.site.StartAgent(agent); err != nil {
		return err
	}
	return a.site.AwaitOnline(ctx, agent)
}

func (a *arena) makeProjects(ctx context.Context) error {
	for _, project := range projectNames() {
		var steps []demo.Step
		for n := range stepCount {
			name := fmt.Sprintf("Step %d", n+1)
			steps = append(steps, demo.Step{Name: name, Tag: tag, Script: a.script(n), Isolation: "none"})
		}
		if err := a.site.REST.CreateProject(ctx, project, steps, nil); err != nil {
			return err
		}
		if err := a.site.REST.CreateRelease(ctx, project, version); err != nil {
			return err
		}
	}
	return nil
}

// script says what it does, in the file and in its output.
func (a *arena) script(n int) string {
	const place = "#{Octopus.Task.Id} #{Octopus.Step.Number} #{Octopus.Machine.Name}"
	return fmt.Sprintf("echo '%s begin' >> %s\necho 'mark %s'\nsleep 0.%d\necho '%s end' >> %s\n",
		place, a.effects, place, n%3, place, a.effects)
}

// startServer starts the server and does not wait for it.
func (a *arena) startServer() (err error) {
	a.server, err = demo.Start(a.site.ServerCommand(), filepath.Join(a.site.Logs(), "server.log"))
	return err
}

// awaitServer waits until the server answers.
func (a *arena) awaitServer(ctx context.Context) error {
	return demo.Await(ctx, startLimit, "the server to answer", func(ctx context.Context) (bool, error) {
		if ended, err := a.server.Ended(); ended {
			return false, fmt.Errorf("it ended by itself: %w", err)
		}
		return a.site.REST.Get(ctx, "/api/tasks?take=1", nil) == nil, nil
	})
}

func (a *arena) close(ctx context.Context, keep bool) error {
	return errors.Join(a.site.Close(ctx, keep), os.RemoveAll(a.tools))
}
