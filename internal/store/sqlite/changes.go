// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"slices"
	"sync"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// maxRemembered is how many machines the store remembers to have changed; whoever asks for an
// earlier mark then gets all.
const maxRemembered = 16 << 10

// changes remembers the commits in which machines changed, as one process has the store open. The
// zero value remembers nothing yet.
type changes struct {
	mu       sync.Mutex
	mark     int64 // of the newest commit
	forgot   int64 // what happened up to this mark is not known any more
	machines map[deploy.MachineID]int64
}

// note takes the machines of a commit. It is called after the commit, so that no view that began
// before it gets its mark.
func (c *changes) note(ids []deploy.MachineID) {
	if len(ids) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark++
	if c.machines == nil || len(c.machines)+len(ids) > maxRemembered {
		c.machines = map[deploy.MachineID]int64{}
		c.forgot = c.mark - 1
	}
	for _, id := range ids {
		c.machines[id] = c.mark
	}
}

// now is the mark for a view that begins. The first is 1: 0 asks for all.
func (c *changes) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mark + 1
}

// since lists the machines that changed, sorted; known is false when that is not known.
func (c *changes) since(mark int64) (ids []deploy.MachineID, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mark-1 < c.forgot || mark > c.mark+1 {
		return nil, false
	}
	for id, at := range c.machines {
		if at > mark-1 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, true
}

func (r *reader) ChangedMachines(since int64) (store.MachineChanges, error) {
	result := store.MachineChanges{Mark: r.mark}
	ids, known := r.changes.since(since)
	if since == 0 || !known {
		all, err := r.Machines(store.MachineFilter{})
		result.IsAll, result.Written = true, all
		return result, err
	}
	for _, id := range ids {
		m, err := r.Machine(id)
		switch {
		case errkind.Of(err) == errkind.NotFound:
			result.Deleted = append(result.Deleted, id)
		case err != nil:
			return result, err
		default:
			result.Written = append(result.Written, m)
		}
	}
	return result, nil
}
