// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// planned gives the bench's task another plan.
func planned(edit func(*deploy.Plan)) func(store.Writer) error {
	return edited(func(task *deploy.Task) { edit(&task.Plan) })
}

func manualStep(settings ...string) deploy.PlannedStep {
	a := deploy.Action{ID: "m", Name: "Approve", Kind: deploy.ManualAction, Properties: map[string]string{
		deploy.PropInstructions: "Look at #{Octopus.Task.Id}, not at #{None}",
	}}
	for i := 0; i < len(settings); i += 2 {
		a.Properties[settings[i]] = settings[i+1]
	}
	return deploy.PlannedStep{Number: 2, Name: "Approve", Window: 1, Condition: deploy.OnSuccess, Actions: []deploy.Action{a}}
}

func (b *bench) questions() (all []deploy.Interruption) {
	b.must(b.store.View(context.WithoutCancel(b.t.Context()), func(r store.Reader) (err error) {
		all, err = r.Interruptions(store.InterruptionFilter{Task: "ServerTasks-1"})
		return err
	}))
	return all
}

// answer answers the newest question.
func (b *bench) answer(choice deploy.Choice) func(*engine.Engine) {
	return func(e *engine.Engine) {
		b.must(b.store.Update(b.t.Context(), func(w store.Writer) error {
			all, err := w.Interruptions(store.InterruptionFilter{IsPending: true})
			if err != nil || len(all) != 1 {
				return fmt.Errorf("%d questions are pending: %w", len(all), err)
			}
			all[0].Choice, all[0].AnsweredBy, all[0].Notes = choice, "ada", "looks good\nand tested"
			return w.PutInterruption(all[0])
		}))
		e.Wake()
	}
}

// ending is a machine whose scripts end as said, one after the other; the last answer stays.
func ending(outcomes ...contract.Outcome) *scripted {
	runs := 0
	return &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
		outcome := outcomes[min(runs, len(outcomes)-1)]
		runs++
		return f(nil, verdictOf(outcome, 0))
	}}
}

// TestAManualStepWaits for an answer, over the death of the server, and does what it says.
func TestAManualStepWaits(t *testing.T) {
	for choice, want := range map[deploy.Choice]ended{
		deploy.ChoiceProceed: {deploy.TaskSuccess, "Info ada answered Proceed. Notes: looks good\nInfo and tested\n", "", time.Minute},
		deploy.ChoiceAbort:   {deploy.TaskFailed, "ada answered Abort", "step 2 (Approve) was aborted", time.Minute},
	} {
		t.Run(string(choice), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) {
					after := p.Steps[0]
					after.Number, after.Name = 3, "after"
					p.Steps = append(p.Steps, manualStep(), after)
				}))
				defer b.store.Close()
				m := ending(contract.Succeeded)
				b.run(m, nil, "", nil) // five minutes are not enough
				q := b.questions()
				if b.task().State != deploy.TaskExecuting || len(q) != 1 || !q[0].IsPending() ||
					q[0].Instructions != "Look at ServerTasks-1, not at #{None}" || q[0].Title != "Approve" {
					t.Fatalf("%s, questions %+v", b.task().State, q)
				}
				if log := b.log(); strings.Count(log, "Wait Look at ServerTasks-1, not at #{None}") != 1 {
					t.Errorf("the log does not tell once what is asked:\n%s", log)
				}
				began := time.Now()
				b.run(m, nil, "", b.answer(choice))
				b.check(want, time.Since(began))
				if log := b.log(); strings.Contains(log, "Step 3") && strings.Index(log, "ada answered") > strings.Index(log, "Step 3") {
					t.Errorf("the log tells the answer after what it let begin:\n%s", log)
				}
				runs := map[deploy.Choice]int{deploy.ChoiceProceed: 2, deploy.ChoiceAbort: 1}[choice]
				if got := b.tickets(); len(got) != runs || len(b.questions()) != 1 {
					t.Errorf("%d tickets and %d questions, want %d and 1", len(got), len(b.questions()), runs)
				}
			})
		})
	}
}

// TestAQuestionIsAskedOnce however the server dies around it.
func TestAQuestionIsAskedOnce(t *testing.T) {
	for _, point := range []string{"engine.tickets.committed", "engine.ticket.settled"} {
		t.Run(point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) { p.Steps = []deploy.PlannedStep{manualStep()} }))
				defer b.store.Close()
				b.run(ending(contract.Succeeded), nil, point, nil)
				b.run(ending(contract.Succeeded), nil, "", b.answer(deploy.ChoiceProceed))
				if q := b.questions(); len(q) != 1 || b.task().State != deploy.TaskSuccess {
					t.Errorf("%s, questions %+v\n%s", b.task().State, q, b.log())
				}
			})
		})
	}
}

// TestNobodyAnswers: a step with a limit goes on without an answer, one that is canceled ends.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) {
			p.Steps = []deploy.PlannedStep{manualStep(deploy.PropAnswerMinutes, "2")}
		}))
		defer b.store.Close()
		began := time.Now()
		b.run(ending(contract.Succeeded), nil, "", nil)
		b.check(ended{
			deploy.TaskFailed, "Nobody answered in time: Abort.", "was aborted: Nobody answered in time", 3 * time.Minute,
		}, time.Since(began))
		if took := time.Since(began); took < 2*time.Minute {
			t.Errorf("it waited for %s only", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) { p.Steps = []deploy.PlannedStep{manualStep()} }))
		defer b.store.Close()
		b.run(ending(contract.Succeeded), nil, "", b.cancel)
		if q := b.questions(); b.task().State != deploy.TaskCanceled || q[0].Choice != deploy.ChoiceWithdrawn {
			t.Errorf("%s, questions %+v", b.task().State, q)
		}
	})
}

// TestGuidedFailureDoesAsItIsTold about a machine that failed.
func TestGuidedFailureDoesAsItIsTold(t *testing.T) {
	for choice, c := range map[deploy.Choice]struct {
		want    deploy.TaskState
		tickets int
		err     string
	}{
		deploy.ChoiceFail:    {deploy.TaskFailed, 1, "m: Failed: exit code 0."},
		deploy.ChoiceRetry:   {deploy.TaskSuccess, 3, ""},
		deploy.ChoiceIgnore:  {deploy.TaskSuccess, 2, ""},
		deploy.ChoiceExclude: {deploy.TaskFailed, 1, "lost all its machines"},
	} {
		t.Run(string(choice), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) {
					p.IsGuided = true
					after := p.Steps[0]
					after.Number, after.Name = 2, "after"
					p.Steps = append(p.Steps, after)
				}))
				defer b.store.Close()
				m := ending(contract.Failed, contract.Succeeded)
				b.run(m, nil, "engine.tickets.committed", nil)
				b.run(m, nil, "", func(e *engine.Engine) {
					time.Sleep(time.Minute)
					b.answer(choice)(e)
				})
				task, q := b.task(), b.questions()
				if task.State != c.want || !strings.Contains(task.Error, c.err) || len(b.tickets()) != c.tickets {
					t.Errorf("%s (%s) after %d tickets, want %+v\n%s", task.State, task.Error, len(b.tickets()), c, b.log())
				}
				if len(q) != 1 || q[0].Title != "Step 1: step failed on m" || !task.HasWarnings {
					t.Errorf("questions %+v, warnings %v", q, task.HasWarnings)
				}
			})
		})
	}
}

// TestAStepSaysHowManyMachinesItGoesOnWith: one that an answer has excluded is none of them, whether the step has a
// condition or not.
func TestAStepSaysHowManyMachinesItGoesOnWith(t *testing.T) {
	for _, condition := range []deploy.Condition{deploy.OnSuccess, deploy.OnExpression} {
		t.Run(string(condition), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) {
					twoSteps(p)
					p.IsGuided = true
					for i := range p.Steps {
						p.Steps[i].Machines = []deploy.MachineID{"Machines-1", "Machines-2"}
					}
					p.Steps[1].Condition, p.Steps[1].Expression = condition, "True"
				}))
				defer b.store.Close()
				b.must(b.store.Update(t.Context(), func(w store.Writer) error {
					m, err := w.Machine("Machines-1")
					m.ID, m.Name, m.Pin = "Machines-2", "n", strings.Repeat("2", 64)
					return errors.Join(err, w.PutMachine(m))
				}))
				b.run(ending(contract.Failed, contract.Succeeded), nil, "", func(e *engine.Engine) {
					time.Sleep(time.Minute)
					b.answer(deploy.ChoiceExclude)(e)
				})
				for _, want := range []string{"Step 1: step on 2 machines", "Step 2: after on 1 machine\n"} {
					if log := b.log(); !strings.Contains(log, want) {
						t.Errorf("the log does not say %q:\n%s", want, log)
					}
				}
			})
		})
	}
}

// TestARetryOfAPersonStartsAtOnce: whoever answers Retry has mended the machine and waits for nothing.
func TestARetryOfAPersonStartsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) { p.IsGuided = true }))
		defer b.store.Close()
		var answered time.Time
		b.run(ending(contract.Failed, contract.Succeeded), nil, "", func(e *engine.Engine) {
			time.Sleep(time.Minute)
			answered = time.Now()
			b.answer(deploy.ChoiceRetry)(e)
		})
		if took := time.Since(answered); b.task().State != deploy.TaskSuccess || took > 5*time.Second {
			t.Errorf("%s %s after the answer, want success within 5 s\n%s", b.task().State, took, b.log())
		}
		if log := b.log(); !strings.Contains(log, "It is begun again: attempt 2.") {
			t.Errorf("the log does not tell the second attempt:\n%s", log)
		}
	})
}

// TestRetriesComeBeforeQuestions: a step that is to be tried again asks nobody until that failed too.
func TestRetriesComeBeforeQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, with(deploy.PropRetries, "2"))
		defer b.store.Close()
		b.run(ending(contract.Failed, contract.TimedOut, contract.Succeeded), nil, "", nil)
		if got := b.tickets(); b.task().State != deploy.TaskSuccess || len(got) != 3 {
			t.Errorf("%s after %d tickets, want success after 3\n%s", b.task().State, len(got), b.log())
		}
	})
}

// TestActionsSayHowLongRetriesWait, else the engine does.
func TestActionsSayHowLongRetriesWait(t *testing.T) {
	for seconds, want := range map[string]time.Duration{"": 10 * time.Second, "0": 0, "120": 2 * time.Minute} {
		t.Run(seconds, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) {
					p.Steps[0].Actions[0].Properties[deploy.PropRetries] = "1"
					p.Steps[0].Actions[0].Properties[deploy.PropRetrySeconds] = seconds
				}))
				defer b.store.Close()
				start := time.Now()
				b.run(ending(contract.Failed, contract.Succeeded), nil, "", nil)
				took := time.Since(start)
				if b.task().State != deploy.TaskSuccess || took < want || took > want+5*time.Second {
					t.Errorf("%s after %s, want success after %s\n%s", b.task().State, took, want, b.log())
				}
			})
		})
	}
}

// TestConditionsAreDecidedOnce, with what earlier steps came to, and hold over a restart.
func TestConditionsAreDecidedOnce(t *testing.T) {
	for expression, want := range map[string]int{
		"True": 2, "#{if Octopus.Machine.Name == \"m\"}yes#{/if}": 2, "#{Octopus.Action[step].Output.Go}": 2,
		"#{Octopus.Machine.Name | MarkdownToHtml | Contains \"<p>m</p>\"}": 2,
		"False": 1, "": 1, "#{None}": 1, "#{if Octopus.Machine.Name == \"n\"}yes#{/if}": 1,
		"#{if Octopus.Deployment.Error}true#{/if}": 1,
	} {
		t.Run(expression, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(func(p *deploy.Plan) {
					after := p.Steps[0]
					after.Number, after.Name, after.Condition, after.Expression = 2, "after", deploy.OnExpression, expression
					p.Steps = append(p.Steps, after)
				}))
				defer b.store.Close()
				m := handing(contract.Output{Name: "Go", Value: "1"})
				b.run(m, nil, "engine.decisions.committed", nil)
				b.run(m, nil, "", nil)
				task := b.task()
				if task.State != deploy.TaskSuccess || len(b.tickets()) != want || len(task.Decisions) != 1 {
					t.Errorf("%s after %d tickets, decisions %+v\n%s", task.State, len(b.tickets()), task.Decisions, b.log())
				}
			})
		})
	}
}

// TestAConditionThatCannotBeAsked fails the step: what it needs is gone, and that must not pass for a condition that
// does not hold.
func TestAConditionThatCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(w store.Writer) error {
			if err := released(deploy.PackageAction)(w); err != nil {
				return err
			}
			return planned(func(p *deploy.Plan) {
				p.Steps[0].Condition, p.Steps[0].Expression = deploy.OnExpression, "#{if Octopus.Task.Id}True#{/if}"
			})(w)
		})
		defer b.store.Close()
		b.must(b.store.Update(t.Context(), func(w store.Writer) error {
			return w.DeletePackage(deploy.DefaultSpace, "Web", "1.0.0")
		}))
		began := time.Now()
		b.run(ending(contract.Succeeded), nil, "", nil)
		b.check(ended{
			deploy.TaskFailed, "cannot be worked out", "a condition that cannot be worked out: package of action \"a\"", time.Minute,
		}, time.Since(began))
	})
}

// TestInstructionsThatCannotBeShown say so, and people are asked all the same.
func TestInstructionsThatCannotBeShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(w store.Writer) error {
			if err := released(deploy.PackageAction)(w); err != nil {
				return err
			}
			release, err := w.Release("Releases-1")
			release.Variables.Variables = []deploy.Variable{{ID: "v", Name: "Key", IsSensitive: true, Sealed: "of another key"}}
			if err == nil {
				err = w.PutRelease(release)
			}
			return errors.Join(err, planned(func(p *deploy.Plan) { p.Steps = []deploy.PlannedStep{manualStep()} })(w))
		})
		defer b.store.Close()
		b.run(ending(contract.Succeeded), nil, "", nil)
		if q := b.questions(); len(q) != 1 || !strings.Contains(q[0].Instructions, "cannot be shown: variable Key") {
			t.Fatalf("questions %+v, want one that says why its instructions cannot be shown\n%s", q, b.log())
		}
		b.run(ending(contract.Succeeded), nil, "", b.answer(deploy.ChoiceProceed))
		if state := b.task().State; state != deploy.TaskSuccess {
			t.Errorf("the task is %s after the answer\n%s", state, b.log())
		}
	})
}

// TestAConditionKeepsNoSecret: a task's row holds no value that is sealed elsewhere.
func TestAConditionKeepsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) {
			twoSteps(p)
			p.Steps[1].Condition, p.Steps[1].Expression = deploy.OnExpression, "#{Octopus.Action[a].Output.Key}"
		}))
		defer b.store.Close()
		b.run(handing(contract.Output{Name: "Key", Value: "canary-7", IsSensitive: true}), nil, "", nil)
		if row := fmt.Sprintf("%+v", b.task()); len(b.task().Decisions) != 1 || strings.Contains(row, "canary-7") {
			t.Errorf("the task is %s", row)
		}
	})
}
