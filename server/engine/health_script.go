// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

//go:embed health.sh
var healthFunctions string

// ward is one health task under way: its machines are asked, some at a time, and those whose policy has a script of
// its own run that too, with a ticket each, so that a server that is restarted goes on with it.
type ward struct {
	worker *worker

	mu       sync.Mutex // guards what follows; never held while waiting
	stopped  bool       // somebody has asked for the end
	by       string     // who
	carriers []*carrier
}

// watch hands a cancel on to the scripts that run, until ctx ends.
func (h *ward) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.worker.wake:
		}
		_, _ = h.isCanceled(ctx) // the next wake tells what this one could not
	}
}

// isCanceled reads whether somebody has asked for the end of the task meanwhile, and tells the scripts. Errors: of
// the store, and Conflict (the lease is lost).
func (h *ward) isCanceled(ctx context.Context) (bool, error) {
	var task deploy.Task
	err := h.worker.engine.Store.View(ctx, func(r store.Reader) (err error) {
		task, err = h.worker.leased(r)
		return err
	})
	if err != nil || !task.CancelAsked {
		return false, err
	}
	h.mu.Lock()
	h.stopped, h.by = true, task.CancelAskers
	told := slices.Clone(h.carriers)
	h.mu.Unlock()
	for _, c := range told {
		c.cancelOnce(task.CancelAskers)
	}
	return true, nil
}

// canceledBy tells who asked for the end; ok is false when nobody did.
func (h *ward) canceledBy() (by string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by, h.stopped
}

func (h *ward) add(c *carrier) {
	h.mu.Lock()
	h.carriers = append(h.carriers, c)
	h.mu.Unlock()
	if by, stopped := h.canceledBy(); stopped {
		c.cancelOnce(by)
	}
}

func (h *ward) remove(c *carrier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.carriers = slices.DeleteFunc(h.carriers, func(o *carrier) bool { return o == c })
}

// check asks one machine, has its script run where the step has one, and stores the finding. Its status is "" when
// the script was canceled. Errors: of the lease, the store and the log.
func (h *ward) check(ctx context.Context, step int, id deploy.MachineID) (deploy.Health, error) {
	e := h.worker.engine
	f := e.ask(ctx, id)
	if len(h.worker.plan.Steps[step].Actions) > 0 {
		isScripted := f.health.Status == deploy.HealthHealthy || f.health.Status == deploy.HealthHasWarnings
		ticket, err := h.ticket(ctx, step, id, isScripted)
		if err != nil {
			return f.health, err
		}
		if ticket != nil {
			if f.health, err = h.script(ctx, *ticket, f.health); err != nil || f.health.Status == "" {
				return f.health, err
			}
		}
		f.awaits = false
	}
	e.keep(ctx, []finding{f})
	return f.health, nil
}

func (h *ward) mayBeOffline(ctx context.Context, id deploy.MachineID) bool {
	policy, _ := h.worker.engine.lookedAfter(ctx, id)
	return policy.MayBeOffline
}

// ticket finds the one that an earlier owner of the task has made, or makes one if it is wanted.
func (h *ward) ticket(ctx context.Context, step int, id deploy.MachineID, isWanted bool) (*deploy.Ticket, error) {
	var tickets []deploy.Ticket
	err := h.worker.engine.Store.View(ctx, func(r store.Reader) (err error) {
		tickets, err = r.Tickets(h.worker.id)
		return err
	})
	for _, t := range tickets {
		if t.Step == step && t.Machine == id {
			return &t, err
		}
	}
	if err != nil || !isWanted {
		return nil, err
	}
	made, err := h.worker.commit(ctx, []deploy.Slot{{Step: step, Machine: id, Attempt: 1}}, nil)
	if err != nil {
		return nil, err
	}
	return &made[0], nil
}

// script brings a ticket to its verdict and says what that makes of the machine's health.
func (h *ward) script(ctx context.Context, ticket deploy.Ticket, health deploy.Health) (deploy.Health, error) {
	c := newCarrier(h.worker, ticket)
	h.add(c)
	defer h.remove(c)
	if err := c.run(ctx); err != nil {
		return health, err
	}
	said, err := h.said(ctx, c)
	if err != nil || c.ticket.Verdict == nil {
		return health, err
	}
	if c.ticket.Verdict.Outcome == contract.Canceled {
		return deploy.Health{}, nil
	}
	health.CheckedAt = h.worker.engine.Env.Wall()
	return health.AfterScript(*c.ticket.Verdict, said), nil
}

// said is what a script has handed over, also when its verdict is of an earlier life of the server.
func (h *ward) said(ctx context.Context, c *carrier) (said []deploy.OutputValue, err error) {
	if c.outputs != nil && c.ruling == deploy.RulingNone {
		return c.outputs.Values, nil
	}
	err = h.worker.engine.Store.View(ctx, func(r store.Reader) error {
		all, err := r.Outputs(h.worker.id, c.ticket.ID)
		for _, o := range all {
			said = o.Values
		}
		return err
	})
	return said, err
}

// healthScript is the text that an agent runs for a policy's script.
func healthScript(body string) string {
	return healthFunctions + strings.TrimSuffix(body, "\n") + "\n"
}
