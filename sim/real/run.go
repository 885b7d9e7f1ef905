// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/netem/netns"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

const (
	environment = "Production"
	tag         = "web"
	webAddress  = "127.0.0.1:8065"
	keyPurpose  = "comparison"
	lookEvery   = 500 * time.Millisecond
	// startLimit bounds the start of a server and the joining of an agent.
	startLimit = 40 * time.Second
	// stopPatience lies between SIGTERM and SIGKILL at the end.
	stopPatience = 10 * time.Second
	// restartAfter is how long a program that was killed stays away unless the plan says otherwise,
	// as in package site.
	restartAfter = 5 * time.Second
)

// Options of a run.
type Options struct {
	Programs demo.Programs
	// Dir is where homes and logs lie; memory is best. "" is the temporary folder.
	Dir string
	// Keep, if not "", is a folder that gets the logs of the programs.
	Keep string
}

// rig is one run in the making.
type rig struct {
	plan    plan.Plan
	o       Options
	dir     string
	net     *netns.Network
	began   time.Time
	base    time.Time // when the safety phase began
	book    *history.Book
	servers []*server
	agents  []*agent
	owned   sync.WaitGroup

	mu      sync.Mutex
	active  int // index of the server that should run
	rest    *demo.REST
	key     string
	pending int // tasks that have not ended, and acts that are not over
	heals   []*healing
	broken  []error
}

// Run carries a plan out and returns what happened.
func Run(ctx context.Context, p plan.Plan, o Options) (history.Run, error) {
	h := history.Run{Plan: p}
	if err := Unsupported(p); err != nil {
		return h, err
	}
	topology, err := Topology(p)
	if err != nil {
		return h, err
	}
	r := &rig{plan: p, o: o, began: time.Now()}
	r.book = history.NewBook(func() time.Duration { return time.Since(r.began) }, nil)
	if r.net, err = netns.Up(ctx, topology); err != nil {
		return h, errkind.Internal.Errorf("%w", err)
	}
	if r.dir, err = makeFolder(o.Dir); err != nil {
		return h, errors.Join(err, r.net.Close(ctx))
	}
	live, cancel := context.WithCancel(ctx)
	err = r.live(live, &h)
	cancel()
	r.owned.Wait()
	h.Events = r.events(&err)
	return h, errors.Join(err, errors.Join(r.broken...), r.close(ctx))
}

func (r *rig) live(ctx context.Context, h *history.Run) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.base = time.Now()
	r.record(history.Event{Kind: history.Phase, Text: "safety"})
	r.schedule(ctx)
	if err := pause(ctx, r.plan.Safety.D()); err != nil {
		return err
	}
	r.healAll()
	h.Healed = time.Since(r.began)
	r.record(history.Event{Kind: history.Phase, Text: "settle"})
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.record(history.Event{Kind: history.Phase, Text: "end"})
	h.Over = time.Since(r.began)
	return r.look(ctx, &h.End)
}

func (r *rig) record(e history.Event) { r.book.Add(e) }

// fail notes that the run could not do what it should.
func (r *rig) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, err)
}

// prepare starts the first server, lets the agents join beside it, and starts them where they belong.
func (r *rig) prepare(ctx context.Context) error {
	for _, s := range r.plan.Servers {
		r.servers = append(r.servers, &server{r: r, spec: s})
	}
	first := r.servers[0]
	if err := first.start(ctx); err != nil {
		return err
	}
	if _, err := first.command(ctx, "environment", "create", environment); err != nil {
		return err
	}
	key, err := first.command(ctx, "admin", "api-key", "--purpose", keyPurpose)
	if err != nil {
		return err
	}
	r.key = key
	r.speakTo(first)
	for _, group := range r.plan.Agents {
		for _, name := range machines(plan.Plan{Agents: []plan.Agents{group}}, "") {
			a := &agent{r: r, group: group, name: name}
			r.agents = append(r.agents, a)
			if err := a.join(ctx, first); err != nil {
				return err
			}
		}
	}
	for _, a := range r.agents {
		if err := a.start(); err != nil {
			return err
		}
	}
	return nil
}

// speakTo makes a server the one that people ask.
func (r *rig) speakTo(v *server) {
	transport := &http.Transport{DialContext: v.dial, DisableKeepAlives: true}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = slices.Index(r.servers, v)
	r.rest = demo.NewRESTOver(transport, webAddress, r.key)
}

func (r *rig) people() *demo.REST {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rest
}

func (r *rig) serving() *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.servers[r.active]
}

// online lists the machines that the server holds for on line.
func (r *rig) online(ctx context.Context) (names []string, err error) {
	var list []struct {
		Name     string
		IsOnline bool
	}
	if err := r.people().Get(ctx, "/api/Spaces-1/machines/all", &list); err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.IsOnline {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// settle waits until everything that was asked for is over and the agents that should be are on line,
// or as long as the plan allows. Real time is dear: a site that has come to rest need not rest longer.
func (r *rig) settle(ctx context.Context) error {
	limit := time.Now().Add(r.plan.Settle.D())
	for time.Until(limit) > 0 {
		r.mu.Lock()
		pending := r.pending
		r.mu.Unlock()
		names, err := r.online(ctx)
		enough := r.plan.Expect.Online != "all" || len(names) == len(r.agents)
		if pending == 0 && err == nil && enough {
			return nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
	return nil
}

// look asks the server how things stand.
func (r *rig) look(ctx context.Context, end *history.End) (err error) {
	if end.Online, err = r.online(ctx); err != nil {
		return fmt.Errorf("look who is on line: %w", err)
	}
	end.Logs = map[deploy.TaskID]string{}
	for _, e := range r.book.Events() {
		if e.Kind != history.Answered || e.Task == "" {
			continue
		}
		text, err := r.people().RawLog(ctx, string(e.Task))
		if err != nil {
			return fmt.Errorf("read the log of %s: %w", e.Task, err)
		}
		end.Logs[e.Task] = text
	}
	return nil
}

// close stops the programs in good order and takes everything away.
func (r *rig) close(ctx context.Context) error {
	var group sync.WaitGroup
	ends := make([]error, len(r.agents)+len(r.servers))
	for i, a := range r.agents {
		group.Go(func() { ends[i] = a.stop() })
	}
	for i, v := range r.servers {
		group.Go(func() { ends[len(r.agents)+i] = v.stop() })
	}
	group.Wait()
	ctx = context.WithoutCancel(ctx)
	errs := errors.Join(errors.Join(ends...), demo.Sweep(ctx, r.dir), r.net.Close(ctx))
	if r.o.Keep != "" {
		errs = errors.Join(errs, keepLogs(r.dir, filepath.Join(r.o.Keep, r.plan.Hash())))
	}
	return errors.Join(errs, os.RemoveAll(r.dir))
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
