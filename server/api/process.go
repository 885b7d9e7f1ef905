// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

// processPrefix and the project's id are the id of its process; Terraform builds it itself.
const processPrefix = "deploymentprocess-"

// Words of the wire.
const (
	startAfterPrevious = "StartAfterPrevious"
	startWithPrevious  = "StartWithPrevious" // it does not wait for the step before it
	letServerDecide    = "LetOctopusDecide"  // when packages are sent: here always with the step that needs them
)

// feedID is the built-in feed.
const feedID = "Feeds-1001"

// property is the value of a step's or an action's property: a text, or a secret object.
type property struct {
	text      string
	sensitive bool
}

// UnmarshalJSON takes texts, numbers, truth values and null as texts.
func (p *property) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	switch v := value.(type) {
	case nil:
	case string:
		p.text = v
	case bool:
		p.text = strconv.FormatBool(v)
	case float64:
		p.text = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		p.sensitive = true
	}
	return nil
}

type processRequest struct {
	Version int
	Steps   []stepRequest
}

type stepRequest struct {
	ID                 string `json:"Id"`
	Name               string
	Condition          string
	StartTrigger       string
	PackageRequirement string
	Properties         map[string]property
	Actions            []actionRequest
}

type actionRequest struct {
	ID                   string `json:"Id"`
	Name                 string
	ActionType           string
	Condition            string
	IsDisabled           bool
	IsRequired           bool
	Notes                string
	WorkerPoolID         string `json:"WorkerPoolId"`
	WorkerPoolVariable   string
	Container            *struct{ Image, FeedID string }
	Environments         []deploy.EnvironmentID
	ExcludedEnvironments []deploy.EnvironmentID
	Channels             []deploy.ChannelID
	TenantTags           []string
	GitDependencies      []any
	Packages             []packageReferenceRequest
	Properties           map[string]property
}

type packageReferenceRequest struct {
	ID        string `json:"Id"`
	Name      string
	PackageID string `json:"PackageId"`
	FeedID    string `json:"FeedId"`
	Version   string
}

// later collects what the wire can say and this version cannot do.
type later []string

func (l *later) add(when bool, format string, args ...any) {
	if when {
		*l = append(*l, fmt.Sprintf(format, args...)+" comes with a later version")
	}
}

func (l later) err() error {
	if len(l) == 0 {
		return nil
	}
	return &catalog.ValidationError{Reasons: l, Because: errkind.Invalid}
}

func (q processRequest) process() (deploy.Process, error) {
	var not later
	process := deploy.Process{Version: q.Version, Steps: []deploy.Step{}}
	for _, s := range q.Steps {
		step := deploy.Step{
			ID: s.ID, Name: s.Name, Condition: deploy.Condition(s.Condition),
			WithPrevious: strings.EqualFold(s.StartTrigger, startWithPrevious),
			Properties:   not.properties("step "+s.Name, s.Properties), Actions: []deploy.Action{},
		}
		not.step(s)
		for _, action := range s.Actions {
			step.Actions = append(step.Actions, not.action(action))
		}
		process.Steps = append(process.Steps, step)
	}
	return process, not.err()
}

// step refuses what would run at another time than the caller thinks.
func (l *later) step(q stepRequest) {
	if !containsFold([]string{"", startAfterPrevious, startWithPrevious}, q.StartTrigger) {
		*l = append(*l, fmt.Sprintf("step %s has the start trigger %.40q: want %s or %s", q.Name, q.StartTrigger,
			startAfterPrevious, startWithPrevious))
	}
	l.add(!containsFold([]string{"", letServerDecide}, q.PackageRequirement),
		"step %s: the package requirement %.40q (this version knows %s)", q.Name, q.PackageRequirement, letServerDecide)
	for _, action := range q.Actions {
		isStep := len(q.Actions) == 1 && strings.EqualFold(action.Condition, q.Condition)
		l.add(!isStep && !containsFold([]string{"", string(deploy.OnSuccess)}, action.Condition),
			"action %s: a condition of its own, %.40q,", action.Name, action.Condition)
	}
}

func (l *later) properties(owner string, given map[string]property) map[string]string {
	texts := make(map[string]string, len(given))
	for name, p := range given {
		l.add(p.sensitive, "%s: the sensitive property %s", owner, name)
		texts[name] = p.text
	}
	return texts
}

func (l *later) action(q actionRequest) deploy.Action {
	owner := "action " + q.Name
	l.add(len(q.TenantTags) > 0, "%s: running for some tenants only", owner)
	l.add(len(q.GitDependencies) > 0, "%s: Git dependencies", owner)
	l.add(q.WorkerPoolID != "" || q.WorkerPoolVariable != "", "%s: running on a worker", owner)
	l.add(q.Container != nil && q.Container.Image != "", "%s: running in a container", owner)
	action := deploy.Action{
		ID: q.ID, Name: q.Name, Kind: deploy.ActionKind(q.ActionType), IsDisabled: q.IsDisabled, IsRequired: q.IsRequired,
		Notes: q.Notes, Environments: list(q.Environments), ExcludedEnvironments: list(q.ExcludedEnvironments),
		Channels: list(q.Channels), Packages: []deploy.PackageReference{}, Properties: l.properties(owner, q.Properties),
	}
	for _, p := range q.Packages {
		l.add(!isBuiltIn(p.FeedID), "%s: the feed %q", owner, p.FeedID)
		l.add(p.Version != "", "%s: the fixed version %.40q of package %s", owner, p.Version, p.PackageID)
		action.Packages = append(action.Packages, deploy.PackageReference{ID: p.ID, Name: p.Name, PackageID: p.PackageID})
	}
	return action
}

func isBuiltIn(feed string) bool {
	for _, id := range catalog.BuiltInFeeds() {
		if strings.EqualFold(feed, id) {
			return true
		}
	}
	return false
}

func showProcess(p deploy.Process) obj {
	id := processPrefix + string(p.Project)
	project := spacePath + "projects/" + string(p.Project)
	return obj{
		"Id": id, "SpaceId": thisSpace, "ProjectId": p.Project, "Version": p.Version, "LastSnapshotId": nil,
		"Steps": each(p.Steps, showStep),
		"Links": obj{
			"Self": spacePath + "deploymentprocesses/" + id, "Project": project,
			"Template": project + "/deploymentprocesses/template{?channel,releaseId}",
		},
	}
}

func showStep(s deploy.Step) obj {
	properties := maps.Clone(s.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	properties[deploy.PropTargetTags] = strings.Join(s.Tags, ",")
	trigger := startAfterPrevious
	if s.WithPrevious {
		trigger = startWithPrevious
	}
	return obj{
		"Id": s.ID, "Name": s.Name, "Slug": deploy.Slug(s.Name), "PackageRequirement": letServerDecide,
		"Condition": s.Condition, "StartTrigger": trigger, "Properties": properties,
		"Actions": each(s.Actions, showAction),
	}
}

func showAction(a deploy.Action) obj {
	properties := a.Properties
	if properties == nil {
		properties = map[string]string{}
	}
	return obj{
		"Id": a.ID, "Name": a.Name, "Slug": deploy.Slug(a.Name), "ActionType": a.Kind, "IsDisabled": a.IsDisabled,
		"IsRequired": a.IsRequired, "Notes": a.Notes,
		"CanBeUsedForProjectVersioning": a.Kind == deploy.PackageAction, "Condition": "Success",
		"WorkerPoolId": nil, "WorkerPoolVariable": nil, "Container": obj{"Image": nil, "FeedId": nil},
		"Environments": list(a.Environments), "ExcludedEnvironments": list(a.ExcludedEnvironments),
		"Channels": list(a.Channels), "TenantTags": []string{}, "GitDependencies": []obj{},
		"Packages": each(a.Packages, showReference), "Properties": properties, "Links": obj{},
	}
}

func showReference(p deploy.PackageReference) obj {
	return obj{
		"Id": p.ID, "Name": p.Name, "PackageId": p.PackageID, "FeedId": feedID, "Version": nil,
		"AcquisitionLocation": "Server", "Properties": obj{},
	}
}

// owner reads the project out of an id such as deploymentprocess-Projects-1. Errors: NotFound.
func owner(prefix, id string) (string, error) {
	if n := len(prefix); len(id) > n && strings.EqualFold(id[:n], prefix) {
		return id[n:], nil
	}
	return "", errkind.NotFound.Errorf("there is no %q: want %sProjects-1", id, prefix)
}

// processOwner takes the id of a process, or below projects/ that of the project.
func processOwner(c *call) (string, error) {
	if strings.HasPrefix(c.route.Pattern, "/api/S/projects/") {
		return c.param("id"), nil
	}
	return owner(processPrefix, c.param("id"))
}

// snapshot is what the id of something that a release took says, such as variableset-Projects-1-s-3-Releases-7.
type snapshot struct {
	owner   string
	version int
	release string
}

func (s snapshot) String() string {
	if s.version == catalog.AnyVersion {
		return s.owner + "-s-" + s.release
	}
	return fmt.Sprintf("%s-s-%d-%s", s.owner, s.version, s.release)
}

// newSnapshot reads what follows the prefix; ok is false when it is no snapshot's: a slug may hold "-s-", too, but no
// capital. A deployment's has no version: it knows its release alone.
func newSnapshot(text string) (s snapshot, ok bool) {
	owner, rest, _ := strings.Cut(text, "-s-")
	s = snapshot{owner, catalog.AnyVersion, rest}
	if version, release, _ := strings.Cut(rest, "-"); release != "" {
		if n, err := strconv.Atoi(version); err == nil {
			s.version, s.release = n, release
		}
	}
	return s, strings.HasPrefix(s.release, "Releases-")
}

// refuseTaken refuses to change what a release or a deployment keeps. Errors: Invalid.
func refuseTaken(owner string) error {
	if _, ok := newSnapshot(owner); !ok && !strings.HasPrefix(owner, deploymentPrefix) {
		return nil
	}
	return errkind.Hinted(
		errkind.Invalid.Errorf("%.100q is what a release or a deployment took: it cannot be changed", owner),
		"change what the project has, and make a new release")
}

// taken gives what a release took its own id and address.
func taken(shown obj, collection, id string) obj {
	shown["Id"], shown["Links"] = id, obj{"Self": spacePath + collection + id}
	return shown
}

func (a *api) getProcess(c *call) error {
	project, err := processOwner(c)
	if err != nil {
		return err
	}
	if s, ok := newSnapshot(project); ok {
		process, err := a.Catalog.ReleaseProcess(c.ctx(), c.principal, s.release, s.owner, s.version)
		if err != nil {
			return err
		}
		return c.ok(taken(showProcess(process), "deploymentprocesses/", processPrefix+s.String()))
	}
	process, err := a.Catalog.Process(c.ctx(), c.principal, project)
	if err != nil {
		return err
	}
	return c.ok(showProcess(process))
}

func (a *api) saveProcess(c *call) error {
	project, err := processOwner(c)
	if err != nil {
		return err
	}
	if err := refuseTaken(project); err != nil {
		return err
	}
	var q processRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	process, err := q.process()
	if err != nil {
		return err
	}
	saved, err := a.Catalog.SaveProcess(c.ctx(), c.principal, project, process)
	if err != nil {
		return err
	}
	return c.ok(showProcess(saved))
}

// listProcesses answers the processes of all projects, which callers that move a whole installation read.
func (a *api) listProcesses(c *call) error {
	all, err := a.Catalog.Processes(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return paged(c, "DeploymentProcess", chosen(c, all, func(p deploy.Process) (string, string) {
		return processPrefix + string(p.Project), ""
	}), showProcess)
}

func (a *api) projectSummary(c *call) error {
	process, err := a.Catalog.Process(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(obj{"HasDeploymentProcess": len(process.Steps) > 0, "HasRunbooks": false})
}
