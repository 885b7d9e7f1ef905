// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// wall shows one space of the store alone: what lies in another is as if it had never been. It stands under
// the guard, between every use case and the store.
type wall struct {
	store.Reader
	space deploy.SpaceID
	// projects and tasks remember which ones lie in the space, for what hangs on them.
	projects map[deploy.ProjectID]bool
	tasks    map[deploy.TaskID]bool
}

func walled(r store.Reader, space deploy.SpaceID) *wall {
	return &wall{r, space, map[deploy.ProjectID]bool{}, map[deploy.TaskID]bool{}}
}

// Space is the one that is shown.
func (w *wall) Space() deploy.SpaceID { return w.space }

// noSpace holds nothing.
const noSpace deploy.SpaceID = "-"

// spaceOf is the space that a reader shows: rows that a use case makes are of this one.
func spaceOf(r store.Reader) deploy.SpaceID {
	if of, is := r.(interface{ Space() deploy.SpaceID }); is {
		return of.Space()
	}
	return noSpace
}

// has reports whether a row of a space lies here.
func (w *wall) has(space deploy.SpaceID) bool { return space.OrDefault() == w.space }

// within is the item if it lies here, else it is not found in the words that the store has for what is not there.
func within[T any](w *wall, what string, id any, item T, err error, space func(T) deploy.SpaceID) (T, error) {
	if err == nil && !w.has(space(item)) {
		var none T
		return none, errkind.NotFound.Errorf("%s %s does not exist", what, id)
	}
	return item, err
}

// holdsProject reports whether a project is there, and here.
func (w *wall) holdsProject(id deploy.ProjectID) (bool, error) {
	held, known := w.projects[id]
	if known {
		return held, nil
	}
	p, err := w.Reader.Project(id)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return false, err
	}
	held = err == nil && w.has(p.Space)
	w.projects[id] = held
	return held, nil
}

func (w *wall) holdsTask(id deploy.TaskID) (bool, error) {
	held, known := w.tasks[id]
	if known {
		return held, nil
	}
	t, err := w.Reader.Task(id)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return false, err
	}
	held = err == nil && w.has(t.Space)
	w.tasks[id] = held
	return held, nil
}

// hanging reads what hangs on a thing that is held, else it is none.
func hanging[T any](held bool, err error, none T, read func() (T, error)) (T, error) {
	if err != nil || !held {
		return none, err
	}
	return read()
}

func (w *wall) Environment(id deploy.EnvironmentID) (deploy.Environment, error) {
	e, err := w.Reader.Environment(id)
	return within(w, "environment", id, e, err, func(e deploy.Environment) deploy.SpaceID { return e.Space })
}

func (w *wall) Environments(deploy.SpaceID) ([]deploy.Environment, error) {
	return w.Reader.Environments(w.space)
}

func (w *wall) Machine(id deploy.MachineID) (deploy.Machine, error) {
	m, err := w.Reader.Machine(id)
	return within(w, "machine", id, m, err, func(m deploy.Machine) deploy.SpaceID { return m.Space })
}

func (w *wall) MachineByPin(pin string) (deploy.Machine, error) {
	m, err := w.Reader.MachineByPin(pin)
	return within(w, "machine with the pin", pin, m, err, func(m deploy.Machine) deploy.SpaceID { return m.Space })
}

func (w *wall) Machines(f store.MachineFilter) ([]deploy.Machine, error) {
	f.Space = w.space
	return w.Reader.Machines(f)
}

func (w *wall) ProjectGroups(deploy.SpaceID) ([]deploy.ProjectGroup, error) {
	return w.Reader.ProjectGroups(w.space)
}

func (w *wall) Lifecycles(deploy.SpaceID) ([]deploy.Lifecycle, error) {
	return w.Reader.Lifecycles(w.space)
}

func (w *wall) Project(id deploy.ProjectID) (deploy.Project, error) {
	p, err := w.Reader.Project(id)
	return within(w, "project", id, p, err, func(p deploy.Project) deploy.SpaceID { return p.Space })
}

func (w *wall) Projects(deploy.SpaceID) ([]deploy.Project, error) { return w.Reader.Projects(w.space) }

func (w *wall) Channels(id deploy.ProjectID) ([]deploy.Channel, error) {
	held, err := w.holdsProject(id)
	return hanging(held, err, nil, func() ([]deploy.Channel, error) { return w.Reader.Channels(id) })
}

func (w *wall) Process(id deploy.ProjectID) (deploy.Process, error) {
	held, err := w.holdsProject(id)
	none := deploy.Process{Project: id}
	return hanging(held, err, none, func() (deploy.Process, error) { return w.Reader.Process(id) })
}

func (w *wall) Variables(id deploy.ProjectID) (deploy.VariableSet, error) {
	held, err := w.holdsProject(id)
	none := deploy.VariableSet{Owner: deploy.OwnerID(id)}
	return hanging(held, err, none, func() (deploy.VariableSet, error) { return w.Reader.Variables(id) })
}

func (w *wall) LibrarySet(id deploy.LibrarySetID) (deploy.LibrarySet, error) {
	l, err := w.Reader.LibrarySet(id)
	return within(w, "library set", id, l, err, func(l deploy.LibrarySet) deploy.SpaceID { return l.Space })
}

func (w *wall) LibrarySets(deploy.SpaceID) ([]deploy.LibrarySet, error) {
	return w.Reader.LibrarySets(w.space)
}

func (w *wall) Account(id deploy.AccountID) (deploy.Account, error) {
	a, err := w.Reader.Account(id)
	return within(w, "account", id, a, err, func(a deploy.Account) deploy.SpaceID { return a.Space })
}

func (w *wall) Accounts(deploy.SpaceID) ([]deploy.Account, error) { return w.Reader.Accounts(w.space) }

func (w *wall) Package(_ deploy.SpaceID, id, version string) (deploy.Package, error) {
	return w.Reader.Package(w.space, id, version)
}

func (w *wall) Packages(f store.PackageFilter) ([]deploy.Package, error) {
	f.Space = w.space
	return w.Reader.Packages(f)
}

func (w *wall) Release(id deploy.ReleaseID) (deploy.Release, error) {
	r, err := w.Reader.Release(id)
	return within(w, "release", id, r, err, func(r deploy.Release) deploy.SpaceID { return r.Space })
}

func (w *wall) ReleaseNumbered(id deploy.ProjectID, version string) (deploy.Release, error) {
	r, err := w.Reader.ReleaseNumbered(id, version)
	return within(w, "release", version+" of "+string(id), r, err,
		func(r deploy.Release) deploy.SpaceID { return r.Space })
}

func (w *wall) Releases(id deploy.ProjectID) ([]store.ReleaseRow, error) {
	held, err := w.holdsProject(id)
	return hanging(held, err, nil, func() ([]store.ReleaseRow, error) { return w.Reader.Releases(id) })
}

func (w *wall) Deployment(id deploy.DeploymentID) (deploy.Deployment, error) {
	d, err := w.Reader.Deployment(id)
	return within(w, "deployment", id, d, err, func(d deploy.Deployment) deploy.SpaceID { return d.Space })
}

func (w *wall) Deployments(f store.DeploymentFilter) ([]deploy.Deployment, error) {
	f.Space = w.space
	return w.Reader.Deployments(f)
}

func (w *wall) CountDeployments(f store.DeploymentFilter) (int, error) {
	f.Space = w.space
	return w.Reader.CountDeployments(f)
}

func (w *wall) DeploymentCells(f store.DeploymentFilter) ([]store.DashboardCell, error) {
	f.Space = w.space
	return w.Reader.DeploymentCells(f)
}

func (w *wall) LastDeployments(deploy.SpaceID) ([]store.DashboardCell, error) {
	return w.Reader.LastDeployments(w.space)
}

func (w *wall) Task(id deploy.TaskID) (deploy.Task, error) {
	t, err := w.Reader.Task(id)
	return within(w, "task", id, t, err, func(t deploy.Task) deploy.SpaceID { return t.Space })
}

func (w *wall) Tasks(f store.TaskFilter) ([]deploy.Task, int, error) {
	f.Space = w.space
	return w.Reader.Tasks(f)
}

func (w *wall) LooseTasks(_ deploy.SpaceID, ids ...deploy.TaskID) ([]deploy.LooseTask, error) {
	return w.Reader.LooseTasks(w.space, ids...)
}

func (w *wall) KnownTasks(ids []deploy.TaskID) ([]deploy.TaskID, error) {
	all, err := w.Reader.KnownTasks(ids)
	return filter(all, err, w.holdsTask)
}

func (w *wall) Ticket(id contract.TicketID) (deploy.Ticket, error) {
	t, err := w.Reader.Ticket(id)
	if err != nil {
		return t, err
	}
	held, err := w.holdsTask(t.Task)
	if err == nil && !held {
		err = errkind.NotFound.Errorf("ticket %s does not exist", id)
	}
	return hanging(held, err, deploy.Ticket{}, func() (deploy.Ticket, error) { return t, nil })
}

func (w *wall) Tickets(id deploy.TaskID) ([]deploy.Ticket, error) {
	held, err := w.holdsTask(id)
	return hanging(held, err, nil, func() ([]deploy.Ticket, error) { return w.Reader.Tickets(id) })
}

func (w *wall) OpenTickets(id deploy.MachineID) ([]deploy.Ticket, error) {
	all, err := w.Reader.OpenTickets(id)
	return filter(all, err, func(t deploy.Ticket) (bool, error) { return w.holdsTask(t.Task) })
}

func (w *wall) Interruption(id deploy.InterruptionID) (deploy.Interruption, error) {
	i, err := w.Reader.Interruption(id)
	return within(w, "interruption", id, i, err, func(i deploy.Interruption) deploy.SpaceID { return i.Space })
}

func (w *wall) Interruptions(f store.InterruptionFilter) ([]deploy.Interruption, error) {
	f.Space = w.space
	return w.Reader.Interruptions(f)
}

func (w *wall) Artifact(id deploy.ArtifactID) (deploy.Artifact, error) {
	a, err := w.Reader.Artifact(id)
	if err != nil {
		return a, err
	}
	held, err := w.holdsTask(a.Task)
	if err == nil && !held {
		err = errkind.NotFound.Errorf("artifact %s does not exist", id)
	}
	return hanging(held, err, deploy.Artifact{}, func() (deploy.Artifact, error) { return a, nil })
}

func (w *wall) Artifacts(f store.ArtifactFilter) ([]deploy.Artifact, error) {
	f.Space = w.space
	return w.Reader.Artifacts(f)
}

func (w *wall) Outputs(id deploy.TaskID, of ...contract.TicketID) ([]deploy.Outputs, error) {
	held, err := w.holdsTask(id)
	return hanging(held, err, nil, func() ([]deploy.Outputs, error) { return w.Reader.Outputs(id, of...) })
}

func (w *wall) JoinToken(id deploy.TokenID) (deploy.JoinToken, error) {
	t, err := w.Reader.JoinToken(id)
	return within(w, "join token", id, t, err, func(t deploy.JoinToken) deploy.SpaceID { return t.Space })
}

func (w *wall) JoinTokens(deploy.SpaceID) ([]deploy.JoinToken, error) {
	return w.Reader.JoinTokens(w.space)
}

func (w *wall) MachinePolicies(deploy.SpaceID) ([]deploy.MachinePolicy, error) {
	return w.Reader.MachinePolicies(w.space)
}

func (w *wall) Events(f store.EventFilter) ([]deploy.Event, error) {
	f.Space = w.space
	return w.Reader.Events(f)
}
