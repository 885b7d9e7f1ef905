// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

func rules(t *testing.T, open Open) {
	t.Parallel()
	each(t, open, map[string]func(*testing.T, store.Store){
		"what is not there":             notThere,
		"names are taken without case":  namesAreTaken,
		"keys and slots are taken":      keysAreTaken,
		"a retired pin stays retired":   pinsRetire,
		"machines tell what changed":    machinesChange,
		"versions conflict":             versionsConflict,
		"a lost lease writes nothing":   leases,
		"ids rise":                      idsRise,
		"deletes take what belongs":     deletesCascade,
		"small things go alone":         smallThingsGo,
		"tasks go with what is theirs":  tasksGo,
		"loose tasks are told":          tasksAreLoose,
		"references must hold":          referencesHold,
		"expired things go":             expiredGo,
		"people, roles and policies go": peopleGo,
		"spaces are apart":              spacesAreApart,
		"events are filtered":           eventsAreFiltered,
		"ids jump over a lost time":     idsJump,
		"events are numbered, no gaps":  eventsAreNumbered,
		"packages fold ids and replace": packagesFold,
	})
}

func notThere(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		for what, err := range map[string]error{
			"Installation": second(w.Installation()), "Environment": second(w.Environment("Environments-1")),
			"Machine": second(w.Machine("Machines-1")), "MachineByPin": second(w.MachineByPin("")),
			"Project": second(w.Project("Projects-1")), "Package": second(w.Package("s", "a", "1")),
			"Release": second(w.Release("Releases-1")), "ReleaseNumbered": second(w.ReleaseNumbered("Projects-1", "1")),
			"Deployment": second(w.Deployment("Deployments-1")), "Task": second(w.Task("ServerTasks-1")),
			"Ticket": second(w.Ticket("t")), "JoinToken": second(w.JoinToken("t")), "User": second(w.User("Users-1")),
			"APIKeyByHash": second(w.APIKeyByHash("x")), "SessionByHash": second(w.SessionByHash("x")),
			"DeleteEnvironment": w.DeleteEnvironment("Environments-1"), "DeleteMachine": w.DeleteMachine("Machines-1"),
			"DeleteProjectGroup": w.DeleteProjectGroup("ProjectGroups-1"),
			"DeleteLifecycle":    w.DeleteLifecycle("Lifecycles-1"), "DeleteChannel": w.DeleteChannel("Channels-1"),
			"DeleteProject": w.DeleteProject("Projects-1"), "DeletePackage": w.DeletePackage("s", "a", "1"),
			"DeleteRelease": w.DeleteRelease("Releases-1"), "DeleteJoinToken": w.DeleteJoinToken("t"),
			"LibrarySet": second(w.LibrarySet("L-1")), "DeleteLibrarySet": w.DeleteLibrarySet("L-1"),
			"Account": second(w.Account("A-1")), "DeleteAccount": w.DeleteAccount("A-1"),
			"Interruption": second(w.Interruption("I-1")),
			"Artifact":     second(w.Artifact("A-1")), "DeleteArtifact": w.DeleteArtifact("A-1"),
			"DeleteAPIKey": w.DeleteAPIKey("k"), "DeleteSession": w.DeleteSession("x"),
			"DeleteTask":    second(w.DeleteTask("ServerTasks-1")),
			"PutTaskLeased": w.PutTaskLeased(deploy.Task{ID: "ServerTasks-1"}),
		} {
			if errkind.Of(err) != errkind.NotFound {
				t.Errorf("%s = %v, want not-found", what, err)
			}
		}
		p, err := w.Process("Projects-1")
		same(t, "process never written", deploy.Process{Project: "Projects-1"}, p)
		v, verr := w.Variables("Projects-1")
		same(t, "variables never written", deploy.VariableSet{Owner: "Projects-1"}, v)
		return errors.Join(err, verr)
	})
}

func second[T any](_ T, err error) error { return err }

func namesAreTaken(t *testing.T, s store.Store) {
	put := map[string]func(w store.Writer, id, space, name string) error{
		"environment": func(w store.Writer, id, space, name string) error {
			return w.PutEnvironment(deploy.Environment{ID: deploy.EnvironmentID(id), Space: deploy.SpaceID(space), Name: name})
		},
		"machine": func(w store.Writer, id, space, name string) error {
			return w.PutMachine(deploy.Machine{ID: deploy.MachineID(id), Space: deploy.SpaceID(space), Name: name})
		},
		"project group": func(w store.Writer, id, space, name string) error {
			return w.PutProjectGroup(deploy.ProjectGroup{
				ID: deploy.ProjectGroupID(id), Space: deploy.SpaceID(space), Name: name,
			})
		},
		"lifecycle": func(w store.Writer, id, space, name string) error {
			return w.PutLifecycle(deploy.Lifecycle{ID: deploy.LifecycleID(id), Space: deploy.SpaceID(space), Name: name})
		},
		"project": func(w store.Writer, id, space, name string) error {
			return w.PutProject(deploy.Project{ID: deploy.ProjectID(id), Space: deploy.SpaceID(space), Name: name})
		},
		"library set": func(w store.Writer, id, space, name string) error {
			return w.PutLibrarySet(deploy.LibrarySet{
				ID: deploy.LibrarySetID(id), Space: deploy.SpaceID(space), Name: name,
			})
		},
		"account": func(w store.Writer, id, space, name string) error {
			return w.PutAccount(deploy.Account{ID: deploy.AccountID(id), Space: deploy.SpaceID(space), Name: name})
		},
		"channel": func(w store.Writer, id, space, name string) error {
			err := w.PutProject(deploy.Project{ID: deploy.ProjectID(space), Space: "channels", Name: space})
			return errors.Join(err,
				w.PutChannel(deploy.Channel{ID: deploy.ChannelID(id), Project: deploy.ProjectID(space), Name: name}))
		},
	}
	for kind, put := range put {
		t.Run(kind, func(t *testing.T) {
			write := func(id, space, name string) func(store.Writer) error {
				return func(w store.Writer) error { return put(w, id, space, name) }
			}
			update(t, s, write("X-1", "Spaces-1", "Größe"))
			update(t, s, write("X-1", "Spaces-1", "GRÖSSE"))
			update(t, s, write("X-1", "Spaces-1", "Größe"))
			update(t, s, write("X-2", "Spaces-2", "Größe"))
			refused(t, s, errkind.Conflict, write("X-3", "Spaces-1", "GRÖßE"))
		})
	}
	t.Run("user", func(t *testing.T) {
		update(t, s, func(w store.Writer) error { return w.PutUser(deploy.User{ID: "Users-1", Name: "Ada"}) })
		refused(t, s, errkind.Conflict, func(w store.Writer) error {
			return w.PutUser(deploy.User{ID: "Users-2", Name: "ADA"})
		})
	})
}

func keysAreTaken(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return errors.Join(project(w, "Projects-1", "Releases-1", "ServerTasks-1"),
			w.PutUser(deploy.User{ID: "Users-1", Name: "ada"}),
			w.PutAPIKey(deploy.APIKey{ID: "apikeys-1", User: "Users-1", SecretSHA256: "aa"}),
			w.PutTicket(deploy.Ticket{ID: "t-1", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 1}))
	})
	refused(t, s, errkind.Conflict, func(w store.Writer) error {
		return w.PutRelease(deploy.Release{ID: "Releases-2", Project: "Projects-1", Version: "1.0.Releases-1"})
	})
	refused(t, s, errkind.Conflict, func(w store.Writer) error {
		return w.PutAPIKey(deploy.APIKey{ID: "apikeys-2", User: "Users-1", SecretSHA256: "aa"})
	})
	refused(t, s, errkind.Conflict, func(w store.Writer) error {
		return w.PutTicket(deploy.Ticket{ID: "t-2", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 1})
	})
	update(t, s, func(w store.Writer) error {
		return w.PutTicket(deploy.Ticket{ID: "t-2", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 2})
	})
}

func pinsRetire(t *testing.T, s store.Store) {
	put := func(id deploy.MachineID, pin string) func(store.Writer) error {
		return func(w store.Writer) error { return w.PutMachine(deploy.Machine{ID: id, Name: string(id), Pin: pin}) }
	}
	update(t, s, put("Machines-1", "aa"))
	update(t, s, put("Machines-2", ""))
	update(t, s, put("Machines-3", ""))
	refused(t, s, errkind.Conflict, put("Machines-4", "aa"))
	update(t, s, put("Machines-1", "bb"))
	refused(t, s, errkind.Conflict, put("Machines-4", "aa"))
	update(t, s, func(w store.Writer) error { return w.DeleteMachine("Machines-1") })
	update(t, s, func(w store.Writer) error { return w.DeleteMachine("Machines-2") })
	refused(t, s, errkind.Conflict, put("Machines-1", "bb"))
	view(t, s, func(r store.Reader) error {
		pins, err := r.RetiredPins()
		same(t, "retired pins", []string{"aa", "bb"}, pins)
		return err
	})
}

func machinesChange(t *testing.T, s store.Store) {
	mark := int64(0)
	expect := func(isAll bool, written []string, deleted ...deploy.MachineID) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			c, err := r.ChangedMachines(mark)
			var names []string
			for _, m := range c.Written {
				names = append(names, m.Name)
			}
			same(t, "all", isAll, c.IsAll)
			same(t, "written", written, names)
			same(t, "deleted", deleted, c.Deleted)
			mark = c.Mark
			return err
		})
	}
	put := func(id deploy.MachineID, name string) func(store.Writer) error {
		return func(w store.Writer) error { return w.PutMachine(deploy.Machine{ID: id, Name: name}) }
	}
	expect(true, nil)
	update(t, s, put("Machines-1", "one"))
	update(t, s, put("Machines-2", "two"))
	expect(false, []string{"one", "two"})
	expect(false, nil)
	update(t, s, func(w store.Writer) error {
		return errors.Join(put("Machines-1", "uno")(w), put("Machines-3", "three")(w))
	})
	update(t, s, func(w store.Writer) error { return w.DeleteMachine("Machines-2") })
	refused(t, s, errkind.Conflict, put("Machines-4", "UNO"))
	update(t, s, put("Machines-1", "ein"))
	expect(false, []string{"ein", "three"}, "Machines-2")
	expect(false, nil)
	mark = 0
	expect(true, []string{"ein", "three"})
	if mark == 0 {
		t.Error("a mark is 0")
	}
	view(t, s, func(r store.Reader) error { // a commit that the view does not see is told of later
		_, err := r.Machines(store.MachineFilter{})
		update(t, s, put("Machines-3", "drei"))
		c, cerr := r.ChangedMachines(mark)
		mark = c.Mark
		return errors.Join(err, cerr)
	})
	expect(false, []string{"drei"})
}

func versionsConflict(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error { return project(w, "Projects-1", "Releases-1", "ServerTasks-1") })
	for want := range 3 {
		update(t, s, func(w store.Writer) error {
			p, err := w.PutProcess(deploy.Process{Project: "Projects-1", Version: want})
			v, verr := w.PutVariables(deploy.VariableSet{Owner: "Projects-1", Version: want})
			same(t, "new versions", []int{want + 1, want + 1}, []int{p, v})
			return errors.Join(err, verr)
		})
	}
	for _, stale := range []int{0, 2, 4} {
		refused(t, s, errkind.Conflict, func(w store.Writer) error {
			return second(w.PutProcess(deploy.Process{Project: "Projects-1", Version: stale}))
		})
		refused(t, s, errkind.Conflict, func(w store.Writer) error {
			return second(w.PutVariables(deploy.VariableSet{Owner: "Projects-1", Version: stale}))
		})
	}
}

func leases(t *testing.T, s store.Store) {
	claim := func(owner string) (task deploy.Task) {
		update(t, s, func(w store.Writer) error {
			var err error
			if task, err = w.Task("ServerTasks-1"); err != nil {
				return err
			}
			task.LeaseOwner, task.LeaseEpoch = owner, task.LeaseEpoch+1
			return w.PutTask(task)
		})
		return task
	}
	update(t, s, func(w store.Writer) error { return w.PutTask(deploy.Task{ID: "ServerTasks-1"}) })
	slow, quick := claim("slow"), claim("quick")
	quick.State, slow.State = deploy.TaskSuccess, deploy.TaskFailed
	update(t, s, func(w store.Writer) error { return w.PutTaskLeased(quick) })
	refused(t, s, errkind.Conflict, func(w store.Writer) error { return w.PutTaskLeased(slow) })
	view(t, s, func(r store.Reader) error {
		got, err := r.Task("ServerTasks-1")
		same(t, "task", quick, got)
		return err
	})
}

func idsRise(t *testing.T, s store.Store) {
	for i := range 12 {
		update(t, s, func(w store.Writer) error {
			a, err := w.NextID("Machines")
			same(t, "NextID", fmt.Sprintf("Machines-%d", i+1), a)
			return err
		})
	}
	update(t, s, func(w store.Writer) error {
		a, err := w.NextID("Projects")
		same(t, "NextID of another collection", "Projects-1", a)
		return err
	})
}

func deletesCascade(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return errors.Join(project(w, "Projects-1", "Releases-1", "ServerTasks-1"),
			project(w, "Projects-2", "Releases-2", "ServerTasks-2"),
			w.PutChannel(deploy.Channel{ID: "Channels-1", Project: "Projects-1", Name: "Default"}),
			second(w.PutProcess(deploy.Process{Project: "Projects-1"})),
			second(w.PutVariables(deploy.VariableSet{Owner: "Projects-1"})),
			w.PutDeployment(deploy.Deployment{ID: "Deployments-1", Project: "Projects-1", Release: "Releases-1"}),
			w.PutDeployment(deploy.Deployment{ID: "Deployments-2", Project: "Projects-2", Release: "Releases-2"}),
			w.PutArtifact(deploy.Artifact{ID: "Artifacts-1", Task: "ServerTasks-1", Deployment: "Deployments-1"}),
			w.PutArtifact(deploy.Artifact{ID: "Artifacts-2", Task: "ServerTasks-2", Deployment: "Deployments-2"}),
			w.PutArtifact(deploy.Artifact{ID: "Artifacts-3", Task: "ServerTasks-2"}),
			w.PutUser(deploy.User{ID: "Users-1", Name: "ada"}),
			w.PutAPIKey(deploy.APIKey{ID: "apikeys-1", User: "Users-1", SecretSHA256: "aa"}),
			w.PutSession(deploy.Session{CookieSHA256: "cc", User: "Users-1", Key: "apikeys-1"}),
			w.PutSession(deploy.Session{CookieSHA256: "dd", User: "Users-1"}))
	})
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.DeleteProject("Projects-1"), w.DeleteAPIKey("apikeys-1"), w.DeleteRelease("Releases-2"))
	})
	view(t, s, func(r store.Reader) error {
		for what, err := range map[string]error{
			"Release": second(r.Release("Releases-1")), "Deployment": second(r.Deployment("Deployments-1")),
			"Deployment of a deleted release": second(r.Deployment("Deployments-2")),
			"Artifact of a deleted project":   second(r.Artifact("Artifacts-1")),
			"Artifact of a deleted release":   second(r.Artifact("Artifacts-2")),
			"SessionByHash":                   second(r.SessionByHash("cc")),
		} {
			if errkind.Of(err) != errkind.NotFound {
				t.Errorf("%s after its owner was deleted = %v, want not-found", what, err)
			}
		}
		channels, err := r.Channels("Projects-1")
		same(t, "channels", []deploy.Channel(nil), channels)
		p, perr := r.Process("Projects-1")
		same(t, "process", deploy.Process{Project: "Projects-1"}, p)
		v, verr := r.Variables("Projects-1")
		same(t, "variables", deploy.VariableSet{Owner: "Projects-1"}, v)
		// Tasks are the record of what was done and stay; so does what belongs to others.
		return errors.Join(err, perr, verr, second(r.Task("ServerTasks-1")), second(r.Project("Projects-2")),
			second(r.SessionByHash("dd")), second(r.User("Users-1")), second(r.Artifact("Artifacts-3")))
	})
}

// smallThingsGo deletes what has no table below it.
func smallThingsGo(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.PutProject(deploy.Project{ID: "Projects-1", Space: deploy.DefaultSpace, Name: "p"}),
			w.PutProjectGroup(deploy.ProjectGroup{ID: "ProjectGroups-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutProjectGroup(deploy.ProjectGroup{ID: "ProjectGroups-2", Space: deploy.DefaultSpace, Name: "b"}),
			w.PutLifecycle(deploy.Lifecycle{ID: "Lifecycles-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutLifecycle(deploy.Lifecycle{ID: "Lifecycles-2", Space: deploy.DefaultSpace, Name: "b"}),
			w.PutChannel(deploy.Channel{ID: "Channels-1", Project: "Projects-1", Name: "a"}),
			w.PutChannel(deploy.Channel{ID: "Channels-2", Project: "Projects-1", Name: "b"}),
			w.PutLibrarySet(deploy.LibrarySet{ID: "L-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutLibrarySet(deploy.LibrarySet{ID: "L-2", Space: deploy.DefaultSpace, Name: "b"}),
			w.PutAccount(deploy.Account{ID: "A-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutAccount(deploy.Account{ID: "A-2", Space: deploy.DefaultSpace, Name: "b"}))
	})
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.DeleteProjectGroup("ProjectGroups-1"), w.DeleteLifecycle("Lifecycles-1"),
			w.DeleteChannel("Channels-1"), w.DeleteLibrarySet("L-1"), w.DeleteAccount("A-1"))
	})
	view(t, s, func(r store.Reader) error {
		groups, gerr := r.ProjectGroups(deploy.DefaultSpace)
		lifecycles, lerr := r.Lifecycles(deploy.DefaultSpace)
		channels, cerr := r.Channels("Projects-1")
		same(t, "project groups",
			[]deploy.ProjectGroup{{ID: "ProjectGroups-2", Space: deploy.DefaultSpace, Name: "b"}}, groups)
		same(t, "lifecycles", []deploy.Lifecycle{{ID: "Lifecycles-2", Space: deploy.DefaultSpace, Name: "b"}}, lifecycles)
		same(t, "channels", []deploy.Channel{{ID: "Channels-2", Project: "Projects-1", Name: "b"}}, channels)
		sets, serr := r.LibrarySets(deploy.DefaultSpace)
		same(t, "library sets", []deploy.LibrarySet{{ID: "L-2", Space: deploy.DefaultSpace, Name: "b"}}, sets)
		accounts, aerr := r.Accounts(deploy.DefaultSpace)
		same(t, "accounts", []deploy.Account{{ID: "A-2", Space: deploy.DefaultSpace, Name: "b"}}, accounts)
		return errors.Join(gerr, lerr, cerr, serr, aerr)
	})
}

func referencesHold(t *testing.T, s store.Store) {
	for what, put := range map[string]func(store.Writer) error{
		"channel": func(w store.Writer) error { return w.PutChannel(deploy.Channel{ID: "Channels-1", Project: "none"}) },
		"process": func(w store.Writer) error { return second(w.PutProcess(deploy.Process{Project: "none"})) },
		"release": func(w store.Writer) error { return w.PutRelease(deploy.Release{ID: "Releases-1", Project: "none"}) },
		"ticket":  func(w store.Writer) error { return w.PutTicket(deploy.Ticket{ID: "t", Task: "none"}) },
		"interruption": func(w store.Writer) error {
			return w.PutInterruption(deploy.Interruption{ID: "I-1", Task: "none"})
		},
		"outputs": func(w store.Writer) error { return w.PutOutputs(deploy.Outputs{Ticket: "none", Task: "none"}) },
		"artifact": func(w store.Writer) error {
			return w.PutArtifact(deploy.Artifact{ID: "Artifacts-1", Task: "none"})
		},
		"artifact of a deployment": func(w store.Writer) error {
			return errors.Join(w.PutTask(deploy.Task{ID: "ServerTasks-1"}),
				w.PutArtifact(deploy.Artifact{ID: "Artifacts-1", Task: "ServerTasks-1", Deployment: "none"}))
		},
		"key":     func(w store.Writer) error { return w.PutAPIKey(deploy.APIKey{ID: "k", User: "none"}) },
		"session": func(w store.Writer) error { return w.PutSession(deploy.Session{CookieSHA256: "c", User: "none"}) },
	} {
		t.Run(what, func(t *testing.T) { refused(t, s, errkind.Conflict, put) })
	}
}

func expiredGo(t *testing.T, s store.Store) {
	now := moment(30)
	early, late := now.Add(-time.Second), now.Add(time.Second)
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.PutUser(deploy.User{ID: "Users-1", Name: "ada"}),
			w.PutSession(deploy.Session{CookieSHA256: "early", User: "Users-1", ExpiresAt: early}),
			w.PutSession(deploy.Session{CookieSHA256: "late", User: "Users-1", ExpiresAt: late}),
			w.PutJoinToken(deploy.JoinToken{ID: "early", ExpiresAt: early}),
			w.PutJoinToken(deploy.JoinToken{ID: "used", ExpiresAt: early, UsedAt: moment(1)}),
			w.PutJoinToken(deploy.JoinToken{ID: "late", ExpiresAt: late}),
			w.DeleteExpired(now))
	})
	view(t, s, func(r store.Reader) error {
		for what, err := range map[string]error{
			"session": second(r.SessionByHash("early")), "join token": second(r.JoinToken("early")),
		} {
			if errkind.Of(err) != errkind.NotFound {
				t.Errorf("%s that ended = %v, want not-found", what, err)
			}
		}
		return errors.Join(second(r.SessionByHash("late")), second(r.JoinToken("used")), second(r.JoinToken("late")))
	})
}

func idsJump(t *testing.T, s store.Store) {
	id := func(collection, want string) {
		t.Helper()
		update(t, s, func(w store.Writer) error {
			got, err := w.NextID(collection)
			same(t, "id", want, got)
			return err
		})
	}
	id("Machines", "Machines-1")
	id("Machines", "Machines-2")
	id("ServerTasks", "ServerTasks-1")
	update(t, s, func(w store.Writer) error {
		return errors.Join(second(w.AddEvent(deploy.Event{Category: "A"})), w.JumpIDs(1000, deploy.Event{Category: "B"}))
	})
	id("Machines", "Machines-1003")
	id("ServerTasks", "ServerTasks-1002")
	id("Releases", "Releases-1") // a collection that had none
	update(t, s, func(w store.Writer) error {
		n, err := w.AddEvent(deploy.Event{Category: "C"})
		same(t, "number after the jump", int64(1003), n)
		return err
	})
	view(t, s, func(r store.Reader) error {
		why, err := r.Events(store.EventFilter{Category: "B"})
		if len(why) != 1 || why[0].Number != 1002 {
			t.Errorf("the event of the jump = %+v, want number 1002", why)
		}
		return err
	})
	refused(t, s, errkind.Invalid, func(w store.Writer) error { return w.JumpIDs(-1, deploy.Event{}) })
}

func eventsAreNumbered(t *testing.T, s store.Store) {
	for i := range 5 {
		update(t, s, func(w store.Writer) error {
			n, err := w.AddEvent(deploy.Event{Number: 77, Category: "A", Subject: "Machines-1", User: "ada", At: moment(i)})
			same(t, "event number", int64(i+1), n)
			return err
		})
		refused(t, s, errkind.Denied, func(w store.Writer) error {
			return errors.Join(second(w.AddEvent(deploy.Event{})), errkind.Denied)
		})
	}
}

func packagesFold(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return errors.Join(w.PutPackage(deploy.Package{ID: "Web.App", Version: "1.0", SHA256: "aa"}),
			w.PutPackage(deploy.Package{ID: "web.app", Version: "1.0", SHA256: "bb", Description: "said"}),
			w.PutPackage(deploy.Package{ID: "Other", Version: "1.0", SHA256: "bb"}))
	})
	view(t, s, func(r store.Reader) error {
		p, err := r.Package("", "WEB.APP", "1.0")
		same(t, "package", deploy.Package{ID: "web.app", Version: "1.0", SHA256: "bb", Description: "said"}, p)
		n, cerr := r.PackagesWithContent("bb")
		same(t, "packages with the content", 2, n)
		return errors.Join(err, cerr)
	})
	update(t, s, func(w store.Writer) error { return w.DeletePackage("", "WEB.app", "1.0") })
}
