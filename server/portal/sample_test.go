// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"fmt"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

func before(d time.Duration) time.Time { return now.Add(-d) }

const day = 24 * time.Hour

// sample is a server in the middle of its work.
func sample() *fake {
	f := &fake{permissions: identity.NewSet(identity.Everything()...)}
	f.dashboard = sampleDashboard()
	f.projects = []portal.ProjectSummary{
		{Slug: "shop", Name: "Shop", Description: "The web shop: front end and its database scripts", Group: "Customer", Steps: 3, Latest: "1.4.2", LatestAt: before(50 * time.Minute)},
		{Slug: "checkout", Name: "Checkout", Group: "Customer", Steps: 2, Latest: "2.11.0-rc.3", LatestAt: before(3 * time.Hour)},
		{Slug: "mail-relay", Name: "Mail relay", Description: "Outgoing mail", Group: "Infrastructure", Steps: 1, Latest: "0.9.14", LatestAt: before(9 * day)},
		{Slug: "old-portal", Name: "Old portal", Group: "Infrastructure", Steps: 4, IsDisabled: true},
	}
	f.project = sampleProject(f.projects[0])
	f.release = portal.Release{
		ReleaseSummary: f.project.Releases[0], Project: f.projects[0],
		Notes:        "Faster search.\nThe basket keeps its items for 30 days.\n\nNeeds the database scripts of 1.4.",
		Packages:     []portal.ReleasePackage{{"Deploy the web application", "Shop.Web", "1.4.2"}, {"Migrate the database", "Shop.Database", "1.4.0"}},
		Environments: f.project.Environments,
		Deployments: []portal.Deployment{
			{"Staging", "ServerTasks-41", deploy.TaskExecuting, before(80 * time.Second), "ann"},
			{"Test", "ServerTasks-40", deploy.TaskSuccess, before(45 * time.Minute), "ann"},
			{"Test", "ServerTasks-38", deploy.TaskFailed, before(48 * time.Minute), "build"},
		},
	}
	f.machines = sampleMachines()
	f.machine = portal.MachineDetail{
		Machine: f.machines[0], Pin: strings.Repeat("3fa94c07d1be582e", 4), Hostname: "web-1.internal", Shell: "/usr/bin/bash 5.2.15",
		DiskFree: 37 << 30, AddedAt: before(62 * day), Recent: sampleTasks()[:4],
		Warnings: []string{"The certificate of this agent ends on 2026-12-05. It is renewed when the line is up; nothing to do."},
	}
	f.tasks = sampleTasks()
	f.task = sampleTask()
	f.log = sampleLog()
	f.packages = samplePackages()
	f.events = sampleEvents()
	return f
}

func sampleDashboard() portal.Dashboard {
	cell := func(version string, task int, state deploy.TaskState, d time.Duration) portal.DashboardCell {
		return portal.DashboardCell{Version: version, Task: deploy.TaskID(fmt.Sprint("ServerTasks-", task)), State: state, At: before(d)}
	}
	none := portal.DashboardCell{}
	warned := cell("0.9.14", 22, deploy.TaskSuccess, 9*day)
	warned.HasWarnings = true
	return portal.Dashboard{
		Machines: 9, Online: 7, Running: 2, Queued: 1, Packages: 6,
		Environments: []portal.Environment{{"Environments-1", "Test"}, {"Environments-2", "Staging"}, {"Environments-3", "Production EU"}, {"Environments-4", "Production US"}},
		Projects: []portal.DashboardRow{
			{"shop", "Shop", "Customer", []portal.DashboardCell{cell("1.4.2", 40, deploy.TaskSuccess, 45*time.Minute), cell("1.4.2", 41, deploy.TaskExecuting, 80*time.Second), cell("1.3.9", 31, deploy.TaskSuccess, 6*day), cell("1.3.9", 33, deploy.TaskSuccess, 5*day)}},
			{"checkout", "Checkout", "Customer", []portal.DashboardCell{cell("2.11.0-rc.3", 39, deploy.TaskFailed, 2*time.Hour), cell("2.10.4", 35, deploy.TaskSuccess, 3*day), cell("2.10.4", 36, deploy.TaskCanceled, 2*day), cell("2.10.3", 30, deploy.TaskSuccess, 20*day)}},
			{"mail-relay", "Mail relay", "Infrastructure", []portal.DashboardCell{warned, cell("0.9.14", 42, deploy.TaskQueued, 20*time.Second), cell("0.9.12", 19, deploy.TaskTimedOut, 31*day), none}},
			{"old-portal", "Old portal", "Infrastructure", []portal.DashboardCell{none, none, none, cell("8.0", 3, deploy.TaskSuccess, 400*day)}},
		},
	}
}

func sampleProject(summary portal.ProjectSummary) portal.Project {
	place := func(name string, task int, state deploy.TaskState) portal.Place {
		return portal.Place{Environment: name, Task: deploy.TaskID(fmt.Sprint("ServerTasks-", task)), State: state}
	}
	return portal.Project{
		ProjectSummary: summary, NextVersion: "1.4.3",
		Environments: sampleDashboard().Environments,
		Process: []portal.Step{
			{Number: 1, Name: "Stop taking traffic", Tags: []string{"web"}, Window: 2, Actions: []portal.Action{{Name: "Stop taking traffic", Kind: deploy.ScriptAction}}},
			{Number: 2, Name: "Deploy the web application", Tags: []string{"web", "web-canary"}, Actions: []portal.Action{
				{Name: "Unpack and switch", Kind: deploy.PackageAction, PackageID: "Shop.Web"},
				{Name: "Warm the cache", Kind: deploy.ScriptAction, Only: []string{"Production EU", "Production US"}},
			}},
			{Number: 3, Name: "Tell the team", Tags: []string{"bastion"}, Condition: deploy.Always, Actions: []portal.Action{{Name: "Post to chat", Kind: deploy.ScriptAction, IsDisabled: true}}},
		},
		Releases: []portal.ReleaseSummary{
			{"1.4.2", before(50 * time.Minute), "build", []portal.Place{place("Test", 40, deploy.TaskSuccess), place("Staging", 41, deploy.TaskExecuting)}},
			{"1.4.1", before(2 * day), "build", nil},
			{"1.4.0", before(4 * day), "ann", nil},
			{"1.3.9", before(8 * day), "build", []portal.Place{place("Production EU", 31, deploy.TaskSuccess), place("Production US", 33, deploy.TaskFailed)}},
		},
	}
}

func sampleMachines() []portal.Machine {
	const debian, alma = "Debian GNU/Linux 12 (bookworm)", "AlmaLinux 9.4 (Seafoam Ocelot)"
	return []portal.Machine{
		{ID: "Machines-1", Name: "web-1", Style: deploy.Polling, Remote: "203.0.113.7:41822", Online: true, Since: before(3 * day), Health: deploy.HealthHealthy, Summary: "Bash runs, 37 GiB free, clock is right", CheckedAt: before(12 * time.Minute), Environments: []string{"Staging", "Production EU"}, Tags: []string{"web"}, AgentVersion: "0.1.0", System: debian, Arch: "amd64"},
		{ID: "Machines-2", Name: "web-2", Style: deploy.Polling, Remote: "203.0.113.7:50110", Online: true, Since: before(3 * time.Hour), Health: deploy.HealthHasWarnings, Environments: []string{"Production EU"}, Tags: []string{"web", "web-canary"}, AgentVersion: "0.0.9", System: debian, Arch: "amd64"},
		{ID: "Machines-3", Name: "db-primary", Style: deploy.Listening, Address: "10.20.0.14:10933", Online: true, Since: before(41 * day), Health: deploy.HealthHealthy, Environments: []string{"Production EU"}, Tags: []string{"database"}, AgentVersion: "0.1.0", System: alma, Arch: "amd64"},
		{ID: "Machines-4", Name: "edge-berlin-07", Style: deploy.Polling, Online: false, Since: before(26 * time.Minute), LastSeen: before(26 * time.Minute), Health: deploy.HealthUnavailable, Trouble: "no ping for 60 s", Environments: []string{"Production EU"}, Tags: []string{"edge"}, AgentVersion: "0.1.0", System: "Raspberry Pi OS 12", Arch: "arm64"},
		{ID: "Machines-5", Name: "bastion", Style: deploy.Listening, Address: "bastion.example:10933", Online: false, IsDisabled: true, LastSeen: before(80 * day), Health: deploy.HealthUnknown, Environments: nil, Tags: []string{"bastion"}, Arch: "amd64"},
		{ID: "Machines-6", Name: "web-us-1", Style: deploy.Polling, Remote: "[2001:db8:17::5]:41122", Online: true, Since: before(6 * time.Minute), Health: deploy.HealthUnhealthy, Environments: []string{"Production US"}, Tags: []string{"web"}, AgentVersion: "0.1.0", System: debian, Arch: "arm64"},
		{ID: "Machines-7", Name: "new-one", Style: deploy.Polling, Health: deploy.HealthUnknown, Environments: []string{"Test"}, Tags: []string{"web"}},
	}
}

func sampleTasks() []portal.Task {
	return []portal.Task{
		{ID: "ServerTasks-42", Kind: deploy.DeployTask, Description: "Deploy Mail relay 0.9.14 to Staging", State: deploy.TaskQueued, WaitsFor: "another deployment of Mail relay to Staging (ServerTasks-37)", Environment: "Staging", QueuedAt: before(20 * time.Second), QueuedBy: "build"},
		{ID: "ServerTasks-41", Kind: deploy.DeployTask, Description: "Deploy Shop 1.4.2 to Staging", State: deploy.TaskExecuting, Environment: "Staging", QueuedAt: before(85 * time.Second), QueuedBy: "ann", StartedAt: before(80 * time.Second)},
		{ID: "ServerTasks-40", Kind: deploy.DeployTask, Description: "Deploy Shop 1.4.2 to Test", State: deploy.TaskSuccess, Environment: "Test", QueuedAt: before(45 * time.Minute), QueuedBy: "ann", StartedAt: before(45 * time.Minute), CompletedAt: before(44*time.Minute + 12*time.Second)},
		{ID: "ServerTasks-39", Kind: deploy.DeployTask, Description: "Deploy Checkout 2.11.0-rc.3 to Test", State: deploy.TaskFailed, Error: "step 2 (Deploy the service) failed on 1 of 3 machines", Environment: "Test", QueuedAt: before(2 * time.Hour), QueuedBy: "build", StartedAt: before(2 * time.Hour), CompletedAt: before(2*time.Hour - 97*time.Second)},
		{ID: "ServerTasks-38", Kind: deploy.HealthTask, Description: "Check the health of 9 machines", State: deploy.TaskSuccess, HasWarnings: true, QueuedAt: before(3 * time.Hour), QueuedBy: "system", StartedAt: before(3 * time.Hour), CompletedAt: before(3*time.Hour - 4*time.Second)},
		{ID: "ServerTasks-36", Kind: deploy.DeployTask, Description: "Deploy Checkout 2.10.4 to Production EU", State: deploy.TaskCanceled, Environment: "Production EU", QueuedAt: before(2 * day), QueuedBy: "ann", StartedAt: before(2 * day), CompletedAt: before(2*day - 3*time.Minute)},
		{ID: "ServerTasks-19", Kind: deploy.ScriptTask, Description: "Run a script on 2 machines", State: deploy.TaskTimedOut, QueuedAt: before(31 * day), QueuedBy: "ann", StartedAt: before(31 * day), CompletedAt: before(31*day - 65*time.Minute)},
	}
}

func sampleTask() portal.TaskDetail {
	task := sampleTasks()[1]
	task.ProjectSlug, task.Project, task.Version = "shop", "Shop", "1.4.2"
	machine := func(step, n int, name string, a deploy.Activity) portal.TaskMachine {
		return portal.TaskMachine{ID: deploy.MachineID(fmt.Sprint("Machines-", n)), Name: name, Node: fmt.Sprintf("%d/Machines-%d", step, n), Activity: a}
	}
	return portal.TaskDetail{Task: task, Steps: []portal.TaskStep{
		{Number: 1, Name: "Stop taking traffic", Node: "1", Activity: deploy.ActivitySuccess, Machines: []portal.TaskMachine{machine(1, 1, "web-1", deploy.ActivitySuccess), machine(1, 2, "web-2", deploy.ActivitySuccess)}},
		{Number: 2, Name: "Deploy the web application", Node: "2", Activity: deploy.ActivityRunning, Machines: []portal.TaskMachine{machine(2, 1, "web-1", deploy.ActivityRunning), machine(2, 2, "web-2", deploy.ActivityFailed), machine(2, 6, "web-us-1", deploy.ActivityPending)}},
		{Number: 3, Name: "Tell the team", Node: "3", Activity: deploy.ActivitySkipped, Reason: "finds no enabled machine with the tag bastion in this environment"},
	}}
}

func sampleLog() (lines []portal.LogLine) {
	at := before(80 * time.Second)
	add := func(node, category, text string) {
		at = at.Add(731 * time.Millisecond)
		lines = append(lines, portal.LogLine{At: at, Category: category, Node: node, Text: text})
	}
	add("", "Info", "Deploying release 1.4.2 of Shop to Staging")
	add("1", "Info", "Step 1: Stop taking traffic, on 2 machines")
	add("1/Machines-1", "Verbose", "The script waits for the lock of Checkout (ServerTasks-39)")
	add("1/Machines-1", "Wait", "Waiting for the script of ServerTasks-39 on web-1 to end")
	add("1/Machines-1", "Info", "draining connections: \x1b[32m14 left\x1b[0m")
	add("1/Machines-2", "Info", "draining connections: 9 left")
	add("1/Machines-1", "Info", "draining connections: 0 left")
	add("1/Machines-2", "Warning", "2 connections did not close in 20 s and were cut")
	add("2", "Info", "Step 2: Deploy the web application, on 3 machines")
	add("2/Machines-1", "Info", "Shop.Web 1.4.2 is on the machine already (42.7 MiB not sent)")
	add("2/Machines-2", "Info", "Shop.Web 1.4.2: received 42.7 MiB in 3.1 s")
	add("2/Machines-2", "Info", "unpacked 1,204 files to applications/Staging/Shop.Web/1.4.2")
	add("2/Machines-2", "Info", "substituted 7 variables in appsettings.json")
	add("2/Machines-2", "Error", "deploy.sh: line 14: /etc/shop/license.key: No such file or directory")
	add("2/Machines-2", "Fatal", "The deploy hook ended with exit code 1")
	add("2/Machines-1", "Highlight", "current -> applications/Staging/Shop.Web/1.4.2")
	add("2/Machines-1", "Info", "\tGET /health 200 in 14 ms, and a line that goes on for longer than any screen is wide because programs write such lines when they print what they were started with: --config /etc/shop/config.toml --listen 127.0.0.1:8080 --workers 8")
	add("2/Machines-1", "Info", "a try at the terminal's title: \x1b]0;owned\x07 and <script>alert(1)</script>")
	return lines
}

func samplePackages() []portal.Package {
	sum := strings.Repeat("9b2f61c84de07a35", 4)
	return []portal.Package{
		{"Checkout.Service", "2.11.0-rc.3", "tar.gz", 18_220_113, sum, before(3 * time.Hour), 41},
		{"Mail.Relay", "0.9.14", "zip", 871_233, sum, before(9 * day), 14},
		{"Shop.Database", "1.4.0", "zip", 40_913, sum, before(4 * day), 7},
		{"Shop.Web", "1.4.2", "tar.gz", 44_774_102, sum, before(55 * time.Minute), 23},
	}
}

func sampleEvents() []portal.Event {
	return []portal.Event{
		{112, before(85 * time.Second), "ann", "DeploymentQueued", "Deployments-41", "Shop 1.4.2 was queued for Staging"},
		{111, before(26 * time.Minute), "system", "MachineOffline", "Machines-4", "edge-berlin-07 went off line: no ping for 60 s"},
		{110, before(50 * time.Minute), "build", "ReleaseCreated", "Releases-88", "release 1.4.2 of project Shop was created"},
		{109, before(55 * time.Minute), "build", "PackagePushed", "packages-Shop.Web.1.4.2", "Package Shop.Web 1.4.2 was pushed, SHA-256 " + strings.Repeat("9b2f61c84de07a35", 4)},
		{108, before(3 * day), "ann", "TokenCreated", "jointoken-7f3a", "a join token for Production EU with the tag web was made; it ends in an hour"},
	}
}
