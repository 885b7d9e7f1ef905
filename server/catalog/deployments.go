// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// maxEnvironmentsPerRequest bounds the deployments that one request makes.
const maxEnvironmentsPerRequest = 100

// DeployRequest asks for a release to be deployed. References are ids, names or slugs.
type DeployRequest struct {
	Project      string
	Release      string // version, or id
	Environments []string
	Only, Except []string // machines
	SkipSteps    []string // names of steps or actions
	SkipActions  []string // action ids
	NotBefore    time.Time
	// NotAfter is when it is too late to start; zero: never.
	NotAfter time.Time
	// Guided is whether it asks people about failures; "" is what the project says.
	Guided         deploy.GuidedFailure
	ForcesPackages bool
	Comments       string
	// Variables are values for prompted variables, by name or id.
	Variables map[string]string
	// TakesVariables has the release take the variables of its project afresh before.
	TakesVariables bool
	// isRerun does without those of the machines named that are not there any more.
	isRerun bool
}

// DeploymentFilter picks deployments.
type DeploymentFilter = store.DeploymentFilter

// DashboardCell is the newest deployment of a project in an environment.
type DashboardCell = store.DashboardCell

// Deploy queues one deployment for each environment: all of them or none. Taking variables afresh is an event of its
// own and needs ReleaseEdit, too. Errors: Denied, NotFound (project, release or environment), Invalid (every broken
// rule).
func (c *Catalog) Deploy(ctx context.Context, p identity.Principal, q DeployRequest) (made []deploy.Deployment,
	err error,
) {
	err = c.change(ctx, p, identity.DeploymentCreate, func(w store.Writer) (deploy.Event, error) {
		made = nil
		if err := c.takesVariables(w, p, q); err != nil {
			return deploy.Event{}, err
		}
		s, err := c.site(w, q)
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		if !q.NotAfter.IsZero() && !q.NotAfter.After(later(q.NotBefore, c.Wall())) {
			why.add("it is not to start after %s, which is before it could", q.NotAfter.UTC().Format(time.RFC3339))
		}
		for _, e := range s.environments {
			if err := why.deployable(w, s, e); err != nil {
				return deploy.Event{}, err
			}
			why.answers(s.release, e, q.Variables)
			plan, err := s.plan(q, e)
			if err := why.addErr(err); err != nil {
				return deploy.Event{}, err
			}
			s.plans = append(s.plans, plan)
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		var told deploy.Event
		made, told, err = c.queueAll(w, p, q, s)
		return told, err
	})
	if err == nil {
		c.Queued()
	}
	return made, err
}

// takesVariables does what q says of the release's variables.
func (c *Catalog) takesVariables(w store.Writer, p identity.Principal, q DeployRequest) error {
	if !q.TakesVariables {
		return nil
	}
	if err := p.Need(identity.ReleaseEdit); err != nil {
		return err
	}
	project, err := findProject(w, q.Project)
	if err != nil {
		return err
	}
	release, err := findRelease(w, project, q.Release)
	if err != nil {
		return err
	}
	if reach := p.Reach(identity.ReleaseEdit); !reach.CoversProject(project.ID, project.Group) {
		return p.NeedEverywhere(identity.ReleaseEdit)
	}
	told, err := takeAfresh(w, &release)
	if err != nil {
		return err
	}
	return c.tell(w, p.Name(), told)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// queueAll queues a deployment for each environment and tells of each; of the last one, the caller does.
func (c *Catalog) queueAll(w store.Writer, p identity.Principal, q DeployRequest, s site) (
	made []deploy.Deployment, told deploy.Event, err error,
) {
	for i, e := range s.environments {
		if i > 0 {
			if err := c.tell(w, p.Name(), told); err != nil {
				return nil, told, err
			}
		}
		d, err := c.queue(w, p, q, s, e, s.plans[i])
		if err != nil {
			return nil, told, err
		}
		made = append(made, d)
		told = event("DeploymentQueued", d.ID, "release %s of project %s was queued for %s",
			s.release.Version, s.project.Name, e.Name)
	}
	return made, told, nil
}

// site is what a deployment is made from.
type site struct {
	project      deploy.Project
	release      deploy.Release
	lifecycle    deploy.Lifecycle
	environments []deploy.Environment
	machines     []deploy.Machine
	only, except []deploy.MachineID
	promotion    deploy.Promotion
	plans        []deploy.Plan
	notes        []string // for the logs of the tasks
}

func (c *Catalog) site(r store.Reader, q DeployRequest) (s site, err error) {
	if s.project, err = findProject(r, q.Project); err != nil {
		return s, err
	}
	if s.release, err = findRelease(r, s.project, q.Release); err != nil {
		return s, err
	}
	if err := s.places(r, q); err != nil {
		return s, err
	}
	if s.machines, err = r.Machines(store.MachineFilter{Space: spaceOf(r)}); err != nil {
		return s, err
	}
	var why reasons
	if q.isRerun {
		q.Only, q.Except, s.notes = why.stillNamed(s.machines, q)
	}
	s.only, s.except = why.machineIDs(s.machines, q.Only), why.machineIDs(s.machines, q.Except)
	if n := len(q.Environments); n == 0 || n > maxEnvironmentsPerRequest {
		why.add("the deployment names %d environments: want 1 to %d", n, maxEnvironmentsPerRequest)
	}
	why.skipped(s.release.Process, q)
	if err := why.err(); err != nil {
		return s, err
	}
	if s.lifecycle, err = lifecycleOf(r, s.project, s.release.Channel); err != nil {
		return s, err
	}
	s.promotion, err = promotionOf(r, s.lifecycle, s.release)
	return s, err
}

// skipped refuses a step or an action that the process does not have: else a slip of the pen would run what was to
// be left out.
func (why *reasons) skipped(process deploy.Process, q DeployRequest) {
	var stepNames, actionIDs []string
	for _, step := range process.Steps {
		stepNames = append(stepNames, step.Name)
		for _, action := range step.Actions {
			stepNames, actionIDs = append(stepNames, action.Name), append(actionIDs, action.ID)
		}
	}
	for _, name := range q.SkipSteps {
		if !slices.ContainsFunc(stepNames, func(s string) bool { return strings.EqualFold(s, name) }) {
			why.put(errkind.NotFound, fmt.Sprintf("step %.80q is to be skipped: the release has no step of that name", name))
		}
	}
	for _, id := range q.SkipActions {
		if !slices.ContainsFunc(actionIDs, func(s string) bool { return strings.EqualFold(s, id) }) {
			why.put(errkind.NotFound, fmt.Sprintf("action %.80q is to be skipped: the release has no action of that id", id))
		}
	}
}

func (s *site) places(r store.Reader, q DeployRequest) error {
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return err
	}
	seen := map[deploy.EnvironmentID]bool{}
	for _, ref := range q.Environments {
		e, err := environmentOf(r, ref, all)
		if err != nil {
			return err
		}
		if !seen[e.ID] {
			seen[e.ID] = true
			s.environments = append(s.environments, e)
		}
	}
	return nil
}

func findRelease(r store.Reader, project deploy.Project, ref string) (deploy.Release, error) {
	rows, err := r.Releases(project.ID)
	if err != nil {
		return deploy.Release{}, err
	}
	row, err := pick("release", ref, rows, func(row ReleaseRow) (string, string, string) {
		return string(row.ID), row.Version, ""
	})
	if err != nil {
		return deploy.Release{}, fmt.Errorf("project %s: %w", project.Name, err)
	}
	return r.Release(row.ID)
}

// lifecycleOf is the channel's, or the project's.
func lifecycleOf(r store.Reader, project deploy.Project, channel deploy.ChannelID) (deploy.Lifecycle, error) {
	wanted := project.Lifecycle
	channels, err := r.Channels(project.ID)
	if err != nil {
		return deploy.Lifecycle{}, err
	}
	for _, ch := range channels {
		if ch.ID == channel && ch.Lifecycle != "" {
			wanted = ch.Lifecycle
		}
	}
	return findLifecycle(r, string(wanted))
}

// reached lists the environments that a deployment of the release succeeded in.
func reached(r store.Reader, release deploy.ReleaseID) (list []deploy.EnvironmentID, err error) {
	deployments, err := r.DeploymentCells(store.DeploymentFilter{Space: spaceOf(r), Release: release})
	if err != nil {
		return nil, err
	}
	for _, d := range deployments {
		if d.State == deploy.TaskSuccess {
			list = append(list, d.Environment)
		}
	}
	return sortedSet(list), nil
}

// deployable adds reasons why the release may not go to the environment.
func (why *reasons) deployable(r store.Reader, s site, e deploy.Environment) error {
	if s.project.IsDisabled {
		why.add("project %s is disabled", s.project.Name)
	}
	why.allowed(s.promotion, s.release, e)
	for _, selected := range s.release.Packages {
		_, err := r.Package(spaceOf(r), selected.PackageID, selected.Version)
		if err := why.addErr(err); err != nil {
			return err
		}
	}
	return nil
}

func (s site) plan(q DeployRequest, e deploy.Environment) (deploy.Plan, error) {
	plan, err := deploy.NewPlan(s.request(q, e))
	plan.Notes = s.notes
	return plan, err
}

func (s site) request(q DeployRequest, e deploy.Environment) deploy.PlanRequest {
	return deploy.PlanRequest{
		Process: s.release.Process, Environment: e.ID, Channel: s.release.Channel, Machines: s.machines,
		Connectivity: s.project.Connectivity,
		Only:         s.only, Except: s.except, SkipSteps: q.SkipSteps, SkipActions: q.SkipActions,
		IsGuided: q.Guided.Holds(s.project.GuidedFailure, e.UseGuidedFailure),
	}
}

func (c *Catalog) queue(
	w store.Writer, p identity.Principal, q DeployRequest, s site, e deploy.Environment, plan deploy.Plan,
) (d deploy.Deployment, err error) {
	now := c.Wall()
	d = deploy.Deployment{
		Space: spaceOf(w), Project: s.project.ID, Release: s.release.ID, Environment: e.ID, Channel: s.release.Channel,
		Taking: s.release.Taking, Comments: q.Comments, CreatedAt: now, CreatedBy: p.Name(),
		CreatedByID: p.User.ID,
		Name:        "Deploy to " + e.Name, Plan: plan,
		Options: deploy.DeployOptions{
			Only: s.only, Except: s.except, SkipSteps: q.SkipSteps, SkipActions: q.SkipActions, Guided: q.Guided,
			ForcesPackages: q.ForcesPackages, NotBefore: q.NotBefore, NotAfter: q.NotAfter,
		},
	}
	if d.ID, err = nextID[deploy.DeploymentID](w, "Deployments"); err != nil {
		return d, err
	}
	if d.Task, err = nextID[deploy.TaskID](w, "ServerTasks"); err != nil {
		return d, err
	}
	if d.Answers, err = c.answer(w, d.ID, s.release, e.ID, q.Variables); err != nil {
		return d, err
	}
	task := deploy.Task{
		ID: d.Task, Space: spaceOf(w), Kind: deploy.DeployTask, State: deploy.TaskQueued,
		Description: fmt.Sprintf("Deploy %s release %s to %s", s.project.Name, s.release.Version, e.Name),
		Project:     s.project.ID, Environment: e.ID, Deployment: d.ID, Plan: plan,
		QueuedAt: now, QueuedBy: p.Name(), NotBefore: q.NotBefore,
		NotAfter: q.NotAfter,
	}
	if err := w.PutTask(task); err != nil {
		return d, err
	}
	return d, w.PutDeployment(d)
}

// Preview is what a deployment would do.
type Preview struct {
	Process  deploy.Process // of the release
	Plan     deploy.Plan
	Machines []deploy.Machine
	// Unavailable and LeftOut are the machines of each step that it may do without (deploy.PlanRequest.Missed).
	Unavailable, LeftOut [][]deploy.Machine
}

// Preview works out what a deployment would do; with disabled, it has the disabled actions, too, which would not run.
// Errors: as Deploy.
func (c *Catalog) Preview(
	ctx context.Context, p identity.Principal, release, environment string, disabled bool,
) (shown Preview, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		q := DeployRequest{Project: string(held.Project), Release: string(held.ID), Environments: []string{environment}}
		s, err := c.site(r, q)
		if err != nil {
			return err
		}
		if err := withinReach(r, held.Project, s.environments[0].ID); err != nil {
			return err
		}
		request := s.request(q, s.environments[0])
		request.IsPreview, request.KeepsDisabled = true, disabled
		plan, err := deploy.NewPlan(request)
		shown = Preview{Process: held.Process, Plan: plan, Machines: s.machines}
		for _, step := range held.Process.Steps {
			unavailable, leftOut := request.Missed(step)
			shown.Unavailable, shown.LeftOut = append(shown.Unavailable, unavailable), append(shown.LeftOut, leftOut)
		}
		return err
	})
	return shown, err
}

// FailuresMet tells which deployments have met a failure: their tasks failed, or people were asked about one. Of a task
// that retention deleted nothing is known. Errors: Denied.
func (c *Catalog) FailuresMet(
	ctx context.Context, p identity.Principal, deployments []deploy.Deployment,
) (met map[deploy.DeploymentID]bool, err error) {
	met = map[deploy.DeploymentID]bool{}
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		f := store.DeploymentFilter{Space: spaceOf(r)}
		for _, d := range deployments {
			f.IDs = append(f.IDs, d.ID)
		}
		if len(f.IDs) == 0 {
			return nil // a filter without ids asks for all
		}
		cells, err := r.DeploymentCells(f)
		if err != nil {
			return err
		}
		for _, cell := range cells {
			asked, err := r.Interruptions(store.InterruptionFilter{Task: cell.Task})
			if err != nil {
				return err
			}
			met[cell.Deployment] = cell.State == deploy.TaskFailed || cell.State == deploy.TaskTimedOut ||
				slices.ContainsFunc(asked, func(i deploy.Interruption) bool { return i.Kind == deploy.FailureInterruption })
		}
		return nil
	})
	return met, err
}

// Drift is what a project has changed since a release took its snapshot.
type Drift struct{ Process, Variables, Library bool }

// Drift compares a release with its project. Errors: Denied, NotFound.
func (c *Catalog) Drift(ctx context.Context, p identity.Principal, release string) (d Drift, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		project, err := r.Project(held.Project)
		if err != nil {
			return err
		}
		process, perr := r.Process(project.ID)
		variables, verr := r.Variables(project.ID)
		library, lerr := librarySnapshot(r, project)
		d = Drift{
			Process: process.Version != held.Process.Version, Variables: variables.Version != held.Variables.Version,
			Library: !slices.EqualFunc(library, held.Library, func(a, b deploy.VariableSet) bool {
				return a.Owner == b.Owner && a.Version == b.Version
			}),
		}
		return errors.Join(perr, verr, lerr)
	})
	return d, err
}

// Deployment reads one. Errors: Denied, NotFound.
func (c *Catalog) Deployment(ctx context.Context, p identity.Principal, id string) (d deploy.Deployment, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		d, err = r.Deployment(deploy.DeploymentID(properID("Deployments", id)))
		return err
	})
	return d, err
}

// Deployments lists deployments, newest first. Errors: Denied.
func (c *Catalog) Deployments(
	ctx context.Context, p identity.Principal, f DeploymentFilter,
) (all []deploy.Deployment, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		all, err = r.Deployments(f)
		return err
	})
	return all, err
}

// DeploymentPage is Deployments, and how many there are whatever Skip and Take say. Errors: Denied.
func (c *Catalog) DeploymentPage(
	ctx context.Context, p identity.Principal, f DeploymentFilter,
) (page []deploy.Deployment, total int, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) (err error) {
		if page, err = r.Deployments(f); err != nil {
			return err
		}
		total, err = r.CountDeployments(f)
		return err
	})
	return page, total, err
}

// Dashboard lists the newest deployment of each project in each environment. Errors: Denied.
func (c *Catalog) Dashboard(ctx context.Context, p identity.Principal) (cells []DashboardCell, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		cells, err = r.LastDeployments(spaceOf(r))
		return err
	})
	return cells, err
}
