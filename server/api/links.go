// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"net/url"

	"fairlead/internal/deploy"
)

// Pages of the portal that Links.Web lead to. The space's alone keeps the form /app#/…: clients cut it there.

// Another than the default space stands in the address: the portal changes to it.

func webProject(space deploy.SpaceID, id deploy.ProjectID) string {
	return "/app/projects/" + url.PathEscape(string(id)) + space.InAddress()
}

func webRelease(space deploy.SpaceID, project deploy.ProjectID, version string) string {
	return webProject("", project) + "/releases/" + url.PathEscape(version) + space.InAddress()
}

func webTask(space deploy.SpaceID, id deploy.TaskID) string {
	return "/app/tasks/" + url.PathEscape(string(id)) + space.InAddress()
}

// writtenLinks are the links of both root documents as JSON: every command of a client fetches them first.
type writtenLinks struct{ root, space any }

// written is a value as JSON, or the value itself if it has none, for whoever writes it to find out why.
func written(v any) any {
	if text, err := json.Marshal(v); err == nil {
		return json.RawMessage(text)
	}
	return v
}

// allLinks is the map of address templates that both root documents carry. Clients follow it, and
// a parameter that is missing in a template is never sent: the templates are behaviour.
// Source: octopus-rest.md a.4.
func allLinks(self string) obj {
	links := obj{
		"Self":                     self,
		"Web":                      "/app",
		"Spaces":                   "/api/spaces{/id}{?name,skip,ids,take,partialName}",
		"SpaceHome":                "/api/{spaceId}",
		"Users":                    "/api/users{/id}{?skip,take,ids,filter}",
		"CurrentUser":              "/api/users/me",
		"SignIn":                   "/api/users/login{?returnUrl}",
		"SignOut":                  "/api/users/logout",
		"UserAuthentication":       "/api/users/authentication{/userId}",
		"UserRoles":                "/api/userroles{/id}{?skip,take,ids,partialName}",
		"ScopedUserRoles":          "/api/scopeduserroles{/id}{?skip,take,ids,partialName,spaces,includeSystem}",
		"TeamMembership":           "/api/users/{userId}/teams{?spaces,includeSystem}",
		"Permissions":              "/api/permissions/all",
		"MaintenanceConfiguration": "/api/maintenanceconfiguration",
		"ServerStatus":             "/api/serverstatus",
		"Teams":                    "/api/teams{/id}{?skip,take,ids,partialName,spaces,includeSystem}",
		"CertificateConfiguration": "/api/configuration/certificates{/id}{?skip,take,ids,partialName}",
		"TaskTypes":                "/api/tasks/tasktypes",
		"Events": "/api/events{?skip,take,regarding,regardingAny,user,users,projects,environments,eventCategories," +
			"eventGroups,documentTypes,from,to,fromAutoId,toAutoId}",
		"EventCategories":    "/api/events/categories{?appliesTo}",
		"EventDocumentTypes": "/api/events/documenttypes",
		"EventGroups":        "/api/events/groups{?appliesTo}",
		"EventAgents":        "/api/events/agents",
		"Tasks": "/api/tasks{/id}{?skip,active,environment,tenant,runbook,project,name,node,running,states," +
			"hasPendingInterruptions,hasWarningsOrErrors,take,ids,partialName,spaces,includeSystem}",
	}
	for name, template := range spaceLinks() {
		links[name] = spacePath + template
	}
	return links
}

func spaceLinks() map[string]string {
	return map[string]string{
		"Accounts":            "accounts{/id}{?skip,take,ids,partialName,accountType}",
		"Artifacts":           "artifacts{/id}{?skip,take,regarding,ids,partialName,order}",
		"BuiltInFeedStats":    "feeds/stats",
		"Channels":            "channels{/id}{?skip,take,ids,partialName}",
		"Dashboard":           "dashboard",
		"DeploymentProcesses": "deploymentprocesses{/id}{?skip,take,ids}",
		"Deployments": "deployments{/id}{?skip,take,ids,projects,environments,tenants,channels," +
			"taskState,partialName}",
		"EnvironmentSortOrder":    "environments/sortorder",
		"Environments":            "environments{/id}{?name,skip,ids,take,partialName}",
		"Feeds":                   "feeds{/id}{?skip,take,ids,partialName,feedType,name}",
		"Interruptions":           "interruptions{/id}{?skip,take,regarding,pendingOnly,ids}",
		"JoinTokens":              "jointokens{/id}{?skip,take}",
		"LibraryVariables":        "libraryvariablesets{/id}{?skip,contentType,take,ids,partialName}",
		"Lifecycles":              "lifecycles{/id}{?skip,take,ids,partialName}",
		"MachinePolicies":         "machinepolicies{/id}{?skip,take,ids,partialName}",
		"MachinePolicyTemplate":   "machinepolicies/template",
		"DiscoverMachine":         "machines/discover{?host,port,type,proxyId}",
		"MachineOperatingSystems": "machines/operatingsystem/names/all",
		"MachineShells":           "machines/operatingsystem/shells/all",
		"MachineRoles":            "machineroles/all",
		"Machines": "machines{/id}{?skip,take,name,ids,partialName,roles,isDisabled,healthStatuses,commStyles," +
			"tenantIds,tenantTags,environmentIds,thumbprint,deploymentId,shellNames,deploymentTargetTypes}",
		"PackageDeltaSignature": "packages/{packageId}/{version}/delta-signature",
		"Packages":              "packages{/id}{?nuGetPackageId,filter,latest,skip,take,includeNotes}",
		"PackageUpload":         "packages/raw{?replace,overwriteMode}",
		"ProjectGroups":         "projectgroups{/id}{?skip,take,ids,partialName}",
		"Projects":              "projects{/id}{?name,skip,ids,clone,take,partialName,clonedFromProjectId}",
		"Proxies":               "proxies{/id}{?skip,take,ids,partialName}",
		"Releases":              "releases{/id}{?skip,ignoreChannelRules,take,ids}",
		"TagSets":               "tagsets{/id}{?skip,take,ids,partialName,scopes}",
		"Tenants":               "tenants{/id}{?skip,projectId,name,tags,take,ids,clone,partialName,clonedFromTenantId}",
		"Variables":             "variables{/id}{?ids}",
		"WorkerPools":           "workerpools{/id}{?name,skip,ids,take,partialName}",
		"Workers": "workers{/id}{?skip,take,name,ids,partialName,isDisabled,healthStatuses,commStyles," +
			"workerPoolIds,thumbprint,shellNames}",
	}
}
