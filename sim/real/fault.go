// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairlead/netem/netns"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// healing is what makes a fault good, once.
type healing struct {
	once sync.Once
	undo func()
}

func (h *healing) heal() { h.once.Do(h.undo) }

// inflicting does what a kind of fault says and returns what undoes it.
type inflicting func(ctx context.Context, r *rig, f plan.Fault) (undo func() error, err error)

// faults are the kinds that can be had for real.
var faults = map[string]inflicting{
	"link.cut": func(ctx context.Context, r *rig, f plan.Fault) (func() error, error) {
		way := map[string]netns.Way{"": netns.BothWays, "up": netns.Outward, "down": netns.Inward}[f.Way]
		return func() error { return r.net.Heal(ctx, f.On) }, r.net.Cut(ctx, f.On, way)
	},
	"nat.flush": flush, "firewall.flush": flush, "balancer.flush": flush,
	"nat.idle": shorten, "balancer.idle": shorten,
	"server.crash": func(ctx context.Context, r *rig, f plan.Fault) (func() error, error) {
		v := r.serverOn(f.On)
		v.kill(r, f.On, "server")
		return func() error { return r.revive(ctx, v) }, nil
	},
	"agent.crash": func(_ context.Context, r *rig, f plan.Fault) (func() error, error) {
		a := r.agentOn(f.On)
		a.kill(r, f.On, "agent")
		return a.start, nil
	},
	"host.power": power,
}

func flush(ctx context.Context, r *rig, f plan.Fault) (func() error, error) {
	return func() error { return nil }, r.net.Flush(ctx, f.On)
}

func shorten(_ context.Context, r *rig, f plan.Fault) (func() error, error) {
	const kernels = 120 * time.Hour
	before := kernels
	for _, b := range r.plan.Boxes {
		if b.Name == f.On && b.Idle > 0 {
			before = b.Idle.D()
		}
	}
	return func() error { return r.net.SetIdle(f.On, before) }, r.net.SetIdle(f.On, f.Delay.D())
}

// power takes it away from a machine and all that runs there, and gives it back with its program.
func power(ctx context.Context, r *rig, f plan.Fault) (func() error, error) {
	r.record(history.Event{Kind: history.Crashed, Who: f.On, Text: "power"})
	if err := r.net.PowerOff(ctx, f.On); err != nil {
		return nil, err
	}
	if v := r.serverOn(f.On); v != nil {
		v.forget()
		return func() error {
			if err := r.net.PowerOn(ctx, f.On); err != nil {
				return err
			}
			return r.revive(ctx, v)
		}, nil
	}
	a := r.agentOn(f.On)
	a.forget()
	return func() error {
		if err := r.net.PowerOn(ctx, f.On); err != nil {
			return err
		}
		return a.start()
	}, nil
}

// revive starts a server again unless another has taken over.
func (r *rig) revive(ctx context.Context, v *server) error {
	if p, _ := v.living(); p != nil || r.serving() != v {
		return nil
	}
	return v.start(ctx)
}

func (r *rig) serverOn(name string) *server {
	at := slices.IndexFunc(r.servers, func(v *server) bool { return v.spec.Name == name })
	if at < 0 {
		return nil
	}
	return r.servers[at]
}

func (r *rig) agentOn(name string) *agent {
	at := slices.IndexFunc(r.agents, func(a *agent) bool { return a.name == name })
	if at < 0 {
		return nil
	}
	return r.agents[at]
}

// inflict makes one fault happen, and heals it in time.
func (r *rig) inflict(ctx context.Context, f plan.Fault) {
	what := fmt.Sprintf("%s on %s", f.Kind, f.On)
	undo, err := faults[f.Kind](ctx, r, f)
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", what, err))
		return
	}
	r.record(history.Event{Kind: history.FaultOn, Who: f.On, Text: f.Kind})
	h := &healing{undo: func() {
		if err := undo(); err != nil {
			r.fail(fmt.Errorf("heal %s: %w", what, err))
		}
		r.record(history.Event{Kind: history.FaultOff, Who: f.On, Text: f.Kind})
	}}
	r.mu.Lock()
	r.heals = append(r.heals, h)
	r.mu.Unlock()
	if lasts := lasting(f); lasts > 0 && pause(ctx, lasts) == nil {
		h.heal()
	}
}

// lasting is how long a fault lasts; 0 until the end of the safety phase.
func lasting(f plan.Fault) time.Duration {
	if f.For == 0 && plan.Kinds()[f.Kind].Crash {
		return restartAfter
	}
	return f.For.D()
}

// healAll ends the safety phase.
func (r *rig) healAll() {
	r.mu.Lock()
	heals := slices.Clone(r.heals)
	r.mu.Unlock()
	for _, h := range heals {
		h.heal()
	}
}
