// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"cmp"
	"slices"
	"sync"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// board keeps the dashboard of every space in memory once somebody has asked for it: one of 5,000 cells takes 47 ms to
// read, and few of them change from one look to the next. The zero value is empty.
type board struct {
	changes changes[cell]
	mu      sync.Mutex
	spaces  map[deploy.SpaceID]lastDeployments
}

// cell is where the newest deployment of a project in an environment is shown. A deployment never moves to another.
type cell struct {
	space       deploy.SpaceID
	project     deploy.ProjectID
	environment deploy.EnvironmentID
}

// lastDeployments are the cells of a space as a view with this mark saw them; 0 before the first look.
type lastDeployments struct {
	mark  int64
	cells []store.DashboardCell // in order; a slice that was handed out is never changed
}

// note takes what a commit changed, after it.
func (b *board) note(c changed) {
	if c.allCells {
		b.changes.forget()
	}
	b.changes.note(c.cells)
}

func (b *board) of(space deploy.SpaceID) lastDeployments {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spaces[space]
}

// keep takes what a view made of a space, unless a later view was quicker.
func (b *board) keep(space deploy.SpaceID, seen lastDeployments) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spaces == nil {
		b.spaces = map[deploy.SpaceID]lastDeployments{}
	}
	if b.spaces[space].mark < seen.mark {
		b.spaces[space] = seen
	}
}

func (r *reader) LastDeployments(space deploy.SpaceID) ([]store.DashboardCell, error) {
	if r.board == nil {
		return r.readBoard(space)
	}
	if err := r.usable(); err != nil {
		return nil, err
	}
	old := r.board.of(space)
	changed, known := r.board.changes.since(old.mark)
	seen := lastDeployments{mark: r.boardMark}
	var err error
	if old.mark == 0 || !known || r.boardMark < old.mark {
		seen.cells, err = r.readBoard(space)
	} else {
		seen.cells, err = r.renewBoard(old.cells, slices.DeleteFunc(changed, func(c cell) bool { return c.space != space }))
	}
	if err != nil {
		return nil, err
	}
	r.board.keep(space, seen)
	return slices.Clone(seen.cells), nil
}

func (r *reader) readBoard(space deploy.SpaceID) ([]store.DashboardCell, error) {
	cells, err := list(r, "list the last deployments", scanCell, selectDashboard, space)
	slices.SortStableFunc(cells, byCell)
	return cells, err
}

// renewBoard is the board with the cells that changed read anew.
func (r *reader) renewBoard(old []store.DashboardCell, changed []cell) ([]store.DashboardCell, error) {
	if len(changed) == 0 {
		return old, nil
	}
	stale := make(map[cell]bool, len(changed))
	cells := make([]store.DashboardCell, 0, len(old)+len(changed))
	for _, c := range changed {
		stale[cell{"", c.project, c.environment}] = true
		newest, err := list(r, "read a last deployment", scanCell, selectLastDeployment, c.space, c.project, c.environment)
		if err != nil {
			return nil, err
		}
		cells = append(cells, newest...)
	}
	for _, c := range old {
		if !stale[cell{"", c.Project, c.Environment}] {
			cells = append(cells, c)
		}
	}
	slices.SortFunc(cells, byCell)
	return cells, nil
}

const selectLastDeployment = selectCell + "FROM deployment d INDEXED BY deployment_cell " + joinCell +
	" WHERE d.space = ? AND d.project = ? AND d.environment = ? " +
	"ORDER BY d.created_at DESC, d.number DESC, d.id DESC LIMIT 1"

func byCell(a, b store.DashboardCell) int {
	return cmp.Or(store.CompareIDs(a.Project, b.Project), store.CompareIDs(a.Environment, b.Environment))
}
