// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// TestOrdersKnowWhatIsAround: how the steps before stand, what was deployed before, and which machines there are.
func TestOrdersKnowWhatIsAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) {
			twoSteps(p)
			p.Steps[1].Condition, p.Steps[1].Expression = deploy.OnExpression,
				`#{if Octopus.Step[step].Status.Code == "Failed"}True#{/if}`
		}))
		defer b.store.Close()
		b.must(b.store.Update(t.Context(), released(deploy.ScriptAction)))
		b.must(b.store.Update(t.Context(), deployedBefore))
		m := ending(contract.Failed, contract.Succeeded)
		var seen []map[string]string
		m.start = func(o contract.Order) error {
			seen = append(seen, o.Variables)
			return nil
		}
		b.run(m, nil, "", nil)
		if len(seen) != 2 {
			t.Fatalf("%d orders, want 2: the condition sees that the step failed\n%s", len(seen), b.log())
		}
		for name, want := range map[string][2]string{
			"Octopus.Step[step].Status.Code": {"Running", "Failed"}, "Octopus.Step[after].Status.Code": {"Pending", "Running"},
			"Octopus.Step[step].Status.Error": {"", "failed on 1 of 1 machines"},
			"Octopus.Deployment.ErrorDetail": {
				"", "step 1 (step) failed on 1 of 1 machines; m: Failed: exit code 0.",
			},
			"Octopus.Release.Previous.Number":               {"0.9.0", "0.9.0"},
			"Octopus.Release.PreviousForEnvironment.Number": {"0.8.0", "0.8.0"},
			"Octopus.Release.CurrentForEnvironment.Id":      {"Releases-0", "Releases-0"},
			"Octopus.Deployment.PreviousSuccessful.Id":      {"Deployments-2", "Deployments-2"},
			"Octopus.Environment.MachinesInRole[web]":       {"Machines-1", "Machines-1"},
			"Octopus.Action[a].TargetRoles":                 {"web", "web"}, "Octopus.Action.TargetRoles": {"web", ""},
			"Octopus.Deployment.Machines": {"Machines-1", "Machines-1"},
		} {
			if got := [2]string{seen[0][name], seen[1][name]}; got != want {
				t.Errorf("%s is %q, then %q, want %q", name, got[0], got[1], want)
			}
		}
	})
}

// deployedBefore gives the bench's deployment a past: one that succeeded, one that failed after it, and one that was
// canceled before it began. A second machine of the environment is not in the plan.
func deployedBefore(w store.Writer) error {
	at := time.Now()
	release, err := w.Release("Releases-1")
	release.AssembledAt, release.Process = at, deploy.Process{Steps: []deploy.Step{
		{Name: "step", Tags: []string{"web"}, Actions: []deploy.Action{{ID: "a", Name: "a"}}},
	}}
	err = errors.Join(err, w.PutRelease(release))
	for i, state := range []deploy.TaskState{deploy.TaskSuccess, deploy.TaskFailed, deploy.TaskCanceled} {
		old := deploy.Release{
			ID: deploy.ReleaseID(fmt.Sprintf("Releases-%d", 10*i)), Space: deploy.DefaultSpace, Project: "Projects-1",
			Version: fmt.Sprintf("0.%d.0", 9-i), AssembledAt: at.Add(-time.Duration(i+1) * time.Hour),
		}
		task := deploy.Task{
			ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%d", i+2)), Space: deploy.DefaultSpace, Kind: deploy.DeployTask,
			State: state, StartedAt: at, QueuedAt: at, CompletedAt: at, Project: "Projects-1", Environment: "Environments-1",
		}
		if state == deploy.TaskCanceled {
			task.StartedAt = time.Time{}
		}
		err = errors.Join(err, w.PutRelease(old), w.PutTask(task), w.PutDeployment(deploy.Deployment{
			ID: deploy.DeploymentID(fmt.Sprintf("Deployments-%d", i+2)), Space: deploy.DefaultSpace, Project: "Projects-1",
			Release: old.ID, Environment: "Environments-1", Task: task.ID, CreatedAt: at.Add(time.Duration(i) * time.Second),
		}))
	}
	for i, pin := range []string{"1", "2"} {
		err = errors.Join(err, w.PutMachine(deploy.Machine{
			ID: deploy.MachineID(fmt.Sprintf("Machines-%d", i+1)), Space: deploy.DefaultSpace, Name: "m" + strings.Repeat("m", i),
			Style: deploy.Polling, Pin: strings.Repeat(pin, 64), Tags: []string{"web"},
			Environments: []deploy.EnvironmentID{"Environments-1"},
		}))
	}
	return err
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
