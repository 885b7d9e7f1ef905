// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/daemon"
)

// stock says how much lies in the store of a server whose lists are measured.
type stock struct {
	Home                      string
	Machines, Projects, Tasks int
}

const (
	stockEnvironments = 5
	// releasesEach is how many releases a project has; each holds a snapshot.
	releasesEach = 4
	// batch is how many machines, projects or deployments are written in one transaction.
	batch = 500
	// machinesPlanned is how many machines a step of a deployment names.
	machinesPlanned = 10
)

// stocker fills a store.
type stocker struct {
	stock
	db           *sqlite.Store
	began        time.Time
	group        deploy.ProjectGroupID
	lifecycle    deploy.LifecycleID
	environments []deploy.EnvironmentID
	machines     []deploy.MachineID
	projects     []stockedProject
}

type stockedProject struct {
	id       deploy.ProjectID
	channel  deploy.ChannelID
	releases []deploy.ReleaseID
}

// fillStock makes the home of a server that has worked for a long time, and fills its store.
func fillStock(ctx context.Context, o stock) (_ any, err error) {
	d, err := daemon.New(ctx, serverOptions(openServer{o.Home, "127.0.0.1:0"}), benchEnv())
	if err != nil {
		return nil, err
	}
	d.Close()
	s := &stocker{stock: o, began: time.Now().Add(-365 * 24 * time.Hour)}
	if s.db, err = sqlite.Open(ctx, filepath.Join(o.Home, "fairlead.db"), sqlite.Options{}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if err := s.db.Update(ctx, s.putEnvironments); err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		count int
		put   func(store.Writer, int) error
	}{{o.Machines, s.putMachine}, {o.Projects, s.putProject}, {o.Tasks, s.putDeployment}} {
		for from := 0; from < kind.count; from += batch {
			err := s.db.Update(ctx, func(w store.Writer) (err error) {
				for i := from; err == nil && i < min(from+batch, kind.count); i++ {
					err = kind.put(w, i)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func (s *stocker) putEnvironments(w store.Writer) error {
	groups, err := w.ProjectGroups(deploy.DefaultSpace)
	if err != nil {
		return err
	}
	lifecycles, err := w.Lifecycles(deploy.DefaultSpace)
	if err != nil {
		return err
	}
	s.group, s.lifecycle = groups[0].ID, lifecycles[0].ID
	for i := range stockEnvironments {
		id, err := w.NextID("Environments")
		if err != nil {
			return err
		}
		s.environments = append(s.environments, deploy.EnvironmentID(id))
		name := fmt.Sprintf("Environment %d", i)
		err = w.PutEnvironment(deploy.Environment{
			ID: deploy.EnvironmentID(id), Space: deploy.DefaultSpace, Name: name, Slug: deploy.Slug(name), SortOrder: i,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stocker) putMachine(w store.Writer, i int) error {
	id, err := w.NextID("Machines")
	if err != nil {
		return err
	}
	s.machines = append(s.machines, deploy.MachineID(id))
	return w.PutMachine(deploy.Machine{
		ID: deploy.MachineID(id), Space: deploy.DefaultSpace, Name: fmt.Sprintf("host-%05d", i), Style: deploy.Polling,
		Environments: []deploy.EnvironmentID{s.environments[i%stockEnvironments]}, Tags: []string{"db", "web"},
		Pin: fmt.Sprintf("%064x", i+1), AddedAt: s.began,
		Facts: deploy.MachineFacts{
			AgentVersion: "1.0.0", OS: "linux", Distribution: "Debian GNU/Linux 13", Arch: "amd64",
			Hostname: fmt.Sprintf("host-%05d", i), Shell: "bash", ShellVersion: "5.2.37",
		},
		Health: deploy.Health{Status: deploy.HealthUnavailable, CheckedAt: s.began, LastSeen: s.began},
	})
}

func (s *stocker) putProject(w store.Writer, i int) error {
	var ids [2]string
	for n, kind := range []string{"Projects", "Channels"} {
		var err error
		if ids[n], err = w.NextID(kind); err != nil {
			return err
		}
	}
	name := fmt.Sprintf("Project %04d", i)
	p := stockedProject{id: deploy.ProjectID(ids[0]), channel: deploy.ChannelID(ids[1])}
	variables := deploy.VariableSet{Owner: deploy.OwnerID(p.id)}
	for n := range 20 {
		variables.Variables = append(variables.Variables, deploy.Variable{
			ID: fmt.Sprintf("%d-%d", i, n), Name: fmt.Sprintf("Setting%d", n), Value: "a value of usual length",
		})
	}
	process := deploy.Process{Project: p.id, Steps: s.steps(i)}
	_, processErr := w.NextID("Processes")
	err := errors.Join(processErr, w.PutProject(deploy.Project{
		ID: p.id, Space: deploy.DefaultSpace, Name: name, Slug: deploy.Slug(name), Group: s.group, Lifecycle: s.lifecycle,
		Description: "One of many.",
	}), w.PutChannel(deploy.Channel{
		ID: p.channel, Space: deploy.DefaultSpace, Project: p.id, Name: "Default", Slug: "default", IsDefault: true,
	}))
	if err != nil {
		return err
	}
	if process.Version, err = w.PutProcess(process); err != nil {
		return err
	}
	if variables.Version, err = w.PutVariables(variables); err != nil {
		return err
	}
	for n := range releasesEach {
		id, err := w.NextID("Releases")
		if err != nil {
			return err
		}
		p.releases = append(p.releases, deploy.ReleaseID(id))
		err = w.PutRelease(deploy.Release{
			ID: deploy.ReleaseID(id), Space: deploy.DefaultSpace, Project: p.id, Channel: p.channel,
			Version: fmt.Sprintf("1.%d.0", n), AssembledAt: s.began, AssembledBy: "bench", Process: process,
			Variables: variables,
		})
		if err != nil {
			return err
		}
	}
	s.projects = append(s.projects, p)
	return nil
}

// steps are three scripts of half a KiB.
func (s *stocker) steps(project int) []deploy.Step {
	var steps []deploy.Step
	for n := range 3 {
		name := fmt.Sprintf("Step %d of project %d", n+1, project)
		steps = append(steps, deploy.Step{
			ID: fmt.Sprintf("step-%d-%d", project, n), Name: name, Tags: []string{"web"}, Condition: deploy.OnSuccess,
			Actions: []deploy.Action{{
				ID: fmt.Sprintf("action-%d-%d", project, n), Name: name, Kind: deploy.ScriptAction,
				Properties: map[string]string{
					deploy.PropScriptBody: fmt.Sprintf("%0512d", n), deploy.PropScriptSyntax: "Bash",
				},
			}},
		})
	}
	return steps
}

// putDeployment adds one that has ended, with its task and what the audit trail says of it.
func (s *stocker) putDeployment(w store.Writer, i int) error {
	p := s.projects[i%len(s.projects)]
	turn := i / len(s.projects)
	deployment, err := w.NextID("Deployments")
	if err != nil {
		return err
	}
	task, err := w.NextID("ServerTasks")
	if err != nil {
		return err
	}
	at := s.began.Add(time.Duration(i) * time.Minute)
	plan := deploy.Plan{}
	for n, step := range s.steps(i % len(s.projects)) {
		first := (i * machinesPlanned) % max(1, len(s.machines)-machinesPlanned)
		plan.Steps = append(plan.Steps, deploy.PlannedStep{
			Number: n + 1, Name: step.Name, Condition: step.Condition, Actions: step.Actions,
			Machines: s.machines[first:min(first+machinesPlanned, len(s.machines))],
		})
	}
	environment := s.environments[turn%stockEnvironments]
	err = w.PutTask(deploy.Task{
		ID: deploy.TaskID(task), Space: deploy.DefaultSpace, Kind: deploy.DeployTask, State: deploy.TaskSuccess,
		Description: "Deploy " + string(p.id), Project: p.id, Environment: environment,
		Deployment: deploy.DeploymentID(deployment), Plan: plan, QueuedAt: at, QueuedBy: "bench", StartedAt: at,
		CompletedAt: at.Add(time.Minute),
	})
	if err != nil {
		return err
	}
	err = w.PutDeployment(deploy.Deployment{
		ID: deploy.DeploymentID(deployment), Space: deploy.DefaultSpace, Project: p.id, Environment: environment,
		Release: p.releases[turn%releasesEach], Channel: p.channel, Task: deploy.TaskID(task), Name: "Deploy",
		CreatedAt: at, CreatedBy: "bench", Plan: plan,
	})
	if err != nil {
		return err
	}
	_, err = w.AddEvent(deploy.Event{
		At: at, User: "bench", Category: "DeploymentQueued", Subject: deployment, Message: "Project was deployed.",
	})
	return err
}

// apiKey makes a key of the administrator through the admin socket of the server that runs in home.
func apiKey(ctx context.Context, home string) (any, error) {
	var key struct{ ApiKey string }
	err := postAdmin(ctx, home, "/api/users/Users-1/apikeys", map[string]string{"Purpose": "bench"}, &key)
	return key.ApiKey, err
}
