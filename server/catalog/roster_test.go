// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/catalog"
)

// Pages of machines are those of the list that the store gives, whatever happened since the page before.
func TestPagesOfMachinesFollowTheStore(t *testing.T) {
	s := newSite(t)
	written := 0
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			id := deploy.MachineID(fmt.Sprintf("Machines-%d", rapid.IntRange(1, 12).Draw(t, "machine")))
			err := s.store.Update(s.ctx, func(w store.Writer) error {
				if rapid.IntRange(0, 3).Draw(t, "deed") == 0 {
					_ = w.DeleteMachine(id) // NotFound is as good
					return nil
				}
				written++
				return w.PutMachine(deploy.Machine{
					ID: id, Space: deploy.DefaultSpace, Name: fmt.Sprintf("%s-%03d", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), written),
					Style: deploy.Polling, Pin: fmt.Sprintf("%064x", written),
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		part := rapid.SampledFrom([]string{"", "a", "b-"}).Draw(t, "part")
		skip, take := rapid.IntRange(0, 6).Draw(t, "skip"), rapid.IntRange(0, 6).Draw(t, "take")
		all, err := s.Machines(s.ctx, root(), catalog.MachineFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var wanted []deploy.Machine
		for _, m := range all {
			if strings.Contains(m.Name, part) {
				wanted = append(wanted, m)
			}
		}
		page, total, err := s.MachinePage(s.ctx, root(), func(m *deploy.Machine) bool {
			return strings.Contains(m.Name, part)
		}, skip, take)
		if err != nil || total != len(wanted) {
			t.Fatalf("MachinePage counts %d, %v; want %d", total, err, len(wanted))
		}
		first := min(skip, len(wanted))
		want := append([]deploy.Machine{}, wanted[first:min(first+take, len(wanted))]...)
		if diff := cmp.Diff(want, append([]deploy.Machine{}, page...)); diff != "" {
			t.Fatalf("machines %d to %d (-store +page):\n%s", skip, skip+take, diff)
		}
	})
}
