// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fairlead/server/identity"
	"fairlead/server/portal"
)

const twins = `two agents are alive with one key: web-1 on 10.0.0.1:1 and "web-2" on 10.0.0.2:1`

func TestMachineInQuarantineIsAccepted(t *testing.T) {
	f := sample()
	p := open(f, nil)
	if a := get(t, p, "/app/machines/Machines-1"); strings.Contains(a.body, "/accept") {
		t.Error("a machine that works can be accepted")
	}
	f.machine.IsDisabled, f.machine.Quarantine = true, twins
	a := get(t, p, "/app/machines/Machines-1")
	checkMarkup(t, a.body)
	for _, want := range []string{
		"In quarantine", `action="/app/machines/Machines-1/accept"`, html.EscapeString(twins), "Accept the machine as it is",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	a = send(p, form("/app/machines/Machines-1/accept", "why", twins))
	if got := f.done(); a.Code != http.StatusSeeOther || !slices.Equal(got, []string{"ann accepts Machines-1: " + twins}) {
		t.Errorf("%d, acts %q", a.Code, got)
	}
	f.machine.Quarantine = ""
	if a := get(t, p, "/app/machines/Machines-1"); !strings.Contains(a.body, "<button>Enable</button>") {
		t.Error("a machine that a person disabled cannot be enabled")
	}
	f.permissions = identity.Set{}
	if a := get(t, p, "/app/machines/Machines-1"); strings.Contains(a.body, "/accept") {
		t.Error("who may not edit machines gets the button")
	}
}

// What a doctor, or a second line, met is no trouble of a machine that is on line.
func TestTroubleIsThatOfAMachineOffLine(t *testing.T) {
	f := sample()
	p := open(f, nil)
	f.machine.Trouble = "stream 1 was reset"
	for _, online := range []bool{true, false} {
		f.machine.Online = online
		if a := get(t, p, "/app/machines/Machines-1"); strings.Contains(a.body, "stream 1 was reset") == online {
			t.Errorf("on line %v: the trouble is shown: %v", online, !online)
		}
	}
}

func TestRestoreIsAccepted(t *testing.T) {
	f := sample()
	p := open(f, func(o *portal.Options) {
		o.Notice = func() string { return "The server is in safe mode." }
		o.SafeMode = func() bool { return true }
	})
	if a := get(t, p, "/app"); !strings.Contains(a.body, `href="/app/restore"`) {
		t.Error("the notice leads nowhere")
	}
	a := get(t, p, "/app/restore")
	checkMarkup(t, a.body)
	for _, want := range []string{`action="/app/restore/accept"`, `name="restore" value="2"`, "2026-11-21 12:30:00 UTC", "Machines-4"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	a = send(p, form("/app/restore/accept", "restore", "2"))
	if got := f.done(); a.Code != http.StatusSeeOther || !slices.Equal(got, []string{"ann accepts restore 2"}) {
		t.Errorf("%d, acts %q", a.Code, got)
	}
	for _, wrong := range []string{"", "x", "0", "-1"} {
		if a := send(p, form("/app/restore/accept", "restore", wrong)); a.Code != http.StatusBadRequest || len(f.done()) != 1 {
			t.Errorf("restore %q: %d", wrong, a.Code)
		}
	}
	f.permissions = identity.Set{}
	if a := get(t, p, "/app/restore"); strings.Contains(a.body, "/app/restore/accept") {
		t.Error("who does not administer the server gets the button")
	}
}
