// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// emptyRoutes answer lists of things that do not exist yet, because clients read them on the way
// to something else.
func (a *api) emptyRoutes() []Route {
	routes := []Route{}
	for _, kind := range []struct {
		path, itemType, words string
		edit                  identity.Permission // whoever may not change a thing is told that, now and later
	}{
		{"workerpools", "WorkerPool", "worker pools", identity.MachineEdit},
		{"workers", "Worker", "workers", identity.MachineEdit},
		{"tenants", "Tenant", "tenants", identity.ProjectEdit},
		{"proxies", "Proxy", "proxies", identity.MachineEdit},
		{"tagsets", "TagSet", "tag sets", identity.EnvironmentEdit},
		{"runbooks", "Runbook", "runbooks", identity.ProcessEdit},
		{"projecttriggers", "ProjectTrigger", "triggers", identity.ProjectEdit},
		{"certificates", "Certificate", "certificates", identity.AccountEdit},
		{"actiontemplates", "ActionTemplate", "step templates", identity.ProcessEdit},
		{"subscriptions", "Subscription", "subscriptions", identity.TeamEdit},
		{"gitcredentials", "GitCredential", "Git credentials", identity.AccountEdit},
	} {
		routes = append(routes,
			get("/api/S/"+kind.path, identity.SignedIn, "None yet: an empty page", a.emptyPage(kind.itemType)),
			get("/api/S/"+kind.path+"/all", identity.SignedIn, "None yet: an empty list", a.emptyList),
			get("/api/S/"+kind.path+"/{id}", identity.SignedIn, "404: "+kind.words+" come with a later version",
				noneYet(kind.words)),
			post("/api/S/"+kind.path, kind.edit, "400: "+kind.words+" come with a later version", notYet(kind.words)),
			put("/api/S/"+kind.path+"/{id}", kind.edit, "404: "+kind.words+" come with a later version", noneYet(kind.words)),
			del("/api/S/"+kind.path+"/{id}", kind.edit, "404: "+kind.words+" come with a later version",
				noneYet(kind.words)))
	}
	routes = append(routes, a.refusedRoutes()...)
	return append(routes, post("/api/S/feeds", identity.PackageDelete, "400: further feeds come with a later version",
		notYet("feeds beside the built-in one")))
}

// refusedRoutes are acts that clients offer for things that do not exist yet.
func (a *api) refusedRoutes() []Route {
	return []Route{
		post("/api/S/deployments/create/tenanted/v1", identity.DeploymentCreate, "400: tenants come with a later version",
			notYet("deployments for tenants")),
		post("/api/S/runbook-runs/create/v1", identity.DeploymentCreate, "400: runbooks come with a later version",
			notYet("runs of runbooks")),
		post("/api/S/projects/{id}/git/convert", identity.ProjectEdit, "400: projects in Git come with a later version",
			notYet("projects in Git")),
		get("/api/S/projects/{id}/git/branches", identity.ProjectView, "400: projects in Git come with a later version",
			a.gitBranches),
		post("/api/S/projects/{id}/git/branches/v2", identity.ProjectEdit,
			"400: projects in Git come with a later version", notYet("branches of projects in Git")),
	}
}

func (a *api) gitBranches(c *call) error {
	p, err := a.Catalog.Project(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return errkind.Invalid.Errorf("project %s is kept by the server: keeping projects in Git comes with a later version",
		p.Name)
}

// noneYet says that there is no such thing to change or to delete; the latter clients take for "deleted already".
func noneYet(words string) func(*call) error {
	return func(c *call) error {
		var q struct{ Name string }
		if c.route.Method == http.MethodPut {
			if err := c.decode(&q); err != nil {
				return err
			}
		}
		return errkind.NotFound.Errorf("there is no %.80q: having %s comes with a later version", c.param("id"), words)
	}
}

// notYet refuses to make what this version has not, whatever the body says.
func notYet(words string) func(*call) error {
	return func(c *call) error {
		var q obj
		if err := c.decode(&q); err != nil {
			return err
		}
		return errkind.Invalid.Errorf("making %s comes with a later version", words)
	}
}
