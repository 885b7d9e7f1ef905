// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"context"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	maxSteps       = 200
	maxActions     = 50
	maxScriptBytes = 1 << 20
	// maxIsolationBytes is what an agent takes as the name of a lock.
	maxIsolationBytes = 255
)

// BuiltInFeeds are the ids by which requests may name the built-in feed. Source: Octopus.
func BuiltInFeeds() []string { return []string{"", "feeds-builtin", "feeds-1001"} }

// propFeed and propPackage name a package in an action's properties, where older callers put it.
const (
	propFeed    = "Octopus.Action.Package.FeedId"
	propPackage = "Octopus.Action.Package.PackageId"
)

// Process reads how a project is deployed. Errors: Denied, NotFound.
func (c *Catalog) Process(ctx context.Context, p identity.Principal, project string) (process deploy.Process,
	err error,
) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		process, err = r.Process(owner.ID)
		process.Project = owner.ID
		return err
	})
	return process, err
}

// AnyVersion is whichever a release took.
const AnyVersion = -1

// ReleaseProcess is the one that a release took of a project, if that is the version asked for. Errors: Denied,
// NotFound.
func (c *Catalog) ReleaseProcess(ctx context.Context, p identity.Principal, release, project string, version int) (
	process deploy.Process, err error,
) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		if !strings.EqualFold(project, string(held.Project)) {
			return errkind.NotFound.Errorf("release %s took no process of %.100q", held.ID, project)
		}
		if process = held.Process; version != AnyVersion && process.Version != version {
			return errkind.NotFound.Errorf("release %s took version %d of its process, not %d",
				held.ID, process.Version, version)
		}
		process.Project = held.Project
		return nil
	})
	return process, err
}

// Processes reads how every project is deployed. Errors: Denied.
func (c *Catalog) Processes(ctx context.Context, p identity.Principal) (all []deploy.Process, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		projects, err := r.Projects(spaceOf(r))
		if err != nil {
			return err
		}
		for _, owner := range projects {
			process, err := r.Process(owner.ID)
			if err != nil {
				return err
			}
			process.Project = owner.ID
			all = append(all, process)
		}
		return nil
	})
	return all, err
}

// SaveProcess replaces how a project is deployed. The version must be the one that was read.
// Errors: Denied, NotFound, Invalid (every broken rule), Conflict (somebody else was faster).
func (c *Catalog) SaveProcess(
	ctx context.Context, p identity.Principal, project string, process deploy.Process,
) (saved deploy.Process, err error) {
	err = c.change(ctx, p, identity.ProcessEdit, func(w store.Writer) (deploy.Event, error) {
		owner, err := findProject(w, project)
		if err != nil {
			return deploy.Event{}, err
		}
		held, err := w.Process(owner.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		saved, err = checkProcess(w, owner.ID, process, held)
		if err != nil {
			return deploy.Event{}, err
		}
		saved.Project = owner.ID
		if saved.Version, err = w.PutProcess(saved); err != nil {
			return deploy.Event{}, staleProcess(err, owner, held.Version, process.Version)
		}
		return event("DeploymentProcessEdited", owner.ID,
			"the process of project %s was changed: version %d", owner.Name, saved.Version), nil
	})
	return saved, err
}

func staleProcess(err error, owner deploy.Project, stored, given int) error {
	if errkind.Of(err) != errkind.Conflict {
		return err
	}
	return errkind.Hinted(errkind.Conflict.Errorf(
		"the process of project %s was changed by somebody else: it is version %d, not %d", owner.Name, stored, given),
		"read it again, make the change there and save that")
}

// checkProcess checks the rules and fills in what the caller left out: ids, tags and window from
// the properties, the package of a package action.
func checkProcess(
	r store.Reader, owner deploy.ProjectID, process, held deploy.Process,
) (deploy.Process, error) {
	var why reasons
	known := knownIDs(held)
	environments, err := r.Environments(spaceOf(r))
	if err != nil {
		return process, err
	}
	channels, err := r.Channels(owner)
	if err != nil {
		return process, err
	}
	if len(process.Steps) > maxSteps {
		why.add("%d steps are more than the limit of %d", len(process.Steps), maxSteps)
		return process, why.err()
	}
	steps, actions := map[string]bool{}, map[string]bool{}
	process.Steps = slices.Clone(process.Steps)
	for i := range process.Steps {
		step := &process.Steps[i]
		step.ID = keepID(step.ID, known)
		step.Name = why.name("a step", step.Name)
		if key := strings.ToLower(step.Name); steps[key] {
			why.add("two steps have the name %s", step.Name)
		} else {
			steps[key] = true
		}
		why.step(step)
		step.Actions = slices.Clone(step.Actions)
		for j := range step.Actions {
			action := &step.Actions[j]
			action.ID = keepID(action.ID, known)
			if action.Name == "" && len(step.Actions) == 1 {
				action.Name = step.Name
			}
			action.Name = why.name("an action", action.Name)
			if key := strings.ToLower(action.Name); actions[key] {
				why.add("two actions have the name %s", action.Name)
			} else {
				actions[key] = true
			}
			why.action(action, environments, known)
			why.channels(action, channels)
			if err := why.teams(r, action); err != nil {
				return process, err
			}
		}
	}
	return process, why.err()
}

func knownIDs(process deploy.Process) map[string]bool {
	known := map[string]bool{}
	for _, step := range process.Steps {
		known[step.ID] = true
		for _, action := range step.Actions {
			known[action.ID] = true
			for _, p := range action.Packages {
				known[p.ID] = true
			}
		}
	}
	return known
}

// keepID keeps an id that this owner has, once; anything else gets a new one.
func keepID(id string, known map[string]bool) string {
	if id != "" && known[id] {
		delete(known, id)
		return id
	}
	return newUUID()
}

func (r *reasons) step(step *deploy.Step) {
	if len(step.Tags) == 0 {
		step.Tags = splitTags(step.Properties[deploy.PropTargetTags])
	}
	step.Tags = r.tags(step.Tags)
	if slices.ContainsFunc(step.Actions, func(a deploy.Action) bool { return a.Kind == deploy.ManualAction }) {
		r.manual(step)
	} else if len(step.Tags) == 0 {
		r.add("step %s names no target tag: set %s", step.Name, deploy.PropTargetTags)
	}
	switch step.Condition {
	case "":
		step.Condition = deploy.OnSuccess
	case deploy.OnSuccess, deploy.OnFailure, deploy.Always:
	case deploy.OnExpression:
		if strings.TrimSpace(step.Properties[deploy.PropCondition]) == "" {
			r.add("step %s has the condition %s and no expression: set %s", step.Name, step.Condition, deploy.PropCondition)
			break
		}
		if err := deploy.CheckCondition(step.Properties[deploy.PropCondition]); err != nil {
			r.add("step %s (action %s) has a broken run condition in %s: %v",
				step.Name, actionNames(*step), deploy.PropCondition, err)
		}
	default:
		r.add("step %s has the condition %q: want %s, %s, %s or %s", step.Name, step.Condition,
			deploy.OnSuccess, deploy.OnFailure, deploy.Always, deploy.OnExpression)
	}
	if text := step.Properties[deploy.PropMaxParallelism]; step.Window == 0 && text != "" {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			n = -1
		}
		step.Window = n
	}
	if step.Window < 0 || step.Window > 10_000 {
		r.add("step %s: %s is %.40q: want 1 to 10000 machines", step.Name, deploy.PropMaxParallelism,
			cmp.Or(step.Properties[deploy.PropMaxParallelism], strconv.Itoa(step.Window)))
	}
	if n := len(step.Actions); n == 0 || n > maxActions {
		r.add("step %s has %d actions: want 1 to %d", step.Name, n, maxActions)
	}
}

func actionNames(step deploy.Step) string {
	names := make([]string, len(step.Actions))
	for i, a := range step.Actions {
		names[i] = cmp.Or(strings.TrimSpace(a.Name), step.Name)
	}
	return strings.Join(names, ", ")
}

// manual checks a step that asks people: it runs nothing, so it has no machines and no other action.
func (r *reasons) manual(step *deploy.Step) {
	for _, a := range step.Actions {
		if a.Kind != deploy.ManualAction || len(step.Actions) > 1 {
			r.add("step %s mixes %s with other actions: give it a step of its own", step.Name, deploy.ManualAction)
			return
		}
	}
	if len(step.Tags) > 0 {
		r.add("step %s asks people and runs on no machine: leave %s out", step.Name, deploy.PropTargetTags)
	}
}

func splitTags(text string) []string {
	var tags []string
	for tag := range strings.SplitSeq(text, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

func (r *reasons) action(a *deploy.Action, environments []deploy.Environment, known map[string]bool) {
	for _, id := range slices.Concat(a.Environments, a.ExcludedEnvironments) {
		if !slices.ContainsFunc(environments, func(e deploy.Environment) bool { return e.ID == id }) {
			r.add("action %s names an environment that there is not: %q", a.Name, id)
		}
	}
	if strings.EqualFold(a.Properties[deploy.PropRunOnServer], "true") && a.Kind != deploy.ManualAction {
		r.add("action %s runs on the server: that comes with a later version; set %s to false", a.Name,
			deploy.PropRunOnServer)
	}
	r.limits(a)
	switch a.Kind {
	case deploy.ScriptAction:
		r.script(a)
	case deploy.PackageAction:
		r.ownPackage(a)
	case deploy.ManualAction:
		r.instructions(a)
	default:
		r.add("action %s has the type %q: this version knows %s, %s and %s", a.Name, a.Kind, deploy.ScriptAction,
			deploy.PackageAction, deploy.ManualAction)
	}
	r.packages(a, known)
}

// instructions are what people who have to answer are shown.
func (r *reasons) instructions(a *deploy.Action) {
	text := a.Properties[deploy.PropInstructions]
	if strings.TrimSpace(text) == "" {
		r.add("action %s does not say what people shall decide: set %s", a.Name, deploy.PropInstructions)
	}
	if len(text) > maxScriptBytes {
		r.add("the instructions of action %s have %d bytes: limit is %d", a.Name, len(text), maxScriptBytes)
	}
}

// channels refuses channels of other projects.
func (r *reasons) channels(a *deploy.Action, all []deploy.Channel) {
	for _, id := range a.Channels {
		if !slices.ContainsFunc(all, func(ch deploy.Channel) bool { return ch.ID == id }) {
			r.add("action %s names a channel that the project has not: %q", a.Name, id)
		}
	}
}

// teams refuses teams that there are not: nobody could answer what the action asks.
func (why *reasons) teams(r store.Reader, a *deploy.Action) error {
	missing, err := identity.MissingTeams(r, a.ResponsibleTeams())
	for _, id := range missing {
		why.add("action %s is for a team to answer that there is not: %.80q (%s)", a.Name, id, deploy.PropTeams)
	}
	return err
}

func (r *reasons) limits(a *deploy.Action) {
	_, wrong := deploy.NewPolicy(*a)
	for _, clause := range wrong {
		r.add("action %s: %s", a.Name, clause)
	}
	if name := a.Properties[deploy.PropIsolation]; len(name) > maxIsolationBytes || !printable(name) {
		r.add("action %s has an isolation name that is longer than %d bytes or cannot be shown", a.Name, maxIsolationBytes)
	}
}

func (r *reasons) script(a *deploy.Action) {
	switch source := a.Properties[deploy.PropScriptSource]; {
	case strings.EqualFold(source, deploy.ScriptFromPackage):
		r.scriptFromPackage(a)
		return
	case source != "" && !strings.EqualFold(source, "Inline"):
		r.add("action %s takes its script from %q: this version knows Inline and Package", a.Name, source)
	}
	if syntax := a.Properties[deploy.PropScriptSyntax]; !strings.EqualFold(syntax, "Bash") {
		r.add("action %s has the syntax %q: this version knows Bash (%s)", a.Name, syntax, deploy.PropScriptSyntax)
	}
	switch body := a.Properties[deploy.PropScriptBody]; {
	case strings.TrimSpace(body) == "":
		r.add("action %s has an empty script (%s)", a.Name, deploy.PropScriptBody)
	case len(body) > maxScriptBytes:
		r.add("the script of action %s has %d bytes: limit is %d", a.Name, len(body), maxScriptBytes)
	}
	if len(a.Packages) > 0 {
		r.add("action %s is a script with packages: that comes with a later version", a.Name)
	}
}

// scriptFromPackage settles the package of a script, as that of a package action.
func (r *reasons) scriptFromPackage(a *deploy.Action) {
	file := a.Properties[deploy.PropScriptFile]
	if name := strings.TrimPrefix(strings.TrimSpace(file), "./"); !strings.Contains(name, "#{") && !fs.ValidPath(name) {
		r.add("action %s runs the file %q of its package: want a path without . and .. (%s)",
			a.Name, file, deploy.PropScriptFile)
	}
	if n := len(a.Properties[deploy.PropScriptArguments]); n > maxScriptBytes {
		r.add("the arguments of action %s have %d bytes: limit is %d", a.Name, n, maxScriptBytes)
	}
	r.ownPackage(a)
}

// ownPackage settles the one package of a package action, from Packages or from the properties.
func (r *reasons) ownPackage(a *deploy.Action) {
	named := a.Properties[propPackage]
	if len(a.Packages) == 0 && named != "" {
		a.Packages = []deploy.PackageReference{{PackageID: named}}
	}
	if len(a.Packages) != 1 || a.Packages[0].Name != "" {
		r.add("action %s needs one package, with an empty name", a.Name)
		return
	}
	if named != "" && !strings.EqualFold(named, a.Packages[0].PackageID) {
		r.add("action %s names two packages: %q in Packages, %q in %s", a.Name, a.Packages[0].PackageID, named, propPackage)
	}
	if source := a.Properties[propFeed]; !slices.Contains(BuiltInFeeds(), strings.ToLower(source)) {
		r.add("action %s takes its package from feed %q: there is only the built-in one", a.Name, source)
	}
}

func (r *reasons) packages(a *deploy.Action, known map[string]bool) {
	a.Packages = slices.Clone(a.Packages)
	for i := range a.Packages {
		reference := &a.Packages[i]
		reference.ID = keepID(reference.ID, known)
		if id := reference.PackageID; id == "" || len(id) > maxTagCharacters || strings.ContainsAny(id, "/\\ ") ||
			!printable(id) {
			r.add("action %s names the package %q: want letters, digits, dots, dashes and underscores", a.Name, id)
		}
	}
}
