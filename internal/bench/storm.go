// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

// storm kills the server with all agents on line, starts it again, and waits until the last agent
// can be dispatched to.
func (b *bench) storm(ctx context.Context) (err error) {
	f, err := b.theFleet(ctx)
	if err != nil {
		return err
	}
	var back awaited
	var cpu float64
	if back, cpu, err = b.restart(ctx, f); err != nil {
		return err
	}
	troubles, err := ask[map[string]int](f.agents, "troubles", nil)
	if err != nil {
		return err
	}
	status, err := statusOf(f.server.pid())
	if err != nil {
		return err
	}
	b.report.Raw["storm"] = map[string]any{
		"back": back, "cpu_us": cpu, "troubles": troubles, "peak_bytes": status["VmHWM"] << 10,
		"rss_bytes": status["VmRSS"] << 10,
	}
	b.report.limit(
		fmt.Sprintf("%d agents back after kill -9 and restart, the last", b.agents),
		"s",
		back.Last.Seconds(),
		0,
	)
	b.report.limit("half of them", "s", back.Half.Seconds(), 0)
	b.report.limit("server CPU for each of them", "us", cpu, 0)
	b.report.limit("peak RSS of that server", "MB", float64(status["VmHWM"]<<10)/1e6, 0)
	return nil
}

// restart returns when they were back since the new server began, and the CPU that took for each.
func (b *bench) restart(ctx context.Context, f *fleet) (back awaited, cpu float64, err error) {
	f.server.kill()
	began := time.Now()
	if f.server, f.opened, err = b.openServer(ctx, f.home, f.opened.Link); err != nil {
		return back, 0, err
	}
	opened := time.Since(began)
	err = b.profiled(f.server, "storm", func() (err error) {
		back, err = f.await()
		return err
	})
	if err != nil {
		return back, 0, err
	}
	back.Half, back.Last = back.Half+opened, back.Last+opened
	time.Sleep(b.settle)
	used, err := ask[usage](f.server, "usage", nil)
	return back, float64(used.CPU.Microseconds()) / float64(b.agents), err
}
