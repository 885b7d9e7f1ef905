// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// TestZ7EveryUseCaseAsksForAPermission calls each with a principal who has none. New use cases
// are found by themselves; those without a principal have to stand in the list.
func TestZ7EveryUseCaseAsksForAPermission(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	all := reflect.ValueOf(s.Catalog)
	var open []string
	for i := range all.NumMethod() {
		name, method := all.Type().Method(i).Name, all.Method(i)
		kind := method.Type()
		if kind.NumIn() < 2 || kind.In(1) != reflect.TypeFor[identity.Principal]() {
			open = append(open, name)
			continue
		}
		arguments := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(identity.Principal{})}
		for j := 2; j < kind.NumIn(); j++ {
			arguments = append(arguments, reflect.Zero(kind.In(j)))
		}
		results := method.Call(arguments)
		err, _ := results[len(results)-1].Interface().(error)
		if err == nil || errkind.Of(err) != errkind.Denied {
			t.Errorf("%s for nobody: %v, want Denied", name, err)
		}
	}
	slices.Sort(open)
	// Installation is public; Seed and Probe are the program's own.
	if diff := cmp.Diff([]string{"Ended", "Installation", "Probe", "Seed"}, open); diff != "" {
		t.Errorf("use cases without a principal (-want +got):\n%s", diff)
	}
}
