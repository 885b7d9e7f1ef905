// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// moment is a time as it comes back from a store.
func moment(n int) time.Time { return time.Date(2026, 11, 22, 10, 0, n, 1000, time.UTC) }

// value makes values with every field filled by reflection: times as a store keeps them, texts of
// any characters.
func value[T any]() *rapid.Generator[T] {
	times := rapid.Custom(func(t *rapid.T) any {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(1, 4102444800_000_000).Draw(t, "micros")).UTC()
	})
	texts := rapid.OneOf(rapid.String(),
		rapid.SampledFrom([]string{"", "a'b", "\x00", "\u2028", "</script>", "%00", "\uFFFD"}))
	return rapid.MakeCustom[T](rapid.MakeConfig{
		Types: map[reflect.Type]*rapid.Generator[any]{reflect.TypeFor[time.Time](): times},
		Kinds: map[reflect.Kind]*rapid.Generator[any]{reflect.String: texts.AsAny()},
	})
}

// survives writes generated values and reads each back.
func survives[T any](t *testing.T, s store.Store, key func(*T), put func(store.Writer, T) error,
	get func(store.Reader, T) (T, error),
) {
	t.Helper()
	name := reflect.TypeFor[T]().Name()
	values := value[T]()
	rapid.Check(t, func(rt *rapid.T) {
		want := values.Draw(rt, name)
		key(&want)
		update(t, s, func(w store.Writer) error {
			if err := put(w, want); err != nil {
				return err
			}
			got, err := get(w, want)
			same(t, name+" read by its own writer", want, got)
			return err
		})
		view(t, s, func(r store.Reader) error {
			got, err := get(r, want)
			same(t, name, want, got)
			return err
		})
		if t.Failed() {
			rt.FailNow() // so that the value is made smaller
		}
	})
}

func roundTrips(t *testing.T, open Open) {
	t.Parallel()
	each(t, open, map[string]func(*testing.T, store.Store){
		"places": placesSurvive, "projects": projectsSurvive, "releases": releasesSurvive,
		"work": workSurvives, "access": accessSurvives,
	})
}

func placesSurvive(t *testing.T, s store.Store) {
	survives(t, s, func(*store.Installation) {}, store.Writer.PutInstallation,
		func(r store.Reader, _ store.Installation) (store.Installation, error) { return r.Installation() })
	survives(t, s, func(e *deploy.Environment) { e.ID = "Environments-1" }, store.Writer.PutEnvironment,
		func(r store.Reader, e deploy.Environment) (deploy.Environment, error) { return r.Environment(e.ID) })
	n := 0
	survives(t, s, func(m *deploy.Machine) { n++; m.ID, m.Pin = "Machines-1", m.Pin+moment(n).String() },
		store.Writer.PutMachine,
		func(r store.Reader, m deploy.Machine) (deploy.Machine, error) {
			pinned, perr := r.MachineByPin(m.Pin)
			got, err := r.Machine(m.ID)
			same(t, "machine by its pin", got, pinned)
			return got, errors.Join(err, perr)
		})
}

// only returns the one element of a list, or a zero value that differs.
func only[T any](list []T, err error) (T, error) {
	if len(list) != 1 {
		var none T
		return none, err
	}
	return list[0], err
}

func projectsSurvive(t *testing.T, s store.Store) {
	survives(t, s, func(g *deploy.ProjectGroup) { g.ID = "ProjectGroups-1" }, store.Writer.PutProjectGroup,
		func(r store.Reader, g deploy.ProjectGroup) (deploy.ProjectGroup, error) {
			return only(r.ProjectGroups(g.Space))
		})
	survives(t, s, func(l *deploy.Lifecycle) { l.ID = "Lifecycles-1" }, store.Writer.PutLifecycle,
		func(r store.Reader, l deploy.Lifecycle) (deploy.Lifecycle, error) { return only(r.Lifecycles(l.Space)) })
	survives(t, s, func(p *deploy.Project) { p.ID = "Projects-1" }, store.Writer.PutProject,
		func(r store.Reader, p deploy.Project) (deploy.Project, error) { return r.Project(p.ID) })
	survives(t, s, func(c *deploy.Channel) { c.ID, c.Project = "Channels-1", "Projects-1" }, store.Writer.PutChannel,
		func(r store.Reader, c deploy.Channel) (deploy.Channel, error) { return only(r.Channels(c.Project)) })
	survives(t, s, func(l *deploy.LibrarySet) { l.ID = "LibraryVariableSets-1" }, store.Writer.PutLibrarySet,
		func(r store.Reader, want deploy.LibrarySet) (deploy.LibrarySet, error) {
			listed, lerr := only(r.LibrarySets(want.Space))
			got, err := r.LibrarySet(want.ID)
			same(t, "library set in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	survives(t, s, func(a *deploy.Account) { a.ID = "Accounts-1" }, store.Writer.PutAccount,
		func(r store.Reader, want deploy.Account) (deploy.Account, error) {
			listed, lerr := only(r.Accounts(want.Space))
			got, err := r.Account(want.ID)
			same(t, "account in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	version := 0
	survives(t, s, func(p *deploy.Process) { p.Project, p.Version = "Projects-1", version },
		func(w store.Writer, p deploy.Process) (err error) { version, err = w.PutProcess(p); return err },
		func(r store.Reader, want deploy.Process) (deploy.Process, error) {
			p, err := r.Process(want.Project)
			p.Version--
			return p, err
		})
	version = 0
	survives(t, s, func(v *deploy.VariableSet) { v.Owner, v.Version = "Projects-1", version },
		func(w store.Writer, v deploy.VariableSet) (err error) { version, err = w.PutVariables(v); return err },
		func(r store.Reader, want deploy.VariableSet) (deploy.VariableSet, error) {
			v, err := r.Variables(deploy.ProjectID(want.Owner))
			v.Version--
			return v, err
		})
}

func releasesSurvive(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error { return project(w, "Projects-1", "Releases-1", "ServerTasks-1") })
	survives(t, s, func(*deploy.Package) {}, store.Writer.PutPackage,
		func(r store.Reader, p deploy.Package) (deploy.Package, error) {
			return r.Package(p.Space, p.ID, p.Version)
		})
	survives(t, s, func(r *deploy.Release) { r.ID, r.Project = "Releases-1", "Projects-1" }, store.Writer.PutRelease,
		func(r store.Reader, want deploy.Release) (deploy.Release, error) {
			numbered, nerr := r.ReleaseNumbered(want.Project, want.Version)
			got, err := r.Release(want.ID)
			same(t, "release by its number", got, numbered)
			return got, errors.Join(err, nerr)
		})
	survives(t, s, func(d *deploy.Deployment) { d.ID, d.Project, d.Release = "Deployments-1", "Projects-1", "Releases-1" },
		store.Writer.PutDeployment,
		func(r store.Reader, d deploy.Deployment) (deploy.Deployment, error) { return r.Deployment(d.ID) })
}

func workSurvives(t *testing.T, s store.Store) {
	survives(t, s, func(k *deploy.Task) { k.ID = "ServerTasks-1" }, store.Writer.PutTask,
		func(r store.Reader, k deploy.Task) (deploy.Task, error) {
			tasks, _, terr := r.Tasks(store.TaskFilter{})
			got, err := r.Task(k.ID)
			same(t, "task in a list", []deploy.Task{got}, tasks)
			return got, errors.Join(err, terr)
		})
	survives(t, s, func(k *deploy.Ticket) { k.ID, k.Task = "ticket-1", "ServerTasks-1" }, store.Writer.PutTicket,
		func(r store.Reader, k deploy.Ticket) (deploy.Ticket, error) { return r.Ticket(k.ID) })
	survives(t, s, func(i *deploy.Interruption) { i.ID, i.Task = "Interruptions-1", "ServerTasks-1" },
		store.Writer.PutInterruption,
		func(r store.Reader, i deploy.Interruption) (deploy.Interruption, error) {
			listed, lerr := only(r.Interruptions(store.InterruptionFilter{Task: i.Task, IsPending: i.IsPending()}))
			got, err := r.Interruption(i.ID)
			same(t, "interruption in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	survives(t, s, func(o *deploy.Outputs) { o.Ticket, o.Task = "ticket-1", "ServerTasks-1" }, store.Writer.PutOutputs,
		func(r store.Reader, o deploy.Outputs) (deploy.Outputs, error) { return only(r.Outputs(o.Task)) })
	update(t, s, func(w store.Writer) error {
		return errors.Join(project(w, "Projects-1", "Releases-1", "ServerTasks-1"), w.PutDeployment(
			deploy.Deployment{ID: "Deployments-1", Project: "Projects-1", Release: "Releases-1", Task: "ServerTasks-1"}))
	})
	survives(t, s,
		func(a *deploy.Artifact) { a.ID, a.Task, a.Deployment = "Artifacts-1", "ServerTasks-1", "Deployments-1" },
		store.Writer.PutArtifact,
		func(r store.Reader, a deploy.Artifact) (deploy.Artifact, error) {
			listed, lerr := only(r.Artifacts(store.ArtifactFilter{Task: a.Task, SHA256: a.SHA256}))
			got, err := r.Artifact(a.ID)
			same(t, "artifact in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	number := int64(0)
	survives(t, s, func(e *deploy.Event) { number++; e.Number = number },
		func(w store.Writer, e deploy.Event) error { e.Number = 0; _, err := w.AddEvent(e); return err },
		func(r store.Reader, _ deploy.Event) (deploy.Event, error) {
			return only(r.Events(store.EventFilter{Take: 1}))
		})
}

func accessSurvives(t *testing.T, s store.Store) {
	survives(t, s, func(k *deploy.JoinToken) { k.ID = "token" }, store.Writer.PutJoinToken,
		func(r store.Reader, k deploy.JoinToken) (deploy.JoinToken, error) { return r.JoinToken(k.ID) })
	survives(t, s, func(u *deploy.User) { u.ID = "Users-1" }, store.Writer.PutUser,
		func(r store.Reader, u deploy.User) (deploy.User, error) { return r.User(u.ID) })
	survives(t, s, func(x *deploy.Team) { x.ID = "Teams-1" }, store.Writer.PutTeam,
		func(r store.Reader, want deploy.Team) (deploy.Team, error) {
			listed, lerr := only(r.Teams())
			got, err := r.Team(want.ID)
			same(t, "team in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	survives(t, s, func(x *deploy.UserRole) { x.ID = "UserRoles-1" }, store.Writer.PutUserRole,
		func(r store.Reader, want deploy.UserRole) (deploy.UserRole, error) {
			listed, lerr := only(r.UserRoles())
			got, err := r.UserRole(want.ID)
			same(t, "user role in a list", got, listed)
			return got, errors.Join(err, lerr)
		})
	survives(t, s, func(p *deploy.MachinePolicy) { p.ID = "MachinePolicies-1" }, store.Writer.PutMachinePolicy,
		func(r store.Reader, p deploy.MachinePolicy) (deploy.MachinePolicy, error) {
			return only(r.MachinePolicies(p.Space))
		})
	survives(t, s, func(k *deploy.APIKey) { k.ID, k.User = "apikeys-1", "Users-1" }, store.Writer.PutAPIKey,
		func(r store.Reader, k deploy.APIKey) (deploy.APIKey, error) { return r.APIKeyByHash(k.SecretSHA256) })
	survives(t, s, func(k *deploy.Session) { k.User, k.Key = "Users-1", "apikeys-1" }, store.Writer.PutSession,
		func(r store.Reader, k deploy.Session) (deploy.Session, error) { return r.SessionByHash(k.CookieSHA256) })
}
