// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// shelf is a feed that holds every package.
type shelf struct{}

func (shelf) Content(p deploy.Package) target.Content {
	return target.Content{SHA256: p.SHA256, Size: p.Size}
}

// released makes the bench's task a deployment, whose first action is of a kind; one with a package has it.
func released(kind deploy.ActionKind) func(store.Writer) error {
	return func(w store.Writer) error {
		task, err := w.Task("ServerTasks-1")
		if err != nil {
			return err
		}
		task.Kind, task.Deployment, task.Project, task.Environment = deploy.DeployTask, "Deployments-1", "Projects-1", "Environments-1"
		task.Plan.Steps[0].Actions[0].Kind = kind
		return errors.Join(
			w.PutEnvironment(deploy.Environment{ID: "Environments-1", Space: deploy.DefaultSpace, Name: "Test", Slug: "test"}),
			w.PutLifecycle(deploy.Lifecycle{ID: "Lifecycles-1", Space: deploy.DefaultSpace, Name: "Usual", Slug: "usual"}),
			w.PutProject(deploy.Project{
				ID: "Projects-1", Space: deploy.DefaultSpace, Name: "Web", Slug: "web", Lifecycle: "Lifecycles-1",
			}),
			w.PutPackage(deploy.Package{Space: deploy.DefaultSpace, ID: "Web", Version: "1.0.0", Format: "zip", SHA256: "00", Size: 9}),
			w.PutRelease(deploy.Release{
				ID: "Releases-1", Space: deploy.DefaultSpace, Project: "Projects-1", Version: "1.0.0",
				Packages: []deploy.SelectedPackage{{Action: "a", PackageID: "Web", Version: "1.0.0"}},
			}),
			w.PutTask(task),
			w.PutDeployment(deploy.Deployment{
				ID: "Deployments-1", Space: deploy.DefaultSpace, Project: "Projects-1", Release: "Releases-1",
				Environment: "Environments-1", Task: task.ID, Plan: task.Plan,
			}),
		)
	}
}

// never is a machine on which nothing must start.
func never(t *testing.T) *scripted {
	return &scripted{
		start: func(contract.Order) error {
			t.Error("a script was started after its task was canceled")
			return nil
		},
		follow: func(_ context.Context, f target.FollowFunc) error { return f(nil, verdictOf(contract.Canceled, 0)) },
	}
}

// onItsWay is a package that takes two minutes to a machine, unless nobody wants it any more.
func onItsWay(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return errkind.Canceled.Errorf("%w", ctx.Err())
	case <-time.After(2 * time.Minute):
		return nil
	}
}

// forgetful is a machine that does not know the ticket, until it is told never to start it; told counts that.
func forgetful(t *testing.T, told *int) *scripted {
	m := never(t)
	m.status = func() (contract.TicketStatus, error) {
		if *told > 0 {
			return *verdictOf(contract.Canceled, 0), nil
		}
		return contract.TicketStatus{State: contract.Unknown}, nil
	}
	m.cancel = func() error {
		*told++
		return nil
	}
	return m
}

// TestACancelEndsAPackageOnItsWay: nothing is started once the package is there, and nobody waits for the rest of it.
func TestACancelEndsAPackageOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, released(deploy.PackageAction))
		defer b.store.Close()
		m := never(t)
		m.send = onItsWay
		began := time.Now()
		b.run(m, nil, "", b.cancel)
		b.check(ended{deploy.TaskCanceled, "before it was sent to the machine", "canceled by", 5 * time.Second}, time.Since(began))
	})
}

// TestACancelMeetsAnOrderOnItsWay: a server died when it had noted where the order goes. The machine does not know the
// ticket, and is told never to start it: the order may still come.
func TestACancelMeetsAnOrderOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		lost := &scripted{start: func(contract.Order) error { return errBroken }}
		b.run(lost, nil, "engine.ticket.sending", nil)
		told := 0
		m := forgetful(t, &told)
		b.must(b.store.Update(t.Context(), edited(canceled)))
		began := time.Now()
		b.run(m, nil, "", nil)
		b.check(ended{deploy.TaskCanceled, "Canceled", "canceled by", 5 * time.Second}, time.Since(began))
		if told != 1 {
			t.Errorf("the machine was told %d times, want once", told)
		}
	})
}

// TestACancelMeetsAnOrderThatIsSentAgain, with its package on the way: the machine is told never to start it, at once.
func TestACancelMeetsAnOrderThatIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, released(deploy.PackageAction))
		defer b.store.Close()
		b.run(&scripted{start: func(contract.Order) error { return errBroken }}, nil, "engine.ticket.sending", nil)
		told, asked := 0, time.Time{}
		m := forgetful(t, &told)
		m.send = onItsWay
		m.cancel = func() error {
			if told++; time.Since(asked) > 100*time.Millisecond {
				t.Errorf("the machine was told after %s", time.Since(asked))
			}
			return nil
		}
		b.run(m, nil, "", func(e *engine.Engine) {
			asked = time.Now()
			b.cancel(e)
		})
		b.check(ended{deploy.TaskCanceled, "Canceled", "canceled by", 5 * time.Second}, time.Since(asked))
		if told != 1 {
			t.Errorf("the machine was told %d times, want once", told)
		}
	})
}
