// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// handingByTurns is a machine whose runs hand over what their turn says; the first one fails.
func handingByTurns(turns ...[]contract.Output) *scripted {
	m, runs := &scripted{}, 0
	m.follow = func(_ context.Context, f target.FollowFunc) error {
		status := verdictOf(contract.Succeeded, 0)
		if runs == 0 {
			status = verdictOf(contract.Failed, 0)
		}
		status.Verdict.Result = &contract.ResultInfo{Bytes: 1, SHA256: strings.Repeat("0", 64)}
		m.result = contract.Result{Outputs: turns[min(runs, len(turns)-1)]}
		runs++
		return f(nil, status)
	}
	return m
}

// twoActions gives the step another action on the same machine.
func twoActions(p *deploy.Plan) {
	second := p.Steps[0].Actions[0]
	second.Name, second.Properties = "b", maps.Clone(second.Properties)
	p.Steps[0].Actions = append(p.Steps[0].Actions, second)
}

// TestOnlyTheLastAttemptHandsOver: what the failed one set is seen by nobody, whether the last one set it or not.
func TestOnlyTheLastAttemptHandsOver(t *testing.T) {
	for name, edit := range map[string]func(*deploy.Plan){"a later step": twoSteps, "a later action": twoActions} {
		for _, isGuided := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, planned(func(p *deploy.Plan) {
						edit(p)
						if p.IsGuided = isGuided; !isGuided {
							p.Steps[0].Actions[0].Properties[deploy.PropRetries] = "1"
						}
					}))
					defer b.store.Close()
					m := handingByTurns([]contract.Output{{Name: "Url", Value: "old"}, {Name: "Port", Value: "1"}},
						[]contract.Output{{Name: "Url", Value: "new"}}, nil)
					var last contract.Order
					m.start = func(o contract.Order) error {
						last = o
						return nil
					}
					b.run(m, nil, "", func(e *engine.Engine) {
						if isGuided {
							time.Sleep(time.Minute)
							b.answer(deploy.ChoiceRetry)(e)
						}
					})
					_, isOld := last.Variables["Octopus.Action[a].Output.Port"]
					url := last.Variables["Octopus.Action[a].Output.Url"]
					if b.task().State != deploy.TaskSuccess || len(b.tickets()) != 3 || url != "new" || isOld {
						t.Errorf("guided %v: %s after %d tickets, Url is %q, Port of the failed attempt is seen: %v\n%s",
							isGuided, b.task().State, len(b.tickets()), url, isOld, b.log())
					}
				})
			})
		}
	}
}

// TestABackoffOutlivesTheServer, which starts anew every five minutes.
func TestABackoffOutlivesTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, with(deploy.PropRetries, "1", deploy.PropRetrySeconds, "720"))
		defer b.store.Close()
		m, began := ending(contract.Failed, contract.Succeeded), time.Now()
		for range 3 {
			b.run(m, nil, "", nil)
		}
		if took := time.Since(began); b.task().State != deploy.TaskSuccess || took < 12*time.Minute {
			t.Errorf("%s after %s, want Success after 12 minutes\n%s", b.task().State, took, b.log())
		}
	})
}
