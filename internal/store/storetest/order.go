// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

func orders(t *testing.T, open Open) {
	t.Parallel()
	each(t, open, map[string]func(*testing.T, store.Store){
		"places and projects": orderOfPlaces, "machines": orderOfMachines, "dashboard": orderOfDashboard,
		"releases and packages": orderOfReleases,
		"deployments":           orderOfDeployments, "tasks": orderOfTasks, "tickets": orderOfTickets,
		"interruptions":     orderOfInterruptions,
		"artifacts":         orderOfArtifacts,
		"access and events": orderOfAccess,
	})
}

// ids names things by their ids, for short comparisons.
func ids[T any, ID ~string](list []T, id func(T) ID) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = string(id(v))
	}
	return names
}

func orderOfMachines(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		var errs []error
		for _, m := range []deploy.Machine{
			{ID: "M-10", Space: "Spaces-1", Name: "same", Tags: []string{"web"}, Environments: []deploy.EnvironmentID{"E-1"}},
			{ID: "M-9", Space: "Spaces-2", Name: "Same", Tags: []string{"db", "web"}},
			{ID: "M-1", Space: "Spaces-1", Name: "Zulu", Environments: []deploy.EnvironmentID{"E-1", "E-2"}},
			{ID: "M-2", Space: "Spaces-1", Name: "alpha", Tags: []string{"db"}, Environments: []deploy.EnvironmentID{"E-2"}},
		} {
			errs = append(errs, w.PutMachine(m))
		}
		return errors.Join(errs...)
	})
	for _, c := range []struct {
		filter store.MachineFilter
		want   []string
	}{
		{store.MachineFilter{}, []string{"M-2", "M-9", "M-10", "M-1"}},
		{store.MachineFilter{Space: "Spaces-1"}, []string{"M-2", "M-10", "M-1"}},
		{store.MachineFilter{Environment: "E-1"}, []string{"M-10", "M-1"}},
		{store.MachineFilter{Tag: "web"}, []string{"M-9", "M-10"}},
		{store.MachineFilter{Tag: "WEB"}, nil},
		{store.MachineFilter{Name: "SAME"}, []string{"M-9", "M-10"}},
		{store.MachineFilter{Name: "SAME", Space: "Spaces-1", Tag: "web", Environment: "E-1"}, []string{"M-10"}},
		{store.MachineFilter{Name: "same' OR '1'='1"}, nil},
	} {
		view(t, s, func(r store.Reader) error {
			machines, err := r.Machines(c.filter)
			same(t, fmt.Sprintf("Machines(%+v)", c.filter), c.want,
				ids(machines, func(m deploy.Machine) deploy.MachineID { return m.ID }))
			return err
		})
	}
	// Memberships follow the machine.
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.PutMachine(deploy.Machine{ID: "M-10", Space: "Spaces-1", Name: "same", Tags: []string{"db"}}),
			w.DeleteMachine("M-9"))
	})
	view(t, s, func(r store.Reader) error {
		web, err := r.Machines(store.MachineFilter{Tag: "web"})
		same(t, "machines that lost their tag", 0, len(web))
		db, derr := r.Machines(store.MachineFilter{Tag: "db"})
		same(t, "machines with another tag", 2, len(db))
		return errors.Join(err, derr)
	})
}

func orderOfPlaces(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		var errs []error
		for _, e := range []deploy.Environment{
			{ID: "E-1", Name: "zeta", SortOrder: 1},
			{ID: "E-2", Name: "Beta", SortOrder: 2},
			{ID: "E-3", Name: "alpha", SortOrder: 2},
			{ID: "E-4", Name: "x", SortOrder: -1},
		} {
			e.Space = "Spaces-1"
			errs = append(errs, w.PutEnvironment(e))
		}
		for _, name := range []string{"b", "A", "c"} {
			id := "P-" + name
			errs = append(errs, w.PutProject(deploy.Project{ID: deploy.ProjectID(id), Space: "Spaces-1", Name: name}),
				w.PutProjectGroup(deploy.ProjectGroup{ID: deploy.ProjectGroupID(id), Space: "Spaces-1", Name: name}),
				w.PutLifecycle(deploy.Lifecycle{ID: deploy.LifecycleID(id), Space: "Spaces-1", Name: name}),
				w.PutChannel(deploy.Channel{ID: deploy.ChannelID(id), Project: "P-b", Name: name, IsDefault: name == "c"}))
		}
		return errors.Join(errs...)
	})
	view(t, s, func(r store.Reader) error {
		environments, e1 := r.Environments("Spaces-1")
		same(t, "environments", []string{"E-4", "E-1", "E-3", "E-2"},
			ids(environments, func(e deploy.Environment) deploy.EnvironmentID { return e.ID }))
		projects, e2 := r.Projects("Spaces-1")
		same(t, "projects", []string{"P-A", "P-b", "P-c"},
			ids(projects, func(p deploy.Project) deploy.ProjectID { return p.ID }))
		groups, e3 := r.ProjectGroups("Spaces-1")
		same(t, "project groups", []string{"P-A", "P-b", "P-c"},
			ids(groups, func(p deploy.ProjectGroup) deploy.ProjectGroupID { return p.ID }))
		lifecycles, e4 := r.Lifecycles("Spaces-1")
		same(t, "lifecycles", []string{"P-A", "P-b", "P-c"},
			ids(lifecycles, func(p deploy.Lifecycle) deploy.LifecycleID { return p.ID }))
		channels, e5 := r.Channels("P-b")
		same(t, "channels", []string{"P-c", "P-A", "P-b"},
			ids(channels, func(c deploy.Channel) deploy.ChannelID { return c.ID }))
		return errors.Join(e1, e2, e3, e4, e5)
	})
}

func orderOfReleases(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := w.PutProject(deploy.Project{ID: "Projects-1", Name: "a"})
		for i, at := range []int{5, 7, 5, 6} {
			err = errors.Join(err, w.PutRelease(deploy.Release{
				ID: deploy.ReleaseID(fmt.Sprintf("Releases-%d", 8+i)), Project: "Projects-1", Channel: "Channels-1",
				Version: fmt.Sprint(i), AssembledAt: moment(at),
			}))
		}
		for i, p := range []deploy.Package{
			{ID: "b", Version: "1"}, {ID: "A", Version: "2"}, {ID: "a", Version: "3"}, {ID: "ab", Version: "1"},
		} {
			p.PublishedAt = moment(i)
			err = errors.Join(err, w.PutPackage(p))
		}
		return err
	})
	view(t, s, func(r store.Reader) error {
		releases, err := r.Releases("Projects-1")
		same(t, "releases, newest first", []string{"Releases-9", "Releases-11", "Releases-10", "Releases-8"},
			ids(releases, func(r store.ReleaseRow) deploy.ReleaseID { return r.ID }))
		same(t, "a release in a list", store.ReleaseRow{
			ID: "Releases-9", Project: "Projects-1", Channel: "Channels-1", Version: "1", AssembledAt: moment(7),
		}, releases[0])
		name := func(p deploy.Package) string { return p.ID + " " + p.Version }
		all, aerr := r.Packages(store.PackageFilter{})
		same(t, "packages", []string{"a 3", "A 2", "ab 1", "b 1"}, ids(all, name))
		some, serr := r.Packages(store.PackageFilter{Contains: "B"})
		same(t, "packages that contain B", []string{"ab 1", "b 1"}, ids(some, name))
		one, oerr := r.Packages(store.PackageFilter{ID: "A"})
		same(t, "packages with the id A", []string{"a 3", "A 2"}, ids(one, name))
		return errors.Join(err, aerr, serr, oerr)
	})
}

func fillDeployments(t *testing.T, s store.Store) {
	t.Helper()
	update(t, s, func(w store.Writer) error {
		err := errors.Join(project(w, "Projects-10", "Releases-1", "ServerTasks-1"),
			project(w, "Projects-9", "Releases-2", "ServerTasks-2"),
			w.PutTask(deploy.Task{ID: "ServerTasks-2", State: deploy.TaskSuccess, QueuedAt: moment(4), CompletedAt: moment(9)}),
			w.PutTask(deploy.Task{ID: "ServerTasks-1", State: deploy.TaskQueued, QueuedAt: moment(5)}))
		for _, d := range []deploy.Deployment{
			{ID: "Deployments-1", Project: "Projects-10", Release: "Releases-1", Environment: "E-1", CreatedAt: moment(1)},
			{
				ID: "Deployments-2", Project: "Projects-10", Release: "Releases-1", Environment: "E-1", CreatedAt: moment(2),
				Task: "ServerTasks-1",
			},
			{
				ID: "Deployments-3", Project: "Projects-9", Release: "Releases-2", Environment: "E-10", CreatedAt: moment(3),
				Task: "ServerTasks-2",
			},
			{
				ID: "Deployments-4", Project: "Projects-9", Release: "Releases-2", Environment: "E-9", CreatedAt: moment(3),
				Name: "Deploy to E",
			},
			{
				ID: "Deployments-5", Project: "Projects-9", Release: "Releases-2", Environment: "E-9", CreatedAt: moment(9),
				Space: "Spaces-2", Channel: "Channels-3",
			},
		} {
			if d.Space == "" {
				d.Space = "Spaces-1"
			}
			err = errors.Join(err, w.PutDeployment(d))
		}
		return err
	})
}

func orderOfDeployments(t *testing.T, s store.Store) {
	fillDeployments(t, s)
	const d1, d2, d3, d4, d5 = "Deployments-1", "Deployments-2", "Deployments-3", "Deployments-4", "Deployments-5"
	for _, c := range []struct {
		filter store.DeploymentFilter
		want   []string
	}{
		{store.DeploymentFilter{}, []string{d5, d4, d3, d2, d1}},
		{store.DeploymentFilter{Skip: 1, Take: 2}, []string{d4, d3}},
		{store.DeploymentFilter{Skip: 9}, nil},
		{store.DeploymentFilter{Space: "Spaces-2"}, []string{d5}},
		{store.DeploymentFilter{Project: "Projects-10"}, []string{d2, d1}},
		{store.DeploymentFilter{Release: "Releases-2", Environment: "E-10"}, []string{d3}},
		{store.DeploymentFilter{IDs: []deploy.DeploymentID{d4, d1, "Deployments-77"}}, []string{d4, d1}},
		{store.DeploymentFilter{Projects: []deploy.ProjectID{"Projects-10", "Projects-11"}}, []string{d2, d1}},
		{store.DeploymentFilter{Space: "Spaces-1", Places: []deploy.EnvironmentID{"E-9", "E-10"}}, []string{d4, d3}},
		{store.DeploymentFilter{Channels: []deploy.ChannelID{"Channels-3"}}, []string{d5}},
		{store.DeploymentFilter{States: []deploy.TaskState{deploy.TaskSuccess, deploy.TaskFailed}}, []string{d3}},
		{store.DeploymentFilter{Contains: "TO e"}, []string{d4}},
	} {
		view(t, s, func(r store.Reader) error {
			list, err := r.Deployments(c.filter)
			same(t, fmt.Sprintf("Deployments(%+v)", c.filter), c.want,
				ids(list, func(d deploy.Deployment) deploy.DeploymentID { return d.ID }))
			all, aerr := r.CountDeployments(c.filter)
			cells, cerr := r.DeploymentCells(c.filter)
			same(t, fmt.Sprintf("DeploymentCells(%+v)", c.filter), c.want,
				ids(cells, func(d store.DashboardCell) deploy.DeploymentID { return d.Deployment }))
			if c.filter.Skip == 0 && c.filter.Take == 0 {
				same(t, fmt.Sprintf("CountDeployments(%+v)", c.filter), len(c.want), all)
			}
			return errors.Join(err, aerr, cerr)
		})
	}
}

func orderOfDashboard(t *testing.T, s store.Store) {
	fillDeployments(t, s)
	update(t, s, func(w store.Writer) error { // an older one than Deployments-4
		return w.PutDeployment(deploy.Deployment{
			ID: "Deployments-5", Space: "Spaces-1", Project: "Projects-9", Release: "Releases-2", Environment: "E-9",
			CreatedAt: moment(2),
		})
	})
	view(t, s, func(r store.Reader) error {
		cells, err := r.LastDeployments("Spaces-1")
		same(t, "LastDeployments", []store.DashboardCell{
			{
				Project: "Projects-9", Environment: "E-9", Deployment: "Deployments-4", Release: "Releases-2",
				Version: "1.0.Releases-2", At: moment(3),
			},
			{
				Project: "Projects-9", Environment: "E-10", Deployment: "Deployments-3", Release: "Releases-2",
				Version: "1.0.Releases-2", Task: "ServerTasks-2", State: deploy.TaskSuccess, At: moment(9),
			},
			{
				Project: "Projects-10", Environment: "E-1", Deployment: "Deployments-2", Release: "Releases-1",
				Version: "1.0.Releases-1", Task: "ServerTasks-1", State: deploy.TaskQueued, At: moment(5),
			},
		}, cells)
		return err
	})
}

func orderOfTasks(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) (err error) {
		for i, k := range []deploy.Task{
			{Kind: deploy.DeployTask, State: deploy.TaskQueued, Project: "Projects-1", Environment: "E-1"},
			{Kind: deploy.HealthTask, State: deploy.TaskExecuting, Description: "Look at all", LeaseOwner: "Node-1"},
			{
				Kind: deploy.DeployTask, State: deploy.TaskSuccess, Project: "Projects-1", Environment: "E-2",
				HasWarnings: true,
			},
			{Kind: deploy.DeployTask, State: deploy.TaskQueued, Project: "Projects-2", Environment: "E-1"},
		} {
			k.ID, k.QueuedAt = deploy.TaskID(fmt.Sprintf("ServerTasks-%d", 8+i)), moment(i/2)
			err = errors.Join(err, w.PutTask(k))
		}
		return errors.Join(err, w.PutInterruption(deploy.Interruption{ID: "Interruptions-1", Task: "ServerTasks-9"}))
	})
	const t8, t9, t10, t11 = "ServerTasks-8", "ServerTasks-9", "ServerTasks-10", "ServerTasks-11"
	for _, c := range []struct {
		filter store.TaskFilter
		total  int
		want   []string
	}{
		{store.TaskFilter{}, 4, []string{t11, t10, t9, t8}},
		{store.TaskFilter{Skip: 1, Take: 2}, 4, []string{t10, t9}},
		{store.TaskFilter{Skip: 4, Take: 2}, 4, nil},
		{store.TaskFilter{IDs: []deploy.TaskID{t8, t11, "ServerTasks-77"}}, 2, []string{t11, t8}},
		{store.TaskFilter{States: []deploy.TaskState{deploy.TaskQueued, deploy.TaskExecuting}}, 3, []string{t11, t9, t8}},
		{store.TaskFilter{Kind: deploy.HealthTask}, 1, []string{t9}},
		{store.TaskFilter{Project: "Projects-1"}, 2, []string{t10, t8}},
		{store.TaskFilter{Environment: "E-1", Take: 1}, 2, []string{t11}},
		{store.TaskFilter{
			Environment: "E-1", Kind: deploy.DeployTask, Project: "Projects-1", IDs: []deploy.TaskID{t8},
			States: []deploy.TaskState{deploy.TaskQueued},
		}, 1, []string{t8}},
		{store.TaskFilter{IsLoose: true}, 1, []string{t9}},
		{store.TaskFilter{HasWarnings: true}, 1, []string{t10}},
		{store.TaskFilter{IsClean: true}, 3, []string{t11, t9, t8}},
		{store.TaskFilter{IsAsking: true}, 1, []string{t9}},
		{store.TaskFilter{AsksNothing: true}, 3, []string{t11, t10, t8}},
		{store.TaskFilter{Node: "node-1"}, 1, []string{t9}},
		{store.TaskFilter{Contains: "LOOK"}, 1, []string{t9}},
		{store.TaskFilter{Scopes: []store.TaskScope{}}, 0, nil},
		{store.TaskFilter{Scopes: []store.TaskScope{{}}}, 3, []string{t11, t10, t8}},
		{store.TaskFilter{Scopes: []store.TaskScope{{}}, Take: 1}, 3, []string{t11}},
		{store.TaskFilter{Scopes: []store.TaskScope{{Projects: []deploy.ProjectID{"Projects-2"}}}}, 1, []string{t11}},
		{store.TaskFilter{Scopes: []store.TaskScope{
			{Projects: []deploy.ProjectID{"Projects-2"}},
			{Projects: []deploy.ProjectID{"Projects-1"}, Environments: []deploy.EnvironmentID{"E-1"}},
		}}, 2, []string{t11, t8}},
	} {
		view(t, s, func(r store.Reader) error {
			list, total, err := r.Tasks(c.filter)
			same(t, fmt.Sprintf("Tasks(%+v)", c.filter), c.want, ids(list, func(k deploy.Task) deploy.TaskID { return k.ID }))
			same(t, fmt.Sprintf("total of Tasks(%+v)", c.filter), c.total, total)
			return err
		})
	}
}

func orderOfInterruptions(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := errors.Join(w.PutTask(deploy.Task{ID: "ServerTasks-1"}), w.PutTask(deploy.Task{ID: "ServerTasks-2"}))
		for _, i := range []deploy.Interruption{
			{ID: "Interruptions-9", Task: "ServerTasks-1"},
			{ID: "Interruptions-10", Task: "ServerTasks-1", Choice: deploy.ChoiceProceed},
			{ID: "Interruptions-11", Task: "ServerTasks-2"},
		} {
			err = errors.Join(err, w.PutInterruption(i))
		}
		return err
	})
	id := func(i deploy.Interruption) deploy.InterruptionID { return i.ID }
	view(t, s, func(r store.Reader) (err error) {
		for want, f := range map[string]store.InterruptionFilter{
			"Interruptions-11 Interruptions-10 Interruptions-9": {},
			"Interruptions-10 Interruptions-9":                  {Task: "ServerTasks-1"},
			"Interruptions-11 Interruptions-9":                  {IsPending: true},
			"Interruptions-9":                                   {Task: "ServerTasks-1", IsPending: true},
		} {
			all, lerr := r.Interruptions(f)
			same(t, "interruptions", strings.Fields(want), ids(all, id))
			err = errors.Join(err, lerr)
		}
		return err
	})
}

func orderOfArtifacts(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := errors.Join(w.PutTask(deploy.Task{ID: "ServerTasks-1", Space: "Spaces-1"}),
			w.PutTask(deploy.Task{ID: "ServerTasks-2", Space: "Spaces-2"}))
		for _, a := range []deploy.Artifact{
			{ID: "Artifacts-9", Task: "ServerTasks-1", SHA256: "b", Size: 1},
			{ID: "Artifacts-10", Task: "ServerTasks-1", SHA256: "a", Size: 20},
			{ID: "Artifacts-11", Task: "ServerTasks-2", SHA256: "b", Size: 300},
			{ID: "Artifacts-12", Task: "ServerTasks-2", SHA256: "c", Size: 4000},
		} {
			err = errors.Join(err, w.PutArtifact(a))
		}
		return errors.Join(err, w.DeleteArtifact("Artifacts-12"))
	})
	id := func(a deploy.Artifact) deploy.ArtifactID { return a.ID }
	view(t, s, func(r store.Reader) (err error) {
		for want, f := range map[string]store.ArtifactFilter{
			"Artifacts-11 Artifacts-10 Artifacts-9": {},
			"Artifacts-10 Artifacts-9":              {Task: "ServerTasks-1"},
			"Artifacts-11":                          {Space: "Spaces-2"},
			"Artifacts-11 Artifacts-9":              {SHA256: "b"},
			"":                                      {SHA256: "c"},
		} {
			all, lerr := r.Artifacts(f)
			same(t, "artifacts", strings.Fields(want), ids(all, id))
			err = errors.Join(err, lerr)
		}
		contents, cerr := r.ArtifactContents()
		same(t, "contents", []string{"a", "b"}, contents)
		size, serr := r.ArtifactBytes()
		same(t, "bytes", int64(321), size)
		return errors.Join(err, cerr, serr)
	})
}

func orderOfTickets(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := w.PutTask(deploy.Task{ID: "ServerTasks-1"})
		for _, k := range []deploy.Ticket{
			{ID: "a", Step: 1, Machine: "Machines-9", Attempt: 1, CreatedAt: moment(3), State: deploy.TicketOpen},
			{ID: "b", Machine: "Machines-10", Attempt: 1, CreatedAt: moment(2), State: deploy.TicketOpen},
			{ID: "c", Machine: "Machines-9", Attempt: 2, CreatedAt: moment(1), State: deploy.TicketFinished},
			{ID: "d", Machine: "Machines-9", Attempt: 1, CreatedAt: moment(4), State: deploy.TicketForgotten},
			{ID: "e", Action: 1, Machine: "Machines-9", Attempt: 1, CreatedAt: moment(1), State: deploy.TicketOpen},
		} {
			k.Task = "ServerTasks-1"
			err = errors.Join(err, w.PutTicket(k), w.PutOutputs(deploy.Outputs{Ticket: k.ID, Task: k.Task}))
		}
		return err
	})
	id := func(k deploy.Ticket) contract.TicketID { return k.ID }
	view(t, s, func(r store.Reader) error {
		all, err := r.Tickets("ServerTasks-1")
		same(t, "tickets of a task", []string{"d", "c", "b", "e", "a"}, ids(all, id))
		open, oerr := r.OpenTickets("Machines-9")
		same(t, "open tickets of a machine", []string{"c", "e", "a"}, ids(open, id))
		ticket := func(o deploy.Outputs) contract.TicketID { return o.Ticket }
		outputs, perr := r.Outputs("ServerTasks-1")
		same(t, "outputs of a task", []string{"a", "b", "c", "d", "e"}, ids(outputs, ticket))
		some, serr := r.Outputs("ServerTasks-1", "d", "none", "b")
		same(t, "outputs of tickets", []string{"b", "d"}, ids(some, ticket))
		others, terr := r.Outputs("ServerTasks-2", "d")
		same(t, "outputs of tickets of another task", []string{}, ids(others, ticket))
		return errors.Join(err, oerr, perr, serr, terr)
	})
}

func orderOfAccess(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := errors.Join(w.PutUser(deploy.User{ID: "Users-1", Name: "bob"}),
			w.PutUser(deploy.User{ID: "Users-2", Name: "Ada"}))
		for i, at := range []int{2, 3, 2} {
			id := fmt.Sprintf("k-%d", 9+i)
			err = errors.Join(err,
				w.PutAPIKey(deploy.APIKey{ID: deploy.KeyID(id), User: "Users-1", SecretSHA256: id, CreatedAt: moment(at)}),
				w.PutJoinToken(deploy.JoinToken{ID: deploy.TokenID(id), Space: "Spaces-1", CreatedAt: moment(at)}))
		}
		for i := range 6 {
			err = errors.Join(err, second(w.AddEvent(deploy.Event{
				User: []string{"ada", "bob"}[i%2], Category: []string{"A", "B", "C"}[i%3], Subject: fmt.Sprint(i / 4),
			})))
		}
		return err
	})
	number := func(e deploy.Event) string { return fmt.Sprint(e.Number) }
	view(t, s, func(r store.Reader) error {
		users, e1 := r.Users()
		same(t, "users", []string{"Users-2", "Users-1"}, ids(users, func(u deploy.User) deploy.UserID { return u.ID }))
		keys, e2 := r.APIKeys("Users-1")
		same(t, "keys", []string{"k-10", "k-11", "k-9"}, ids(keys, func(k deploy.APIKey) deploy.KeyID { return k.ID }))
		tokens, e3 := r.JoinTokens("Spaces-1")
		same(t, "tokens", []string{"k-10", "k-11", "k-9"},
			ids(tokens, func(k deploy.JoinToken) deploy.TokenID { return k.ID }))
		for _, c := range []struct {
			filter store.EventFilter
			want   []string
		}{
			{store.EventFilter{}, []string{"6", "5", "4", "3", "2", "1"}},
			{store.EventFilter{Skip: 1, Take: 2}, []string{"5", "4"}},
			{store.EventFilter{User: "ada"}, []string{"5", "3", "1"}},
			{store.EventFilter{Category: "A"}, []string{"4", "1"}},
			{store.EventFilter{Subject: "0", User: "ada", Take: 1}, []string{"3"}},
		} {
			events, err := r.Events(c.filter)
			same(t, fmt.Sprintf("Events(%+v)", c.filter), c.want, ids(events, number))
			e3 = errors.Join(e3, err)
		}
		return errors.Join(e1, e2, e3)
	})
}
