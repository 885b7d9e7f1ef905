// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/server/engine"
)

func TestValueOfAVariable(t *testing.T) {
	t.Parallel()
	key := secret.NewKey()
	e := &engine.Engine{Deps: engine.Deps{Secrets: key}}
	const deployment, owner = deploy.DeploymentID("Deployments-1"), deploy.OwnerID("Projects-1")
	asks := &deploy.Prompt{Control: deploy.ControlLine}
	sealed := func(id string) string { return key.Seal("own", deploy.Variable{ID: id}.SealedAs(owner)) }
	answer := deploy.Answer{Variable: "d"}
	answer.Sealed = key.Seal("given", answer.SealedAs(deployment))
	d := deploy.Deployment{ID: deployment, Answers: []deploy.Answer{
		{Variable: "b", Value: "given"}, {Variable: "c", Value: "forced"}, answer, {Variable: "f", Value: ""},
	}}
	for name, c := range map[string]struct {
		v    deploy.Variable
		want string
	}{
		"plain":                {deploy.Variable{ID: "a", Value: "own"}, "own"},
		"given":                {deploy.Variable{ID: "b", Value: "own", Prompt: asks}, "given"},
		"nobody is asked":      {deploy.Variable{ID: "c", Value: "own"}, "own"},
		"given in secret":      {deploy.Variable{ID: "d", IsSensitive: true, Sealed: sealed("d"), Prompt: asks}, "given"},
		"sensitive":            {deploy.Variable{ID: "e", IsSensitive: true, Sealed: sealed("e")}, "own"},
		"given to be empty":    {deploy.Variable{ID: "f", Value: "own", Prompt: asks}, ""},
		"sensitive, no value":  {deploy.Variable{ID: "g", IsSensitive: true}, ""},
		"asked, and not given": {deploy.Variable{ID: "h", Value: "own", Prompt: asks}, "own"},
	} {
		got, err := engine.Value(e, d, deploy.Pick{Owner: owner, Variable: c.v})
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
	stolen := deploy.Variable{ID: "i", Name: "Stolen", IsSensitive: true, Sealed: sealed("e")}
	got, err := engine.Value(e, d, deploy.Pick{Owner: owner, Variable: stolen})
	if err == nil || got != "" || strings.Contains(err.Error(), "own") {
		t.Errorf("S10 the sealed value of another row: %q, %v", got, err)
	}
}

// TestADeploymentKeepsItsVariables although its release takes them afresh while it runs.
func TestADeploymentKeepsItsVariables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := func(value string) deploy.VariableSet {
			return deploy.VariableSet{Owner: "Projects-1", Variables: []deploy.Variable{{ID: "a", Name: "A", Value: value}}}
		}
		retake := func(value string) func(store.Writer) error {
			return func(w store.Writer) error {
				release, err := w.Release("Releases-1")
				if err != nil {
					return err
				}
				release.Retake(set(value), nil, func(taking int) bool { return taking == 1 })
				return w.PutRelease(release)
			}
		}
		b := newBench(t, planned(twoSteps))
		defer b.store.Close()
		b.must(b.store.Update(t.Context(), released(deploy.ScriptAction)))
		b.must(b.store.Update(t.Context(), retake("queued")))
		b.must(b.store.Update(t.Context(), func(w store.Writer) error {
			d, err := w.Deployment("Deployments-1")
			d.Taking = 1
			return errors.Join(err, w.PutDeployment(d))
		}))
		m := handing()
		var seen []string
		m.start = func(o contract.Order) error {
			seen = append(seen, o.Variables["A"])
			return b.store.Update(t.Context(), retake("afresh"))
		}
		b.run(m, nil, "", nil)
		if want := []string{"queued", "queued"}; !slices.Equal(seen, want) {
			t.Errorf("the steps saw %q, want %q\n%s", seen, want, b.log())
		}
	})
}

// TestStepsAfterAFailureAreToldOfIt, those before it are not: a step that tells people has to know what failed.
func TestStepsAfterAFailureAreToldOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) {
			twoSteps(p)
			p.Steps[1].Condition = deploy.OnFailure
		}))
		defer b.store.Close()
		b.must(b.store.Update(t.Context(), released(deploy.ScriptAction)))
		m := ending(contract.Failed, contract.Succeeded)
		var seen []string
		m.start = func(o contract.Order) error {
			seen = append(seen, o.Variables["Octopus.Deployment.Error"])
			return nil
		}
		b.run(m, nil, "", nil)
		if len(seen) != 2 || seen[0] != "" || seen[1] == "" || !strings.HasPrefix(b.task().Error, seen[1]) {
			t.Errorf("the steps saw %q, the task says %q\n%s", seen, b.task().Error, b.log())
		}
	})
}
