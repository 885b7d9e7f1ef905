// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

// some draws a list of few values, so that they meet.
func some[T ~string](t *rapid.T, label string, values ...T) []T {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID).Draw(t, label)
}

func drawSets(t *rapid.T) []deploy.VariableSet {
	sets := make([]deploy.VariableSet, rapid.IntRange(1, 3).Draw(t, "sets"))
	number := 0
	for i := range sets {
		sets[i].Owner = deploy.OwnerID(fmt.Sprintf("Owner-%d", i))
		for range rapid.IntRange(0, 4).Draw(t, "variables") {
			number++
			sets[i].Variables = append(sets[i].Variables, deploy.Variable{
				ID:   fmt.Sprintf("id-%04d", rapid.IntRange(0, 9).Draw(t, "id")*100+number),
				Name: rapid.SampledFrom([]string{"A", "a", "B"}).Draw(t, "name"), Value: fmt.Sprint(number),
				Scope: deploy.Scope{
					Environments: some[deploy.EnvironmentID](t, "environments", "E-1", "E-2"),
					Machines:     some[deploy.MachineID](t, "machines", "M-1", "M-2"),
					Tags:         some(t, "tags", "web", "db", "odd"), Actions: some(t, "actions", "a-1", "a-2"),
					Channels: some[deploy.ChannelID](t, "channels", "C-1", "C-2"),
					Owners:   some[deploy.OwnerID](t, "owners", "Projects-1", "Projects-2"),
				},
			})
		}
	}
	return sets
}

func drawWorld(t *rapid.T) deploy.World {
	w := deploy.World{Environments: []deploy.EnvironmentID{"E-1", "E-2", "E-3"}, Channel: "C-1"}
	w.Process.Project = "Projects-1"
	for i := range rapid.IntRange(0, 3).Draw(t, "machines") {
		w.Machines = append(w.Machines, deploy.Machine{
			ID:           deploy.MachineID(fmt.Sprintf("M-%d", i+1)),
			Environments: some[deploy.EnvironmentID](t, "in", "E-1", "E-2", "E-3"), Tags: some(t, "carries", "web", "db", "odd"),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "steps") {
		w.Process.Steps = append(w.Process.Steps, deploy.Step{
			Tags: some(t, "step tags", "web", "db"), Actions: []deploy.Action{{ID: fmt.Sprintf("a-%d", i+1)}},
		})
	}
	return w
}

// exactness says, most important first, which parts of a scope narrow it down at a place; nil when
// the scope does not fit.
func exactness(s deploy.Scope, p deploy.Place) []bool {
	onMachine := func(tag string) bool { return slices.Contains(p.Machine.Tags, tag) }
	ofStep := func(tag string) bool { return onMachine(tag) && slices.Contains(p.StepTags, tag) }
	for _, fits := range []bool{
		s.Actions == nil || slices.Contains(s.Actions, p.Action),
		s.Machines == nil || slices.Contains(s.Machines, p.Machine.ID),
		s.Tags == nil || slices.ContainsFunc(s.Tags, onMachine),
		s.Environments == nil || slices.Contains(s.Environments, p.Environment),
		s.Channels == nil || slices.Contains(s.Channels, p.Channel),
		s.Owners == nil || slices.Contains(s.Owners, p.Owner),
	} {
		if !fits {
			return nil
		}
	}
	return []bool{
		s.Actions != nil, s.Machines != nil, slices.ContainsFunc(s.Tags, ofStep), s.Tags != nil,
		s.Environments != nil, s.Channels != nil, s.Owners != nil,
	}
}

func moreExact(a, b []bool) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i]
		}
	}
	return false
}

// modelled is the obvious way: of all that fit, those that none beats; more than one is a tie.
func modelled(sets []deploy.VariableSet, p deploy.Place) (values map[string]string, ties []string) {
	values = map[string]string{}
	for _, name := range []string{"a", "b"} {
		type candidate struct {
			v         deploy.Variable
			exact     []bool
			inProject bool
		}
		var all, best []candidate
		for i, set := range sets {
			for _, v := range set.Variables {
				if exact := exactness(v.Scope, p); exact != nil && strings.EqualFold(v.Name, name) {
					all = append(all, candidate{v, exact, i == 0})
				}
			}
		}
		for _, c := range all {
			if !slices.ContainsFunc(all, func(o candidate) bool {
				return moreExact(o.exact, c.exact) || !moreExact(c.exact, o.exact) && o.inProject && !c.inProject
			}) {
				best = append(best, c)
			}
		}
		slices.SortFunc(best, func(a, b candidate) int { return strings.Compare(a.v.ID, b.v.ID) })
		if len(best) > 0 {
			values[name] = best[0].v.Value
		}
		if len(best) > 1 {
			ties = append(ties, name)
		}
	}
	return values, ties
}

func clearEmpty(sets []deploy.VariableSet) {
	for _, set := range sets {
		for i := range set.Variables {
			s := &set.Variables[i].Scope
			for _, clear := range []func(){
				func() { s.Actions = orNil(s.Actions) }, func() { s.Machines = orNil(s.Machines) },
				func() { s.Tags = orNil(s.Tags) }, func() { s.Environments = orNil(s.Environments) },
				func() { s.Channels = orNil(s.Channels) }, func() { s.Owners = orNil(s.Owners) },
			} {
				clear()
			}
		}
	}
}

func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func folded(names []string) []string {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	return lower
}

func TestResolveFitsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets := drawSets(t)
		clearEmpty(sets)
		p := deploy.Place{
			Environment: rapid.SampledFrom([]deploy.EnvironmentID{"E-1", "E-2", "E-3"}).Draw(t, "environment"),
			Channel:     rapid.SampledFrom([]deploy.ChannelID{"C-1", "C-3"}).Draw(t, "channel"),
			Owner:       rapid.SampledFrom([]deploy.OwnerID{"Projects-1", "Projects-3"}).Draw(t, "owner"),
			Action:      rapid.SampledFrom([]string{"a-1", "a-3"}).Draw(t, "action"),
			Machine: deploy.Machine{
				ID:   rapid.SampledFrom([]deploy.MachineID{"M-1", "M-3"}).Draw(t, "machine"),
				Tags: some(t, "carries", "web", "db", "odd"),
			},
			StepTags: some(t, "step tags", "web", "db"),
		}
		picks, ties := deploy.Resolve(sets, p)
		got := map[string]string{}
		for _, k := range picks {
			got[strings.ToLower(k.Variable.Name)] = k.Variable.Value
		}
		want, wantTies := modelled(sets, p)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("values (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantTies, folded(ties), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("ties (-want +got):\n%s", diff)
		}
	})
}

// TestTiesFitTheModel asks the slow model at every place there is.
func TestTiesFitTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, w := drawSets(t), drawWorld(t)
		clearEmpty(sets)
		machines := slices.Clone(w.Machines)
		for _, tags := range [][]string{nil, {"web"}, {"db"}, {"odd"}} {
			machines = append(machines, deploy.Machine{Environments: w.Environments, Tags: tags})
		}
		found := map[string]bool{}
		for _, step := range w.Process.Steps {
			for _, m := range machines {
				if len(step.Tags) > 0 && !slices.ContainsFunc(step.Tags, m.HasTag) {
					continue
				}
				for _, e := range m.Environments {
					_, ties := modelled(sets, deploy.Place{
						Environment: e, Channel: w.Channel, Owner: "Projects-1", Action: step.Actions[0].ID, Machine: m, StepTags: step.Tags,
					})
					for _, name := range ties {
						found[name] = true
					}
				}
			}
		}
		var names []string
		for _, tie := range w.Ties(sets) {
			names = append(names, strings.ToLower(tie.Name))
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(found)), names, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("ties (-want +got):\n%s", diff)
		}
	})
}

// BenchmarkTies is the largest project on a large site: 5,000 values of 2,500 names, 50 steps, 10,000
// machines with 40 tags in 20 environments.
func BenchmarkTies(b *testing.B) {
	var w deploy.World
	set := deploy.VariableSet{Owner: "Projects-1"}
	for i := range 20 {
		w.Environments = append(w.Environments, deploy.EnvironmentID(fmt.Sprint("E-", i)))
	}
	for i := range 10_000 {
		w.Machines = append(w.Machines, deploy.Machine{
			ID: deploy.MachineID(fmt.Sprint("M-", i)), Environments: w.Environments[i%20 : i%20+1],
			Tags: []string{fmt.Sprint("t-", i%40), fmt.Sprint("t-", i/40%40)},
		})
	}
	for i := range 50 {
		w.Process.Steps = append(w.Process.Steps, deploy.Step{
			Tags: []string{fmt.Sprint("t-", i%40)}, Actions: []deploy.Action{{ID: fmt.Sprint("a-", i)}},
		})
	}
	for i := range 2_500 {
		name := fmt.Sprint("Name", i)
		set.Variables = append(set.Variables, deploy.Variable{ID: fmt.Sprint(i, "a"), Name: name}, deploy.Variable{
			ID: fmt.Sprint(i, "b"), Name: name, Scope: deploy.Scope{Environments: w.Environments[i%20 : i%20+1]},
		})
	}
	for b.Loop() {
		if ties := w.Ties([]deploy.VariableSet{set}); len(ties) > 0 {
			b.Fatal(ties[0])
		}
	}
}
