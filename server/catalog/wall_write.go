// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// writeWall is a wall that refuses to write rows of another space. What is deleted was read before, so it
// lies here; ids are looked at again where the row is at hand.
type writeWall struct {
	*wall
	store.Writes
}

func walledWriter(w store.Writer, space deploy.SpaceID) store.Writer {
	return &writeWall{walled(w, space), w}
}

// elsewhere is the same transaction in another space, for what is done to a space itself.
func elsewhere(w store.Writer, space deploy.SpaceID) store.Writer {
	if inside, is := w.(*writeWall); is {
		return &writeWall{walled(inside.Reader, space), inside.Writes}
	}
	return walledWriter(w, space)
}

// of refuses a row of another space. It is a fault of a use case, never of a request.
func (w *writeWall) of(space deploy.SpaceID, what string, id any) error {
	if !w.has(space) {
		return errkind.Internal.Errorf("write %s %s: it is of space %q, and the caller acts in %s", what, id, space, w.space)
	}
	return nil
}

// put writes a row of this space.
func put[T any](w *writeWall, space deploy.SpaceID, what string, id any, row T, write func(T) error) error {
	if err := w.of(space, what, id); err != nil {
		return err
	}
	return write(row)
}

// hanger writes what hangs on a project of this space.
func (w *writeWall) hanger(id deploy.ProjectID, write func() error) error {
	held, err := w.holdsProject(id)
	if err == nil && !held {
		err = errkind.NotFound.Errorf("project %s does not exist", id)
	}
	if err != nil {
		return err
	}
	return write()
}

func (w *writeWall) PutEnvironment(e deploy.Environment) error {
	return put(w, e.Space, "environment", e.ID, e, w.Writes.PutEnvironment)
}

func (w *writeWall) DeleteEnvironment(id deploy.EnvironmentID) error {
	if _, err := w.Environment(id); err != nil {
		return err
	}
	return w.Writes.DeleteEnvironment(id)
}

func (w *writeWall) PutMachine(m deploy.Machine) error {
	return put(w, m.Space, "machine", m.ID, m, w.Writes.PutMachine)
}

func (w *writeWall) DeleteMachine(id deploy.MachineID) error {
	if _, err := w.Machine(id); err != nil {
		return err
	}
	return w.Writes.DeleteMachine(id)
}

func (w *writeWall) PutProjectGroup(g deploy.ProjectGroup) error {
	return put(w, g.Space, "project group", g.ID, g, w.Writes.PutProjectGroup)
}

func (w *writeWall) PutLifecycle(l deploy.Lifecycle) error {
	return put(w, l.Space, "lifecycle", l.ID, l, w.Writes.PutLifecycle)
}

func (w *writeWall) PutProject(p deploy.Project) error {
	delete(w.projects, p.ID)
	return put(w, p.Space, "project", p.ID, p, w.Writes.PutProject)
}

func (w *writeWall) DeleteProject(id deploy.ProjectID) error {
	return w.hanger(id, func() error {
		delete(w.projects, id)
		return w.Writes.DeleteProject(id)
	})
}

func (w *writeWall) PutChannel(c deploy.Channel) error {
	return w.hanger(c.Project, func() error { return w.Writes.PutChannel(c) })
}

func (w *writeWall) PutProcess(p deploy.Process) (version int, err error) {
	err = w.hanger(p.Project, func() (err error) { version, err = w.Writes.PutProcess(p); return err })
	return version, err
}

func (w *writeWall) PutVariables(s deploy.VariableSet) (version int, err error) {
	err = w.hanger(deploy.ProjectID(s.Owner), func() (err error) { version, err = w.Writes.PutVariables(s); return err })
	return version, err
}

func (w *writeWall) PutLibrarySet(l deploy.LibrarySet) error {
	return put(w, l.Space, "library set", l.ID, l, w.Writes.PutLibrarySet)
}

func (w *writeWall) DeleteLibrarySet(id deploy.LibrarySetID) error {
	if _, err := w.LibrarySet(id); err != nil {
		return err
	}
	return w.Writes.DeleteLibrarySet(id)
}

func (w *writeWall) PutAccount(a deploy.Account) error {
	return put(w, a.Space, "account", a.ID, a, w.Writes.PutAccount)
}

func (w *writeWall) DeleteAccount(id deploy.AccountID) error {
	if _, err := w.Account(id); err != nil {
		return err
	}
	return w.Writes.DeleteAccount(id)
}

func (w *writeWall) PutPackage(p deploy.Package) error {
	return put(w, p.Space, "package", p.ID, p, w.Writes.PutPackage)
}

func (w *writeWall) DeletePackage(_ deploy.SpaceID, id, version string) error {
	return w.Writes.DeletePackage(w.space, id, version)
}

func (w *writeWall) PutRelease(r deploy.Release) error {
	return w.hanger(r.Project, func() error { return put(w, r.Space, "release", r.ID, r, w.Writes.PutRelease) })
}

func (w *writeWall) DeleteRelease(id deploy.ReleaseID) error {
	if _, err := w.Release(id); err != nil {
		return err
	}
	return w.Writes.DeleteRelease(id)
}

func (w *writeWall) PutDeployment(d deploy.Deployment) error {
	return w.hanger(d.Project, func() error { return put(w, d.Space, "deployment", d.ID, d, w.Writes.PutDeployment) })
}

func (w *writeWall) PutTask(t deploy.Task) error {
	delete(w.tasks, t.ID)
	return put(w, t.Space, "task", t.ID, t, w.Writes.PutTask)
}

func (w *writeWall) DeleteTask(id deploy.TaskID) (store.DeletedTask, error) {
	if _, err := w.Task(id); err != nil {
		return store.DeletedTask{}, err
	}
	delete(w.tasks, id)
	return w.Writes.DeleteTask(id)
}

func (w *writeWall) PutInterruption(i deploy.Interruption) error {
	return put(w, i.Space, "interruption", i.ID, i, w.Writes.PutInterruption)
}

func (w *writeWall) PutArtifact(a deploy.Artifact) error {
	if _, err := w.Task(a.Task); err != nil {
		return err
	}
	return w.Writes.PutArtifact(a)
}

func (w *writeWall) DeleteArtifact(id deploy.ArtifactID) error {
	if _, err := w.Artifact(id); err != nil {
		return err
	}
	return w.Writes.DeleteArtifact(id)
}

func (w *writeWall) PutJoinToken(t deploy.JoinToken) error {
	return put(w, t.Space, "join token", t.ID, t, w.Writes.PutJoinToken)
}

func (w *writeWall) DeleteJoinToken(id deploy.TokenID) error {
	if _, err := w.JoinToken(id); err != nil {
		return err
	}
	return w.Writes.DeleteJoinToken(id)
}

func (w *writeWall) PutMachinePolicy(p deploy.MachinePolicy) error {
	return put(w, p.Space, "machine policy", p.ID, p, w.Writes.PutMachinePolicy)
}

// AddEvent notes it in this space.
func (w *writeWall) AddEvent(e deploy.Event) (int64, error) {
	e.Space = w.space
	return w.Writes.AddEvent(e)
}
