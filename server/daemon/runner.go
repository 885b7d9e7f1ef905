// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"sync"
)

// runner keeps parts running together: the first end is the end of all. No part hears of it by itself, as the
// children of one context hear of its end in any order.
type runner struct {
	life context.Context // ends with the server's, and with the first part
	over context.CancelFunc

	askers parts // who asks something of machines
	lines  parts // what they are asked on
	others parts

	mu  sync.Mutex
	err error // of the part that ended first
}

// parts end together.
type parts struct {
	ctx   context.Context
	end   context.CancelFunc
	group sync.WaitGroup
}

func newRunner(ctx context.Context) *runner {
	r := new(runner)
	r.life, r.over = context.WithCancel(ctx)
	for _, p := range []*parts{&r.askers, &r.lines, &r.others} {
		p.ctx, p.end = context.WithCancel(context.WithoutCancel(ctx))
	}
	return r
}

func (r *runner) start(p *parts, name string, run func(context.Context) error) {
	p.group.Go(func() {
		if err := run(p.ctx); err != nil {
			r.note(fmt.Errorf("%s: %w", name, err))
		}
		r.over()
	})
}

func (r *runner) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && r.life.Err() == nil {
		r.err = err
	}
}

// run waits for the first end and ends the rest: hush comes first, and the lines when nobody asks on them any more.
// It returns when all have ended, with the error of the part that ended first.
func (r *runner) run(hush func()) error {
	<-r.life.Done()
	hush()
	r.others.end()
	r.askers.end()
	r.askers.group.Wait()
	r.lines.end()
	r.lines.group.Wait()
	r.others.group.Wait()
	return r.err
}
