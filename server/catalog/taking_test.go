// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// TestVariablesOfADeploymentAreFixed when it is queued, also against whoever does not see the deployment.
func TestVariablesOfADeploymentAreFixed(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	save := func(value string) {
		t.Helper()
		held := ok(s.Variables(s.ctx, root(), "Web"))(t)
		held.Set.Variables = []deploy.Variable{{Name: "A", Value: value}}
		ok(s.SaveVariables(s.ctx, root(), "Web", held.Set))(t)
	}
	queue := func(p identity.Principal, environment string) deploy.Deployment {
		t.Helper()
		made := ok(s.Deploy(s.ctx, p, catalog.DeployRequest{
			Project: "Web", Release: "1.0.0", Environments: []string{environment}, TakesVariables: true,
		}))(t)
		return ok(s.Deployment(s.ctx, root(), string(made[0].ID)))(t)
	}
	sees := func(d deploy.Deployment) string {
		t.Helper()
		var values []string
		for _, v := range ok(s.Release(s.ctx, root(), "Releases-1"))(t).At(d.Taking).Variables.Variables {
			values = append(values, v.Value)
		}
		return strings.Join(values, " ")
	}
	dev := holder(identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}},
		identity.DeploymentCreate, identity.ReleaseEdit)
	save("1")
	first := queue(root(), "Production")
	save("2")
	second := queue(dev, "Dev")
	save("3")
	third := queue(dev, "Dev")
	if got := []string{sees(first), sees(second), sees(third)}; !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("deployments see %q", got)
	}
	s.finish(first.Task, deploy.TaskSuccess)
	ok(s.SnapshotVariables(s.ctx, root(), "Releases-1"))(t)
	var kept []int
	for _, taking := range ok(s.Release(s.ctx, root(), "Releases-1"))(t).Earlier {
		kept = append(kept, taking.Number)
	}
	if want := []int{0, second.Taking, third.Taking}; !slices.Equal(kept, want) {
		t.Errorf("takings %d are kept, want %d: the first deployment has ended", kept, want)
	}
	shown := ok(s.DeploymentVariables(s.ctx, root(), string(second.ID)))(t)
	if values := shown.Set.Variables; len(values) != 1 || values[0].Value != "2" {
		t.Errorf("the second deployment shows %+v", values)
	}
	if v, err := s.DeploymentVariables(s.ctx, root(), string(first.ID)); errkind.Of(err) != errkind.NotFound {
		t.Errorf("the first deployment, whose variables nobody keeps, shows %+v, %v", v.Set.Variables, err)
	}
}
