// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// writeGuard is a guard that refuses writes outside of the principal's reach.
type writeGuard struct {
	*guard
	store.Writes
}

// guardedWriter is a writer for a principal who has the permission somewhere.
func guardedWriter(w store.Writer, p identity.Principal, need identity.Permission) store.Writer {
	if p.Reach(need).IsEverywhere {
		return w
	}
	return &writeGuard{newGuard(w, p, need), w}
}

// when writes if what is asked fits.
func (w *writeGuard) when(fits bool, err error, write func() error) error {
	switch {
	case err != nil:
		return err
	case !fits:
		return w.lack
	}
	return write()
}

// whenFor writes if what is asked fits, and the permission is about what lies in projects, or about one of
// those named.
func (w *writeGuard) whenFor(about []identity.Permission, fits bool, err error, write func() error) error {
	if about == nil && !w.reach.ByProject() || about != nil && !w.isAbout(about...) {
		return w.lack
	}
	return w.when(fits, err, write)
}

func only(p identity.Permission) []identity.Permission { return []identity.Permission{p} }

// stored asks of what is stored, if anything is.
func stored[T any](item T, err error, fits func(T) (bool, error)) (bool, error) {
	if errkind.Of(err) == errkind.NotFound {
		return true, nil // the write itself says so
	}
	if err != nil {
		return false, err
	}
	return fits(item)
}

// both asks of the stored thing and of what takes its place.
func both[T any](old T, err error, now T, fits func(T) (bool, error)) (bool, error) {
	ok, err := stored(old, err, fits)
	if err != nil || !ok {
		return ok, err
	}
	return fits(now)
}

func (w *writeGuard) PutProject(p deploy.Project) error {
	old, err := w.Reader.Project(p.ID)
	ok, err := both(old, err, p, w.projectFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutProject(p) })
}

func (w *writeGuard) DeleteProject(id deploy.ProjectID) error {
	ok, err := w.hasProject(id)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.DeleteProject(id) })
}

func (w *writeGuard) PutProjectGroup(g deploy.ProjectGroup) error {
	ok := w.reach.CoversProject("", g.ID)
	return w.whenFor(nil, ok, nil, func() error { return w.Writes.PutProjectGroup(g) })
}

func (w *writeGuard) DeleteProjectGroup(id deploy.ProjectGroupID) error {
	ok := w.reach.CoversProject("", id)
	return w.whenFor(nil, ok, nil, func() error { return w.Writes.DeleteProjectGroup(id) })
}

func (w *writeGuard) PutChannel(c deploy.Channel) error {
	ok, err := w.hasProject(c.Project)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutChannel(c) })
}

// DeleteChannel finds the channel's project among those in reach.
func (w *writeGuard) DeleteChannel(id deploy.ChannelID) error {
	projects, err := w.Projects(spaceOf(w))
	if err != nil {
		return err
	}
	for _, p := range projects {
		channels, err := w.Channels(p.ID)
		if err != nil {
			return err
		}
		for _, c := range channels {
			if c.ID == id {
				return w.Writes.DeleteChannel(id)
			}
		}
	}
	return w.lack
}

func (w *writeGuard) PutProcess(p deploy.Process) (version int, err error) {
	ok, err := w.hasProject(p.Project)
	err = w.whenFor(nil, ok, err, func() (err error) { version, err = w.Writes.PutProcess(p); return err })
	return version, err
}

// PutVariables lets only variables change that are scoped to environments in reach, if the permission
// is restricted to environments.
func (w *writeGuard) PutVariables(s deploy.VariableSet) (version int, err error) {
	id := deploy.ProjectID(s.Owner)
	ok, err := w.hasProject(id)
	if err == nil && ok && w.reach.ByEnvironment() {
		ok, err = w.changesFit(id, s)
	}
	err = w.whenFor(nil, ok, err, func() (err error) { version, err = w.Writes.PutVariables(s); return err })
	return version, err
}

func (w *writeGuard) changesFit(id deploy.ProjectID, now deploy.VariableSet) (bool, error) {
	before, err := w.Reader.Variables(id)
	if err != nil {
		return false, err
	}
	count := map[string]int{}
	for _, v := range before.Variables {
		count[written(v)]--
	}
	for _, v := range now.Variables {
		count[written(v)]++
	}
	for _, v := range append(before.Variables, now.Variables...) {
		if count[written(v)] == 0 {
			continue
		}
		if ok, err := w.variableFits(id, v); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// written is all of a variable as one text, to find out whether it changed.
func written(v deploy.Variable) string {
	prompt := v.Prompt
	v.Prompt = nil
	if prompt == nil {
		return fmt.Sprintf("%#v", v)
	}
	return fmt.Sprintf("%#v %#v", v, *prompt)
}

// variableFits reports whether every environment that a variable is for lies in reach. One for all
// environments needs all.
func (w *writeGuard) variableFits(id deploy.ProjectID, v deploy.Variable) (bool, error) {
	group, err := w.groupOf(id)
	if err != nil {
		return false, err
	}
	environments := v.Scope.Environments
	if len(environments) == 0 {
		environments = []deploy.EnvironmentID{""}
	}
	for _, e := range environments {
		if !w.reach.Covers(identity.Place{Project: id, Group: group, Environment: e}) {
			return false, nil
		}
	}
	return true, nil
}

func (w *writeGuard) releaseFits(r deploy.Release) (bool, error) { return w.hasProject(r.Project) }

func (w *writeGuard) PutRelease(r deploy.Release) error {
	old, err := w.Reader.Release(r.ID)
	ok, err := both(old, err, r, w.releaseFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutRelease(r) })
}

func (w *writeGuard) DeleteRelease(id deploy.ReleaseID) error {
	old, err := w.Reader.Release(id)
	ok, err := stored(old, err, w.releaseFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.DeleteRelease(id) })
}

func (w *writeGuard) PutDeployment(d deploy.Deployment) error {
	old, err := w.Reader.Deployment(d.ID)
	ok, err := both(old, err, d, w.deploymentFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutDeployment(d) })
}

func (w *writeGuard) PutTask(t deploy.Task) error {
	old, err := w.Reader.Task(t.ID)
	ok, err := both(old, err, t, w.taskFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutTask(t) })
}

func (w *writeGuard) PutInterruption(i deploy.Interruption) error {
	ok, err := w.interruptionFits(i)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutInterruption(i) })
}

func (w *writeGuard) PutArtifact(a deploy.Artifact) error {
	ok, err := w.artifactFits(a)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.PutArtifact(a) })
}

func (w *writeGuard) DeleteArtifact(id deploy.ArtifactID) error {
	old, err := w.Reader.Artifact(id)
	ok, err := stored(old, err, w.artifactFits)
	return w.whenFor(nil, ok, err, func() error { return w.Writes.DeleteArtifact(id) })
}

func (w *writeGuard) PutEnvironment(e deploy.Environment) error {
	ok, err := w.environmentFits(e)
	return w.whenFor(only(identity.EnvironmentEdit), ok, err, func() error { return w.Writes.PutEnvironment(e) })
}

func (w *writeGuard) DeleteEnvironment(id deploy.EnvironmentID) error {
	ok, err := w.environmentFits(deploy.Environment{ID: id})
	return w.whenFor(only(identity.EnvironmentEdit), ok, err, func() error { return w.Writes.DeleteEnvironment(id) })
}

// allOf asks for every environment of a machine, an account or a token: to change it is to change it in all.
func (w *writeGuard) allOf(environments []deploy.EnvironmentID) (bool, error) {
	return w.reach.CoversAll(environments), nil
}

func (w *writeGuard) machineFits(m deploy.Machine) (bool, error) { return w.allOf(m.Environments) }

func (w *writeGuard) accountFits(a deploy.Account) (bool, error) { return w.allOf(a.Environments) }

func (w *writeGuard) tokenFits(t deploy.JoinToken) (bool, error) { return w.allOf(t.Environments) }

func (w *writeGuard) PutMachine(m deploy.Machine) error {
	old, err := w.Reader.Machine(m.ID)
	ok, err := both(old, err, m, w.machineFits)
	return w.whenFor(only(identity.MachineEdit), ok, err, func() error { return w.Writes.PutMachine(m) })
}

func (w *writeGuard) DeleteMachine(id deploy.MachineID) error {
	old, err := w.Reader.Machine(id)
	ok, err := stored(old, err, w.machineFits)
	return w.whenFor(only(identity.MachineEdit), ok, err, func() error { return w.Writes.DeleteMachine(id) })
}

func (w *writeGuard) PutAccount(a deploy.Account) error {
	old, err := w.Reader.Account(a.ID)
	ok, err := both(old, err, a, w.accountFits)
	return w.whenFor(only(identity.AccountEdit), ok, err, func() error { return w.Writes.PutAccount(a) })
}

func (w *writeGuard) DeleteAccount(id deploy.AccountID) error {
	old, err := w.Reader.Account(id)
	ok, err := stored(old, err, w.accountFits)
	return w.whenFor(only(identity.AccountEdit), ok, err, func() error { return w.Writes.DeleteAccount(id) })
}

func (w *writeGuard) PutJoinToken(t deploy.JoinToken) error {
	old, err := w.Reader.JoinToken(t.ID)
	ok, err := both(old, err, t, w.tokenFits)
	return w.whenFor(only(identity.TokenCreate), ok, err, func() error { return w.Writes.PutJoinToken(t) })
}

func (w *writeGuard) DeleteJoinToken(id deploy.TokenID) error {
	old, err := w.Reader.JoinToken(id)
	ok, err := stored(old, err, w.tokenFits)
	return w.whenFor(only(identity.TokenCreate), ok, err, func() error { return w.Writes.DeleteJoinToken(id) })
}
