// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

// ownCategories are the words of the audit trail, sorted.
func ownCategories() []string {
	return []string{
		"APIKeyCreated", "APIKeyDeleted", "AccountAdded", "AccountDeleted", "AccountEdited",
		"ArtifactAdded", "ArtifactDeleted", "ArtifactEdited",
		"AutomaticDeploymentSkipped", "ChannelAdded", "ChannelDeleted", "ChannelEdited", "DefectReported",
		"DefectResolved", "DeploymentProcessEdited", "DeploymentQueued", "DeploymentSettingsEdited",
		"EnvironmentAdded", "EnvironmentDeleted", "EnvironmentEdited", "EnvironmentsSorted",
		"InstallationCreated", "InterruptionExpired", "InterruptionRaised", "InterruptionSubmitted",
		"InterruptionTaken", "JoinTokenCreated", "JoinTokenDeleted", "JoinTokenReused",
		"LibraryVariableSetAdded", "LibraryVariableSetDeleted", "LibraryVariableSetEdited", "LifecycleAdded",
		"LifecycleDeleted", "LifecycleEdited", "MachineAccepted", "MachineAdded", "MachineDeleted",
		"MachineEdited", "MachineJoined", "MachinePolicyAdded", "MachinePolicyDeleted", "MachinePolicyEdited",
		"MachineQuarantined", "PackageDeleted", "PackagePushed", "MaintenanceEdited", "ProjectAdded", "ProjectDeleted",
		"ProjectEdited", "ProjectGroupAdded", "ProjectGroupDeleted", "ProjectGroupEdited", "ReleaseCreated",
		"ReleaseDeleted", "ReleaseEdited", "ReleaseVariablesUpdated", "RestoreAccepted", "ScopedUserRoleAdded",
		"ScopedUserRoleDeleted", "ScopedUserRoleEdited", "ServerRestored", "SignInFailed", "SignedIn",
		"SpaceCreated", "SpaceDeleted", "SpaceEdited", "TaskCancelAsked",
		"TaskFailed", "TaskQueued", "TaskTimedOut", "TasksDeleted", "TeamAdded", "TeamDeleted", "TeamEdited", "UserAdded",
		"UserDeleted", "UserDisabled", "UserEdited", "UserRoleAdded", "UserRoleDeleted",
		"UserRoleEdited", "VariableSetEdited", "VerdictCameLate",
	}
}

// Words that clients know for what happened to any kind of thing.
const (
	wasCreated  = "Created"
	wasModified = "Modified"
	wasDeleted  = "Deleted"
)

// wireCategory is the word that clients know for one of our own, which says more.
func wireCategory(own string) string {
	switch own {
	case "SignedIn":
		return "LoginSucceeded"
	case "SignInFailed":
		return "LoginFailed"
	case "MachineJoined", "PackagePushed":
		return wasCreated
	case "EnvironmentsSorted", "ReleaseVariablesUpdated", "UserDisabled", "MachineAccepted":
		return wasModified
	}
	for suffix, word := range map[string]string{
		"Added": wasCreated, "Created": wasCreated, "Edited": wasModified, "Deleted": wasDeleted,
	} {
		if strings.HasSuffix(own, suffix) {
			return word
		}
	}
	return own
}

// wireCategories lists the words of the wire, sorted.
func wireCategories() []string {
	words := make([]string, 0, len(ownCategories()))
	for _, own := range ownCategories() {
		words = append(words, wireCategory(own))
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// categoriesFor are our own words for what a filter names, in either spelling. One that nobody uses stays, so
// that it finds nothing.
func categoriesFor(wanted []string) []string {
	var own []string
	for _, word := range wanted {
		found := false
		for _, c := range ownCategories() {
			if strings.EqualFold(word, c) || strings.EqualFold(word, wireCategory(c)) {
				own, found = append(own, c), true
			}
		}
		if !found {
			own = append(own, word)
		}
	}
	return own
}

// documentTypes are the kinds of things that events are about: what their ids begin with.
func documentTypes() []string {
	return []string{
		"Accounts", "Channels", "Deployments", "Environments", "Interruptions", "LibraryVariableSets", "Lifecycles",
		"MachinePolicies", "Machines", "ProjectGroups", "Projects", "Releases", "ScopedUserRoles", "ServerTasks", "Teams",
		"UserRoles", "Users",
	}
}

// eventGroup is a set of categories under one name.
type eventGroup struct {
	id, name string
	holds    func(own string) bool
}

func eventGroups() []eventGroup {
	about := func(prefixes ...string) func(string) bool {
		return func(own string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(own, p) })
		}
	}
	return []eventGroup{
		{"Deployment", "Deployment", about("DeploymentQueued", "AutomaticDeployment", "Interruption")},
		{"Document", "Document modified or deleted", func(own string) bool {
			word := wireCategory(own)
			return word == wasCreated || word == wasModified || word == wasDeleted
		}},
		{"Machine", "Machine", about("Machine", "JoinToken")},
		{"Task", "Task", about("Task", "VerdictCameLate")},
		{"User", "User, team or key", about("User", "Team", "ScopedUserRole", "APIKey", "SignedIn", "SignInFailed")},
	}
}

func (g eventGroup) categories() []string {
	return slices.DeleteFunc(ownCategories(), func(own string) bool { return !g.holds(own) })
}

func named(ids []string) []obj {
	return each(ids, func(id string) obj { return obj{"Id": id, "Name": id} })
}

func (a *api) eventCategories(c *call) error { return c.ok(named(wireCategories())) }

func (a *api) eventDocumentTypes(c *call) error { return c.ok(named(documentTypes())) }

// eventAgents are what people can act with.
func (a *api) eventAgents(c *call) error { return c.ok(named([]string{"Browser", "Client", "Server"})) }

func (a *api) eventGroups(c *call) error {
	return c.ok(each(eventGroups(), func(g eventGroup) obj {
		words := []string{}
		for _, own := range g.categories() {
			words = append(words, wireCategory(own))
		}
		slices.Sort(words)
		return obj{"Id": g.id, "Name": g.name, "EventCategories": slices.Compact(words)}
	}))
}

func (a *api) listEvents(c *call) error {
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	filter, isNone, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	if filter.Skip = skip; take < math.MaxInt32 {
		filter.Take = take + 1 // one row more than the page tells whether there is a next one
	}
	events, err := a.Catalog.Events(c.ctx(), c.principal, filter)
	if err != nil {
		return err
	}
	if isNone {
		events = nil
	}
	total := skip + len(events)
	events = events[:min(len(events), take)]
	return envelope(c, "Event", each(events, showEvent), total)
}

// eventFilter reads the filters of the address. IsNone says that they can find nothing.
func (a *api) eventFilter(c *call) (f catalog.EventFilter, isNone bool, err error) {
	query := c.query()
	listed := func(names ...string) (all []string) {
		for _, name := range names {
			all = append(all, commaList(query[name], true)...)
		}
		return all
	}
	f = catalog.EventFilter{
		Subjects: listed("regarding", "regardingany", "projects", "environments"), Users: listed("user"),
		Categories: categoriesFor(listed("eventcategories")), Types: listed("documenttypes"),
	}
	for name, at := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if *at, err = moment(name, query[name]); err != nil {
			return f, false, err
		}
	}
	for name, n := range map[string]*int64{"fromautoid": &f.FromNumber, "toautoid": &f.ToNumber} {
		bound, err := number(query, name, 0)
		if err != nil {
			return f, false, err
		}
		*n = int64(bound)
	}
	for _, id := range listed("eventgroups") {
		i := slices.IndexFunc(eventGroups(), func(g eventGroup) bool { return strings.EqualFold(g.id, id) })
		if i < 0 {
			return f, false, errkind.Invalid.Errorf("there is no event group %.40q", id)
		}
		f.Categories = append(f.Categories, eventGroups()[i].categories()...)
	}
	ids := listed("users")
	if len(ids) == 0 {
		return f, false, nil
	}
	users, err := a.namesOf(c, ids)
	f.Users = append(f.Users, users...)
	return f, len(f.Users) == 0, err
}

// namesOf finds the names of users by their ids.
func (a *api) namesOf(c *call, ids []string) (names []string, err error) {
	users, err := a.Directory.Users(c.ctx(), c.principal)
	for _, u := range users {
		if containsFold(ids, string(u.ID)) {
			names = append(names, u.Name)
		}
	}
	return names, err
}

// moment reads a time of the address; "" is none. Clients write it with a zone or, meaning UTC, without.
// Errors: Invalid.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	text = strings.Replace(text, " ", "+", 1) // a plus sign that was not encoded
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errkind.Invalid.Errorf("%s is %.40q: want a time such as 2026-01-01T10:00:00Z", name, text)
}

func (a *api) getEvent(c *call) error {
	text, ok := strings.CutPrefix(strings.ToLower(c.param("id")), "events-")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 1 {
		n = math.MaxInt64 // there is none, but who may not look must not learn it
	}
	events, err := a.Catalog.Events(c.ctx(), c.principal, catalog.EventFilter{FromNumber: n, ToNumber: n, Take: 1})
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return errkind.NotFound.Errorf("there is no event %.80q", c.param("id"))
	}
	return c.ok(showEvent(events[0]))
}

func showEvent(e deploy.Event) obj {
	id := "Events-" + strconv.FormatInt(e.Number, 10)
	return obj{
		"Id": id, "SpaceId": thisSpace, "AutoId": e.Number, "Category": wireCategory(e.Category),
		"FairleadCategory": e.Category, "Username": e.User, "Occurred": at(e.At), "Message": e.Message,
		"RelatedDocumentIds": []string{e.Subject}, "Links": obj{"Self": "/api/events/" + id},
	}
}
