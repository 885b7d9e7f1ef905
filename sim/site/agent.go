// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	daemon "fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/contract"
	"fairlead/internal/host"
	"fairlead/internal/trust"
	"fairlead/netem"
	"fairlead/sim"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// joinTries is how often whoever makes an agent join tries.
const joinTries = 30

// agent is a machine with an agent on it.
type agent struct {
	s     *site
	group plan.Agents
	name  string
	m     *sim.Machine
	life  *sim.Life
	gone  chan struct{}
	boot  func()
}

func (s *site) addAgent(group plan.Agents, number int) error {
	a, err := s.newAgent(group, fmt.Sprintf("%s-%d", group.Name, number))
	if err != nil {
		return err
	}
	s.agents, s.byName[a.name] = append(s.agents, a), a
	return nil
}

// addCopy makes the empty machine beside another one to which a fault copies its disk.
func (s *site) addCopy(of *agent) error {
	a, err := s.newAgent(of.group, plan.CopyOf(of.name))
	if err != nil {
		return err
	}
	s.copies = append(s.copies, a)
	return nil
}

func (s *site) newAgent(group plan.Agents, name string) (*agent, error) {
	h, err := s.host(name, group.On, "", group.Wire)
	if err != nil {
		return nil, err
	}
	m, err := s.machine(h, nil)
	if err != nil {
		return nil, err
	}
	a := &agent{s: s, group: group, name: name, m: m}
	m.OnReboot(a.reboot)
	return a, nil
}

// point makes the agent's settings lead where this plan wants it to call.
func (a *agent) point() error {
	disk, files := a.m.Disk()
	path := filepath.Join(disk, "home", "agent.toml")
	settings, err := daemon.LoadSettings(path)
	if err != nil {
		return err
	}
	if settings.Mode == trust.ModePolling {
		if settings.Server == a.group.Target && a.group.Proxy+a.group.Credentials == "" {
			return nil
		}
		settings.Server = a.group.Target
	}
	if err := through(&settings, a.group, filepath.Join(disk, "home")); err != nil {
		return err
	}
	if err := settings.Save(files, path); err != nil {
		return err
	}
	return files.Settle(disk)
}

// start begins a life of the agent.
func (a *agent) start() {
	life, err := a.m.Begin(sim.AgentLife)
	if err != nil {
		a.s.fail("start %s: %v", a.name, err)
		return
	}
	gone := make(chan struct{})
	a.s.mu.Lock()
	a.life, a.gone = life, gone
	a.s.mu.Unlock()
	a.s.record(history.Event{Kind: history.Launched, Who: a.name, Text: sim.AgentLife, N: life.Number()})
	life.Go(func() {
		err := a.run(life)
		if !life.Killed() {
			a.s.record(history.Event{Kind: history.Ended, Who: a.name, Text: said(err), N: life.Number()})
		}
		if err != nil && life.Context().Err() == nil {
			a.s.startAgain(a.m, a.restart)
		}
		life.Stop()
	})
	a.s.owned.Go(func() {
		life.Wait()
		close(gone)
	})
}

func (a *agent) run(life *sim.Life) error {
	settings, err := daemon.LoadSettings(filepath.Join(life.Home(), "agent.toml"))
	if err != nil {
		return err
	}
	d, err := daemon.New(daemon.Options{
		Home: daemon.Home(life.Home()), Settings: settings, Version: version,
	}, life.Env())
	if err != nil {
		return err
	}
	return d.Run(life.Context())
}

// join runs the command that makes the machine known to the server, again and again until it works.
func (a *agent) join(ctx context.Context) bool {
	token := ""
	for range joinTries {
		if ctx.Err() != nil {
			return false
		}
		if token == "" {
			token = a.s.desk.token(ctx, a.group.Target)
		}
		if token != "" && a.joinOnce(ctx, token) == nil {
			return true
		}
		pause(ctx, plan.JoinEvery)
	}
	return false
}

func (a *agent) joinOnce(ctx context.Context, token string) error {
	life, err := a.m.Begin("join")
	if err != nil {
		return err
	}
	defer life.Wait()
	defer life.Stop()
	args := append([]string{"join", "--home", life.Home()}, joinFlags(a.group, a.name)...)
	environment := map[string]string{"FAIRLEAD_TOKEN": token, "FAIRLEAD_PROXY_CREDENTIALS": a.group.Credentials}
	var out, errs bytes.Buffer
	std := cli.IO{Out: &out, Err: &errs, Getenv: func(name string) string { return environment[name] }}
	if daemon.Main(ctx, args, std, version, func(*slog.Logger) host.Env { return life.Env() }) == 0 {
		a.s.record(history.Event{Kind: history.Answered, Who: a.name, Text: "joined"})
		return nil
	}
	a.s.refused(a.name, errs.String())
	return fmt.Errorf("%s", errs.String())
}

func joinFlags(group plan.Agents, name string) (args []string) {
	if group.Listening {
		args = append(args, "--listening", "--public-address", fmt.Sprintf("%s:%d", name, agentPort))
	}
	if group.Proxy != "" {
		args = append(args, "--proxy", group.Proxy)
	}
	return args
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (a *agent) living() (*sim.Life, chan struct{}) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.life != nil && hasEnded(a.gone) {
		a.life = nil
	}
	return a.life, a.gone
}

// stop ends the agent in peace.
func (a *agent) stop() {
	if life, gone := a.living(); life != nil {
		life.Stop()
		a.await(life, gone)
	}
}

func (a *agent) await(life *sim.Life, gone chan struct{}) {
	a.s.await(fmt.Sprintf("%s, life %d", a.name, life.Number()), gone)
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.life == life {
		a.life = nil
	}
}

// kill ends the agent at once; its scripts go on. Call it from netem.World.At.
func (a *agent) kill() {
	life, gone := a.living()
	if life == nil {
		return
	}
	a.s.record(history.Event{Kind: history.Crashed, Who: a.name, Text: sim.AgentLife, N: life.Number()})
	if err := life.Kill(); err != nil {
		a.s.fail("%v", err)
	}
	a.m.Net().Kill()
	a.await(life, gone)
}

// killShim ends a shim at once.
func (a *agent) killShim(l *sim.Life) {
	a.s.record(history.Event{Kind: history.Crashed, Who: a.name, Text: sim.ShimLife, N: l.Number()})
	a.m.KillShim(l)
}

func (a *agent) powerOff() { a.goDown(history.Event{Text: "power"}, a.m.PowerOff) }

// goDown ends all that runs on the machine, unless it is off already.
func (a *agent) goDown(why history.Event, off func(*netem.World) (func(), error)) {
	if a.boot != nil {
		return
	}
	life, gone := a.living()
	why.Kind, why.Who = history.Crashed, a.name
	a.s.record(why)
	boot, err := off(a.s.world)
	if err != nil {
		a.s.fail("%v", err)
	}
	a.boot = boot
	if life != nil {
		a.await(life, gone)
	}
}

// rollback takes a snapshot of the machine; undo takes the machine back to it and starts it again.
func (a *agent) rollback() (undo func(), err error) {
	back, err := a.m.Snapshot()
	if err != nil {
		return nil, err
	}
	return func() {
		a.goDown(history.Event{Text: "rollback"}, back)
		a.s.world.At(a.s.world.Now()+plan.CrashFor, a.name+" begins from its snapshot", a.powerOn)
	}, nil
}

// clone copies the machine's disk to another machine and starts that; undo takes its power away.
func (a *agent) clone(to *agent) (undo func(), err error) {
	if err := a.m.Clone(to.m); err != nil {
		return nil, err
	}
	to.powerOn()
	return to.powerOff, nil
}

// shutdownFor is how long programs have between TERM and the end of their machine. Source: systemd kills
// what is left after 90 s, and waits for nothing that has ended.
const shutdownFor = 2 * time.Second

// reboot restarts the machine, as the script of a ticket wants it.
func (a *agent) reboot(ticket contract.TicketID) {
	a.s.world.At(a.s.world.Now(), a.name+" shuts down", a.m.TellShims)
	a.s.world.At(a.s.world.Now()+shutdownFor, a.name+" goes down", func() {
		a.goDown(history.Event{Text: "reboot", Ticket: ticket}, a.m.Shutdown)
		a.s.world.At(a.s.world.Now()+plan.RebootFor+stagger(a.m, "reboot"), a.name+" comes back", a.powerOn)
	})
}

func (a *agent) powerOn() {
	if a.boot != nil {
		a.boot()
		a.boot = nil
	}
	a.restart()
}

// joined reports whether the machine has an agent that can be started: one that has not joined is no
// service yet.
func (a *agent) joined() bool {
	disk, _ := a.m.Disk()
	_, err := os.Stat(filepath.Join(disk, "home", "agent.toml"))
	return err == nil
}
