// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fairlead/fixtures"
	"fairlead/internal/demo"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/artifacts"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/core"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/deployments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/events"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/interruptions"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/packages"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/projects"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/releases"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/tasks"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/variables"
)

// story is how far the shop has come.
type story struct {
	*office
	project *projects.Project
	ports   map[string]int // where the application listens, by machine
	queued  []*deployments.DeploymentServerTask
}

const shop = "Shop"

// TestStory goes from an empty server to two versions deployed, with what happens on the way. A chapter that only looks back
// may fail alone; any other ends the story.
func TestStory(t *testing.T) {
	s := &story{office: openOffice(t), ports: map[string]int{}}
	for _, chapter := range []struct {
		name      string
		tell      func(*testing.T)
		looksBack bool
	}{
		{"an empty server", s.anEmptyServer, false},
		{"two machines join", s.twoMachinesJoin, false},
		{"a project with a process", s.aProject, false},
		{"two versions of a package, three releases", s.threeReleases, false},
		{"the first version, approved by hand", s.theFirstVersion, false},
		{"output variables were used across steps", s.outputVariables, true},
		{"an artifact was kept", s.anArtifact, true},
		{"the window of one was kept", s.windowOfOne, true},
		{"the second version, a failed step retried", s.theSecondVersion, false},
		{"a deployment that nobody approves", s.notApproved, false},
		{"back to the first version", s.backToTheFirst, false},
		{"retention keeps what is deployed", s.retention, true},
		{"the audit trail tells all of it", s.audit, true},
	} {
		if !t.Run(chapter.name, chapter.tell) && !chapter.looksBack {
			t.Fatalf("the story ends with the chapter %q: the ones after it need it", chapter.name)
		}
	}
}

func (s *story) anEmptyServer(t *testing.T) {
	equal(t, "projects", len(try(s.client.Projects.GetAll()).must(t)), 0)
	equal(t, "machines", len(try(s.client.Machines.GetAll()).must(t)), 0)
	made := try(s.client.Environments.Add(environments.NewEnvironment(environment))).must(t)
	equal(t, "environment", made.Name, environment)
}

func (s *story) twoMachinesJoin(t *testing.T) {
	s.staff(t)
	for _, m := range try(s.client.Machines.GetAll()).must(t) {
		s.ports[m.Name] = try(s.Ports.Next()).must(t)
		equal(t, "tag of "+m.Name, m.Roles[0], tag)
	}
	equal(t, "machines", len(s.ports), 2)
}

func (s *story) aProject(t *testing.T) {
	s.project = s.office.project(t, shop)
	set := try(s.client.Variables.GetAll(s.project.ID)).must(t)
	greeting := variables.NewVariable("Greeting")
	greeting.Value = "Welcome to #{Octopus.Environment.Name}"
	set.Variables = append(set.Variables, greeting)
	for _, m := range set.ScopeValues.Machines {
		port := variables.NewVariable(fixtures.WebPort)
		port.Value = strconv.Itoa(s.ports[m.Name])
		port.Scope = variables.VariableScope{Machines: []string{m.ID}}
		set.Variables = append(set.Variables, port)
	}
	try(s.client.Variables.Update(s.project.ID, set)).must(t)

	approve := deployments.NewDeploymentStep("Approve")
	approve.Actions = []*deployments.DeploymentAction{deployments.NewDeploymentAction("Approve", "Octopus.Manual")}
	setAll(approve.Actions[0].Properties, map[string]string{
		"Octopus.Action.Manual.Instructions":       "Is #{Octopus.Release.Number} good enough?",
		"Octopus.Action.Manual.ResponsibleTeamIds": "",
		"Octopus.Action.RunOnServer":               "true",
	})
	install := packageStep("Install", "webapp")
	setAll(install.Actions[0].Properties, map[string]string{
		"Octopus.Action.EnabledFeatures":                  "Octopus.Features.SubstituteInFiles",
		"Octopus.Action.SubstituteInFiles.Enabled":        "True",
		"Octopus.Action.SubstituteInFiles.TargetFiles":    "index.html",
		"Octopus.Action.Package.DownloadOnTentacle":       "False",
		"Octopus.Action.Package.AutomaticallyRunScripts":  "True",
		"Octopus.Action.Package.PackageId":                "webapp",
		"Octopus.Action.Package.FeedId":                   "feeds-builtin",
		"Octopus.Action.Package.UseCustomInstallationDir": "False",
	})
	inTurn := scriptStep("In turn", s.inTurn())
	inTurn.Properties["Octopus.Action.MaxParallelism"] = core.NewPropertyValue("1", false)
	saved := s.steps(t, s.project, scriptStep("Choose", s.choose()), approve, install, inTurn,
		scriptStep("Tell", tell), scriptStep("Fragile", s.fragile()))
	equal(t, "steps", len(saved.Steps), 6)
}

func (s *story) file(name string) string { return filepath.Join(s.Dir, name) }

// choose sets output variables, one of them secret, and hands a file over.
func (s *story) choose() string {
	return fmt.Sprintf(`
set_octopusvariable Colour "blue as on $(get_octopusvariable Octopus.Machine.Name)"
set_octopusvariable Secret "hush-#{Octopus.Release.Number}" -sensitive
echo "measured on #{Octopus.Machine.Name}" >%[1]q
new_octopusartifact %[1]q "report.txt"
echo chosen`, s.file("report-#{Octopus.Machine.Name}.txt"))
}

// inTurn fails when it runs on both machines at once.
func (s *story) inTurn() string {
	return fmt.Sprintf(`
mkdir %[1]q || { echo "somebody else is in here" >&2; exit 1; }
sleep 0.5
rmdir %[1]q
echo "#{Octopus.Machine.Name} had its turn" >>%[2]q`, s.file("turn"), s.file("turns"))
}

const tell = `
echo "colour: #{Octopus.Action[Choose].Output.Colour}"
echo "there: #{Octopus.Action[Choose].Output[web-1].Colour}"
secret="$(get_octopusvariable 'Octopus.Action[Choose].Output.Secret')"
echo "as a script reads it: $(get_octopusvariable Greeting)"
echo "length of the secret: ${#secret}; it is $secret"`

// fragile fails on web-2 until somebody has mended the machine; release 1.0.0 does not mind.
func (s *story) fragile() string {
	return fmt.Sprintf(`
[ "#{Octopus.Release.Number}" != 2.0.0 ] || [ "#{Octopus.Machine.Name}" != web-2 ] || [ -e %[1]q ] || { echo broken >&2; exit 3; }
echo holds`, s.file("mended"))
}

func (s *story) threeReleases(t *testing.T) {
	s.push(t, "1.0.0", packages.OverwriteModeFailIfExists)
	s.push(t, "2.0.0", packages.OverwriteModeFailIfExists)
	for _, r := range [][2]string{{"0.9.0", "1.0.0"}, {"1.0.0", "1.0.0"}, {"2.0.0", "2.0.0"}} {
		made := s.release(t, shop, r[0], func(c *releases.CreateReleaseCommandV1) { c.PackageVersion = r[1] })
		equal(t, "package of "+r[0], made.SelectedPackages[0].Version, r[1])
	}
}

// start queues the deployment of a version.
func (s *story) start(t *testing.T, version string, guided bool) (task string) {
	t.Helper()
	queued := s.office.deploy(t, shop, version, func(c *deployments.CreateDeploymentUntenantedCommandV1) {
		c.UseGuidedFailure = &guided
	})
	s.queued = append(s.queued, queued)
	return queued.ServerTaskID
}

// asked waits until a task asks for a decision.
func (s *story) asked(t *testing.T, task string) (found *interruptions.Interruption) {
	t.Helper()
	must(t, demo.Await(t.Context(), limit, task+" to ask", func(context.Context) (bool, error) {
		all, err := s.client.Interruptions.GetAll()
		for _, one := range all {
			if one.TaskID == task && one.IsPending {
				found = one
			}
		}
		if err == nil && found == nil {
			var now *tasks.Task
			if ended, err := s.until(task, &now, func(now *tasks.Task) bool { return *now.IsCompleted })(t.Context()); err == nil && ended {
				return false, fmt.Errorf("it ended with %s: %s", now.State, now.ErrorMessage)
			}
		}
		return found != nil, err
	}))
	equal(t, "the task waits for people", s.task(t, task).HasPendingInterruptions, true)
	return found
}

// answer takes a decision as somebody does who looks at it first.
func (s *story) answer(t *testing.T, one *interruptions.Interruption, result, notes string) {
	t.Helper()
	me := try(s.client.Users.GetMe()).must(t)
	equal(t, "who took it", try(s.client.Interruptions.TakeResponsibility(one)).must(t).ID, me.ID)
	mine := try(s.client.Interruptions.GetByID(one.ID)).must(t)
	equal(t, "responsible", mine.ResponsibleUserID, me.ID)
	equal(t, "has responsibility", mine.HasResponsibility, true)
	equal(t, "by its link", try(s.client.Interruptions.GetResponsibility(mine)).must(t).ID, me.ID)
	form := interruptions.NewInterruptionSubmitRequest()
	form.Result, form.Notes = result, notes
	equal(t, "pending after the answer", try(s.client.Interruptions.Submit(mine, form)).must(t).IsPending, false)
}

func (s *story) approve(t *testing.T, task string) {
	t.Helper()
	s.answer(t, s.asked(t, task), interruptions.ManualInterverventionApprove, "Looks good")
}

// serves checks what the application says on both machines.
func (s *story) serves(t *testing.T, release, version string) {
	t.Helper()
	for machine, port := range s.ports {
		page := try(demo.ReadPage(t.Context(), port)).must(t)
		want := demo.Page{
			Package: version, Release: release, Environment: environment, Machine: machine, Greeting: "Welcome to " + environment,
		}
		equal(t, "page of "+machine, page, want)
	}
}

func (s *story) theFirstVersion(t *testing.T) {
	for _, version := range []string{"0.9.0", "1.0.0"} {
		task := s.start(t, version, false)
		one := s.asked(t, task)
		if version == "1.0.0" {
			contains(t, fmt.Sprint(one.Title, one.Form), "Is 1.0.0 good enough?")
			s.webLinks(t, task)
		}
		s.answer(t, one, interruptions.ManualInterverventionApprove, "Looks good")
		s.succeed(t, task)
	}
	s.serves(t, "1.0.0", "1.0.0")
}

// lastLog is the raw log of the newest deployment.
func (s *story) lastLog(t *testing.T) string {
	t.Helper()
	return try(s.REST.RawLog(t.Context(), s.queued[len(s.queued)-1].ServerTaskID)).must(t)
}

func (s *story) outputVariables(t *testing.T) {
	log := s.lastLog(t)
	contains(t, log, "colour: blue as on web-")
	contains(t, log, "there: blue as on web-1")
	contains(t, log, "length of the secret: 10; it is ***")
	contains(t, log, "as a script reads it: Welcome to "+environment)
	lacks(t, log, "hush-1.0.0")
	lacks(t, log, "##octopus")
}

// anArtifact finds the file that each machine handed over, by the library, and reads it as the link says.
func (s *story) anArtifact(t *testing.T) {
	last := s.queued[len(s.queued)-1]
	page := try(s.client.Artifacts.Get(artifacts.Query{Regarding: last.ServerTaskID})).must(t)
	equal(t, "artifacts", len(page.Items), 2)
	for _, a := range page.Items {
		equal(t, "name of the file", a.Filename, "report.txt")
		equal(t, "its task", a.ServerTaskID, last.ServerTaskID)
		again := try(s.client.Artifacts.GetByID(a.ID)).must(t)
		var content string
		must(t, s.REST.Get(t.Context(), again.Links["Content"], &content))
		equal(t, "what the script on "+a.Source+" wrote", content, "measured on "+a.Source+"\n")
	}
	if len(try(s.client.Artifacts.Get(artifacts.Query{Regarding: s.project.ID})).must(t).Items) < len(page.Items) {
		t.Errorf("fewer artifacts regard the project %s than one of its tasks", s.project.ID)
	}
	first := page.Items[0]
	first.Filename = "renamed.txt"
	equal(t, "its new name", try(s.client.Artifacts.Update(*first)).must(t).Filename, "renamed.txt")
	must(t, s.client.Artifacts.DeleteByID(first.ID))
	equal(t, "artifacts when one is deleted",
		len(try(s.client.Artifacts.Get(artifacts.Query{Regarding: last.ServerTaskID})).must(t).Items), 1)
}

func (s *story) windowOfOne(t *testing.T) {
	turns := string(try(os.ReadFile(s.file("turns"))).must(t))
	equal(t, "turns of two machines in two deployments", strings.Count(turns, "\n"), 4)
}

func (s *story) theSecondVersion(t *testing.T) {
	task := s.start(t, "2.0.0", true)
	s.approve(t, task)
	one := s.asked(t, task)
	details := try(tasks.GetDetails(s.client, space, task)).must(t)
	equal(t, "progress is not whole", details.Progress.ProgressPercentage < 100, true)
	must(t, os.WriteFile(s.file("mended"), nil, 0o600))
	try(s.client.Interruptions.TakeResponsibility(one)).must(t)
	// The form of a failure has its decision in Guidance, for which the library has no member.
	guidance := map[string]string{"Guidance": "Retry", "Notes": "Mended by hand"}
	must(t, s.REST.Post(t.Context(), one.Links["Submit"], guidance, nil))
	s.succeed(t, task)
	log := s.lastLog(t)
	contains(t, log, "broken")
	s.serves(t, "2.0.0", "2.0.0")
}

func (s *story) notApproved(t *testing.T) {
	task := s.start(t, "1.0.0", false)
	s.answer(t, s.asked(t, task), interruptions.ManualInterventionDecline, "Not today")
	ended := s.await(t, task)
	equal(t, "succeeded", *ended.FinishedSuccessfully, false)
	s.serves(t, "2.0.0", "2.0.0")
}

func (s *story) backToTheFirst(t *testing.T) {
	task := s.start(t, "1.0.0", false)
	s.approve(t, task)
	s.succeed(t, task)
	s.serves(t, "1.0.0", "1.0.0")
	progression := try(s.client.Projects.GetProgression(s.project)).must(t)
	id := s.environmentID(t)
	for _, r := range progression.Releases {
		if len(r.Deployments[id]) == 0 {
			t.Errorf("release %s is said never to have been deployed", r.Release.Version)
		}
	}
}

func (s *story) retention(t *testing.T) {
	lifecycle := try(s.client.Lifecycles.GetByID(s.project.LifecycleID)).must(t)
	lifecycle.ReleaseRetentionPolicy = core.CountBasedRetentionPeriod(1, core.RetentionUnitItems)
	try(s.client.Lifecycles.Update(lifecycle)).must(t)
	wish := tasks.NewTask()
	wish.Name, wish.Description = "Retention", "Delete what nobody needs"
	s.succeed(t, try(s.client.Tasks.Add(wish)).must(t).ID)
	var left []string
	for _, r := range try(s.client.Projects.GetReleases(s.project)).must(t) {
		left = append(left, r.Version)
	}
	equal(t, "releases left", fmt.Sprint(left), "[2.0.0 1.0.0]")
}

func (s *story) audit(t *testing.T) {
	all := try(s.client.Events.Get(events.EventsQuery{Take: 1000})).must(t).Items
	said := map[string]int{}
	for i, e := range all {
		if e.Message == "" || e.Username == "" || e.Occurred.IsZero() {
			t.Errorf("event without who, when or what: %+v", e)
		}
		if i > 0 && e.Occurred.After(all[i-1].Occurred) {
			t.Error("the events are not newest first")
		}
		for _, id := range e.RelatedDocumentIds {
			said[id]++
		}
	}
	for _, q := range s.queued {
		if said[q.DeploymentID]+said[q.ServerTaskID] == 0 {
			t.Errorf("no event tells of %s, %s", q.DeploymentID, q.ServerTaskID)
		}
		if len(try(s.client.Events.Get(events.EventsQuery{Regarding: q.DeploymentID})).must(t).Items) == 0 {
			t.Errorf("no event regards %s", q.DeploymentID)
		}
	}
	for _, id := range []string{s.project.ID, s.environmentID(t), s.project.LifecycleID} {
		if said[id] == 0 {
			t.Errorf("no event tells of %s", id)
		}
	}
	answers := try(s.client.Events.Get(events.EventsQuery{EventCategories: []string{"InterruptionSubmitted"}})).must(t).Items
	equal(t, "answers: four approvals, a retry, a refusal", len(answers), 6)
}
