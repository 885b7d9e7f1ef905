// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairlead/agent/script"
	"fairlead/agent/step"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// What starting a process takes, and what its parent takes to hear of its end: each is an instant
// of its own in which nothing else happens on the machine.
const (
	startDelay = 2 * time.Millisecond
	endDelay   = 200 * time.Microsecond
)

// self is the path of the agent's program on every simulated machine.
const self = "/usr/bin/fairlead-agent"

// processes are a machine's processes. It implements host.Exec.
type processes struct {
	machine *Machine
	ctx     context.Context // of the machine

	mu     sync.Mutex
	last   int
	living map[int]*process
}

// process is one of them. A shim and what it starts lead groups of their own, so each is alone in
// its group.
type process struct {
	id     host.ProcessID
	term   context.Context // ends with TERM, and with KILL
	kill   context.Context // ends with KILL
	doTerm context.CancelFunc
	doKill context.CancelFunc
	ended  chan struct{}
	exit   host.Exit
}

// Self implements host.Exec.
func (p *processes) Self() string { return self }

// Start implements host.Exec. It knows the agent's own words and the interpreters bash and sh.
func (p *processes) Start(c host.Command) (host.Process, error) {
	run := p.program(c)
	if run == nil {
		return nil, errkind.NotFound.Errorf("start %q: there is no such program on a simulated machine", c.Path)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.ctx.Err(); err != nil {
		return nil, errkind.Exhausted.Errorf("start %q: the machine is going down", c.Path)
	}
	p.last++
	one := &process{
		id:    host.ProcessID{Pid: 1000 + p.last, Start: "1", BootID: p.machine.facts().BootID},
		ended: make(chan struct{}),
	}
	one.kill, one.doKill = context.WithCancel(p.ctx)
	one.term, one.doTerm = context.WithCancel(one.kill)
	p.living[one.id.Pid] = one
	name := "process " + strconv.Itoa(one.id.Pid)
	p.machine.owned.Add(1)
	p.machine.net.After(startDelay, name+" starts", func() {
		p.machine.owned.Go(func() {
			exit := run(one)
			if one.kill.Err() != nil {
				exit = host.Exit{Code: -1, Signal: "killed"}
			}
			p.machine.net.After(endDelay, name+" ends", func() { p.end(one, exit) })
		})
	})
	return one, nil
}

// end shows everybody that a process is gone.
func (p *processes) end(one *process, exit host.Exit) {
	p.mu.Lock()
	delete(p.living, one.id.Pid)
	p.mu.Unlock()
	one.exit = exit
	one.doKill()
	close(one.ended)
	p.machine.owned.Done()
}

// program returns what a command does, or nil when nothing by that name is known.
func (p *processes) program(c host.Command) func(*process) host.Exit {
	switch {
	case c.Path == self && len(c.Args) == 2 && c.Args[0] == "shim":
		return func(one *process) host.Exit { return p.runShim(one, c.Args[1]) }
	case c.Path == self && len(c.Args) == 2 && c.Args[0] == "step":
		return func(one *process) host.Exit { return p.runStep(one, c) }
	case slices.Contains([]string{"bash", "sh"}, filepath.Base(c.Path)):
		return func(one *process) host.Exit { return runScript(one, c) }
	}
	return nil
}

// runShim is the agent's "shim" word. The machine's end is a KILL: nothing after it is durable.
func (p *processes) runShim(one *process, folder string) host.Exit {
	env := script.ShimEnv{
		Exec: p, Bells: &p.machine.bells, Disk: p.machine.Env().Disk, Wall: p.machine.wall, Point: p.machine.Env().Point,
		Process: one.id,
	}
	if err := script.RunShim(one.term, folder, env); err != nil {
		p.machine.log.Error("shim ended", "err", err)
		return host.Exit{Code: 1}
	}
	return host.Exit{}
}

// runStep is the agent's "step" word.
func (p *processes) runStep(one *process, c host.Command) host.Exit {
	return host.Exit{Code: step.Run(one.term, step.Options{
		Home: filepath.Dir(filepath.Dir(c.Args[1])), Dir: c.Args[1], Out: c.Stdout, Err: c.Stderr, Exec: p,
		Disk: p.machine.Env().Disk, Wall: p.machine.wall, Point: p.machine.Env().Point, Env: lookup(c.Env),
	})}
}

func lookup(env []string) func(string) string {
	return func(name string) string {
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// Alive implements host.Exec.
func (p *processes) Alive(id host.ProcessID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.living[id.Pid]
	return one != nil && one.id == id
}

// GroupAlive reports whether the group has members left, as the real machine does.
func (p *processes) GroupAlive(id host.ProcessID) bool { return p.Alive(id) }

// Signal implements host.Exec.
func (p *processes) Signal(id host.ProcessID, sig host.Signal) error {
	p.mu.Lock()
	one := p.living[id.Pid]
	p.mu.Unlock()
	if one == nil || one.id != id {
		return nil
	}
	if sig == host.Kill {
		one.doKill()
	} else {
		one.doTerm()
	}
	return nil
}

// ID implements host.Process.
func (p *process) ID() host.ProcessID { return p.id }

// Wait implements host.Process.
func (p *process) Wait() (host.Exit, error) {
	<-p.ended
	return p.exit, nil
}
