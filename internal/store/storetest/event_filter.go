// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// eventsAreFiltered compares every filter with one that looks at each event.
func eventsAreFiltered(t *testing.T, s store.Store) {
	subjects, users := []string{"Machines-1", "Projects-2", "Machines-11", "x"}, []string{"ada", "Bob"}
	categories := []string{"A", "B"}
	var all []deploy.Event
	update(t, s, func(w store.Writer) error {
		all = nil
		for i := range 24 {
			e := deploy.Event{
				Number: int64(i + 1), At: moment(i), User: users[i%2], Category: categories[i/2%2], Subject: subjects[i/4%4],
			}
			all = append([]deploy.Event{e}, all...)
			if _, err := w.AddEvent(e); err != nil {
				return err
			}
		}
		return nil
	})
	rapid.Check(t, func(rt *rapid.T) {
		some := func(what string, of ...string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(of), 0, 2).Draw(rt, what)
		}
		f := store.EventFilter{
			Subjects: some("subjects", subjects...), Users: some("users", users...), Categories: some("categories",
				categories...),
			Types:      some("types", "machines", "PROJECTS", "none"),
			FromNumber: rapid.Int64Range(0, 25).Draw(rt, "from number"), ToNumber: rapid.Int64Range(0, 25).Draw(rt, "to number"),
		}
		if rapid.Bool().Draw(rt, "has times") {
			f.From, f.To = moment(rapid.IntRange(0, 24).Draw(rt, "from")), moment(rapid.IntRange(0, 24).Draw(rt, "to"))
		}
		var want []deploy.Event
		for _, e := range all {
			kind, _, _ := strings.Cut(e.Subject, "-")
			fits := (len(f.Subjects) == 0 || slices.Contains(f.Subjects, e.Subject)) &&
				(len(f.Users) == 0 || slices.Contains(f.Users, e.User)) &&
				(len(f.Categories) == 0 || slices.Contains(f.Categories, e.Category)) &&
				(len(f.Types) == 0 || slices.ContainsFunc(f.Types, func(x string) bool {
					return strings.EqualFold(x, kind) &&
						kind != e.Subject
				})) &&
				e.Number >= f.FromNumber && (f.ToNumber == 0 || e.Number <= f.ToNumber) &&
				!e.At.Before(f.From) && (f.To.IsZero() || !e.At.After(f.To))
			if fits {
				want = append(want, e)
			}
		}
		view(t, s, func(r store.Reader) error {
			got, err := r.Events(f)
			same(t, "events", want, got)
			return err
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}
