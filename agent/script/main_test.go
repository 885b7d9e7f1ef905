// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/host"
)

// TestMain lets the test binary be the shim, the package step and the agent of the tests that
// kill real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "shim":
			os.Exit(shimMain(os.Args[2]))
		case "step":
			fmt.Println("step of", filepath.Base(os.Args[2]))
			os.Exit(3)
		case "agent":
			os.Exit(agentMain(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func shimMain(dir string) int {
	env := host.Real(quiet())
	if dir == script.FromInput {
		var err error
		if dir, err = script.AwaitTicket(os.Stdin); dir == "" || err != nil || host.MoveTo(dir) != nil {
			return 1
		}
	}
	err := script.RunShim(context.Background(), dir, script.ShimEnv{
		Exec: env.Exec, Bells: env.Bells, Disk: env.Disk, Wall: env.Wall, Point: crashPoint(filepath.Dir(filepath.Dir(dir))),
	})
	if err != nil {
		return 1
	}
	return 0
}

// agent is a Service in this process.
type agent struct {
	*script.Service
	home string
	stop func()
}

// newAgent runs a Service on home until stop or the end of the test. Scripts still running at the
// end of the test are canceled.
func newAgent(t testing.TB, home string, o script.Options) *agent {
	t.Helper()
	return newAgentIn(t, home, host.Real(slog.New(slog.NewTextHandler(t.Output(), nil))), o)
}

func newAgentIn(t testing.TB, home string, env host.Env, o script.Options) *agent {
	t.Helper()
	s, err := script.New(home, env, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var owned sync.WaitGroup
	owned.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	a := &agent{Service: s, home: home, stop: sync.OnceFunc(func() { cancel(); owned.Wait() })}
	t.Cleanup(func() {
		defer a.stop()
		if ctx.Err() != nil {
			return // stopped by the test: another agent has its tickets
		}
		for _, id := range s.Running() {
			_, _ = s.Cancel(context.Background(), contract.CancelArgs{Ticket: id, By: "test"})
		}
		if !t.Failed() {
			until(t, "the end of all scripts", func() bool { return len(s.Running()) == 0 })
		}
	})
	return a
}

// bash is an order for one bash script.
func bash(ticket, body string) contract.Order {
	return contract.Order{
		Ticket: contract.TicketID(ticket), Task: "ServerTasks-" + ticket, Name: "order " + ticket,
		Script:    &contract.Script{Interpreter: "bash", Body: body},
		Variables: map[string]string{}, Isolation: contract.Isolation{Level: contract.IsolationNone}, GraceMS: 300,
	}
}

func encode(o contract.Order) []byte {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return raw
}

func (a *agent) start(t testing.TB, o contract.Order) contract.TicketStatus {
	t.Helper()
	status, err := a.Start(t.Context(), encode(o))
	if err != nil {
		t.Fatalf("Start(%s) = %v", o.Ticket, err)
	}
	return status
}

// watched is what a reader of script.follow saw.
type watched struct {
	verdict  contract.Verdict
	records  []contract.Record
	statuses []contract.TicketStatus
}

// text is the output of one source, lines put together.
func (w watched) text(of contract.Source) string {
	var b strings.Builder
	for _, r := range w.records {
		if r.Source != of {
			continue
		}
		b.Write(r.Text)
		if r.Flags&contract.FlagMore == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// watch follows a ticket until its verdict; each is told about every record. It checks the log
// against the verdict when it was read from the start.
func watch(ctx context.Context, s *script.Service, id contract.TicketID, offset int64, each func(contract.Record)) (watched, error) {
	var w watched
	r, pipe := io.Pipe()
	var owned sync.WaitGroup
	defer owned.Wait()
	defer r.Close()
	owned.Go(func() {
		err := s.Follow(ctx, id, offset, contract.FollowWriter{W: pipe})
		_ = pipe.CloseWithError(err) // nil: EOF
	})
	frames := contract.FollowReader{R: r, Offset: offset}
	sum := sha256.New()
	for {
		records, status, err := frames.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return w, err
		}
		for _, rec := range records {
			if each != nil {
				each(rec)
			}
			sum.Write(contract.AppendRecord(nil, rec))
			rec.Text = bytes.Clone(rec.Text)
			w.records = append(w.records, rec)
		}
		if status != nil {
			w.statuses = append(w.statuses, *status)
		}
	}
	last := w.statuses[len(w.statuses)-1]
	if last.Verdict == nil {
		return w, fmt.Errorf("follow ended without a verdict: %+v", last)
	}
	w.verdict = *last.Verdict
	if frames.Offset != w.verdict.LogEnd {
		return w, fmt.Errorf("log ended at %d, verdict says %d", frames.Offset, w.verdict.LogEnd)
	}
	if hash := hex.EncodeToString(sum.Sum(nil)); offset == 0 && hash != w.verdict.LogSHA256 {
		return w, fmt.Errorf("log has hash %s, verdict says %s", hash, w.verdict.LogSHA256)
	}
	return w, nil
}

func (a *agent) watch(t testing.TB, id contract.TicketID) watched {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := watch(ctx, a.Service, id, 0, nil)
	if err != nil {
		t.Fatalf("follow %s: %v (saw %+v)", id, err, w)
	}
	return w
}

// until waits for a condition that nothing announces.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after 15 s: not yet %s", what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
