// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"slices"
	"sync"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// maxRemembered is how many things of a kind the store remembers to have changed; whoever asks for an
// earlier mark then gets all.
const maxRemembered = 16 << 10

// changes remembers the commits in which machines changed, or cells of the dashboard, as one process has the store
// open. The zero value remembers nothing yet.
type changes[K comparable] struct {
	mu     sync.Mutex
	mark   int64 // of the newest commit
	forgot int64 // what happened up to this mark is not known any more
	in     map[K]int64
}

// note takes what a commit changed. It is called after the commit, so that no view that began
// before it gets its mark.
func (c *changes[K]) note(changed []K) {
	if len(changed) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark++
	if c.in == nil || len(c.in)+len(changed) > maxRemembered {
		c.in = map[K]int64{}
		c.forgot = c.mark - 1
	}
	for _, k := range changed {
		c.in[k] = c.mark
	}
}

// forget makes every earlier mark unknown, after a commit that changed more than can be told.
func (c *changes[K]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark++
	c.in, c.forgot = nil, c.mark
}

// now is the mark for a view that begins. The first is 1: 0 asks for all.
func (c *changes[K]) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mark + 1
}

// since lists what changed, in no order; known is false when that is not known.
func (c *changes[K]) since(mark int64) (changed []K, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mark-1 < c.forgot || mark > c.mark+1 {
		return nil, false
	}
	for k, at := range c.in {
		if at > mark-1 {
			changed = append(changed, k)
		}
	}
	return changed, true
}

func (r *reader) ChangedMachines(since int64) (store.MachineChanges, error) {
	result := store.MachineChanges{Mark: r.mark}
	ids, known := r.changes.since(since)
	slices.Sort(ids)
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
