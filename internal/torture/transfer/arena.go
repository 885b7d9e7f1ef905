// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/internal/demo"
)

const (
	environment = "Test"
	tag         = "tortured"
	// patience is how long one deployment may take, storm included.
	patience = 5 * time.Minute
	// tellEvery lies between two lines about the progress.
	tellEvery = 2 * time.Second
)

// arena is a server and its agents, each behind a cable of its own.
type arena struct {
	site    *demo.Site
	victims []*victim
	tools   string // folder of the programs that were built
}

func newArena(ctx context.Context, o options) (a *arena, err error) {
	root, err := demo.FindRoot(".")
	if err != nil {
		return nil, err
	}
	a = new(arena)
	if a.tools, err = os.MkdirTemp("", "fairlead-transfer-programs-"); err != nil {
		return nil, err
	}
	programs, err := demo.FindPrograms(ctx, root, a.tools)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(a.tools))
	}
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); o.dir == "" && err == nil {
		o.dir = memory
	}
	dir, err := os.MkdirTemp(o.dir, "fairlead-transfer-")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(a.tools))
	}
	if a.site, err = demo.NewSite(dir, programs, new(demo.Ports)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(a.tools), os.RemoveAll(dir))
	}
	for i := range o.agents {
		agent, err := a.site.AddAgent(fmt.Sprintf("m-%d", i+1), false)
		if err != nil {
			return nil, errors.Join(err, a.close(ctx, false))
		}
		v, err := newVictim(a.site, agent, o.every<<20, o.seed, uint64(i))
		if err != nil {
			return nil, errors.Join(err, a.close(ctx, false))
		}
		a.victims = append(a.victims, v)
	}
	return a, nil
}

// open starts everything and waits until all agents are on line.
func (a *arena) open(ctx context.Context) error {
	for _, start := range []func(context.Context) error{
		a.site.StartServer, a.site.SignIn,
		func(ctx context.Context) error { return a.site.REST.CreateEnvironment(ctx, environment) },
	} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	ends := make([]error, len(a.victims))
	var group sync.WaitGroup
	for i, v := range a.victims {
		group.Go(func() { ends[i] = a.join(ctx, v) })
	}
	group.Wait()
	return errors.Join(ends...)
}

func (a *arena) join(ctx context.Context, v *victim) error {
	token, err := a.site.Token(ctx, environment, tag)
	if err != nil {
		return err
	}
	command := a.site.JoinCommand(v.agent, token)
	command.Args = append(command.Args, "--server", v.cable.address())
	joined, err := demo.Run(ctx, command)
	if err == nil && joined.Code != 0 {
		err = fmt.Errorf("%s does not join: %s", v.agent.Name, strings.TrimSpace(joined.Err))
	}
	if err == nil {
		err = a.site.StartAgent(v.agent)
	}
	if err == nil {
		err = a.site.AwaitOnline(ctx, v.agent)
	}
	return err
}

// carryOut deploys pairs of packages to all agents until enough has arrived.
func (a *arena) carryOut(ctx context.Context, o options, stdout io.Writer) (*report, error) {
	r := &report{}
	for n := 0; r.arrived < o.mebibytes<<20; n++ {
		pair, err := makeLoads(a.site.Dir, n, o.size<<20, o.seed)
		if err != nil {
			return nil, err
		}
		steps := []demo.Step{{Name: "Install", Tag: tag, Package: pair[0].id}}
		if err := a.site.REST.CreateProject(ctx, pair[0].id, steps, nil); err != nil {
			return nil, err
		}
		for _, l := range pair {
			round, err := a.deploy(ctx, l, stdout)
			if err != nil {
				return nil, err
			}
			r.add(round)
		}
	}
	return r, nil
}

// deploy brings one package to all agents through the storm.
func (a *arena) deploy(ctx context.Context, l load, stdout io.Writer) (r round, err error) {
	rest := a.site.REST
	if err := rest.PushFile(ctx, filepath.Base(l.path), l.path); err != nil {
		return r, err
	}
	if err := rest.CreateRelease(ctx, l.id, l.version); err != nil {
		return r, err
	}
	before := a.counted()
	for _, v := range a.victims {
		v.cable.storm(true)
	}
	task, err := rest.Deploy(ctx, l.id, l.version, environment)
	if err != nil {
		return r, err
	}
	told := time.Now()
	err = demo.Await(ctx, patience, "task "+task, func(ctx context.Context) (bool, error) {
		t, err := rest.Task(ctx, task)
		if err == nil && t.IsCompleted && t.State != "Success" {
			err = fmt.Errorf("%s of %s %s: %s", t.State, l.id, l.version, t.ErrorMessage)
		}
		if now := a.counted(); time.Since(told) > tellEvery {
			told = time.Now()
			fmt.Fprintf(stdout, "%s %s: %d MiB on the wire, %v cuts, flips, kills\n",
				l.id, l.version, (now.toAgent-before.toAgent)>>20, now.acts)
		}
		return err == nil && t.IsCompleted, err
	})
	for _, v := range a.victims {
		v.cable.storm(false)
	}
	if err != nil {
		return r, err
	}
	r = round{load: l, agents: len(a.victims), counts: a.counted().minus(before)}
	for _, v := range a.victims {
		if err := l.arrived(ctx, v.agent.Home); err != nil {
			r.wrong = append(r.wrong, err.Error())
		}
	}
	return r, os.Remove(l.path)
}

func (a *arena) counted() (sum counts) {
	for _, v := range a.victims {
		c := v.cable.counted()
		v.mu.Lock()
		c.damaged = v.damaged
		v.mu.Unlock()
		sum = sum.plus(c)
	}
	return sum
}

func (a *arena) close(ctx context.Context, keep bool) error {
	var err error
	for _, v := range a.victims {
		err = errors.Join(err, v.close())
	}
	return errors.Join(err, a.site.Close(ctx, keep), os.RemoveAll(a.tools))
}
