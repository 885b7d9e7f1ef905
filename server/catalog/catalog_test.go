// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

func TestSeedingTwiceChangesNothing(t *testing.T) {
	s := newSite(t)
	before := ok(s.Installation(s.ctx))(t)
	created := ok(s.Seed(s.ctx, "other"))(t)
	if diff := cmp.Diff(before, ok(s.Installation(s.ctx))(t)); created || diff != "" {
		t.Errorf("created %v (-want +got):\n%s", created, diff)
	}
}

func TestReleasesChooseVersions(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.9.0", "1.10.0", "2.0.0-beta.1")
	s.push("Web.Tools", "0.9.0-alpha")
	s.fill(step("Web", packageAction("Web", "Web.App")), step("Tools", packageAction("Tools", "web.tools")))
	for name, c := range map[string]struct {
		q    catalog.ReleaseRequest
		want []string
		why  string
	}{
		"newest that is no prerelease": {q: catalog.ReleaseRequest{}, want: []string{"1.10.0", "0.9.0-alpha"}},
		"by package": {
			q:    catalog.ReleaseRequest{Packages: []string{"web.app:1.9.0"}},
			want: []string{"1.9.0", "0.9.0-alpha"},
		},
		"step beats package": {
			q:    catalog.ReleaseRequest{Packages: []string{"Web=1.9.0", "Web.App/2.0.0-beta.1"}},
			want: []string{"1.9.0", "0.9.0-alpha"},
		},
		"later beats earlier": {
			q:    catalog.ReleaseRequest{Packages: []string{"*:9.9.9", "Web.App:1.9.0", "Web.App:1.10.0", "Tools::0.9.0-alpha"}},
			want: []string{"1.10.0", "0.9.0-alpha"},
		},
		"prerelease asked for": {q: catalog.ReleaseRequest{
			Prerelease: "beta",
			Packages:   []string{"Tools:0.9.0-alpha"},
		}, want: []string{"2.0.0-beta.1", "0.9.0-alpha"}},
		"version that is missing": {q: catalog.ReleaseRequest{PackageVersion: "1.9.0"}, why: "Web.Tools 1.9.0"},
		"entry that fits nothing": {q: catalog.ReleaseRequest{Packages: []string{"Nope:1.0"}}, why: "fits no package"},
		"entry without version":   {q: catalog.ReleaseRequest{Packages: []string{"Web.App"}}, why: "want name:version"},
		"unknown channel":         {q: catalog.ReleaseRequest{Channel: "Hotfix"}, why: "no channel"},
		"version that is none":    {q: catalog.ReleaseRequest{Version: "a b"}, why: "version"},
	} {
		c.q.Project = "Web"
		made, _, err := s.CreateRelease(s.ctx, root(), c.q)
		if c.why != "" {
			if got := strings.Join(reasons(t, err), "\n"); !strings.Contains(strings.ToLower(got), strings.ToLower(c.why)) {
				t.Errorf("%s: reasons %q, want %q", name, got, c.why)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range made.Packages {
			got = append(got, p.Version)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReleasesAreSnapshotsAndCountUp(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	first, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"})
	if err != nil || first.Version != "0.0.1" {
		t.Fatalf("first release %q, %v", first.Version, err)
	}
	process := ok(s.Process(s.ctx, root(), "Web"))(t)
	process.Steps[0].Name = "B"
	ok(s.SaveProcess(s.ctx, root(), "Web", process))(t)
	if held := ok(s.Release(s.ctx, root(), "releases-1"))(t); held.Process.Steps[0].Name != "A" {
		t.Errorf("a change of the process changed release %s", held.Version)
	}
	for _, want := range []string{"0.0.2", "0.0.3"} {
		if made, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}); err != nil ||
			made.Version != want {
			t.Errorf("next release %q, want %s; %v", made.Version, want, err)
		}
	}
	_, _, err = s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", Version: "0.0.2"})
	if errkind.Of(err) != errkind.Conflict {
		t.Errorf("the same number again: %v", err)
	}
	same, created, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{
		Project: "Web", Version: "0.0.1",
		IgnoreIfAlreadyThere: true,
	})
	if err != nil || created || same.ID != first.ID {
		t.Errorf("ignored: %v, %v, %v", same.ID, created, err)
	}
}

func TestProcessTellsEveryBrokenRule(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	bad := deploy.Process{Version: 1, Steps: []deploy.Step{
		{Name: "", Tags: nil, Actions: nil},
		{Name: "X", Tags: []string{"a,b"}, Condition: "Sometimes", Window: -1, Actions: []deploy.Action{
			{Name: "one", Kind: "Octopus.Other"},
			{
				Name: "ONE", Kind: deploy.ScriptAction, Environments: []deploy.EnvironmentID{"Environments-9"},
				Properties: map[string]string{
					deploy.PropScriptSyntax: "PowerShell", deploy.PropRunOnServer: "True", deploy.PropTimeoutMinutes: "-1",
					deploy.PropScriptSource: "GitRepository",
				},
			},
			{Name: "p", Kind: deploy.PackageAction, Packages: []deploy.PackageReference{{PackageID: "../x"}}},
			{Name: "q", Kind: deploy.PackageAction},
		}},
	}}
	_, err := s.SaveProcess(s.ctx, root(), "Web", bad)
	got := strings.Join(reasons(t, err), "\n")
	for _, want := range []string{
		"a step needs a name", "names no target tag", "has 0 actions", `tag "a,b"`, `condition "Sometimes"`, "step X: Octopus.Action.Max",
		`type "Octopus.Other"`, "two actions have the name ONE", `"Environments-9"`, `syntax "PowerShell"`,
		"runs on the server",
		"ExecutionTimeout", "empty script", `script from "GitRepository"`, `"../x"`, "action q needs one package",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no reason says %q:\n%s", want, got)
		}
	}
	if held := ok(s.Process(s.ctx, root(), "Web"))(t); held.Version != 1 || held.Steps[0].Name != "A" {
		t.Errorf("a refused process was stored: %+v", held)
	}
}

// TestProcessRefusesABrokenRunCondition does so when it is saved, and takes one whose names have no value yet.
func TestProcessRefusesABrokenRunCondition(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	for expression, want := range map[string]string{
		"#{if Nobody[#{Knows}].It}true#{/if}": "",
		"#{Text | MarkdownToHtml}":            "",
		"#{if X":                              `no } ends what begins at "#{if X"`,
		"#{X | Upside}":                       `no filter "Upside"`,
	} {
		bad := step("A", scriptAction("Run it"))
		bad.Condition, bad.Properties = deploy.OnExpression, map[string]string{deploy.PropCondition: expression}
		held := ok(s.Process(s.ctx, root(), "Web"))(t)
		_, err := s.SaveProcess(s.ctx, root(), "Web", deploy.Process{Version: held.Version, Steps: []deploy.Step{bad}})
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", expression, err)
			}
			continue
		}
		got := strings.Join(reasons(t, err), "\n")
		for _, part := range []string{"step A (action Run it)", deploy.PropCondition, want} {
			if !strings.Contains(got, part) {
				t.Errorf("%q is refused without %q: %s", expression, part, got)
			}
		}
	}
}

// TestAReleaseThatThereIsNot is told with its project's name, as people know it.
func TestAReleaseThatThereIsNot(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	_, err := s.ReleaseNumbered(s.ctx, root(), "Web", "9.9")
	if errkind.Of(err) != errkind.NotFound || !strings.Contains(err.Error(), `project Web (Projects-1) has no release "9.9"`) {
		t.Errorf("%v, want NotFound with the project's name", err)
	}
}

// TestScriptFromPackage takes a script action with a package, as clients send it, and no path out of it.
func TestScriptFromPackage(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	for file, want := range map[string]string{
		"bin/run.sh": "", "./run.sh": "", "#{File}": "", "": "want a path", "../run.sh": "want a path", "/bin/sh": "want a path",
	} {
		action := scriptAction("A")
		action.Packages = []deploy.PackageReference{{PackageID: "Tools"}}
		action.Properties = map[string]string{
			deploy.PropScriptSource: "Package", deploy.PropScriptSyntax: "Bash", deploy.PropScriptFile: file,
			deploy.PropScriptArguments: "-a #{X}",
		}
		held := ok(s.Process(s.ctx, root(), "Web"))(t)
		held.Steps = []deploy.Step{step("A", action)}
		_, err := s.SaveProcess(s.ctx, root(), "Web", held)
		if want == "" && err != nil || want != "" && !strings.Contains(strings.Join(reasons(t, err), " "), want) {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
}

func TestZ4ForeignIDsAreNotTaken(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.CreateProject(s.ctx, root(), catalog.ProjectDraft{Name: "Other"}))(t)
	own := ok(s.Process(s.ctx, root(), "Web"))(t)
	foreign := deploy.Process{Steps: []deploy.Step{{
		ID: own.Steps[0].ID, Name: "A", Tags: []string{"x"},
		Actions: own.Steps[0].Actions,
	}}}
	saved := ok(s.SaveProcess(s.ctx, root(), "Other", foreign))(t)
	if saved.Steps[0].ID == own.Steps[0].ID || saved.Steps[0].Actions[0].ID == own.Steps[0].Actions[0].ID {
		t.Error("Z4 a process took the ids of another project's")
	}
	_, err := s.SaveVariables(s.ctx, root(), "Other", deploy.VariableSet{Variables: []deploy.Variable{{
		Name: "x", Scope: deploy.Scope{
			Channels: []deploy.ChannelID{"Channels-1"},
			Actions:  []string{own.Steps[0].Actions[0].ID},
		},
	}}})
	if got := reasons(t, err); len(got) != 2 {
		t.Errorf("Z4 scopes of another project: %q", got)
	}
	again := own
	if again = ok(s.SaveProcess(s.ctx, root(), "Web", own))(t); again.Steps[0].ID != own.Steps[0].ID {
		t.Error("an own id was not kept")
	}
}

func TestDeployQueuesAllOrNothing(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: "Empty"}))(t)
	if _, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Deploy(s.ctx, root(), catalog.DeployRequest{
		Project: "Web", Release: "0.0.1",
		Environments: []string{"Dev", "Empty"},
	})
	if got := reasons(t, err); len(got) != 1 || !strings.Contains(got[0], "nothing to deploy") {
		t.Errorf("reasons %q", got)
	}
	if _, total, err := s.Tasks(s.ctx, root(), catalog.TaskFilter{}); err != nil || total != 0 || s.queued.Load() != 0 {
		t.Errorf("a refused deployment left %d tasks and %d hints; %v", total, s.queued.Load(), err)
	}
	later := s.now.Add(time.Hour)
	made := ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
		Project: "web", Release: "releases-1", Environments: []string{"dev", "Environments-2", "DEV"}, NotBefore: later,
	}))(t)
	if len(made) != 2 || s.queued.Load() != 1 {
		t.Fatalf("%d deployments, %d hints; want 2 and 1", len(made), s.queued.Load())
	}
	task := ok(s.Task(s.ctx, root(), string(made[1].Task)))(t)
	if diff := cmp.Diff(made[1].Plan, task.Plan); diff != "" || !task.NotBefore.Equal(later) ||
		task.Environment != "Environments-2" {
		t.Errorf("task %+v (-want +got):\n%s", task, diff)
	}
	for name, q := range map[string]catalog.DeployRequest{
		"release":     {Project: "Web", Release: "9", Environments: []string{"Dev"}},
		"environment": {Project: "Web", Release: "0.0.1", Environments: []string{"Nope"}},
		"project":     {Project: "Nope", Release: "0.0.1", Environments: []string{"Dev"}},
	} {
		if _, err := s.Deploy(s.ctx, root(), q); errkind.Of(err) != errkind.NotFound {
			t.Errorf("unknown %s: %v, want NotFound", name, err)
		}
	}
	_, err = s.Deploy(s.ctx, root(), catalog.DeployRequest{
		Project: "Web", Release: "0.0.1", Environments: []string{"Dev"}, Only: []string{"nope"}, Except: []string{"none"},
	})
	if got := reasons(t, err); len(got) != 2 {
		t.Errorf("unknown machines: %q", got)
	}
}

// TestDeployTakesVariablesAfresh when it is asked to, by whoever may edit releases, and not when it is refused.
func TestDeployTakesVariablesAfresh(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	saved := ok(s.SaveVariables(s.ctx, root(), "Web", deploy.VariableSet{Variables: []deploy.Variable{{Name: "A", Value: "1"}}}))(t)
	held := func() int { return ok(s.Release(s.ctx, root(), "Releases-1"))(t).Variables.Version }
	before := held()
	q := catalog.DeployRequest{Project: "Web", Release: "1.0.0", Environments: []string{"Dev"}, TakesVariables: true}
	dev := identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}}
	web := identity.Grant{Projects: []deploy.ProjectID{"Projects-1"}, Permissions: identity.NewSet(identity.DeploymentCreate)}
	elsewhere := holder(identity.Grant{Projects: []deploy.ProjectID{"Projects-2"}}, identity.ReleaseEdit)
	elsewhere.Grants = append(elsewhere.Grants, web)
	for who, p := range map[string]identity.Principal{
		"who deploys only": holder(dev, identity.DeploymentCreate), "who edits releases elsewhere": elsewhere,
	} {
		if _, err := s.Deploy(s.ctx, p, q); errkind.Of(err) != errkind.Denied || held() != before {
			t.Errorf("%s: %v, version %d", who, err, held())
		}
	}
	nowhere := q
	nowhere.Environments = []string{"Nope"}
	if _, err := s.Deploy(s.ctx, root(), nowhere); errkind.Of(err) != errkind.NotFound || held() != before {
		t.Errorf("a refused deployment: %v, version %d", err, held())
	}
	ok(s.Deploy(s.ctx, holder(dev, identity.DeploymentCreate, identity.ReleaseEdit), q))(t)
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Take: 2}))(t)
	if held() != saved.Set.Version || len(events) != 2 || events[0].Category != "DeploymentQueued" ||
		events[1].Category != "ReleaseVariablesUpdated" || events[1].User != "ada" || !events[1].At.Equal(s.now) {
		t.Errorf("version %d, want %d; events %+v", held(), saved.Set.Version, events)
	}
}

func TestLifecycleGatesEnvironments(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	lifecycle := ok(s.Lifecycle(s.ctx, root(), "default-lifecycle"))(t)
	lifecycle.Phases = []deploy.Phase{
		{ID: "1", Name: "Test", Environments: []deploy.EnvironmentID{"Environments-1"}},
		{ID: "2", Name: "Live", Environments: []deploy.EnvironmentID{"Environments-2"}},
	}
	if err := s.store.Update(s.ctx, func(w store.Writer) error { return w.PutLifecycle(lifecycle) }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}); err != nil {
		t.Fatal(err)
	}
	to := func(environment string) ([]deploy.Deployment, error) {
		return s.Deploy(s.ctx, root(), catalog.DeployRequest{
			Project: "Web", Release: "0.0.1",
			Environments: []string{environment},
		})
	}
	_, err := to("Production")
	if got := reasons(t, err); !strings.Contains(got[0], "phase Test has to be completed before Production") {
		t.Errorf("reasons %q", got)
	}
	dev := ok(to("Dev"))(t)
	s.finish(dev[0].Task, deploy.TaskFailed)
	_, err = to("Production")
	reasons(t, err)
	dev = ok(to("Dev"))(t)
	s.finish(dev[0].Task, deploy.TaskSuccess)
	ok(to("Production"))(t)
	ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: "Elsewhere"}))(t)
	_, err = to("Elsewhere")
	if got := reasons(t, err); !strings.Contains(strings.Join(got, " "), "no phase with environment Elsewhere") {
		t.Errorf("reasons %q", got)
	}
	phases, next, err := s.Progression(s.ctx, root(), "Releases-1")
	if err != nil || !phases[0].IsComplete || !phases[1].IsOpen || phases[1].IsComplete || len(next) != 2 {
		t.Errorf("progression %+v, next %v, %v", phases, next, err)
	}
}

func TestCancelByState(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	waiting := ok(s.RunScript(s.ctx, root(), catalog.ScriptRequest{Body: "true", Machines: []string{"web-1"}}))(t)
	got := ok(s.Cancel(s.ctx, root(), strings.ToLower(string(waiting.ID))))(t)
	if got.State != deploy.TaskCanceled || got.CompletedAt.IsZero() {
		t.Errorf("a waiting task is %s", got.State)
	}
	if _, err := s.Cancel(s.ctx, root(), string(waiting.ID)); errkind.Of(err) != errkind.Invalid {
		t.Errorf("an ended task: %v", err)
	}
	running := ok(s.CheckHealth(s.ctx, root(), nil))(t)
	s.finish(running.ID, deploy.TaskExecuting)
	for range 2 {
		if got := ok(s.Cancel(s.ctx, root(), string(running.ID)))(t); got.State != deploy.TaskCancelling || !got.CancelAsked {
			t.Errorf("a running task is %s", got.State)
		}
	}
}

func TestScriptsChooseMachines(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	s.machine("web-2", 2)
	ok(s.EditMachine(s.ctx, root(), "web-2", catalog.MachineDraft{
		Name: "web-2", Tags: []string{"db"},
		IsDisabled: true,
	}))(t)
	for name, c := range map[string]struct {
		q   catalog.ScriptRequest
		why string
	}{
		"by name":        {catalog.ScriptRequest{Body: "true", Machines: []string{"WEB-1"}}, ""},
		"by environment": {catalog.ScriptRequest{Body: "true", Environments: []string{"dev"}}, ""},
		"by tag":         {catalog.ScriptRequest{Body: "true", Tags: []string{"web"}}, ""},
		"nothing":        {catalog.ScriptRequest{Body: "true"}, "no enabled machine"},
		"disabled":       {catalog.ScriptRequest{Body: "true", Machines: []string{"web-2"}}, "is disabled"},
		"empty":          {catalog.ScriptRequest{Machines: []string{"web-1"}}, "empty script"},
		"PowerShell":     {catalog.ScriptRequest{Body: "x", Syntax: "PowerShell", Machines: []string{"web-1"}}, "syntax"},
		"no such tag": {
			catalog.ScriptRequest{Body: "true", Tags: []string{"cache"}, Environments: []string{"dev", "Production"}},
			"no machine with the tag cache in Dev or Production was found: give one the tag",
		},
		"two tags": {catalog.ScriptRequest{Body: "true", Tags: []string{" a", "b "}}, "no machine with one of the tags a, b was found"},
		"other tag": {
			catalog.ScriptRequest{Body: "true", Tags: []string{"db"}},
			"no enabled machine with the tag db was chosen: web-2 would be, and is disabled",
		},
	} {
		task, err := s.RunScript(s.ctx, root(), c.q)
		if c.why != "" {
			if got := strings.Join(reasons(t, err), "\n"); !strings.Contains(got, c.why) {
				t.Errorf("%s: %q, want %q", name, got, c.why)
			}
			continue
		}
		if err != nil || cmp.Diff([]deploy.MachineID{"Machines-1"}, task.Plan.Steps[0].Machines) != "" {
			t.Errorf("%s: %+v, %v", name, task.Plan, err)
		}
	}
	_, err := s.RunScript(s.ctx, root(), catalog.ScriptRequest{Body: "true", Machines: []string{"nope"}})
	if got := reasons(t, err); len(got) != 1 || !strings.Contains(got[0], `no machine "nope"`) {
		t.Errorf("a machine there is not: %q, want that alone", got)
	}
}

func TestAcceptingAMachineIsAnEventOfItsOwn(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	err := s.Store.Update(s.ctx, func(w store.Writer) error {
		m, err := w.Machine("Machines-1")
		if err != nil {
			return err
		}
		m.IsDisabled, m.Quarantine = true, "it went back in time"
		return w.PutMachine(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, disabled := range []bool{true, false} {
		ok(s.EditMachine(s.ctx, root(), "web-1", catalog.MachineDraft{Name: "web-1", Tags: []string{"web"}, IsDisabled: disabled}))(t)
	}
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Subject: "Machines-1", Take: 2}))(t)
	if len(events) != 2 || events[0].Category != "MachineAccepted" || events[1].Category != "MachineEdited" ||
		!strings.Contains(events[0].Message, "went back in time") {
		t.Errorf("events %+v", events)
	}
}

// What a person accepts is the quarantine that the page showed, not one that came meanwhile.
func TestAcceptMachineAcceptsWhatWasSeen(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	err := s.Store.Update(s.ctx, func(w store.Writer) error {
		m, err := w.Machine("Machines-1")
		if err != nil {
			return err
		}
		m.IsDisabled, m.Quarantine = true, "two agents are alive with one key"
		return w.PutMachine(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	for who, p := range map[errkind.Kind]identity.Principal{errkind.Conflict: root(), errkind.Denied: {}} {
		if err := s.AcceptMachine(s.ctx, p, "Machines-1", "it went back in time"); errkind.Of(err) != who {
			t.Errorf("another reason: %v, want %s", err, who)
		}
	}
	if err := s.AcceptMachine(s.ctx, root(), "Machines-1", "two agents are alive with one key"); err != nil {
		t.Fatal(err)
	}
	m := ok(s.Machine(s.ctx, root(), "Machines-1"))(t)
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Subject: "Machines-1", Take: 1}))(t)
	if m.IsDisabled || m.Quarantine != "" || events[0].Category != "MachineAccepted" {
		t.Errorf("machine %+v, event %+v", m, events[0])
	}
	if err := s.AcceptMachine(s.ctx, root(), "Machines-1", "two agents are alive with one key"); errkind.Of(err) != errkind.Conflict {
		t.Errorf("accepted twice: %v", err)
	}
}

func TestPinsStayRetired(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	again := catalog.MachineDraft{Name: "web-9", Address: "h:1", Pin: fmt.Sprintf("%064X", 1)}
	if _, err := s.AddListening(s.ctx, root(), again); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a pin in use: %v", err)
	}
	if err := s.DeleteMachine(s.ctx, root(), "web-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddListening(s.ctx, root(), again); errkind.Of(err) != errkind.Conflict || errkind.Hint(err) == "" {
		t.Errorf("a retired pin: %v", err)
	}
	again.Pin = s.Pin
	if _, err := s.AddListening(s.ctx, root(), again); errkind.Of(err) != errkind.Invalid || errkind.Hint(err) == "" {
		t.Errorf("the server as a machine: %v", err)
	}
	_, err := s.AddListening(s.ctx, root(), catalog.MachineDraft{
		Name: "Bad Name", Environments: []string{"nope"},
		Address: "x", Tags: []string{""},
	})
	if got := reasons(t, err); len(got) != 5 {
		t.Errorf("%d reasons, want 5: %q", len(got), got)
	}
}

func TestTokens(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	row, text, err := s.CreateToken(s.ctx, root(), catalog.TokenRequest{
		Environments: []string{"dev"}, Tags: []string{"web"}, Machine: "db-1", Lifetime: time.Minute,
	})
	if err != nil || text != s.token.Reveal() {
		t.Fatalf("token: %v", err)
	}
	if row.Machine != "db-1" || !row.ExpiresAt.Equal(s.now.Add(time.Minute)) ||
		cmp.Diff([]deploy.EnvironmentID{"Environments-1"}, row.Environments) != "" {
		t.Errorf("token %+v", row)
	}
	_, _, err = s.CreateToken(s.ctx, root(), catalog.TokenRequest{
		Machine: "Bad Name", Lifetime: -1,
		Environments: []string{"x"},
	})
	if got := reasons(t, err); len(got) != 3 {
		t.Errorf("reasons %q", got)
	}
}

func TestThingsInUseStay(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.0.0")
	s.fill(step("A", packageAction("A", "Web.App")))
	if _, _, err := s.CreateRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}); err != nil {
		t.Fatal(err)
	}
	made := ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
		Project: "Web", Release: "0.0.1",
		Environments: []string{"Dev"},
	}))(t)
	reasons(t, s.DeleteRelease(s.ctx, root(), "Releases-1"))
	reasons(t, s.DeleteProject(s.ctx, root(), "Web"))
	reasons(t, s.DeleteEnvironment(s.ctx, root(), "Dev"))
	if err := s.DeletePackage(s.ctx, root(), "web.app.1.0.0"); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a package in a release: %v", err)
	}
	s.finish(made[0].Task, deploy.TaskSuccess)
	if err := s.DeleteProject(s.ctx, root(), "Web"); err != nil {
		t.Errorf("an idle project: %v", err)
	}
	if err := s.DeletePackage(s.ctx, root(), "web.app.1.0.0"); err != nil {
		t.Errorf("an unused package: %v", err)
	}
}
