// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"fairlead/sim"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// healing is what makes a fault good, once.
type healing struct {
	once sync.Once
	undo func()
}

// heal reports whether it was the one to heal.
func (h *healing) heal() (healed bool) {
	h.once.Do(func() {
		h.undo()
		healed = true
	})
	return healed
}

// breakAll puts what goes wrong on the clock.
func (s *site) breakAll() {
	for i, f := range s.plan.Faults {
		label := fmt.Sprintf("fault %d", i+1)
		places := s.plan.Places(f)
		if together(f.Kind) && f.On != "" {
			places = []string{f.On} // one fault on all of them
		}
		for n, on := range places {
			one := f
			one.On = on
			place := fmt.Sprintf("%s at %d", label, n+1)
			s.world.At(s.base+f.At.D(), place, func() { s.break1(one, place) })
		}
	}
}

// together reports whether a fault is one on several machines, not several of a kind.
func together(kind string) bool { return kind == "partition" || kind == "swizzle-clog" }

// break1 makes one fault happen, and heals it in time.
func (s *site) break1(f plan.Fault, label string) {
	undo, err := s.inflict(f, label)
	if err != nil {
		s.fail("%s (%s on %s): %v", label, f.Kind, f.On, err)
		return
	}
	s.record(history.Event{Kind: history.FaultOn, Who: f.On, Text: f.Kind})
	h := &healing{undo: func() {
		undo()
		s.record(history.Event{Kind: history.FaultOff, Who: f.On, Text: f.Kind})
	}}
	s.mu.Lock()
	s.heals = append(s.heals, h)
	s.mu.Unlock()
	if wait := lasting(f); wait > 0 {
		s.world.At(s.world.Now()+wait+s.apart(f, label), label+" heals", func() { h.heal() })
	}
}

// lasting is how long a fault lasts; 0 until the end of the safety phase.
func lasting(f plan.Fault) time.Duration {
	if f.For > 0 {
		return f.For.D()
	}
	if k := plan.Kinds()[f.Kind]; k.Crash && f.Point == "" {
		return plan.CrashFor
	}
	return 0
}

// staggerLimit is how far apart machines do what one of them would do at an instant: no two machines
// start in the same nanosecond, and timers of one instant have no order.
const staggerLimit = time.Second

// stagger is how much later than asked a machine does something.
func stagger(m *sim.Machine, what string) time.Duration {
	return time.Duration(m.Chance(what) % uint64(staggerLimit))
}

// apart keeps machines apart that come back from the same fault.
func (s *site) apart(f plan.Fault, label string) time.Duration {
	m := s.machineOn(f.On)
	if m == nil || !plan.Kinds()[f.Kind].Crash {
		return 0
	}
	return stagger(m, label)
}

// healPause lies between the last faults that are healed at the end of the safety phase.
const healPause = 7 * time.Millisecond

// healAll ends the safety phase.
func (s *site) healAll() {
	s.mu.Lock()
	heals := s.heals
	s.mu.Unlock()
	for _, h := range heals {
		if h.heal() {
			pause(s.ctx, healPause)
		}
	}
}

// inflict does what the kind says and returns what undoes it.
func (s *site) inflict(f plan.Fault, label string) (undo func(), err error) {
	group, _, _ := strings.Cut(f.Kind, ".")
	switch group {
	case "server", "agent", "shim", "host", "disk":
		return s.hit(f, label)
	}
	return s.disturb(f)
}

// hit harms a machine or a program on it.
func (s *site) hit(f plan.Fault, label string) (undo func(), err error) {
	switch f.Kind {
	case "server.crash":
		return s.crash(f, label, sim.ServerLife, s.serverOn(f.On).m, func(*sim.Life) { s.serverOn(f.On).kill() },
			func() { s.revive(s.serverOn(f.On)) }), nil
	case "agent.crash":
		a := s.byName[f.On]
		return s.crash(f, label, sim.AgentLife, a.m, func(*sim.Life) { a.kill() }, func() { a.restart() }), nil
	case "shim.crash":
		a := s.byName[f.On]
		return s.crash(f, label, sim.ShimLife, a.m, a.killShim, func() {}), nil
	case "host.power":
		if f.Point != "" {
			return s.powerAt(f, label)
		}
		return s.power(f.On)
	case "host.rollback":
		return s.byName[f.On].rollback()
	case plan.Clone:
		return s.byName[f.On].clone(s.copyOf(f.On))
	case "host.clock":
		m := s.machineOn(f.On)
		m.Shift(f.By.D())
		return func() { m.Shift(0) }, nil
	case "disk.sync":
		_, files := s.machineOn(f.On).Disk()
		files.FailSync(1)
		return func() {
			files.FailSync(0)
			s.renew(f.On)
		}, nil
	}
	return s.disturb(f)
}

// renew is the operator's part after a disk was mended: an agent trusts it again after a restart. A
// server has ended by itself.
func (s *site) renew(on string) {
	a := s.byName[on]
	if a == nil {
		return
	}
	if life, _ := a.living(); life == nil {
		return // it starts on a sound disk
	}
	a.kill()
	s.startAgain(a.m, a.restart)
}

// crash kills a life now, or when it passes a point, and starts another when the fault heals.
func (s *site) crash(
	f plan.Fault, label, kind string, m *sim.Machine, kill func(*sim.Life), again func(),
) (undo func()) {
	if f.Point != "" {
		disarm := m.Trap(kind, f.Point, f.Nth, func(l *sim.Life) {
			s.world.At(s.world.Now(), label+" at "+f.Point, func() {
				kill(l)
				s.world.At(s.world.Now()+plan.CrashFor+stagger(m, label), label+" again", again)
			})
		})
		return disarm
	}
	lives := m.Lives(kind)
	if len(lives) > 0 {
		kill(lives[0])
	}
	return again
}

// startAgain is the machine's service manager: a program that ended with an error is started again
// after a while, as by systemd's Restart=on-failure.
func (s *site) startAgain(m *sim.Machine, again func()) {
	s.world.At(s.world.Now()+plan.CrashFor+stagger(m, "service"), "service manager of "+m.Name(), again)
}

// revive starts the server unless it runs, or another has taken over.
func (s *site) revive(v *server) {
	if life, _ := v.living(); life == nil && s.serving() == v && v.boot == nil {
		v.start()
	}
}

// restart starts the agent unless it runs, or its machine is off.
func (a *agent) restart() {
	if life, _ := a.living(); life == nil && a.boot == nil && a.joined() {
		a.start()
	}
}

func (s *site) power(on string) (undo func(), err error) {
	if a := s.byName[on]; a != nil {
		a.powerOff()
		return a.powerOn, nil
	}
	v := s.serverOn(on)
	if v == nil {
		return func() {}, fmt.Errorf("power of %s: it is no machine of ours", on)
	}
	v.powerOff()
	return v.powerOn, nil
}

// powerAt takes the power away when any program of the machine passes a point.
func (s *site) powerAt(f plan.Fault, label string) (undo func(), err error) {
	m := s.machineOn(f.On)
	if m == nil {
		return func() {}, fmt.Errorf("power of %s: it is no machine of ours", f.On)
	}
	var disarm []func()
	for _, kind := range []string{sim.ServerLife, sim.AgentLife, sim.ShimLife, sim.StepLife} {
		var again func()
		disarm = append(disarm, s.crash(f, label, kind, m, func(*sim.Life) {
			for _, off := range disarm {
				off()
			}
			if again, err = s.power(f.On); err != nil {
				s.fail("%v", err)
			}
		}, func() { again() }))
	}
	return func() {
		for _, off := range disarm {
			off()
		}
	}, nil
}

func (s *site) copyOf(name string) *agent {
	for _, a := range s.copies {
		if a.name == plan.CopyOf(name) {
			return a
		}
	}
	return nil
}

func (s *site) serverOn(name string) *server {
	for _, v := range s.servers {
		if v.spec.Name == name {
			return v
		}
	}
	return nil
}

func (s *site) machineOn(name string) *sim.Machine {
	if a := s.byName[name]; a != nil {
		return a.m
	}
	if v := s.serverOn(name); v != nil {
		return v.m
	}
	return nil
}
