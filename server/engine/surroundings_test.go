// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// TestOrdersShareWhatIsAround: what grows with the machines of a step is read once for the step.
func TestOrdersShareWhatIsAround(t *testing.T) {
	s, task := outputsOfStep(t, 3)
	defer s.Close()
	w := &worker{plan: task.Plan}
	err := s.View(t.Context(), func(r store.Reader) error {
		counted := &machinesReader{Reader: r}
		for step, want := range []int{1, 2} {
			for range task.Plan.Steps[step].Machines {
				if _, err := w.around(counted, facts{}, step, make([]deploy.StepProgress, 2)); err != nil {
					return err
				}
			}
			if counted.looks != want {
				t.Errorf("machines were listed %d times after step %d, want %d", counted.looks, step, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTheLastDeploymentIsTheOneThatEndedLast, though it was queued before another, as scheduled ones are.
func TestTheLastDeploymentIsTheOneThatEndedLast(t *testing.T) {
	s, _ := outputsOfStep(t, 1)
	defer s.Close()
	at := func(minute int) time.Time { return time.Date(2026, 11, 28, 9, minute, 0, 0, time.UTC) }
	err := s.Update(t.Context(), func(w store.Writer) error {
		err := w.PutProject(deploy.Project{ID: "Projects-9", Space: deploy.DefaultSpace, Name: "Nine", Slug: "nine"})
		for n, ended := range []int{50, 40} { // the first was queued first and ended last
			release := deploy.ReleaseID(fmt.Sprint("Releases-", 91+n))
			task := deploy.TaskID(fmt.Sprint("ServerTasks-", 91+n))
			err = errors.Join(err, w.PutRelease(deploy.Release{
				ID: release, Space: deploy.DefaultSpace, Project: "Projects-9", Version: fmt.Sprint(n + 1), AssembledAt: at(n),
			}), w.PutTask(deploy.Task{
				ID: task, Space: deploy.DefaultSpace, Kind: deploy.DeployTask, State: deploy.TaskSuccess,
				QueuedAt: at(n), StartedAt: at(n), CompletedAt: at(ended),
			}), w.PutDeployment(deploy.Deployment{
				ID: deploy.DeploymentID(fmt.Sprint("Deployments-", 91+n)), Space: deploy.DefaultSpace, Project: "Projects-9",
				Release: release, Environment: "Environments-1", Task: task, CreatedAt: at(n),
			}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), func(r store.Reader) error {
		past, err := pastOf(r, facts{
			project: deploy.Project{ID: "Projects-9"}, environment: deploy.Environment{ID: "Environments-1"},
		})
		if past.Successful != "Deployments-91" || past.Current.Number != "1" || past.Attempted.Number != "1" {
			t.Errorf("the past is %+v", past)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// machinesReader counts how often machines are listed.
type machinesReader struct {
	store.Reader
	looks int
}

func (m *machinesReader) Machines(f store.MachineFilter) ([]deploy.Machine, error) {
	m.looks++
	return m.Reader.Machines(f)
}
