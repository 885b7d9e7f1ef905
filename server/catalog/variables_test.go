// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/catalog"
)

// TestScopesOfALargeSite are checked while everybody else who writes waits.
func TestScopesOfALargeSite(t *testing.T) {
	s := newSite(t)
	s.fill()
	const machines, variables = 5_000, 30
	var all []deploy.MachineID
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		for i := range machines {
			id := deploy.MachineID(fmt.Sprintf("Machines-%d", 100+i))
			all = append(all, id)
			if err := w.PutMachine(deploy.Machine{ID: id, Space: deploy.DefaultSpace, Name: string(id)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wanted := deploy.VariableSet{}
	for i := range variables {
		wanted.Variables = append(wanted.Variables, deploy.Variable{
			Name: fmt.Sprintf("v%d", i), Value: "x", Scope: deploy.Scope{Machines: all},
		})
	}
	began := time.Now()
	saved, err := s.SaveVariables(s.ctx, root(), "Web", wanted)
	if err != nil || len(saved.Set.Variables[0].Scope.Machines) != machines {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	strangers := make([]deploy.MachineID, machines)
	for i := range strangers {
		strangers[i] = deploy.MachineID(fmt.Sprintf("Machines-%d", 1_000_000+i))
	}
	saved.Set.Variables[0].Scope.Machines = strangers
	_, err = s.SaveVariables(s.ctx, root(), "Web", saved.Set)
	why := reasons(t, err)
	if len(why) > 200 || why[0] != `variable v0 is scoped to a machine that there is not: "Machines-1000000"` ||
		!strings.Contains(why[len(why)-1], "more") {
		t.Errorf("%d reasons: %.300v", len(why), err)
	}
}

// TestAScopeOutlivesWhatItNames so that a machine which is deleted leaves no variables that cannot be saved.
func TestAScopeOutlivesWhatItNames(t *testing.T) {
	s := newSite(t)
	s.fill()
	gone := ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: "Gone"}))(t).ID
	scoped := deploy.Variable{Name: "Port", Value: "80", Scope: deploy.Scope{Environments: []deploy.EnvironmentID{gone}}}
	saved := ok(s.SaveVariables(s.ctx, root(), "Web", deploy.VariableSet{Variables: []deploy.Variable{scoped}}))(t)
	if err := s.DeleteEnvironment(s.ctx, root(), "Gone"); err != nil {
		t.Fatal(err)
	}
	again := ok(s.SaveVariables(s.ctx, root(), "Web", saved.Set))(t)
	if got := again.Set.Variables[0].Scope.Environments; !slices.Equal(got, []deploy.EnvironmentID{gone}) {
		t.Errorf("the scope is %v, want %s still: without it the value would hold everywhere", got, gone)
	}
	again.Set.Variables = append(again.Set.Variables, scoped)
	_, err := s.SaveVariables(s.ctx, root(), "Web", again.Set)
	want := `variable Port is scoped to an environment that there is not: "` + string(gone) + `"`
	if why := reasons(t, err); !slices.Equal(why, []string{want}) {
		t.Errorf("another variable for it: %q, want %q", why, want)
	}
}

// TestASecretThatCannotBeHiddenIsRefused where it is saved, not by each machine.
func TestASecretThatCannotBeHiddenIsRefused(t *testing.T) {
	s := newSite(t)
	s.fill()
	save := func(version, size int) (catalog.Variables, error) {
		value := strings.Repeat("secret-text ", size/12+1)[:size]
		return s.SaveVariables(s.ctx, root(), "Web", deploy.VariableSet{Version: version, Variables: []deploy.Variable{
			{Name: "Token", Value: value, IsSensitive: true},
		}})
	}
	if _, err := save(0, 900_000); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "Token has 900000 bytes") ||
		strings.Contains(err.Error(), "secret-text") {
		t.Errorf("900 kB: %.300v", err)
	}
	if saved, err := save(0, 100_000); err != nil || saved.Set.Variables[0].Sealed == "" {
		t.Errorf("100 kB: %.300v", err)
	}
}
