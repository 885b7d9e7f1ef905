// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

const (
	// scriptGoal is how much longer than its floor a script may take.
	scriptGoal = 2.0
	// scriptsEach is how many scripts, and how many of each part of the floor, make one round.
	scriptsEach = 20
	scriptBody  = "echo done\n"
	// scriptPause lies between two of them: what is measured is one script on a quiet machine, on which the
	// agent has had the time to start its next shim ahead.
	scriptPause = 100 * time.Millisecond
)

// scriptRound is one round of the script goal, medians in microseconds.
type scriptRound struct {
	Echo, Exec, Sync float64 // the floor's parts
	Script           float64 // from the order until the verdict
}

func (r scriptRound) floor() float64 { return r.Echo + r.Exec + r.Sync }

// script compares one script on the real agent, from the order until its verdict, with what nothing can do
// without: an answer through TLS, the shell itself, and the syncs of the protocol on the same disk.
func (b *bench) script(ctx context.Context) error {
	server, stop, err := b.startIngest(ctx)
	if err != nil {
		return err
	}
	defer stop()
	bare, err := b.startBarePair(ctx, "")
	if err != nil {
		return err
	}
	defer bare.kill()
	var rounds []scriptRound
	err = b.profiled(server.process, "script", func() error {
		for i := -1; i < b.windows; i++ { // the first round warms up
			r, err := b.scriptRound(ctx, server, bare, i)
			if err != nil {
				return err
			}
			if i >= 0 {
				rounds = append(rounds, r)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.report.Raw["script"] = rounds
	p := pairs{
		column(rounds, scriptRound.floor),
		column(rounds, func(r scriptRound) float64 { return r.Script }),
	}
	b.report.judge("a script on the real agent, order to verdict, p50", "<= 2.0x", "us", p,
		func(ratio float64) bool { return ratio <= scriptGoal })
	for _, part := range []struct {
		name string
		of   func(scriptRound) float64
	}{
		{"of its floor: an answer through TLS", func(r scriptRound) float64 { return r.Echo }},
		{"of its floor: the shell", func(r scriptRound) float64 { return r.Exec }},
		{"of its floor: six syncs", func(r scriptRound) float64 { return r.Sync }},
	} {
		b.report.limit(part.name, "us", median(column(rounds, part.of)), 0)
	}
	return nil
}

func (b *bench) scriptRound(ctx context.Context, s *ingestServer, bare barePair, i int) (r scriptRound, err error) {
	const rate = 50
	echo, err := ask[window](bare.server, "echo", pace{rate, 1})
	if err == nil && echo.Errors > 0 {
		err = errors.New(echo.Error)
	}
	if err != nil {
		return r, fmt.Errorf("floor: %w", err)
	}
	r.Echo = echo.P50
	if r.Exec, err = medianOf(func(int) error { return bareScript(ctx, b.work) }); err != nil {
		return r, fmt.Errorf("floor: %w", err)
	}
	bareTickets := filepath.Join(b.work, "tickets")
	if err = os.Mkdir(bareTickets, 0o700); err == nil {
		r.Sync, err = medianOf(func(n int) error { return bareTicket(filepath.Join(bareTickets, fmt.Sprint(n))) })
	}
	if err = errors.Join(err, os.RemoveAll(bareTickets)); err != nil {
		return r, fmt.Errorf("floor: %w", err)
	}
	r.Script, err = ask[float64](s.process, "script", runScripts{s.machine, fmt.Sprintf("bench-%d", i+1)})
	return r, err
}

// medianOf does something scriptsEach times and returns the median of its time in microseconds.
func medianOf(do func(n int) error) (float64, error) {
	took := make([]float64, scriptsEach)
	for n := range took {
		time.Sleep(scriptPause)
		began := time.Now()
		if err := do(n); err != nil {
			return 0, err
		}
		took[n] = float64(time.Since(began).Nanoseconds()) / 1e3
	}
	return median(took), nil
}

// bareScript writes the script and runs it in a session of its own.
func bareScript(ctx context.Context, dir string) error {
	path := filepath.Join(dir, "body.sh")
	if err := os.WriteFile(path, []byte(scriptBody), 0o600); err != nil {
		return err
	}
	text, err := exec.CommandContext(ctx, "bash", path).Output()
	if err == nil && strings.TrimSpace(string(text)) != "done" {
		err = fmt.Errorf("the script said %q", text)
	}
	return err
}

// bareTicket makes durable what a ticket makes durable, in the same order: intent, claim, log, exit record.
func bareTicket(dir string) error {
	in := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(os.Mkdir(dir, 0o700), synced(in("order.tmp"), 300))
	if err == nil {
		err = os.Rename(in("order.tmp"), in("order.json"))
	}
	for _, step := range []func() error{
		func() error { return syncFolder(dir) },
		func() error { return syncFolder(filepath.Dir(dir)) },
		func() error { return os.WriteFile(in("claim.tmp"), make([]byte, 200), 0o600) },
		func() error { return os.Link(in("claim.tmp"), in("claim")) },
		func() error { return syncFolder(dir) },
		func() error { return synced(in("log"), 40) },
		func() error { return synced(in("exit"), 4<<10) },
	} {
		if err == nil {
			err = step()
		}
	}
	return err
}

func synced(path string, size int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, size))
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type runScripts struct {
	Machine deploy.MachineID
	Name    string // tickets are NAME-0 and so on
}

// script runs scripts one after the other, as the engine does for tickets that are committed, and returns the
// median of their times in microseconds.
func (c *candidate) script(ctx context.Context, o runScripts) (any, error) {
	t, err := c.daemon.Target(o.Machine)
	if err != nil {
		return nil, err
	}
	took := make([]float64, scriptsEach)
	for n := range took {
		time.Sleep(scriptPause)
		id := contract.TicketID(fmt.Sprintf("%s-%d", o.Name, n))
		began := time.Now()
		var verdict *contract.Verdict
		_, err := t.Start(ctx, contract.Order{
			Ticket: id, Task: string(id), Name: "bench", Isolation: contract.Isolation{Level: contract.IsolationNone},
			Script: &contract.Script{Interpreter: "bash", Body: scriptBody}, Variables: map[string]string{},
		})
		if err == nil {
			err = t.Follow(ctx, id, 0, func(_ []contract.Record, status *contract.TicketStatus) error {
				if status != nil {
					verdict = status.Verdict
				}
				return nil
			})
		}
		took[n] = float64(time.Since(began).Nanoseconds()) / 1e3
		if err == nil && (verdict == nil || verdict.Outcome != contract.Succeeded) {
			err = fmt.Errorf("the script ended with %+v", verdict)
		}
		if err = errors.Join(err, t.Forget(ctx, id)); err != nil {
			return nil, err
		}
	}
	return median(took), nil
}
