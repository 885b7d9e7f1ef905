// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"fairlead/internal/deploy"
)

const (
	// connectAtOnce is how many agents dial and shake hands together when nothing is measured.
	connectAtOnce = 32
	// connectSeconds bounds how long all of them take.
	connectSeconds = 120
)

// fleet is a server and its agents, each side in a process of its own.
type fleet struct {
	home     string
	server   *process
	agents   *process
	opened   openedServer
	machines []deploy.MachineID
}

func (f *fleet) kill() {
	if f != nil {
		f.server.kill()
		f.agents.kill()
	}
}

// fillHome makes the home of a server that knows count machines.
func (b *bench) fillHome(ctx context.Context, home string, count int) ([]deploy.MachineID, error) {
	p, err := start(ctx, b.work, "server")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	return ask[[]deploy.MachineID](p, "fill", fill{home, b.roster, count})
}

// openServer starts a server on a home.
func (b *bench) openServer(ctx context.Context, home, link string) (*process, openedServer, error) {
	p, err := start(ctx, b.work, "server")
	if err != nil {
		return nil, openedServer{}, err
	}
	opened, err := ask[openedServer](p, "open", openServer{home, link})
	if err != nil {
		p.kill()
	}
	return p, opened, err
}

// startFleet starts a server in a new home and brings count agents on line.
func (b *bench) startFleet(ctx context.Context, name string, o openAgents) (f *fleet, err error) {
	f = &fleet{home: filepath.Join(b.work, name)}
	defer func() {
		if err != nil {
			f.kill()
		}
	}()
	if f.machines, err = b.fillHome(ctx, f.home, o.Count); err != nil {
		return nil, err
	}
	if f.server, f.opened, err = b.openServer(ctx, f.home, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if f.agents, err = start(ctx, b.work, "agents"); err != nil {
		return nil, err
	}
	o.Link, o.Pin, o.Roster = f.opened.Link, f.opened.Pin, b.roster
	if err := f.agents.tell("open", o); err != nil {
		return nil, err
	}
	_, err = f.await()
	return f, err
}

// await waits until all machines can be dispatched to.
func (f *fleet) await() (awaited, error) {
	a, err := ask[awaited](f.server, "await", await{f.machines, connectSeconds})
	if err != nil || a.Missing == 0 {
		return a, err
	}
	troubles, err := ask[map[string]int](f.agents, "troubles", nil)
	return a, errors.Join(fmt.Errorf("%d of %d agents are not on line after %d s: %v",
		a.Missing, len(f.machines), connectSeconds, troubles), err)
}

// theFleet is the server with all agents that several goals share.
func (b *bench) theFleet(ctx context.Context) (*fleet, error) {
	if b.fleet != nil {
		return b.fleet, nil
	}
	f, err := b.startFleet(ctx, "fleet", openAgents{Count: b.agents, AtOnce: connectAtOnce})
	if err != nil {
		return nil, err
	}
	time.Sleep(b.settle)
	b.fleet = f
	return f, nil
}

// profiled runs f while the process writes a CPU profile, when profiles are wanted.
func (b *bench) profiled(p *process, name string, f func() error) error {
	if b.profile == "" {
		return f()
	}
	if err := p.tell("profile", filepath.Join(b.profile, name+".cpu.pprof")); err != nil {
		return err
	}
	err := f()
	return errors.Join(err, p.tell("profile", ""), p.tell("dump", filepath.Join(b.profile, name+".heap.pprof")))
}
