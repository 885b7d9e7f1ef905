// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairlead/agent/script"
	"fairlead/agent/step"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/sim/history"
)

// What starting a process takes, and what its parent takes to hear of its end: each is an instant
// of its own in which nothing else happens on the machine.
const (
	startDelay = 2 * time.Millisecond
	endDelay   = 200 * time.Microsecond
)

// self is the path of the agent's program on every simulated machine.
const self = "/usr/bin/fairlead-agent"

// processes are a machine's processes.
type processes struct {
	machine *Machine

	mu     sync.Mutex
	last   int
	living map[int]*process
}

// process is one of them. A shim and what it starts lead groups of their own, so each is alone in
// its group.
type process struct {
	id     host.ProcessID
	life   *Life             // of a shim or a step, nil for a script
	ticket contract.TicketID // that it works for, "" for none
	term   context.Context   // ends with TERM, and with KILL
	kill   context.Context   // ends with KILL
	doTerm context.CancelFunc
	doKill context.CancelFunc
	ended  chan struct{}
	exit   host.Exit
}

// lifeExec is host.Exec of one life.
type lifeExec struct{ l *Life }

// Self implements host.Exec.
func (lifeExec) Self() string { return self }

// Start implements host.Exec. It knows the agent's own words and the interpreters bash and sh.
func (e lifeExec) Start(c host.Command) (host.Process, error) {
	if e.l.Killed() {
		return nil, errKilled
	}
	return e.l.m.exec.start(e.l, c)
}

// Alive implements host.Exec.
func (e lifeExec) Alive(id host.ProcessID) bool { return e.l.m.exec.find(id) != nil }

// GroupAlive reports whether the group has members left, as the real machine does.
func (e lifeExec) GroupAlive(id host.ProcessID) bool { return e.Alive(id) }

// Signal implements host.Exec.
func (e lifeExec) Signal(id host.ProcessID, sig host.Signal) error {
	one := e.l.m.exec.find(id)
	switch {
	case e.l.Killed():
		return errKilled
	case one == nil:
	case sig == host.Kill:
		one.killed(e.l.m)
	default:
		one.doTerm()
	}
	return nil
}

// killed ends a process as SIGKILL does.
func (p *process) killed(m *Machine) {
	if p.life != nil {
		if err := p.life.Kill(); err != nil {
			m.o.Log.Error("simulated kill went wrong", "err", err)
		}
	}
	p.doKill()
}

// find returns a process that lives. One that was killed is gone at once, although its goroutine may
// wait for a child yet.
func (p *processes) find(id host.ProcessID) *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.living[id.Pid]
	if one == nil || one.id != id || one.life != nil && one.life.Killed() {
		return nil
	}
	return one
}

// killAll ends all processes with the machine.
func (p *processes) killAll() {
	p.mu.Lock()
	all := p.sortedLocked()
	clear(p.living)
	p.mu.Unlock()
	for _, one := range all {
		one.doKill()
	}
}

func (p *processes) sortedLocked() []*process {
	all := slices.Collect(maps.Values(p.living))
	slices.SortFunc(all, func(a, b *process) int { return cmp.Compare(a.id.Pid, b.id.Pid) })
	return all
}

// TellShims sends TERM to all shims, as a shutdown does to all that runs: they end their scripts and say so.
func (m *Machine) TellShims() {
	m.exec.mu.Lock()
	all := m.exec.sortedLocked()
	m.exec.mu.Unlock()
	for _, one := range all {
		if one.life != nil {
			one.doTerm()
		}
	}
}

// KillShim ends the shim of a life as SIGKILL does, and what waits for it hears of that.
func (m *Machine) KillShim(l *Life) {
	m.exec.mu.Lock()
	var found *process
	for _, one := range m.exec.living {
		if one.life == l {
			found = one
		}
	}
	m.exec.mu.Unlock()
	if found != nil {
		found.killed(m)
	}
}

func (p *processes) start(parent *Life, c host.Command) (host.Process, error) {
	m := p.machine
	run, one, err := p.program(parent, c)
	if err != nil {
		return nil, err
	}
	p.register(one, m.facts().BootID)
	if parent.kind == ShimLife {
		m.o.Record(history.Event{
			Kind: history.Started, Who: m.name, Ticket: one.ticket, Task: parent.task, Text: parent.isolation, N: one.id.Pid,
		})
	}
	name := "process " + strconv.Itoa(one.id.Pid)
	m.owned.Add(1)
	m.net.After(startDelay, name+" starts", func() {
		m.owned.Go(func() {
			exit := run(one)
			if one.kill.Err() != nil {
				exit = host.Exit{Code: -1, Signal: "killed"}
			}
			if parent.kind == ShimLife {
				m.o.Record(history.Event{
					Kind: history.Finished, Who: m.name, Ticket: one.ticket, Code: exit.Code, Text: exit.Signal, N: one.id.Pid,
				})
			}
			m.net.After(endDelay, name+" ends", func() { p.end(one, exit) })
		})
	})
	return one, nil
}

// register gives a process its number, by which others find it. What others hear of it comes after,
// without the lock: the world and the book have locks of their own.
func (p *processes) register(one *process, boot string) {
	one.ended = make(chan struct{})
	one.kill, one.doKill = context.WithCancel(p.machine.ctx)
	one.term, one.doTerm = context.WithCancel(one.kill)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	one.id = host.ProcessID{Pid: 1000 + p.last, Start: "1", BootID: boot}
	p.living[one.id.Pid] = one
}

// end shows everybody that a process is gone.
func (p *processes) end(one *process, exit host.Exit) {
	p.mu.Lock()
	delete(p.living, one.id.Pid)
	p.mu.Unlock()
	if one.life != nil {
		one.life.leave()
	}
	one.exit = exit
	one.doKill()
	close(one.ended)
	p.machine.owned.Done()
}

// program returns what a command does. Errors: NotFound, when nothing by that name is known.
func (p *processes) program(parent *Life, c host.Command) (run func(*process) host.Exit, one *process, err error) {
	one = &process{ticket: parent.ticket}
	switch {
	case c.Path == self && len(c.Args) == 2 && c.Args[0] == "shim":
		if one.life, err = p.machine.beginShim(parent.through(c.Args[1])); err != nil {
			return nil, nil, err
		}
		one.ticket = one.life.ticket
		return func(one *process) host.Exit { return p.runShim(one, one.life.through(c.Args[1])) }, one, nil
	case c.Path == self && len(c.Args) == 2 && c.Args[0] == "step":
		if one.life, err = p.machine.begin(StepLife, parent.ticket); err != nil {
			return nil, nil, err
		}
		return func(one *process) host.Exit { return p.runStep(one, c, one.life.through(c.Args[1])) }, one, nil
	case slices.Contains([]string{"bash", "sh"}, filepath.Base(c.Path)):
		return func(one *process) host.Exit { return p.machine.runScript(one, c) }, one, nil
	}
	return nil, nil, errkind.NotFound.Errorf("start %q: there is no such program on a simulated machine", c.Path)
}

// runShim is the agent's "shim" word.
func (p *processes) runShim(one *process, folder string) host.Exit {
	m := p.machine
	env := script.ShimEnv{
		Exec: lifeExec{one.life}, Bells: lifeBells{one.life}, Disk: m.files, Wall: m.wall, Process: one.id,
		Point: func(name string) { m.passed(one.life, name) },
	}
	if err := script.RunShim(one.term, folder, env); err != nil {
		m.o.Log.Error("shim ended", "err", err)
		return host.Exit{Code: 1}
	}
	return host.Exit{}
}

// runStep is the agent's "step" word.
func (p *processes) runStep(one *process, c host.Command, folder string) host.Exit {
	m := p.machine
	return host.Exit{Code: step.Run(one.term, step.Options{
		Home: filepath.Dir(filepath.Dir(folder)), Dir: folder, Out: c.Stdout, Err: c.Stderr, Exec: lifeExec{one.life},
		Disk: m.files, Wall: m.wall, Point: func(name string) { m.passed(one.life, name) }, Env: lookup(c.Env),
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

// ID implements host.Process.
func (p *process) ID() host.ProcessID { return p.id }

// Wait implements host.Process.
func (p *process) Wait() (host.Exit, error) {
	<-p.ended
	return p.exit, nil
}
