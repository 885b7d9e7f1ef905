// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// roster keeps every machine in memory once somebody has asked for a list, so that lists of many thousands are
// filtered without reading a row of each; what changed since is read before each answer. The zero value is empty.
type roster struct {
	mu   sync.Mutex
	mark int64            // of store.ChangedMachines; 0 before the first answer
	all  []deploy.Machine // by name; a slice that was handed out is never changed
}

func (r *roster) since() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mark
}

// take adds what a view saw. A view that began before the one that was taken last adds nothing.
func (r *roster) take(seen store.MachineChanges) []deploy.Machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case seen.Mark < r.mark:
	case seen.IsAll:
		r.all = seen.Written
	case !seen.IsNone():
		r.all = merged(r.all, seen)
	}
	r.mark = max(r.mark, seen.Mark)
	return r.all
}

// merged is the list with what happened to it.
func merged(all []deploy.Machine, seen store.MachineChanges) []deploy.Machine {
	gone := make(map[deploy.MachineID]bool, len(seen.Written)+len(seen.Deleted))
	for _, m := range seen.Written {
		gone[m.ID] = true
	}
	for _, id := range seen.Deleted {
		gone[id] = true
	}
	slices.SortFunc(seen.Written, byName)
	list, rest := make([]deploy.Machine, 0, len(all)+len(seen.Written)), seen.Written
	for _, m := range all {
		if gone[m.ID] {
			continue
		}
		for len(rest) > 0 && byName(rest[0], m) < 0 {
			list, rest = append(list, rest[0]), rest[1:]
		}
		list = append(list, m)
	}
	return append(list, rest...)
}

func byName(a, b deploy.Machine) int {
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), store.CompareIDs(a.ID, b.ID))
}

// MachinePage lists those machines that wanted picks, by name: take of them after skip, and how many there are. They
// share their lists with other callers, who must not change them. Errors: Denied.
func (c *Catalog) MachinePage(
	ctx context.Context, p identity.Principal, wanted func(*deploy.Machine) bool, skip, take int,
) (page []deploy.Machine, total int, err error) {
	since := c.roster.since()
	var seen store.MachineChanges
	err = c.view(ctx, p, identity.MachineView, func(r store.Reader) (err error) {
		seen, err = r.ChangedMachines(since)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	all, reach, space := c.roster.take(seen), p.Reach(identity.MachineView), p.SpaceID()
	for i := range all {
		if all[i].Space != space || !wanted(&all[i]) || !reach.CoversAny(all[i].Environments) {
			continue
		}
		if total >= skip && len(page) < take {
			page = append(page, all[i])
		}
		total++
	}
	return page, total, nil
}
