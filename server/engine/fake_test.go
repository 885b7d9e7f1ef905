// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/server/target"
)

// fakeMachine is an agent that keeps its tickets like a real one, on a line that breaks.
type fakeMachine struct {
	name   string
	failAt int // the run with this number fails; runs count from 0

	mu    sync.Mutex
	rng   *rand.Rand
	known map[contract.TicketID]*fakeRun
}

type fakeRun struct {
	ticket    contract.TicketID
	step      int
	late      int // orders that came after it was forgotten
	count     int // of lines
	code      int
	forgotten bool
}

func (f *fakeRun) lines() (list []string) {
	for i := range f.count {
		list = append(list, fmt.Sprintf("%s line %d", f.ticket, i))
	}
	return list
}

func (f *fakeRun) log() (raw []byte) {
	for _, text := range f.lines() {
		raw = contract.AppendRecord(raw, contract.Record{Source: contract.Stdout, Text: []byte(text)})
	}
	return raw
}

func (m *fakeMachine) maxStep() (last int) {
	for _, run := range m.known {
		last = max(last, run.step)
	}
	return last
}

func (m *fakeMachine) chance(percent int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.IntN(100) < percent
}

func (m *fakeMachine) absent() bool { return m.chance(10) }

// fencedTarget is the way of one engine to the machine; a dead engine reaches nothing.
type fencedTarget struct {
	m *fakeMachine
	k *killed
}

var errBroken = errkind.Unavailable.Errorf("the line broke")

// broken breaks one call in ten.
func (f fencedTarget) broken() error {
	if err := f.k.err(); err != nil {
		return err
	}
	if f.m.chance(10) {
		return errBroken
	}
	return nil
}

func (f fencedTarget) status(ticket contract.TicketID) contract.TicketStatus {
	run, ok := f.m.known[ticket]
	if !ok || run.forgotten {
		return contract.TicketStatus{Ticket: ticket, State: contract.Unknown}
	}
	end := int64(len(run.log()))
	verdict := &contract.Verdict{Outcome: contract.Succeeded, LogEnd: end}
	if run.code != 0 {
		verdict = &contract.Verdict{Outcome: contract.Failed, Code: run.code, LogEnd: end}
	}
	return contract.TicketStatus{Ticket: ticket, State: contract.Finished, Verdict: verdict, LogEnd: end}
}

func (f fencedTarget) Status(_ context.Context, ticket contract.TicketID) (contract.TicketStatus, error) {
	return f.status(ticket), f.broken()
}

// Start takes effect also when the answer is lost.
func (f fencedTarget) Start(_ context.Context, order contract.Order) (contract.TicketStatus, error) {
	if err := f.broken(); err != nil {
		return contract.TicketStatus{}, err
	}
	run, known := f.m.known[order.Ticket]
	if known && run.forgotten {
		run.late++
	}
	if !known {
		step, _ := strconv.Atoi(order.Variables["Octopus.Step.Number"])
		f.m.mu.Lock()
		run = &fakeRun{ticket: order.Ticket, step: step, count: f.m.rng.IntN(6)}
		f.m.mu.Unlock()
		if len(f.m.known) == f.m.failAt {
			run.code = 3
		}
		f.m.known[order.Ticket] = run
	}
	return f.status(order.Ticket), f.broken()
}

// Follow sends records in pieces and breaks between them.
func (f fencedTarget) Follow(
	_ context.Context,
	ticket contract.TicketID,
	offset int64,
	take target.FollowFunc,
) error {
	run := f.m.known[ticket]
	raw := run.log()
	if offset > int64(len(raw)) {
		return errkind.Invalid.Errorf("offset %d of %d", offset, len(raw))
	}
	rest := raw[offset:]
	for len(rest) > 0 {
		record, after, ok, err := contract.ParseRecord(rest, offset)
		if err != nil || !ok {
			return errkind.Invalid.Errorf("offset %d is no record: %v", offset, err)
		}
		time.Sleep(10 * time.Millisecond)
		if err := f.broken(); err != nil {
			return err
		}
		if err := take([]contract.Record{record}, nil); err != nil {
			return err
		}
		rest, offset = after, record.End()
	}
	if err := f.broken(); err != nil {
		return err
	}
	status := f.status(ticket)
	return take(nil, &status)
}

func (f fencedTarget) Cancel(context.Context, contract.TicketID, time.Duration, string) error {
	return f.broken()
}

func (f fencedTarget) Forget(_ context.Context, ticket contract.TicketID) error {
	if err := f.broken(); err != nil {
		return err
	}
	f.m.known[ticket].forgotten = true
	return nil
}

func (f fencedTarget) Result(context.Context, contract.TicketID, contract.ResultInfo) (contract.Result, error) {
	return contract.Result{}, f.broken()
}

func (f fencedTarget) Artifact(context.Context, contract.ArtifactArgs) (io.ReadCloser, error) {
	return nil, errkind.NotFound.Errorf("this machine's scripts hand nothing over")
}

func (f fencedTarget) List(_ context.Context, after contract.TicketID) (list contract.TicketList, err error) {
	for _, id := range slices.Sorted(maps.Keys(f.m.known)) {
		if id <= after || f.m.known[id].forgotten {
			continue
		}
		if len(list.Tickets) == 2 { // short pages, so that tests turn them
			list.More = true
			break
		}
		status := f.status(id)
		list.Tickets = append(list.Tickets, contract.ListedTicket{
			Ticket: id, Task: "ServerTasks-9", Name: "Deploy Web", State: status.State, Verdict: status.Verdict,
		})
	}
	return list, f.broken()
}

func (f fencedTarget) Send(context.Context, target.Content) (bool, error) { return true, f.broken() }

func (f fencedTarget) Health(context.Context) (contract.HealthReport, error) {
	return contract.HealthReport{Shell: "/bin/bash"}, f.broken()
}
