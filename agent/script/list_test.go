// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
)

// TestListNamesEveryTicket is row 20: page by page, each ticket once, with its verdict, also after a restart.
func TestListNamesEveryTicket(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	var want []contract.TicketID
	for n := range contract.MaxListed + 20 {
		id := contract.TicketID(fmt.Sprintf("t-%03d", n))
		want = append(want, id)
		if _, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: id, By: "ada"}); err != nil { // nothing is started
			t.Fatal(err)
		}
	}
	order := bash("one", "exit 3")
	order.Name = strings.Repeat("\u00e9", 400)
	a.start(t, order)
	a.watch(t, "one")
	want = append([]contract.TicketID{"one"}, want...)
	for range 2 {
		got := listed(t, a)
		var ids []contract.TicketID
		for _, one := range got {
			ids = append(ids, one.Ticket)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("listed %d tickets: %v", len(ids), ids)
		}
		one := got[0]
		if one.State != contract.Finished || one.Verdict == nil || one.Verdict.Code != 3 || one.Task != order.Task ||
			len(one.Name) > 200 || !strings.HasPrefix(one.Name, "\u00e9") {
			t.Errorf("listed %+v", one)
		}
		a.stop()
		a = newAgent(t, home, script.Options{})
	}
}

// listed turns every page.
func listed(t *testing.T, a *agent) (all []contract.ListedTicket) {
	t.Helper()
	for page := (contract.TicketList{More: true}); page.More; {
		var after contract.TicketID
		if len(all) > 0 {
			after = all[len(all)-1].Ticket
		}
		var err error
		if page, err = a.List(t.Context(), contract.ListArgs{After: after}); err != nil {
			t.Fatal(err)
		}
		if len(page.Tickets) > contract.MaxListed || page.More && len(page.Tickets) == 0 {
			t.Fatalf("a page of %d tickets, more: %v", len(page.Tickets), page.More)
		}
		all = append(all, page.Tickets...)
	}
	return all
}

// TestPackagesOfUnfinishedTickets are those that must stay on the machine, also for a new agent.
func TestPackagesOfUnfinishedTickets(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	gate := filepath.Join(home, "gate")
	runs, waits := bash("t-runs", "while ! [ -e "+gate+" ]; do sleep 0.02; done"), bash("t-waits", "")
	runs.Isolation, waits.Isolation = contract.Isolation{Level: "full"}, contract.Isolation{Level: "full"}
	waits.Script, waits.Package = nil, &contract.Package{ID: "web", Version: "1.0", Format: "zip", SHA256: strings.Repeat("a", 64)}
	a.start(t, runs)
	waitClaim(t, a, "t-runs")
	a.start(t, waits)
	want := []string{waits.Package.SHA256}
	if got := a.Packages(); !slices.Equal(got, want) {
		t.Errorf("Packages = %q, want %q", got, want)
	}
	a.stop()
	a = newAgent(t, home, script.Options{})
	listed(t, a) // waits for the recovery
	if got := a.Packages(); !slices.Equal(got, want) {
		t.Errorf("Packages of a new agent = %q, want %q", got, want)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.watch(t, "t-waits")
	if got := a.Packages(); len(got) > 0 {
		t.Errorf("Packages of what has ended = %q", got)
	}
}
