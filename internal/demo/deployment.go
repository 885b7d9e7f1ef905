// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"time"
)

// Task is what the server says of a task.
type Task struct {
	ID           string `json:"Id"`
	Description  string
	State        string // "Queued", "Executing", "Success", "Failed", "Canceled", …
	IsCompleted  bool
	ErrorMessage string
	StartTime    time.Time
	// CompletedTime is zero while the task runs.
	CompletedTime time.Time
}

// Task reads one.
func (r *REST) Task(ctx context.Context, id string) (t Task, err error) {
	return t, r.Get(ctx, "/api/tasks/"+id, &t)
}

// CancelTask asks for the end of a task.
func (r *REST) CancelTask(ctx context.Context, id string) error {
	return r.Post(ctx, "/api/tasks/"+id+"/cancel", object{}, nil)
}

// RawLog is the whole log of a task as text.
func (r *REST) RawLog(ctx context.Context, id string) (text string, err error) {
	return text, r.Get(ctx, "/api/tasks/"+id+"/raw", &text)
}

// CreateRelease makes a release of a project, with that version of every package.
func (r *REST) CreateRelease(ctx context.Context, project, version string) error {
	return r.Post(ctx, spacePath("releases/create/v1"), object{
		"spaceId": "Spaces-1", "spaceIdOrName": "Spaces-1", "projectName": project,
		"releaseVersion": version, "packageVersion": version,
	}, nil)
}

// RetakeVariables has a release take the variables of its project afresh.
func (r *REST) RetakeVariables(ctx context.Context, project, version string) error {
	var release struct{ Id string }
	path := spacePath("projects/" + url.PathEscape(project) + "/releases/" + url.PathEscape(version))
	if err := r.Get(ctx, path, &release); err != nil {
		return err
	}
	return r.Post(ctx, spacePath("releases/"+release.Id+"/snapshot-variables"), object{}, nil)
}

// Deploy queues the deployment of a release and returns the id of its task.
func (r *REST) Deploy(ctx context.Context, project, version, environment string) (task string, err error) {
	return r.deploy(ctx, project, version, environment, nil)
}

// DeployGuided does so with a deployment that asks people about each failure.
func (r *REST) DeployGuided(ctx context.Context, project, version, environment string) (task string, err error) {
	return r.deploy(ctx, project, version, environment, object{"useGuidedFailure": true})
}

// DeployForced does so with a deployment that sends packages which the machines hold already.
func (r *REST) DeployForced(ctx context.Context, project, version, environment string) (task string, err error) {
	return r.deploy(ctx, project, version, environment, object{"forcePackageDownload": true})
}

func (r *REST) deploy(ctx context.Context, project, version, environment string, more object) (task string, err error) {
	var reply struct {
		DeploymentServerTasks []struct{ ServerTaskId string }
	}
	request := object{
		"spaceId": "Spaces-1", "spaceIdOrName": "Spaces-1", "projectName": project,
		"releaseVersion": version, "environmentNames": []string{environment},
	}
	maps.Copy(request, more)
	err = r.Post(ctx, spacePath("deployments/create/untenanted/v1"), request, &reply)
	if err == nil && len(reply.DeploymentServerTasks) != 1 {
		err = fmt.Errorf("deploy %s %s: got %d tasks, want 1", project, version, len(reply.DeploymentServerTasks))
	}
	if err != nil {
		return "", err
	}
	return reply.DeploymentServerTasks[0].ServerTaskId, nil
}

// Activity is one machine's part in one step of a task.
type Activity struct {
	Step, Machine string
	Status        string // "Success", "Failed", "Running", …
}

// Activities reads how far each machine has come in each step of a task.
func (r *REST) Activities(ctx context.Context, task string) ([]Activity, error) {
	var details struct {
		ActivityLogs []struct {
			Children []struct { // steps
				Name     string
				Children []struct{ Name, Status string } // machines
			}
		}
	}
	if err := r.Get(ctx, "/api/tasks/"+task+"/details?tail=1", &details); err != nil {
		return nil, err
	}
	var all []Activity
	for _, root := range details.ActivityLogs {
		for _, step := range root.Children {
			for _, machine := range step.Children {
				all = append(all, Activity{Step: step.Name, Machine: machine.Name, Status: machine.Status})
			}
		}
	}
	return all, nil
}

// RunScript queues a bash script on machines named and returns the id of its task.
func (r *REST) RunScript(ctx context.Context, description, body string, machines ...string) (task string, err error) {
	var reply struct{ Id string }
	err = r.Post(ctx, "/api/tasks", object{
		"Name": "AdHocScript", "Description": description,
		"Arguments": object{"ScriptBody": body, "Syntax": "Bash", "MachineNames": machines},
	}, &reply)
	return reply.Id, err
}
