// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"fairlead/internal/demo"
)

const (
	// inWork is how many deployments are queued or running at the least.
	inWork = 4
	// feedEvery is how often that is looked at.
	feedEvery = 150 * time.Millisecond
	pageSize  = 100
)

// work keeps deployments coming and counts what the server knows of them.
type work struct {
	arena *arena
	acked []string // belongs to whoever feeds, until stop
}

func newWork(a *arena) *work { return &work{arena: a} }

// begin queues deployments until stop. A server that is dead or dying refuses some, and may have
// queued one whose answer was lost: what there is, is asked at the end.
func (w *work) begin(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var feeding sync.WaitGroup
	feeding.Go(func() {
		ticker := time.NewTicker(feedEvery)
		defer ticker.Stop()
		for n := 0; ; n++ {
			if active, err := w.active(ctx); err == nil && len(active) < inWork {
				project := projectNames()[n%len(projectNames())]
				if id, err := w.arena.site.REST.Deploy(ctx, project, version, environment); err == nil {
					w.acked = append(w.acked, id)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	return func() {
		cancel()
		feeding.Wait()
	}
}

// task is what the server says of one.
type task struct {
	ID           string `json:"Id"`
	Name         string
	State        string
	ErrorMessage string
	IsCompleted  bool
}

type taskPage struct {
	Items        []task
	TotalResults int
}

// active lists the deployments that are queued or running.
func (w *work) active(ctx context.Context) ([]task, error) {
	var page taskPage
	err := w.arena.site.REST.Get(ctx, "/api/tasks?active=true&name=Deploy&take=100", &page)
	return page.Items, err
}

// progress is a number that rises with every verdict that the server has committed.
func (w *work) progress(ctx context.Context) (int, error) {
	var ended taskPage
	err := w.arena.site.REST.Get(ctx, "/api/tasks?states=Success,Failed&name=Deploy&take=1", &ended)
	if err != nil {
		return 0, err
	}
	sum := ended.TotalResults * stepCount * len(machineNames())
	active, err := w.active(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range active {
		activities, err := w.arena.site.REST.Activities(ctx, t.ID)
		if err != nil {
			return 0, err
		}
		for _, one := range activities {
			if one.Status == "Success" {
				sum++
			}
		}
	}
	return sum, nil
}

// gather waits for the end of all deployments, then asks for everything that is known of them.
func (w *work) gather(ctx context.Context, patience time.Duration) (e evidence, err error) {
	rest := w.arena.site.REST
	waiting := 0
	err = demo.Await(ctx, patience, "all deployments to end", func(ctx context.Context) (bool, error) {
		active, err := w.active(ctx)
		waiting = len(active)
		return err == nil && waiting == 0, nil
	})
	if err != nil && ctx.Err() != nil {
		return e, err
	} // what has not ended is judged
	for skip := 0; ; skip += pageSize {
		var page taskPage
		if err := rest.Get(ctx, fmt.Sprintf("/api/tasks?name=Deploy&skip=%d&take=%d", skip, pageSize), &page); err != nil {
			return e, err
		}
		e.tasks = append(e.tasks, page.Items...)
		if len(page.Items) < pageSize {
			break
		}
	}
	e.logs, e.acked = map[string]string{}, w.acked
	for _, t := range e.tasks {
		if e.logs[t.ID], err = rest.RawLog(ctx, t.ID); err != nil {
			return e, err
		}
	}
	text, err := os.ReadFile(w.arena.effects)
	e.effects = string(text)
	return e, err
}
