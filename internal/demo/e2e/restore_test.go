// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/demo"
	"fairlead/internal/store"
)

// serverCommand runs a command of the server that must succeed.
func serverCommand(t *testing.T, site *demo.Site, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r, err := demo.Run(ctx, demo.Command{Path: programs.Server, Args: append(args, "--home", site.ServerHome())})
	must(t, err)
	if r.Code != 0 {
		t.Fatalf("%s ended with %d: %s", r.CommandLine, r.Code, r.Err)
	}
	return r.Out
}

// orphan is a row of a machine's orphan results.
type orphan struct{ Id, Name, State, Outcome string }

func orphansOf(t *testing.T, site *demo.Site, machine string) (all []orphan) {
	t.Helper()
	must(t, site.REST.Get(t.Context(), "/api/Spaces-1/machines/"+machine+"/orphans", &all))
	return all
}

// TestB2RestoreRunsNothingTwice covers case B2 and row 20 of security.md 3.3: a backup is made in the middle of
// a deployment, the deployment goes on, and the server dies and is restored.
func TestB2RestoreRunsNothingTwice(t *testing.T) {
	site, _, _ := startSite(t)
	place := func(name string) string { return filepath.Join(site.Dir, name) }
	step := func(n int) demo.Step {
		return demo.Step{Name: fmt.Sprintf("Step %d", n), Tag: tag, Script: fmt.Sprintf(
			"echo \"$(get_octopusvariable Fairlead.Ticket)\" >>'%s'\nfor n in $(seq 600); do [ ! -e '%s' ] || break; sleep 0.1; done\n"+
				"echo done >>'%s'\n", place("starts"), place(fmt.Sprintf("go-%d", n)), place(fmt.Sprintf("ends-%d", n)))}
	}
	must(t, site.REST.CreateProject(t.Context(), "Voyage", []demo.Step{step(1), step(2)}, nil))
	must(t, site.REST.CreateRelease(t.Context(), "Voyage", "1.0.0"))
	lost, err := site.REST.Deploy(t.Context(), "Voyage", "1.0.0", environment)
	must(t, err)
	awaitWords(t, place("starts"), 2)
	serverCommand(t, site, "backup", place("backup"))

	// The time that is lost: the first step ends, the second begins, and ends while no server runs.
	must(t, os.WriteFile(place("go-1"), nil, 0o600))
	awaitWords(t, place("starts"), 4)
	site.KillServer()
	must(t, os.WriteFile(place("go-2"), nil, 0o600))
	awaitWords(t, place("ends-2"), 2)
	must(t, os.Rename(site.ServerHome(), site.ServerHome()+".lost"))
	if out := serverCommand(t, site, "restore", place("backup")); !strings.Contains(out, "safe mode") {
		t.Errorf("restore does not speak of the safe mode:\n%s", out)
	}
	must(t, site.StartServer(t.Context()))
	for _, a := range site.Agents() {
		must(t, site.AwaitOnline(t.Context(), a))
	}

	task, err := site.REST.Task(t.Context(), lost)
	must(t, err)
	if task.State != "Failed" || !strings.Contains(task.ErrorMessage, "the server was restored from a backup of 20") {
		t.Errorf("the task of the backup is %s: %s", task.State, task.ErrorMessage)
	}
	log, err := site.REST.RawLog(t.Context(), lost)
	must(t, err)
	if !strings.Contains(log, "what happened to this task after that is not known") {
		t.Errorf("the task's log does not tell of the restore:\n%s", log)
	}
	starts := awaitWords(t, place("starts"), 4)
	found := orphansWhenEnded(t, site)
	if want := slices.Sorted(slices.Values(starts[2:])); !slices.Equal(found, want) {
		t.Errorf("orphan results %v, want those of the second step: %v", found, want)
	}
	noted(t, site, "OrphanResultFound", found)
	if _, err := site.REST.Deploy(t.Context(), "Voyage", "1.0.0", environment); err == nil || !strings.Contains(err.Error(), "safe mode") {
		t.Errorf("a deployment in safe mode = %v, want a refusal that says so", err)
	}

	forgetOrphans(t, site)
	noted(t, site, "OrphanResultForgotten", found)
	serverCommand(t, site, "accept-restore")
	again, err := site.REST.Deploy(t.Context(), "Voyage", "1.0.0", environment)
	must(t, err)
	if store.IDNumber(again) <= store.IDNumber(lost)+100_000 {
		t.Errorf("the next task is %s, the last one of the backup was %s: an id may come again", again, lost)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ended, err := site.REST.Follow(ctx, again, func(demo.LogLine) error { return nil })
	must(t, err)
	if ended.State != "Success" {
		t.Errorf("the deployment after the restore: %s: %s", ended.State, ended.ErrorMessage)
	}
	starts = words(t, place("starts"))
	if once := slices.Compact(slices.Sorted(slices.Values(starts))); len(starts) != 8 || len(once) != 8 {
		t.Errorf("%d starts of %d tickets, want 8 of 8", len(starts), len(once))
	}
}

// orphansWhenEnded waits until every machine tells of one result that has ended, and names the tickets.
func orphansWhenEnded(t *testing.T, site *demo.Site) (tickets []string) {
	t.Helper()
	must(t, demo.Await(t.Context(), limit, "an orphan result on each machine", func(context.Context) (bool, error) {
		tickets = nil
		for _, a := range site.Agents() {
			for _, o := range orphansOf(t, site, a.Name) {
				if o.Outcome == "succeeded" {
					tickets = append(tickets, o.Id)
				}
			}
		}
		return len(tickets) >= len(site.Agents()), nil
	}))
	slices.Sort(tickets)
	return tickets
}

func forgetOrphans(t *testing.T, site *demo.Site) {
	t.Helper()
	for _, a := range site.Agents() {
		for _, o := range orphansOf(t, site, a.Name) {
			must(t, site.REST.Delete(t.Context(), "/api/Spaces-1/machines/"+a.Name+"/orphans/"+o.Id))
		}
		if left := orphansOf(t, site, a.Name); len(left) > 0 {
			t.Errorf("%s still has %v", a.Name, left)
		}
	}
}

// noted waits until the audit trail has one event of the category for each ticket, and no other.
func noted(t *testing.T, site *demo.Site, category string, tickets []string) {
	t.Helper()
	var seen []string
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	err := demo.Await(ctx, limit, "audit events "+category, func(ctx context.Context) (bool, error) {
		seen = nil
		for _, ticket := range tickets {
			var page struct{ Items []struct{ Category string } }
			if err := site.REST.Get(ctx, "/api/events?regarding="+ticket+"&eventCategories="+category, &page); err != nil {
				return false, err
			}
			for range page.Items {
				seen = append(seen, ticket)
			}
		}
		return len(seen) >= len(tickets), nil
	})
	if err != nil || !slices.Equal(seen, tickets) {
		t.Errorf("%s of %v, want %v: %v", category, seen, tickets, err)
	}
}
