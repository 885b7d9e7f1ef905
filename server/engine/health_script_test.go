// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// nursed is a machine with a shell, whose policy has a script.
type nursed struct {
	*scripted
	away bool
}

func (n *nursed) Health(context.Context) (contract.HealthReport, error) {
	return contract.HealthReport{Shell: "/bin/bash", DiskFreeBytes: 7}, nil
}

func (n *nursed) Target(deploy.MachineID) (target.Target, string, error) {
	if n.away {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return n, "state-1", nil
}

// nursing makes the task a health check with a script.
func nursing(w store.Writer) error {
	const script = "look #{Octopus.Machine.Name}"
	return errors.Join(
		w.PutMachinePolicy(deploy.MachinePolicy{
			ID: deploy.DefaultMachinePolicyID, Space: deploy.DefaultSpace, Name: "d", HealthRun: deploy.OwnScript,
			HealthScript: script,
		}),
		edited(func(task *deploy.Task) { task.Kind = deploy.HealthTask })(w),
		with(deploy.PropScriptBody, script)(w),
	)
}

func (b *bench) health() (h deploy.Health) {
	b.must(b.store.View(b.t.Context(), func(r store.Reader) error {
		m, err := r.Machine("Machines-1")
		h = m.Health
		return err
	}))
	return h
}

func saying(name string) []contract.Output { return []contract.Output{{Name: name, Value: "x"}} }

func TestTheScriptOfAPolicySaysHowAMachineIs(t *testing.T) {
	for name, c := range map[string]struct {
		said    []contract.Output
		outcome contract.Outcome
		want    deploy.HealthStatus
		state   deploy.TaskState
	}{
		"nothing":   {nil, contract.Succeeded, deploy.HealthHealthy, deploy.TaskSuccess},
		"a warning": {saying(deploy.HealthWarning), contract.Succeeded, deploy.HealthHasWarnings, deploy.TaskSuccess},
		"an error":  {saying(deploy.HealthError), contract.Succeeded, deploy.HealthUnhealthy, deploy.TaskFailed},
		"a failure": {nil, contract.Failed, deploy.HealthUnhealthy, deploy.TaskFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nursing)
				defer b.store.Close()
				m := &nursed{scripted: handing(c.said...)}
				follow, tickets, body := m.follow, map[contract.TicketID]bool{}, ""
				m.follow = func(ctx context.Context, f target.FollowFunc) error {
					return follow(ctx, func(records []contract.Record, status *contract.TicketStatus) error {
						status.Verdict.Outcome = c.outcome
						return f(records, status)
					})
				}
				m.start = func(o contract.Order) error {
					tickets[o.Ticket], body = true, o.Script.Body
					return nil
				}
				// The server dies with the order sent; the next one goes on with the same ticket.
				b.run(m.scripted, m, "engine.ticket.sent", nil)
				b.run(m.scripted, m, "", nil)
				if h := b.health(); h.Status != c.want || h.DiskFree != 7 || b.task().State != c.state || len(tickets) != 1 {
					t.Errorf("%+v, task %s, %d tickets; want %s, %s, 1\n%s", h, b.task().State, len(tickets), c.want, c.state, b.log())
				}
				if !strings.Contains(body, "fail_healthcheck()") || !strings.HasSuffix(body, "look m\n") {
					t.Errorf("the script is %q", body)
				}
			})
		})
	}
}

func TestAMachineThatIsAwayRunsNoHealthScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nursing)
		defer b.store.Close()
		m := &nursed{scripted: handing(), away: true}
		m.start = func(contract.Order) error { t.Error("an order"); return nil }
		b.run(m.scripted, m, "", nil)
		if h := b.health(); h.Status != deploy.HealthUnavailable || b.task().State != deploy.TaskFailed {
			t.Errorf("%+v, %s", h, b.task().State)
		}
	})
}

func TestACanceledHealthScriptSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nursing)
		defer b.store.Close()
		heard := make(chan struct{})
		m := &nursed{scripted: &scripted{
			cancel: func() error { close(heard); return nil },
			follow: func(ctx context.Context, f target.FollowFunc) error {
				select {
				case <-heard:
					return f(nil, verdictOf(contract.Canceled, 0))
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		}}
		b.run(m.scripted, m, "", b.cancel)
		if h := b.health(); h.Status != "" || b.task().State != deploy.TaskCanceled {
			t.Errorf("%+v, %s\n%s", h, b.task().State, b.log())
		}
	})
}

// TestWhatAScriptFoundStays when its machine is only asked, and is unknown once the machine was away.
func TestWhatAScriptFoundStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nursing)
		defer b.store.Close()
		m := &nursed{scripted: handing()}
		e := engine.New(engine.Deps{Store: b.store, Reach: m, Env: host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler)}})
		set := func(status deploy.HealthStatus) {
			b.must(b.store.Update(t.Context(), func(w store.Writer) error {
				row, err := w.Machine("Machines-1")
				row.Health = deploy.Health{Status: status, Summary: "the script said so", CheckedAt: time.Now()}
				if err != nil {
					return err
				}
				return w.PutMachine(row)
			}))
			e.CheckAll(t.Context(), []deploy.MachineID{"Machines-1"})
		}
		for _, status := range []deploy.HealthStatus{deploy.HealthHealthy, deploy.HealthHasWarnings, deploy.HealthUnhealthy} {
			if set(status); b.health().Status != status || b.health().Summary != "the script said so" || b.health().DiskFree != 7 {
				t.Errorf("%s became %+v", status, b.health())
			}
		}
		if set(deploy.HealthUnavailable); b.health().Status != deploy.HealthUnknown || !b.health().CheckedAt.IsZero() {
			t.Errorf("back, it is %+v", b.health())
		}
		m.away = true
		if set(deploy.HealthHealthy); b.health().Status != deploy.HealthUnavailable {
			t.Errorf("away, it is %+v", b.health())
		}
	})
}

// TestHealthFunctionsInBash calls them beside those of the agent.
func TestHealthFunctionsInBash(t *testing.T) {
	functions, err := os.ReadFile(filepath.Join("..", "..", "agent", "variables", "functions.sh"))
	if err != nil {
		t.Fatal(err)
	}
	variable := func(name, value string) string {
		code := base64.StdEncoding.EncodeToString
		return "##octopus[setVariable name='" + code([]byte(name)) + "' value='" + code([]byte(value)) + "']"
	}
	for script, want := range map[string]struct {
		lines []string
		code  int
	}{
		"echo_warning swap is small": {[]string{
			"##octopus[stdout-warning]", "swap is small", variable(deploy.HealthWarning, "swap is small"),
		}, 0},
		"set -euo pipefail; echo_error $'two\nlines'; echo on": {[]string{
			"##octopus[stdout-error]", variable(deploy.HealthError, "two lines"), "on",
		}, 0},
		"fail_healthcheck; echo on":                              {[]string{variable(deploy.HealthError, "The health check failed.")}, 1},
		"fail_healthcheck 'the disk dies'; true":                 {[]string{"the disk dies", variable(deploy.HealthError, "the disk dies")}, 1},
		"echo x | while read -r l; do echo_warning \"$l\"; done": {[]string{variable(deploy.HealthWarning, "x")}, 0},
		"exit 7": {nil, 7},
	} {
		command := exec.CommandContext(t.Context(), "bash")
		command.Stdin = strings.NewReader(string(functions) + engine.HealthScript(script))
		out, err := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != want.code {
			t.Errorf("%s: exit code %d, want %d: %v", script, code, want.code, err)
		}
		lines := strings.Split(string(out), "\n")
		for _, line := range want.lines {
			if !slices.Contains(lines, line) {
				t.Errorf("%s says %q, want the line %q", script, out, line)
			}
		}
	}
}

// blind is a store that an engine cannot read for a while; tests can.
type blind struct {
	store.Store
	until atomic.Int64 // Unix nanoseconds
}

func (b *blind) View(ctx context.Context, f func(store.Reader) error) error {
	if _, isEngine := ctx.Deadline(); isEngine && time.Now().UnixNano() < b.until.Load() {
		return errkind.Unavailable.Errorf("the store cannot be read")
	}
	return b.Store.View(ctx, f)
}

// counted is a machine that tells which names it was reached by.
type counted struct {
	*nursed
	reached func(deploy.MachineID)
}

func (c counted) Target(id deploy.MachineID) (target.Target, string, error) {
	c.reached(id)
	return c.nursed.Target(id)
}

// TestAHealthCheckThatCannotReadItsTask is no success of machines that nobody asked: it goes on later.
func TestAHealthCheckThatCannotReadItsTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(w store.Writer) error {
			err := w.PutMachine(deploy.Machine{
				ID: "Machines-2", Space: deploy.DefaultSpace, Name: "n", Style: deploy.Polling, Pin: strings.Repeat("2", 64),
			})
			return errors.Join(err, edited(func(task *deploy.Task) {
				task.Kind, task.Plan.Steps[0].Actions = deploy.HealthTask, nil
				task.Plan.Steps[0].Machines = []deploy.MachineID{"Machines-1", "Machines-2"}
			})(w))
		})
		defer b.store.Close()
		s := &blind{Store: b.store}
		b.store = s
		asked := map[deploy.MachineID]bool{}
		b.run(nil, counted{&nursed{scripted: &scripted{}}, func(id deploy.MachineID) {
			if asked[id] = true; len(asked) == 1 && s.until.Load() == 0 {
				s.until.Store(time.Now().Add(time.Second).UnixNano())
			}
		}}, "", nil)
		if state := b.task().State; state != deploy.TaskSuccess || len(asked) != 2 {
			t.Errorf("the task is %s after %d of 2 machines were asked\n%s", state, len(asked), b.log())
		}
	})
}
