// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

// dispatchRate is how many requests come in a second.
const dispatchRate = 500

// dispatch compares a request to a random idle agent with a bare TLS echo, window by window.
func (b *bench) dispatch(ctx context.Context) error {
	f, err := b.theFleet(ctx)
	if err != nil {
		return err
	}
	bare, err := b.startBarePair(ctx, "")
	if err != nil {
		return err
	}
	defer bare.kill()
	p := pace{dispatchRate, b.window.Seconds()}
	var floors, candidates []window
	err = b.profiled(f.server, "dispatch", func() error {
		for i := -1; i < b.windows; i++ { // the first pair warms up
			floor, err := ask[window](bare.server, "echo", p)
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			candidate, err := ask[window](f.server, "dispatch", dispatch{p, f.machines, uint64(i + 1)})
			if err != nil {
				return err
			}
			if floor.Errors+candidate.Errors > 0 {
				return fmt.Errorf("window %d: %d requests were not answered: %s %s",
					i, floor.Errors+candidate.Errors, floor.Error, candidate.Error)
			}
			if i >= 0 {
				floors, candidates = append(floors, floor), append(candidates, candidate)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.report.Raw["dispatch"] = map[string]any{"floor": floors, "candidate": candidates}
	both := func(of func(window) float64) pairs { return pairs{column(floors, of), column(candidates, of)} }
	b.report.judge(fmt.Sprintf("dispatch to a random one of %d idle agents, p99", b.agents), "<= 2.0x", "us",
		both(func(w window) float64 { return w.P99 }), func(ratio float64) bool { return ratio <= 2 })
	b.report.judge("the same, p50", "-", "us", both(func(w window) float64 { return w.P50 }), nil)
	return nil
}

// barePair is a floor server and its callers.
type barePair struct{ server, callers *process }

func (p barePair) kill() {
	p.server.kill()
	p.callers.kill()
}

// startBarePair connects one caller to a floor server; out is where it writes what is pushed, "" for
// an echo.
func (b *bench) startBarePair(ctx context.Context, out string) (barePair, error) {
	return b.startBare(ctx, openBareCallers{Out: out})
}

// startBare connects one caller that does as o says.
func (b *bench) startBare(ctx context.Context, o openBareCallers) (p barePair, err error) {
	defer func() {
		if err != nil {
			p.kill()
		}
	}()
	if p.server, err = start(ctx, b.work, "bare-server"); err != nil {
		return p, err
	}
	opened, err := ask[openedServer](p.server, "open", openBareServer{b.roster, 1, false})
	if err != nil {
		return p, err
	}
	if p.callers, err = start(ctx, b.work, "bare-callers"); err != nil {
		return p, err
	}
	o.Link, o.Roster, o.Pin, o.Count, o.AtOnce = opened.Link, b.roster, opened.Pin, 1, 1
	err = p.callers.tell("open", o)
	if err != nil {
		return p, err
	}
	time.Sleep(100 * time.Millisecond)
	return p, p.server.tell("await", 1)
}
