// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// wanted are the tables of a few rows, lists that the caller gave, what is read in the order of its key, and the sorting of
// what was picked by an index.
var wanted = []string{
	"SCAN migration:", "SCAN home:", "SCAN json_each ",
	"SCAN event: SELECT number, space, user, category, subject, body, sum FROM event ORDER BY number DESC",
	"SCAN event: SELECT number, space, user, category, subject, body, sum FROM event WHERE +space IN",
	"SCAN cell:", "USE TEMP B-TREE FOR ORDER BY: SELECT d.project, d.environment,",
	"USE TEMP B-TREE FOR ORDER BY: SELECT t.id, t.kind, t.completed_at, t.id IN",
	"USE TEMP B-TREE FOR ORDER BY: SELECT m.id, m.space, m.pin, m.body, m.sum FROM machine m WHERE m.id IN",
}

// TestEveryStatementHasAnIndex reads and writes in every way and then looks at the plans of all
// statements that were prepared for it.
func TestEveryStatementHasAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "fairlead.db"))
	_ = s.Update(t.Context(), func(w store.Writer) error {
		_, err := w.NextID("Things")
		return errors.Join(err, w.PutInstallation(store.Installation{}),
			w.PutEnvironment(deploy.Environment{ID: "E-1", Name: "e"}), w.DeleteEnvironment("E-1"),
			w.PutMachine(deploy.Machine{ID: "M-1", Name: "m", Pin: "aa", Tags: []string{"t"}}), w.DeleteMachine("M-1"),
			w.PutProject(deploy.Project{ID: "P-1", Name: "p"}), w.PutProjectGroup(deploy.ProjectGroup{ID: "G-1"}),
			w.PutLifecycle(deploy.Lifecycle{ID: "L-1"}), w.PutChannel(deploy.Channel{ID: "C-1", Project: "P-1"}),
			w.PutRelease(deploy.Release{ID: "R-1", Project: "P-1"}), w.PutTask(deploy.Task{ID: "T-1"}),
			w.PutTaskLeased(deploy.Task{ID: "T-1"}), w.PutTicket(deploy.Ticket{ID: "k", Task: "T-1"}),
			w.PutUser(deploy.User{ID: "U-1"}), w.PutAPIKey(deploy.APIKey{ID: "a", User: "U-1"}),
			w.PutSession(deploy.Session{CookieSHA256: "c", User: "U-1"}), w.DeleteSession("c"), w.DeleteAPIKey("a"),
			w.PutJoinToken(deploy.JoinToken{ID: "j"}), w.DeleteJoinToken("j"), w.DeleteExpired(time.Unix(1, 0)),
			w.PutLibrarySet(deploy.LibrarySet{ID: "l"}), w.DeleteLibrarySet("l"), w.PutAccount(deploy.Account{ID: "a"}),
			w.DeleteAccount("a"),
			w.PutPackage(deploy.Package{ID: "p", Version: "1"}), w.DeletePackage("", "p", "1"),
			one(w.DeleteTask("T-1")), w.PutSpace(deploy.Space{ID: "s"}), w.DeleteSpace("s"), w.DeleteRelease("R-1"),
			w.DeleteProject("P-1"))
	})
	err := s.View(t.Context(), readEverything)
	if err != nil {
		t.Fatal(err)
	}
	slow, all, err := s.SlowPlans(t.Context())
	if err != nil || all < 60 {
		t.Fatalf("SlowPlans() looked at %d statements: %v", all, err)
	}
	for _, plan := range slow {
		if !slices.ContainsFunc(wanted, func(w string) bool { return strings.HasPrefix(plan, w) }) {
			t.Error(plan)
		}
	}
}

// TestTasksOfASpaceAreFoundByTheirFilter: by the index of their space each list would go through all tasks that there are.
func TestTasksOfASpaceAreFoundByTheirFilter(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "fairlead.db"))
	filters := []store.TaskFilter{
		{IDs: []deploy.TaskID{"t"}},
		{IDs: []deploy.TaskID{"t", "u"}},
		{States: []deploy.TaskState{"Failed"}},
		{States: []deploy.TaskState{"Queued", "Executing"}},
		{Kind: "k"},
		{Project: "p"},
		{Environment: "e"},
		{IsAsking: true},
		{IsLoose: true},
	}
	err := s.View(t.Context(), func(r store.Reader) error {
		for _, f := range filters {
			f.Space, f.Take, f.Skip = "s", 1, 1 // counted, too
			if _, _, err := r.Tasks(f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	plans, err := s.Plans(t.Context(), "space = ?")
	if err != nil || len(plans) < len(filters) {
		t.Fatalf("got %d plans: %v", len(plans), err)
	}
	for _, plan := range plans {
		if strings.Contains(plan, "task_space") {
			t.Error(plan)
		}
	}
}

// readEverything calls every read, with each filter alone and together with another.
func readEverything(r store.Reader) error {
	var errs []error
	keep := func(_ any, err error) { errs = append(errs, err) }
	for _, f := range []store.MachineFilter{
		{}, {Space: "s"}, {Environment: "e"}, {Tag: "t"}, {Name: "n"}, {Space: "s", Name: "n"},
	} {
		keep(r.Machines(f))
	}
	for _, f := range []store.DeploymentFilter{
		{}, {Space: "s"}, {Project: "p"}, {Release: "r"}, {Environment: "e"}, {Project: "p", Environment: "e"},
	} {
		keep(r.Deployments(f))
	}
	for _, f := range []store.TaskFilter{
		{},
		{Kind: "k"},
		{Space: "s"},
		{Project: "p"},
		{Environment: "e"},
		{Project: "p", Environment: "e"},
		{Space: "s", States: []deploy.TaskState{"Failed"}},
		{Space: "s", Kind: "k"},
	} {
		_, _, err := r.Tasks(f)
		errs = append(errs, err)
	}
	for _, f := range []store.EventFilter{{}, {Space: "s"}, {Space: deploy.DefaultSpace}, {Subject: "s"}, {User: "u"}, {Category: "c"}} {
		keep(r.Events(f))
	}
	for _, f := range []store.PackageFilter{{}, {ID: "i"}, {Space: "s"}, {Space: "s", ID: "i"}} {
		keep(r.Packages(f))
	}
	keep(r.Environments("s"))
	keep(r.Spaces())
	keep(r.LastDeployments("s"))
	keep(r.RetiredPins())
	keep(r.ProjectGroups("s"))
	keep(r.Lifecycles("s"))
	keep(r.Projects("s"))
	keep(r.Channels("p"))
	keep(r.Process("p"))
	keep(r.Variables("p"))
	keep(r.LibrarySets("s"))
	keep(r.Accounts("s"))
	keep(r.PackagesWithContent("x"))
	keep(r.Releases("p"))
	keep(r.Tickets("t"))
	keep(r.OpenTickets("m"))
	keep(r.Outputs("t"))
	keep(r.Outputs("t", "k"))
	keep(r.LooseTasks("s"))
	keep(r.LooseTasks("s", "t"))
	keep(r.KnownTasks([]deploy.TaskID{"t"}))
	keep(r.JoinTokens("s"))
	keep(r.Users())
	keep(r.APIKeys("u"))
	for _, err := range []error{
		one(r.MachineByPin("x")), one(r.APIKeyByHash("x")), one(r.SessionByHash("x")), one(r.ReleaseNumbered("p", "1")),
		one(r.Package("s", "p", "1")), one(r.Ticket("t")), one(r.Deployment("d")), one(r.LibrarySet("l")), one(r.Account("a")),
	} {
		if !errors.Is(err, notFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
