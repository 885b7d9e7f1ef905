// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/target"
)

// handing is a machine whose scripts succeed and hand output variables over.
func handing(outputs ...contract.Output) *scripted {
	return &scripted{
		result: contract.Result{Outputs: outputs},
		follow: func(_ context.Context, f target.FollowFunc) error {
			status := verdictOf(contract.Succeeded, 0)
			status.Verdict.Result = &contract.ResultInfo{Bytes: 1, SHA256: strings.Repeat("0", 64)}
			return f(nil, status)
		},
	}
}

func twoSteps(p *deploy.Plan) {
	after := p.Steps[0]
	after.Number, after.Name = 2, "after"
	after.Actions = []deploy.Action{after.Actions[0]}
	after.Actions[0].Name = "b"
	p.Steps = append(p.Steps, after)
}

// TestOutputsReachLaterSteps under their names, for one machine and for all.
func TestOutputsReachLaterSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(twoSteps))
		defer b.store.Close()
		m := handing(contract.Output{Name: "Url", Value: "http://here"})
		var orders []contract.Order
		m.start = func(o contract.Order) error {
			orders = append(orders, o)
			return nil
		}
		b.run(m, nil, "engine.ticket.settled", nil)
		b.run(m, nil, "", nil)
		if len(orders) != 2 || b.task().State != deploy.TaskSuccess {
			t.Fatalf("%d orders, %s\n%s", len(orders), b.task().State, b.log())
		}
		for _, name := range []string{
			"Octopus.Action[a].Output.Url", "Octopus.Action[a].Output[m].Url", "Octopus.Action[step].Output.Url",
		} {
			if _, early := orders[0].Variables[name]; early || orders[1].Variables[name] != "http://here" {
				t.Errorf("%s is %q for the second step", name, orders[1].Variables[name])
			}
		}
		if log := b.log(); !strings.Contains(log, "Kept 1 output variable.") {
			t.Errorf("the log does not tell that an output variable was kept:\n%s", log)
		}
		if slices.Contains(orders[1].Sensitive, "Octopus.Action[a].Output.Url") {
			t.Error("what is not sensitive is")
		}
	})
}

// TestALostResultIsNoReasonToWait: the step succeeds, and says what is missing.
func TestALostResultIsNoReasonToWait(t *testing.T) {
	for name, fault := range map[string]error{
		"gone":    errkind.NotFound.Errorf("no such ticket"),
		"damaged": errkind.Corrupt.Errorf("hash differs"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				m := handing()
				m.resultErr = fault
				b.run(m, nil, "", nil)
				task := b.task()
				if task.State != deploy.TaskSuccess || !task.HasWarnings ||
					!strings.Contains(b.log(), "what it handed over is lost") {
					t.Errorf("%s, warnings %v\n%s", task.State, task.HasWarnings, b.log())
				}
			})
		})
	}
}

// TestSensitiveOutputsAreSealed: the store holds no plain text of them.
func TestSensitiveOutputsAreSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(twoSteps))
		defer b.store.Close()
		m := handing(contract.Output{Name: "Pass", Value: "hunter2-hunter2", IsSensitive: true})
		var last contract.Order
		m.start = func(o contract.Order) error {
			last = o
			return nil
		}
		b.run(m, nil, "", nil)
		if got := last.Variables["Octopus.Action[a].Output.Pass"]; got != "hunter2-hunter2" ||
			!slices.Contains(last.Sensitive, "Octopus.Action[a].Output.Pass") {
			t.Errorf("the second step sees %q, sensitive are %v", got, last.Sensitive)
		}
		b.must(b.store.View(t.Context(), func(r store.Reader) error {
			all, err := r.Outputs("ServerTasks-1")
			for _, o := range all {
				if v := o.Values[0]; v.Value != "" || v.Sealed == "" || strings.Contains(v.Sealed, "hunter2") {
					t.Errorf("stored: %+v", v)
				}
			}
			return err
		}))
	})
}
