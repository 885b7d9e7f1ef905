// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// One transaction deletes so many tasks, and ends after the one that makes it so many rows: others write in between. A
// task goes whole, so that of thousands of machines takes one to itself.
const (
	maxBatchTasks = 64
	maxBatchRows  = 500
)

// logPage is how many ids of logs are looked up in the store at once.
const logPage = 1000

// Logs keeps what tasks said.
type Logs interface {
	// Tasks are those that there is a log of.
	Tasks() ([]deploy.TaskID, error)
	// Remove deletes a log. Errors: NotFound, Conflict (it is being written).
	Remove(task deploy.TaskID) error
}

// goneTasks adds up what was deleted.
type goneTasks struct {
	ids    []deploy.TaskID
	kinds  map[deploy.TaskKind]int
	behind store.DeletedTask
}

func (g *goneTasks) add(t deploy.LooseTask, behind store.DeletedTask) {
	g.ids = append(g.ids, t.ID)
	g.kinds[t.Kind]++
	g.addBehind(behind)
}

func (g *goneTasks) addBehind(behind store.DeletedTask) {
	g.behind.Tickets += behind.Tickets
	g.behind.Interruptions += behind.Interruptions
	g.behind.Outputs += behind.Outputs
	g.behind.Artifacts += behind.Artifacts
}

func (g *goneTasks) addAll(o goneTasks) {
	g.ids = append(g.ids, o.ids...)
	for kind, n := range o.kinds {
		g.kinds[kind] += n
	}
	g.addBehind(o.behind)
}

// String tells how many of what went.
func (g *goneTasks) String() string {
	kinds := make([]string, 0, len(g.kinds))
	for _, kind := range slices.Sorted(maps.Keys(g.kinds)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", g.kinds[kind], kind))
	}
	return fmt.Sprintf("%d tasks (%s), with %d tickets, %d questions, %d sets of output variables and %d artifacts",
		len(g.ids), strings.Join(kinds, ", "), g.behind.Tickets, g.behind.Interruptions, g.behind.Outputs, g.behind.Artifacts)
}

func (c *Catalog) expiredTasks(r store.Reader) ([]deploy.TaskID, error) {
	if c.TaskDays <= 0 {
		return nil, nil
	}
	loose, err := r.LooseTasks(spaceOf(r))
	return deploy.ExpiredTasks(c.Wall(), c.TaskDays, loose), err
}

// applyTaskRetention deletes tasks that are kept no longer, in batches, and their logs. It says what it did. A log that
// stays behind is for SweepLogs.
func (c *Catalog) applyTaskRetention(ctx context.Context, p identity.Principal) (said []string, err error) {
	var expired []deploy.TaskID
	err = c.view(ctx, p, identity.ReleaseDelete, func(r store.Reader) (err error) {
		expired, err = c.expiredTasks(r)
		return err
	})
	all := goneTasks{kinds: map[deploy.TaskKind]int{}}
	for err == nil && len(expired) > 0 {
		var done int
		var gone goneTasks
		gone, done, err = c.deleteTasks(ctx, p, expired[:min(len(expired), maxBatchTasks)])
		expired = expired[done:]
		all.addAll(gone)
		for _, id := range gone.ids {
			_ = c.Logs.Remove(id)
		}
	}
	if len(all.ids) > 0 {
		said = append(said, fmt.Sprintf("Deleted were %s: they ended more than %d days ago, or too many came after them.",
			&all, c.TaskDays))
	}
	return said, err
}

// deleteTasks deletes the first of the tasks, unless something holds one by now, and says how many it has dealt with.
func (c *Catalog) deleteTasks(ctx context.Context, p identity.Principal, ids []deploy.TaskID) (
	gone goneTasks, done int, err error,
) {
	err = c.change(ctx, p, identity.ReleaseDelete, func(w store.Writer) (deploy.Event, error) {
		gone, done = goneTasks{kinds: map[deploy.TaskKind]int{}}, len(ids)
		loose, err := w.LooseTasks(spaceOf(w), ids...)
		if err != nil {
			return deploy.Event{}, err
		}
		rows := int64(0)
		for _, t := range loose {
			if t.IsHeld {
				continue
			}
			behind, err := w.DeleteTask(t.ID)
			if err != nil {
				return deploy.Event{}, err
			}
			gone.add(t, behind)
			if rows += behind.Rows(); rows >= maxBatchRows {
				done = slices.Index(ids, t.ID) + 1
				break
			}
		}
		if len(gone.ids) == 0 {
			return deploy.Event{}, errkind.Conflict.Errorf("nothing is to be deleted any more")
		}
		return event("TasksDeleted", spaceOf(w), "%s were deleted: they are kept no longer", &gone), nil
	})
	switch {
	case len(gone.ids) == 0 && errkind.Of(err) == errkind.Conflict:
	case err != nil: // nothing of it was committed
		return goneTasks{}, 0, err
	}
	return gone, done, nil
}

// SweepLogs removes the logs of tasks that are gone, and returns how many. A task is committed before its log begins.
// Errors: Denied, and those of the store and the disk.
func (c *Catalog) SweepLogs(ctx context.Context, p identity.Principal) (removed int, err error) {
	if err := p.NeedEverywhere(identity.ReleaseDelete); err != nil {
		return 0, err
	}
	all, err := c.Logs.Tasks()
	if err != nil {
		return 0, err
	}
	for ids := range slices.Chunk(all, logPage) {
		var known []deploy.TaskID
		err := c.Store.View(ctx, func(r store.Reader) (err error) {
			known, err = r.KnownTasks(ids)
			return err
		})
		if err != nil {
			return removed, err
		}
		for _, id := range ids {
			if _, is := slices.BinarySearch(known, id); !is && c.Logs.Remove(id) == nil {
				removed++
			}
		}
	}
	return removed, nil
}
