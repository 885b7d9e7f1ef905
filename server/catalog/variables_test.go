// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
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
