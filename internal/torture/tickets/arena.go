// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"fairlead/internal/demo"
)

const (
	environment = "Test"
	tag         = "tortured"
)

// arena is a server and its agents, each behind a relay of its own.
type arena struct {
	site    *demo.Site
	agents  []*demo.Agent
	relays  []*relay
	effects string // the file that scripts write to
	tools   string // folder of the programs that were built
	folder  *folder
	storm   *storm
}

func newArena(ctx context.Context, o options) (*arena, error) {
	root, err := demo.FindRoot(".")
	if err != nil {
		return nil, err
	}
	dir, err := makeFolder(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	a := &arena{
		folder: dir, effects: filepath.Join(dir.path, "effects"), tools: filepath.Join(dir.path, "programs"),
	}
	err = os.Mkdir(a.tools, 0o700)
	var programs demo.Programs
	if err == nil {
		programs, err = demo.FindPrograms(ctx, root, a.tools)
	}
	if err == nil {
		a.site, err = demo.NewSite(dir.path, programs, new(demo.Ports))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir.path))
	}
	a.storm = newStorm(a, o.seed)
	for i := range o.agents {
		agent, err := a.site.AddAgent(fmt.Sprintf("m-%d", i+1), false)
		if err != nil {
			return nil, errors.Join(err, a.close(ctx, false))
		}
		a.agents = append(a.agents, agent)
	}
	return a, nil
}

// open starts everything and waits until all agents are on line.
func (a *arena) open(ctx context.Context) error {
	if err := a.site.StartServer(ctx); err != nil {
		return err
	}
	if err := a.site.SignIn(ctx); err != nil {
		return err
	}
	if err := a.site.REST.CreateEnvironment(ctx, environment); err != nil {
		return err
	}
	ends := make([]error, len(a.agents))
	var group sync.WaitGroup
	for i, agent := range a.agents {
		r, err := newRelay(a.site.Link)
		if err != nil {
			return err
		}
		a.relays = append(a.relays, r)
		group.Go(func() { ends[i] = a.join(ctx, agent, r) })
	}
	group.Wait()
	return errors.Join(ends...)
}

func (a *arena) join(ctx context.Context, agent *demo.Agent, r *relay) error {
	token, err := a.site.Token(ctx, environment, tag)
	if err != nil {
		return err
	}
	command := a.site.JoinCommand(agent, token)
	command.Args = append(command.Args, "--server", r.address())
	joined, err := demo.Run(ctx, command)
	if err == nil && joined.Code != 0 {
		err = fmt.Errorf("%s does not join: %s", agent.Name, strings.TrimSpace(joined.Err))
	}
	if err == nil {
		err = a.site.StartAgent(agent)
	}
	if err == nil {
		err = a.site.AwaitOnline(ctx, agent)
	}
	return err
}

// names are the machines' names.
func (a *arena) names() []string {
	names := make([]string, len(a.agents))
	for i, agent := range a.agents {
		names[i] = agent.Name
	}
	return names
}

// close ends everything. Programs that were built here can be built again, so they go in any case.
func (a *arena) close(ctx context.Context, keep bool) error {
	for _, r := range a.relays {
		r.close()
	}
	var err error
	if keep {
		err = a.folder.keep()
	}
	return errors.Join(err, a.site.Close(ctx, keep), os.RemoveAll(a.tools), a.folder.lock.Close())
}
