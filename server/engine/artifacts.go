// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/artifact"
	"fairlead/server/target"
)

// Artifacts keeps the content of files that scripts hand over.
type Artifacts interface {
	// Admit says whether the limits allow so many more bytes. Errors: Exhausted.
	Admit(ctx context.Context, size int64) error
	// Fetch brings content here and holds it until release. Errors: Exhausted (no space), Corrupt, and those
	// of read.
	Fetch(ctx context.Context, in artifact.Incoming, read artifact.Read) (release func(), err error)
}

// spaceTries is how often an artifact is fetched that finds no space on the server's disk: with the waits
// between them about 5 min. Then the deployment goes on without it.
const spaceTries = 15

// handover is what a ticket's artifacts have come to so far. It outlives sessions.
type handover struct {
	kept     []deploy.Artifact // without their ids
	releases []func()
	done     int // artifacts that were kept or given up
	faults   int // of the next one
}

// release is called when the rows are committed, or will not be.
func (h *handover) release() {
	for _, release := range h.releases {
		release()
	}
	*h = handover{}
}

// fetcher fetches the artifacts of one ticket and says what becomes of them.
type fetcher struct {
	engine *Engine
	target target.Target
	task   deploy.Task
	ticket deploy.Ticket
	say    func(tasklog.Category, string)
}

// fetch goes on with the next artifact. It returns nil once each is kept or given up, and an error when it is
// to be tried again: the machine keeps them until it is told to forget.
func (f fetcher) fetch(ctx context.Context, h *handover, all []contract.Artifact, hurry bool) error {
	for h.done < len(all) {
		a := all[h.done]
		release, err := f.one(ctx, a, h.done)
		if err != nil {
			if !f.givesUp(h, a, err, hurry) {
				return remote(err)
			}
			h.done, h.faults = h.done+1, 0
			continue
		}
		h.kept = append(h.kept, deploy.Artifact{
			Space: f.task.Space, Task: f.task.ID, Deployment: f.task.Deployment, Ticket: f.ticket.ID, Index: h.done,
			Slot: slotOf(f.ticket), Name: deploy.FileName(a.Name), Size: a.Size, SHA256: a.SHA256, KeptAt: f.engine.Env.Wall(),
		})
		h.releases = append(h.releases, release)
		h.done, h.faults = h.done+1, 0
		f.engine.Env.Point("engine.artifact.fetched")
	}
	return nil
}

func (f fetcher) one(ctx context.Context, a contract.Artifact, index int) (release func(), err error) {
	err = f.engine.Artifacts.Admit(ctx, a.Size)
	if err != nil && errkind.Of(err) == errkind.Exhausted {
		return nil, refusal{err}
	}
	if err != nil {
		return nil, err
	}
	in := artifact.Incoming{Key: fmt.Sprintf("%s-%d", f.ticket.ID, index), Size: a.Size, SHA256: a.SHA256}
	return f.engine.Artifacts.Fetch(ctx, in, func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		r, err := f.target.Artifact(ctx, contract.ArtifactArgs{Ticket: f.ticket.ID, Index: index, Offset: offset})
		f.engine.Env.Point("engine.artifact.asked")
		return r, err
	})
}

// refusal is an error that waiting does not help.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// givesUp says in the log that an artifact is not kept, where trying again would not help or has not helped.
func (f fetcher) givesUp(h *handover, a contract.Artifact, err error, hurry bool) bool {
	h.faults++
	_, isRefused := errors.AsType[refusal](err)
	switch errkind.Of(err) {
	case errkind.Exhausted:
		isRefused = isRefused || hurry || h.faults >= spaceTries
	case errkind.Corrupt:
		isRefused = h.faults >= resultTries
	case errkind.NotFound, errkind.Invalid:
		isRefused = true
	default:
		h.faults--
	}
	if isRefused {
		f.say(tasklog.Warning, fmt.Sprintf("The artifact %s is not kept: %v.", deploy.FileName(a.Name), err))
	}
	return isRefused
}

// artifacts fetches what a ticket's verdict speaks of.
func (c *carrier) artifacts(ctx context.Context, t target.Target, all []contract.Artifact) error {
	f := fetcher{engine: c.worker.engine, target: t, task: c.task, ticket: c.ticket, say: c.say}
	return f.fetch(ctx, &c.handed, all, c.isCanceled())
}

// putArtifacts commits what was fetched, with one event. A deployment that was deleted meanwhile takes them along.
func (e *Engine) putArtifacts(w store.Writer, machine deploy.MachineID, kept []deploy.Artifact) error {
	if len(kept) == 0 {
		return nil
	}
	if id := kept[0].Deployment; id != "" {
		if _, err := w.Deployment(id); err != nil {
			if errkind.Of(err) == errkind.NotFound {
				return nil
			}
			return err
		}
	}
	names := ""
	for i, a := range slices.Clone(kept) {
		id, err := w.NextID("Artifacts")
		if err != nil {
			return err
		}
		a.ID = deploy.ArtifactID(id)
		if err := w.PutArtifact(a); err != nil {
			return err
		}
		if i < namedArtifacts {
			names += ", " + a.Name
		}
	}
	if more := len(kept) - namedArtifacts; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	from := string(machine)
	if m, err := w.Machine(machine); err == nil {
		from = m.Name
	}
	_, err := w.AddEvent(deploy.Event{
		At: e.Env.Wall(), Space: kept[0].Space, User: "system", Category: "ArtifactAdded", Subject: string(kept[0].Task),
		Message: "the script on " + from + " handed over: " + names[len(", "):],
	})
	return err
}

// namedArtifacts is how many artifacts of a ticket an event names.
const namedArtifacts = 5

// lateArtifacts fetches what a script handed over whose ticket the server has ruled on meanwhile: its verdict
// comes too late to count, its files do not.
func (e *Engine) lateArtifacts(
	ctx context.Context, t target.Target, ticket deploy.Ticket, late contract.Verdict,
) (h handover, err error) {
	if late.Result == nil || ticket.Late != nil { // with the late verdict they were committed
		return h, nil
	}
	result, err := t.Result(ctx, ticket.ID, *late.Result)
	if kind := errkind.Of(err); kind == errkind.NotFound || kind == errkind.Invalid {
		return h, nil // nothing tells of its files any more
	}
	if err != nil {
		return h, err
	}
	var task deploy.Task
	err = e.Store.View(ctx, func(r store.Reader) (err error) {
		task, err = r.Task(ticket.Task)
		return err
	})
	if err != nil {
		return h, err
	}
	say := func(_ tasklog.Category, text string) {
		e.log.Warn("an artifact that came late", "task", ticket.Task, "ticket", ticket.ID, "said", text)
	}
	f := fetcher{engine: e, target: t, task: task, ticket: ticket, say: say}
	if err = f.fetch(ctx, &h, result.Artifacts, false); err != nil {
		h.release()
	}
	return h, err
}
