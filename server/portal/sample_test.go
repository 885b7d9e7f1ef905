// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"encoding/json"
	"os"

	"fairlead/server/identity"
	"fairlead/server/portal"
)

// sample is a server in the middle of its work: testdata/sample.json.
func sample() *fake {
	data, err := os.ReadFile("testdata/sample.json")
	if err != nil {
		panic(err)
	}
	var s struct {
		Dashboard portal.Dashboard
		Projects  []portal.ProjectSummary
		Project   portal.Project
		Release   portal.Release
		Machines  []portal.Machine
		Machine   portal.MachineDetail
		Tasks     []portal.Task
		Task      portal.TaskDetail
		Log       []portal.LogLine
		Packages  []portal.Package
		Events    []portal.Event
	}
	if err := json.Unmarshal(data, &s); err != nil {
		panic(err)
	}
	s.Machine.Recent = s.Tasks[:4:4]
	return &fake{
		permissions: identity.NewSet(identity.Everything()...), dashboard: s.Dashboard, projects: s.Projects, project: s.Project,
		release: s.Release, machines: s.Machines, machine: s.Machine, tasks: s.Tasks, task: s.Task, log: s.Log,
		packages: s.Packages, events: s.Events,
	}
}
