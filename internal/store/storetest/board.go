// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// dashboard looks at the last deployments after each of some random changes, as a list of all deployments has them.
func dashboard(t *testing.T, open Open) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		for _, steps := range rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawBoardStep), 1, 4), 1, 12).Draw(rt, "steps") {
			err := s.Update(t.Context(), func(w store.Writer) error {
				for _, step := range steps {
					if err := step.carryOut(w); err != nil && errkind.Of(err) != errkind.NotFound {
						return err
					}
					if step.aborted {
						return errAborted
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, errAborted) {
				rt.Fatal(err)
			}
			for _, space := range []deploy.SpaceID{"Spaces-1", "Spaces-2"} {
				compareBoard(rt, t, s, space)
			}
		}
		if err := s.Close(); err != nil {
			rt.Fatalf("Close() = %v", err)
		}
	})
}

var errAborted = errors.New("aborted")

func compareBoard(rt *rapid.T, t *testing.T, s store.Store, space deploy.SpaceID) {
	var all, cells []store.DashboardCell
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		if all, err = r.DeploymentCells(store.DeploymentFilter{Space: space}); err != nil { // newest first
			return err
		}
		cells, err = r.LastDeployments(space)
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
	type place struct {
		project     deploy.ProjectID
		environment deploy.EnvironmentID
	}
	seen := map[place]bool{}
	all = slices.DeleteFunc(all, func(c store.DashboardCell) bool {
		at := place{c.Project, c.Environment}
		isOlder := seen[at]
		seen[at] = true
		return isOlder
	})
	slices.SortFunc(all, func(a, b store.DashboardCell) int {
		return cmp.Or(store.CompareIDs(a.Project, b.Project), store.CompareIDs(a.Environment, b.Environment))
	})
	if d := diff.Diff(all, cells, cmpopts.EquateEmpty()); d != "" {
		rt.Fatalf("LastDeployments(%s) (-want +got):\n%s", space, d)
	}
}

// boardStep is one change. Few values, so that they meet.
type boardStep struct {
	op, project, release, environment, deployment int
	at                                            int
	state                                         deploy.TaskState
	aborted                                       bool
}

func drawBoardStep(t *rapid.T) boardStep {
	return boardStep{
		op: rapid.IntRange(0, 9).Draw(t, "op"), project: rapid.IntRange(1, 4).Draw(t, "project"),
		release:     rapid.IntRange(0, 1).Draw(t, "release"),
		environment: rapid.IntRange(9, 10).Draw(t, "environment"), deployment: rapid.IntRange(1, 3).Draw(t, "deployment"),
		at: rapid.IntRange(1, 3).Draw(t, "at"),
		state: rapid.SampledFrom([]deploy.TaskState{
			deploy.TaskQueued, deploy.TaskExecuting, deploy.TaskSuccess,
		}).Draw(t, "state"),
		aborted: rapid.IntRange(0, 9).Draw(t, "abort") == 0,
	}
}

// carryOut makes the release that a deployment needs; projects 3 and 4 are in the second space.
func (s boardStep) carryOut(w store.Writer) error {
	space := deploy.SpaceID(fmt.Sprintf("Spaces-%d", 1+s.project/3))
	project := deploy.ProjectID(fmt.Sprintf("Projects-%d", s.project))
	release := deploy.ReleaseID(fmt.Sprintf("Releases-%d%d", s.project, s.release))
	environment := deploy.EnvironmentID(fmt.Sprintf("Environments-%d", s.environment))
	number := fmt.Sprintf("%d%d%d", s.project, s.environment, s.deployment)
	task := deploy.TaskID("ServerTasks-" + number)
	switch s.op {
	case 0:
		return w.DeleteRelease(release)
	case 1:
		return w.DeleteProject(project)
	case 2:
		return w.PutTask(deploy.Task{
			ID: task, Space: space, Kind: deploy.DeployTask, State: s.state, Project: project, Environment: environment,
			QueuedAt: moment(s.at),
		})
	case 4:
		return second(w.DeleteTask(task))
	case 3:
		if _, err := w.Release(release); err != nil {
			return err
		}
		return w.PutRelease(deploy.Release{
			ID: release, Space: space, Project: project, Version: fmt.Sprintf("%s renamed %d", release, s.at),
		})
	}
	return errors.Join(w.PutProject(deploy.Project{ID: project, Space: space, Name: string(project)}),
		w.PutRelease(deploy.Release{ID: release, Space: space, Project: project, Version: string(release)}),
		w.PutDeployment(deploy.Deployment{
			ID: deploy.DeploymentID("Deployments-" + number), Space: space, Project: project, Release: release,
			Environment: environment, Task: task, CreatedAt: moment(s.at),
		}))
}
