// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
	"fairlead/internal/store"
	"fairlead/internal/trust"
)

// logWindowBytes of a script's output may be under way: what 100,000 lines a second are at 80 ms
// there and back.
const logWindowBytes = 1 << 20

// session is one authenticated life of a line. Its facts are set before others can see it.
type session struct {
	machine deploy.MachineID
	line    *link.Session
	facts   facts
	remote  string
}

func sortIDs(ids []deploy.MachineID) { slices.Sort(ids) }

// Serve runs the line of an agent whose handshake is over, until it ends. It is the port's
// handler for "fairlead/1", and what dialling ends in.
func (f *Fleet) Serve(ctx context.Context, conn *tls.Conn, peer trust.Peer) {
	_ = f.serve(ctx, conn, peer, link.PingAfter)
}

// serve returns why the session ended. An idle machine costs the goroutine that runs this and its
// stack, which never becomes smaller than it was in use: so whatever goes deep is done on others.
func (f *Fleet) serve(ctx context.Context, conn *tls.Conn, peer trust.Peer, ping time.Duration) error {
	v := &visit{fleet: f}
	v.work.Go(func() { v.begin(conn, peer, ping) })
	v.work.Wait()
	if v.session == nil {
		return v.err
	}
	v.work.Go(func() { v.introduce(ctx) })
	err := v.line.Run(ctx)
	v.work.Wait()
	v.end(ctx, err)
	return err
}

// visit is the life of one session, as serve sees it.
type visit struct {
	*session
	fleet   *Fleet
	work    sync.WaitGroup
	release func() // lets the pin go
	entered bool
	err     error // why there is no session, or why it is sent away
}

func (v *visit) begin(conn *tls.Conn, peer trust.Peer, ping time.Duration) {
	f := v.fleet
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		_ = conn.Close()
		v.err = err
		return
	}
	phase := time.Duration(f.Env.Rand("fleet.ping").Int64N(int64(ping / 2)))
	line := link.NewSession(conn, link.Options{
		Role: link.Caller, Keeper: f.Keeper, Settings: link.Settings{
			Binding: binding, PingAfter: ping, Phase: phase, ControlWindow: logWindowBytes,
		},
	})
	v.session = &session{
		machine: deploy.MachineID(peer.Subject()),
		line:    line,
		remote:  conn.RemoteAddr().String(),
	}
	f.begin(line)
	v.release, v.err = f.pins.Hold(peer, func(why error) { line.Goodbye(link.GoodbyeRevoked, 0, why.Error()) })
}

func (v *visit) introduce(ctx context.Context) {
	if v.err != nil {
		v.fleet.sendAway(v.session, v.err)
		return
	}
	said, err := v.fleet.greet(ctx, v.session)
	switch {
	case err != nil && v.fleet.ends():
		v.fleet.log.Info("agent came while this server ends", "machine", v.session.machine, "remote", v.session.remote)
		return // its line says goodbye with the others
	case err != nil:
		v.fleet.sendAway(v.session, err)
		return
	}
	v.entered = true
	v.work.Go(func() { v.fleet.weed(ctx, v.session) })
	v.fleet.cameOnline(ctx, v.session, said)
}

func (v *visit) end(ctx context.Context, err error) {
	v.fleet.end(v.line)
	if v.entered {
		v.fleet.leave(ctx, v.session, err)
	}
	if v.release != nil {
		v.release()
	}
}

// greet says hello, looks for clones and makes the session the machine's newest. It returns what
// the agent said of itself.
func (f *Fleet) greet(ctx context.Context, s *session) (said contract.Facts, err error) {
	select {
	case f.inHello <- struct{}{}:
		defer func() { <-f.inHello }()
	default:
		return said, errkind.Exhausted.Errorf("%d machines are saying hello already", maxGreeting)
	}
	machine, err := f.machine(s.machine)
	if err != nil {
		return said, err
	}
	known := f.journals(s.machine)
	if said, err = f.hello(ctx, s, machine.name); err != nil {
		return said, err
	}
	s.facts = newFacts(said, machine.rewinds)
	if other := f.twin(s); other != nil && f.lives(ctx, other) {
		return said, f.quarantineTwins(ctx, s, other)
	}
	if was := s.facts.behind(known); was > 0 {
		return said, f.quarantineRewound(ctx, s, was)
	}
	leave, err := f.enter(s)
	for _, old := range leave {
		old.line.Goodbye(link.GoodbyeReplaced, 0, "a newer session of this agent took over")
	}
	return said, err
}

func (f *Fleet) machine(id deploy.MachineID) (member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.machineLocked(id)
}

func (f *Fleet) machineLocked(id deploy.MachineID) (member, error) {
	m, ok := f.known[id]
	switch {
	case !ok:
		return m, errkind.Untrusted.Errorf("%s is not a machine here any more", id)
	case m.isDisabled:
		return m, errkind.Denied.Errorf("%s is %s", m.name, m.absence())
	}
	return m, nil
}

func (f *Fleet) hello(ctx context.Context, s *session, name string) (contract.Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, HelloLimit)
	defer cancel()
	return contract.Hello.Call(
		ctx,
		s.line,
		contract.HelloArgs{ServerID: f.Server.ID, Version: f.Version, Machine: name},
	)
}

// twin returns a session of the same machine that another run of an agent holds.
func (f *Fleet) twin(s *session) *session {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.machines[s.machine]
	if p == nil || p.newest() == nil || p.newest().facts.runID == s.facts.runID {
		return nil
	}
	return p.newest()
}

// weed ends older sessions of the same agent that do not answer: it has one line at a time, so the
// path of an older one has most likely died without a word, and work would wait there for the next
// ping. That nobody waits for an answer any more is no sign of it.
func (f *Fleet) weed(ctx context.Context, newest *session) {
	for _, old := range f.older(newest) {
		if !f.lives(ctx, old) && ctx.Err() == nil {
			old.line.Goodbye(link.GoodbyeReplaced, 0, "a newer session of this agent took over")
		}
	}
}

// older lists the sessions of a machine that were there before s.
func (f *Fleet) older(s *session) []*session {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, known := f.machines[s.machine]
	if !known {
		return nil
	}
	return slices.Clone(p.sessions[:max(0, slices.Index(p.sessions, s))])
}

// lives asks the other one; an agent that was restarted does not answer on its old session.
func (f *Fleet) lives(ctx context.Context, other *session) bool {
	_, err := f.hello(ctx, other, "")
	return err == nil
}

// enter makes s the newest session and returns those that must leave. Errors: Denied, Untrusted
// (the machine was disabled or removed while the agent said hello).
func (f *Fleet) enter(s *session) (leave []*session, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.machineLocked(s.machine); err != nil {
		return nil, err
	}
	p := f.presenceLocked(s.machine)
	for _, old := range p.sessions {
		if old.facts.runID != s.facts.runID {
			leave = append(leave, old)
		}
	}
	if len(p.sessions) == 0 {
		p.since = f.Env.Wall()
	}
	p.sessions = append(p.sessions, s)
	p.told(s.facts.stateID, s.facts.journal)
	p.trouble = ""
	p.note(LineEvent{
		At: f.Env.Wall(), Kind: LineUp, Text: "The line from " + s.remote + " is up, of an agent " + s.facts.version,
	})
	p.change()
	return leave, nil
}

func (f *Fleet) sendAway(s *session, why error) {
	reason, after := link.GoodbyeRevoked, time.Duration(0)
	if errkind.Of(why) == errkind.Exhausted {
		reason, after = link.GoodbyeBusy, 10*time.Second
	}
	f.note(s.machine, why)
	f.log.Warn("agent was sent away", "machine", s.machine, "remote", s.remote, "err", why)
	s.line.Goodbye(reason, after, why.Error())
}

func (f *Fleet) note(id deploy.MachineID, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.machines[id]; ok && why != nil {
		p.trouble = why.Error()
		p.note(LineEvent{At: f.Env.Wall(), Kind: LineTrouble, Text: "There is no line: " + p.trouble})
	}
}

// cameOnline stores what the agent said of itself and lets the others know.
func (f *Fleet) cameOnline(ctx context.Context, s *session, said contract.Facts) {
	f.log.Info("machine is on line", "machine", s.machine, "remote", s.remote, "version", said.Version)
	now := f.Env.Wall()
	err := f.Store.Update(ctx, func(w store.Writer) error {
		m, err := w.Machine(s.machine)
		if err != nil {
			return err
		}
		m.Facts.AgentVersion, m.Facts.OS, m.Facts.Distribution = said.Version, said.OS, said.Distribution
		m.Facts.Arch, m.Facts.Hostname = said.Arch, said.Hostname
		if m.Facts.StateID != said.StateID {
			m.Facts.Journal = 0 // another journal begins anew
		}
		m.Facts.Journal = max(m.Facts.Journal, said.Journal)
		m.Facts.StateID, m.Facts.BootID = said.StateID, said.BootID
		m.Health.LastSeen = now
		return w.PutMachine(m)
	})
	if err != nil && ctx.Err() == nil {
		f.log.Warn("facts were not stored", "machine", s.machine, "err", err)
	}
	f.CameOnline(ctx, s.machine)
}

func (f *Fleet) leave(ctx context.Context, s *session, why error) {
	now := f.Env.Wall()
	f.mu.Lock()
	last := false
	if p, ok := f.machines[s.machine]; ok {
		p.sessions = slices.DeleteFunc(p.sessions, func(other *session) bool { return other == s })
		if last = len(p.sessions) == 0; last {
			p.since = now
			if why != nil {
				p.trouble = why.Error()
			}
		}
		p.note(ended(now, s.remote, why))
		p.change()
	}
	f.mu.Unlock()
	f.log.Info("line ended", "machine", s.machine, "remote", s.remote, "err", why)
	if !last || ctx.Err() != nil {
		return
	}
	err := f.Store.Update(ctx, func(w store.Writer) error {
		m, err := w.Machine(s.machine)
		switch {
		case err != nil && errkind.Of(err) == errkind.NotFound:
			return nil
		case err != nil:
			return err
		}
		m.Health.LastSeen = now
		return w.PutMachine(m)
	})
	if err != nil && ctx.Err() == nil {
		f.log.Warn("last contact was not stored", "machine", s.machine, "err", err)
	}
}
