// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/agent/transfer"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// agents are many agents at the level of the protocol: the real trust, dialling, back-off, line and
// calls, but nothing is carried out.
type agents struct {
	env    host.Env
	keeper *link.Keeper
	mux    contract.Mux
	work   sync.WaitGroup
	stop   context.CancelFunc
	blobs  string

	mu       sync.Mutex
	troubles map[string]int // why tries and sessions ended
}

type openAgents struct {
	Link, Roster string
	Pin          trust.Pin
	Count        int
	// AtOnce bounds how many dial and shake hands together; 0 lets all of them, as in a storm.
	AtOnce int
	// Blobs is the home in which agent 0 keeps what it is sent; "" for none.
	Blobs string
}

func agentsRole() *role {
	r, a := newRole(), &agents{keeper: link.NewKeeper(), troubles: map[string]int{}}
	on(r, "open", a.open)
	on(r, "troubles", func(context.Context, struct{}) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return maps.Clone(a.troubles), nil
	})
	on(r, "drop", func(_ context.Context, sum string) (any, error) {
		return nil, os.Remove(a.blobs + "/blobs/" + sum)
	})
	on(r, "close", func(context.Context, struct{}) (any, error) {
		a.stop()
		a.work.Wait()
		return nil, nil
	})
	return r
}

func (a *agents) open(ctx context.Context, o openAgents) (any, error) {
	identities, err := readRoster(o.Roster, o.Count)
	if err != nil {
		return nil, err
	}
	a.env, a.blobs = benchEnv(), o.Blobs
	if err := a.register(); err != nil {
		return nil, err
	}
	ctx, a.stop = context.WithCancel(ctx)
	a.work.Go(func() { _ = a.keeper.Run(ctx) })
	var gate chan struct{}
	if o.AtOnce > 0 {
		gate = make(chan struct{}, o.AtOnce)
	}
	for i, id := range identities {
		a.work.Go(func() { a.keepLine(ctx, o, spread{i, gate}, id) })
	}
	return nil, nil
}

func (a *agents) register() error {
	start := time.Now().UTC().Format(time.RFC3339)
	facts := a.env.Facts()
	contract.Handle(&a.mux, contract.Hello, func(_ context.Context, args contract.HelloArgs) (contract.Facts, error) {
		return contract.Facts{
			Program: "fairlead-agent", Version: "bench", Hostname: args.Machine, OS: facts.OS, Distribution: facts.Distribution,
			Arch: facts.Arch, BootID: facts.BootID, RunID: "run-" + args.Machine, StateID: "state-" + args.Machine,
			StartedAt: start,
		}, nil
	})
	contract.Handle(&a.mux, contract.Health, func(context.Context, contract.Nothing) (contract.HealthReport, error) {
		return contract.HealthReport{
			DiskFreeBytes: 50 << 30, DiskTotalBytes: 100 << 30, MemoryFreeBytes: 1 << 30, Load1: 0.5, UptimeSeconds: 1000,
			Shell: "/bin/bash", ShellVersion: "5.2.15", Running: []contract.TicketID{}, Warnings: []string{},
		}, nil
	})
	contract.Handle(&a.mux, contract.ScriptStatus,
		func(_ context.Context, args contract.TicketArgs) (contract.TicketStatus, error) {
			return contract.TicketStatus{Ticket: args.Ticket, State: contract.Unknown}, nil
		})
	contract.Handle(&a.mux, contract.ScriptCancel,
		func(_ context.Context, args contract.CancelArgs) (contract.TicketStatus, error) {
			return contract.TicketStatus{
				Ticket: args.Ticket, State: contract.Finished,
				Verdict: &contract.Verdict{Outcome: contract.Canceled, Code: -1, Reason: answerReason},
			}, nil
		})
	if a.blobs == "" {
		return nil
	}
	blobs, err := transfer.New(a.blobs, transfer.Options{Disk: a.env.Disk, Wall: a.env.Wall})
	if err == nil {
		blobs.Register(&a.mux)
	}
	return err
}

// answerReason makes an answer about as long as the request.
const answerReason = "canceled before it began"

// keepLine is what the agent's daemon does, less what it writes to its home.
func (a *agents) keepLine(ctx context.Context, o openAgents, network spread, id trust.Identity) {
	redial.Keep(ctx, redial.Terms{
		Net: network, Rand: a.env.Rand("line.backoff"), Address: o.Link,
		Dialler: func() (*trust.Dialler, error) {
			return trust.NewDialler(trust.DialTerms{
				Identity: id, Pins: []trust.Pin{o.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: a.env.Wall,
				Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "bench"}, o.Pin),
			})
		},
		Serve: func(ctx context.Context, conn *tls.Conn, _ trust.Peer, ping time.Duration) error {
			if gated, ok := conn.NetConn().(*gatedConn); ok {
				gated.pass()
			}
			return trust.Explain(a.serve(ctx, conn, ping))
		},
		Ended: func(err error, _ time.Duration) { a.note(err) },
	})
}

func (a *agents) serve(ctx context.Context, conn *tls.Conn, ping time.Duration) error {
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		_ = conn.Close()
		return err
	}
	return link.NewSession(conn, link.Options{
		Role: link.Servant, Keeper: a.keeper,
		Settings: link.Settings{
			Binding: binding, PingAfter: ping, Phase: time.Duration(a.env.Rand("line.ping").Int64N(int64(ping / 2))),
		},
		Serve: func(ctx context.Context, stream contract.Stream) { _ = a.mux.Serve(ctx, stream) },
	}).Run(ctx)
}

// note counts why a try or a session ended, without what differs from agent to agent.
func (a *agents) note(err error) {
	text := fmt.Sprint(err)
	if closed, ok := errors.AsType[*link.CloseError](err); ok {
		text = "session: " + closed.Error()
	}
	words := strings.Fields(text)
	words = slices.DeleteFunc(words, func(w string) bool {
		_, _, err := net.SplitHostPort(strings.TrimRight(w, ":"))
		return err == nil || strings.Contains(w, "->")
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.troubles[errkind.Of(err).String()+": "+strings.Join(words, " ")]++
}
