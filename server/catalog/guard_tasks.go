// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"slices"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

func (g *guard) Task(id deploy.TaskID) (deploy.Task, error) {
	t, err := g.Reader.Task(id)
	return admits("task", id, t, err, g.taskFits)
}

// taskFits asks for the place of a deployment, and for every machine of any other task. One without any is of the
// installation, like applying retention.
func (g *guard) taskFits(t deploy.Task) (bool, error) {
	if t.Project != "" || !g.reach.ByEnvironment() || !g.reach.ByProject() {
		return g.hasPlace(t.Project, t.Environment)
	}
	asked := false
	for _, step := range t.Plan.Steps {
		for _, id := range step.Machines {
			asked = true
			m, err := g.Reader.Machine(id)
			if err != nil && errkind.Of(err) != errkind.NotFound {
				return false, err
			}
			if !g.reach.CoversAll(m.Environments) {
				return false, nil
			}
		}
	}
	return asked, nil
}

const (
	// maxLooseTasks is how many of the newest tasks of no project that fit a filter are looked at, for somebody who may
	// see some tasks only.
	maxLooseTasks = 20_000
	// looseTasksRead are read together.
	looseTasksRead = 500
)

// Tasks has the store find the deployments; what belongs to no project is looked at one by one.
func (g *guard) Tasks(f store.TaskFilter) ([]deploy.Task, int, error) {
	skip, take := f.Skip, f.Take
	if !g.reach.ByEnvironment() || !g.reach.ByProject() {
		f.Skip, f.Take = 0, 0
		all, _, err := g.Reader.Tasks(f)
		all, err = filter(all, err, g.taskFits)
		return cut(all, skip, take), len(all), err
	}
	loose, err := g.looseTasks(f)
	if err != nil {
		return nil, 0, err
	}
	if f.Scopes, err = g.scopes(); err != nil {
		return nil, 0, err
	}
	all, total, err := g.Reader.Tasks(throughPage(f))
	all = append(all, loose...)
	slices.SortFunc(all, newerTask)
	return cut(all, skip, take), total + len(loose), err
}

// newerTask is the order of lists: that of queueing, the newest first.
func newerTask(a, b deploy.Task) int {
	return cmp.Or(b.QueuedAt.Compare(a.QueuedAt), cmp.Compare(store.IDNumber(string(b.ID)), store.IDNumber(string(a.ID))),
		cmp.Compare(b.ID, a.ID))
}

// looseTasks are those of no project in reach.
func (g *guard) looseTasks(f store.TaskFilter) (fit []deploy.Task, err error) {
	f.IsLoose, f.Take = true, looseTasksRead
	for f.Skip = 0; f.Skip < maxLooseTasks && f.Project == ""; f.Skip += looseTasksRead {
		some, _, err := g.Reader.Tasks(f)
		n := len(some)
		if some, err = filter(some, err, g.taskFits); err != nil {
			return nil, err
		}
		if fit = append(fit, some...); n < looseTasksRead {
			break
		}
	}
	return fit, nil
}

// scopes are the places in reach, groups as the projects in them; never nil.
func (g *guard) scopes() ([]store.TaskScope, error) {
	scopes := []store.TaskScope{}
	projects, err := g.Reader.Projects(g.Space())
	for _, grant := range g.reach.Grants() {
		s := store.TaskScope{Projects: slices.Clone(grant.Projects), Environments: grant.Environments}
		for _, p := range projects {
			if slices.Contains(grant.Groups, p.Group) {
				s.Projects = append(s.Projects, p.ID)
			}
		}
		isNowhere := len(grant.Groups) > 0 && len(s.Projects) == 0 // an empty list would mean any
		if !isNowhere {
			scopes = append(scopes, s)
		}
	}
	return scopes, err
}

func (g *guard) LooseTasks(space deploy.SpaceID, ids ...deploy.TaskID) ([]deploy.LooseTask, error) {
	all, err := g.Reader.LooseTasks(space, ids...)
	return filter(all, err, func(t deploy.LooseTask) (bool, error) { return g.hasTask(t.ID) })
}

func (g *guard) KnownTasks(ids []deploy.TaskID) ([]deploy.TaskID, error) {
	all, err := g.Reader.KnownTasks(ids)
	return filter(all, err, g.hasTask)
}

func (g *guard) Interruption(id deploy.InterruptionID) (deploy.Interruption, error) {
	i, err := g.Reader.Interruption(id)
	return admits("interruption", id, i, err, g.interruptionFits)
}

// hasTask asks for the task of what hangs on one.
func (g *guard) hasTask(id deploy.TaskID) (bool, error) {
	t, err := g.Reader.Task(id)
	if err != nil {
		return false, err
	}
	return g.taskFits(t)
}

// ofTask reads what hangs on a task; there is none of one outside.
func ofTask[T any](g *guard, id deploy.TaskID, read func(deploy.TaskID) ([]T, error)) ([]T, error) {
	ok, err := g.hasTask(id)
	if err != nil || !ok {
		if errkind.Of(err) == errkind.NotFound {
			err = nil
		}
		return nil, err
	}
	return read(id)
}

func (g *guard) ticketFits(t deploy.Ticket) (bool, error) { return g.hasTask(t.Task) }

func (g *guard) Ticket(id contract.TicketID) (deploy.Ticket, error) {
	t, err := g.Reader.Ticket(id)
	return admits("ticket", id, t, err, g.ticketFits)
}

func (g *guard) Tickets(id deploy.TaskID) ([]deploy.Ticket, error) {
	return ofTask(g, id, g.Reader.Tickets)
}

func (g *guard) OpenTickets(id deploy.MachineID) ([]deploy.Ticket, error) {
	all, err := g.Reader.OpenTickets(id)
	return filter(all, err, g.ticketFits)
}

func (g *guard) Outputs(id deploy.TaskID, of ...contract.TicketID) ([]deploy.Outputs, error) {
	return ofTask(g, id, func(id deploy.TaskID) ([]deploy.Outputs, error) { return g.Reader.Outputs(id, of...) })
}

func (g *guard) interruptionFits(i deploy.Interruption) (bool, error) { return g.hasTask(i.Task) }

func (g *guard) Interruptions(f store.InterruptionFilter) ([]deploy.Interruption, error) {
	all, err := g.Reader.Interruptions(f)
	known := map[deploy.TaskID]bool{} // one task may ask about hundreds of machines
	return filter(all, err, func(i deploy.Interruption) (fits bool, err error) {
		if fits, asked := known[i.Task]; asked {
			return fits, nil
		}
		fits, err = g.interruptionFits(i)
		known[i.Task] = fits
		return fits, err
	})
}

func (g *guard) artifactFits(a deploy.Artifact) (bool, error) { return g.hasTask(a.Task) }

func (g *guard) Artifact(id deploy.ArtifactID) (deploy.Artifact, error) {
	a, err := g.Reader.Artifact(id)
	return admits("artifact", id, a, err, g.artifactFits)
}

func (g *guard) Artifacts(f store.ArtifactFilter) ([]deploy.Artifact, error) {
	all, err := g.Reader.Artifacts(f)
	return filter(all, err, g.artifactFits)
}
