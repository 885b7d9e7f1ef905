// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"slices"

	"fairlead/server/identity"
)

// table lists every route there is. docs/api.md is made from it.
func (a *api) table() []Route {
	return slices.Concat(
		a.systemRoutes(), a.userRoutes(), a.teamRoutes(), a.environmentRoutes(), a.projectRoutes(), a.packageRoutes(),
		a.releaseRoutes(), a.taskRoutes(), a.artifactRoutes(),
		a.machineRoutes(), a.orphanRoutes(), a.variableRoutes(), a.emptyRoutes(),
	)
}

// Routes lists the table for documents and tests; the handlers are bound to nothing.
func Routes() []Route { return (&api{}).table() }

func get(pattern string, need identity.Permission, summary string, handle func(*call) error) Route {
	return Route{Method: http.MethodGet, Pattern: pattern, Need: need, Summary: summary, handle: handle}
}

func post(pattern string, need identity.Permission, summary string, handle func(*call) error) Route {
	return Route{Method: http.MethodPost, Pattern: pattern, Need: need, Summary: summary, handle: handle}
}

func put(pattern string, need identity.Permission, summary string, handle func(*call) error) Route {
	return Route{Method: http.MethodPut, Pattern: pattern, Need: need, Summary: summary, handle: handle}
}

func del(pattern string, need identity.Permission, summary string, handle func(*call) error) Route {
	return Route{Method: http.MethodDelete, Pattern: pattern, Need: need, Summary: summary, handle: handle}
}

func public(pattern, summary string, handle func(*call) error) Route {
	return Route{Method: http.MethodGet, Pattern: pattern, Public: true, Summary: summary, handle: handle}
}

func (a *api) systemRoutes() []Route {
	return []Route{
		public("/healthz", "Whether the server can write to its store: 200 or 503", a.getHealth),
		public("/metrics", "Figures in the Prometheus text format; no names in them", a.getMetrics),
		public("/api", "The root document: version and links", a.getRoot),
		get("/api/swagger.json", identity.SignedIn, "The routes as an OpenAPI document", a.getOpenAPI),
		get("/api/{space}", identity.SignedIn, "The root document of a space", a.getSpaceRoot),
		get("/api/spaces", identity.SignedIn, "Spaces in which one has a permission, paged", a.listSpaces),
		get("/api/spaces/all", identity.SignedIn, "Spaces in which one has a permission, all", a.allSpaces),
		get("/api/spaces/{id}", identity.SignedIn, "One space by id, name or slug", a.getSpace),
		post("/api/spaces", identity.ServerAdmin,
			"Add a space: {Name, Description, SpaceManagersTeams, SpaceManagersTeamMembers}", a.createSpace),
		put("/api/spaces/{id}", identity.ServerAdmin, "Rename, describe, give to others, stop its task queue",
			a.editSpace),
		del("/api/spaces/{id}", identity.ServerAdmin,
			"Delete a space and all that is in it; its task queue is stopped before", a.deleteSpace),
		get("/api/serverstatus", identity.SignedIn, "Version and maintenance", a.getStatus),
		get("/api/serverstatus/system-info", identity.ServerAdmin, "How the program is doing", a.getSystemInfo),
		get("/api/maintenanceconfiguration", identity.SignedIn, "Whether the server is in maintenance mode",
			a.getMaintenance),
		put("/api/maintenanceconfiguration", identity.ServerAdmin,
			"Begin or end it: {IsInMaintenanceMode}; meanwhile only administrators change anything", a.setMaintenance),
		get("/api/configuration/certificates", identity.SignedIn, "The server's certificate, paged", a.listCertificates),
		get("/api/configuration/certificates/{id}", identity.SignedIn,
			"The server's certificate: certificate-global", a.getCertificate),
		get("/api/configuration/feature-toggles", identity.SignedIn, "Feature toggles: none", a.getToggles),
		get("/api/events", identity.EventView,
			"The audit trail, newest first; regarding=, regardingAny=, projects=, environments=, user=, users=, "+
				"eventCategories=, eventGroups=, documentTypes=, from=, to=, fromAutoId=, toAutoId=", a.listEvents),
		get("/api/events/categories", identity.EventView, "What can happen", a.eventCategories),
		get("/api/events/documenttypes", identity.EventView, "What it can happen to", a.eventDocumentTypes),
		get("/api/events/groups", identity.EventView, "Categories in groups", a.eventGroups),
		get("/api/events/agents", identity.EventView, "What people can act with", a.eventAgents),
		get("/api/events/{id}", identity.EventView, "One event", a.getEvent),
		post("/api/S/jointokens", identity.TokenCreate,
			"Make a join token: {Environments, Tags, Machine, ExpiresInSeconds}; its text is shown once", a.createToken),
		get("/api/S/jointokens", identity.TokenView, "Join tokens without their texts, newest first", a.listTokens),
		del("/api/S/jointokens/{id}", identity.TokenCreate, "Take a join token back", a.deleteToken),
	}
}

func (a *api) userRoutes() []Route {
	return []Route{
		get("/api/users/me", identity.SignedIn, "Who the key belongs to", a.getMe),
		get("/api/users", identity.UserView, "Users, paged; filter=", a.listUsers),
		get("/api/users/all", identity.UserView, "Users, all", a.allUsers),
		{
			Method: http.MethodPost, Pattern: "/api/users/login", Public: true, handle: a.signIn,
			Summary: "Sign in: {Username, Password}; sets two cookies, the second of which goes back in X-Octopus-Csrf-Token",
		},
		post("/api/users/logout", identity.SignedIn, "End the session of the cookie", a.signOut),
		get("/api/users/authentication", identity.SignedIn, "How users can sign in", a.getAuthentication),
		get("/api/users/authentication/{id}", identity.SignedIn, "How a user can sign in", a.getAuthentication),
		get("/api/users/{id}", identity.SignedIn, "One user; others need UserView", a.getUser),
		post("/api/users", identity.UserEdit, "Add a user: {Username, DisplayName, EmailAddress, Password, IsService}",
			a.createUser),
		put("/api/users/{id}", identity.SignedIn,
			"Change a user; oneself: DisplayName, EmailAddress, Password, others need UserEdit and all their rights",
			a.editUser),
		del("/api/users/{id}", identity.UserEdit, "Delete a user with his keys and sessions", a.deleteUser),
		get("/api/users/{id}/teams", identity.SignedIn, "The teams of a user, all; others' need UserView", a.userTeams),
		get("/api/users/{id}/permissions", identity.SignedIn,
			"What a user may do and where; others' need UserView", a.userPermissions),
		get("/api/users/{id}/permissions/configuration", identity.SignedIn, "As permissions", a.userPermissions),
		get("/api/users/{id}/spaces", identity.SignedIn, "The spaces of a user", a.userSpaces),
		get("/api/users/{id}/apikeys", identity.SignedIn, "The keys of a user; others' need UserEdit", a.listKeys),
		post("/api/users/{id}/apikeys", identity.SignedIn,
			"Make a key: {Purpose, Expires}; its text is shown once", a.createKey),
		get("/api/users/{id}/apikeys/{key}", identity.SignedIn, "One key of a user, without its text", a.getKey),
		del("/api/users/{id}/apikeys/{key}", identity.SignedIn, "Delete a key and the sessions it opened", a.deleteKey),
	}
}

func (a *api) teamRoutes() []Route {
	return []Route{
		get("/api/teams", identity.TeamView, "Teams, paged; ids=, partialName=", a.listTeams),
		get("/api/teams/all", identity.TeamView, "Teams, all", a.allTeams),
		get("/api/teams/{id}", identity.TeamView, "One team", a.getTeam),
		post("/api/teams", identity.TeamEdit, "Add a team: {Name, Description, MemberUserIds}", a.createTeam),
		put("/api/teams/{id}", identity.TeamEdit, "Change a team; nobody gives a right that he lacks", a.editTeam),
		del("/api/teams/{id}", identity.TeamEdit, "Delete a team that is not built in", a.deleteTeam),
		get("/api/teams/{id}/scopeduserroles", identity.TeamView, "The roles that a team gives, paged", a.teamRoles),
		get("/api/userroles", identity.RoleView, "User roles, paged; ids=, partialName=", a.listRoles),
		get("/api/userroles/all", identity.RoleView, "User roles, all", a.allRoles),
		get("/api/userroles/{id}", identity.RoleView, "One user role", a.getRole),
		post("/api/userroles", identity.RoleEdit,
			"Add a user role: {Name, GrantedSpacePermissions, GrantedSystemPermissions}", a.createRole),
		put("/api/userroles/{id}", identity.RoleEdit, "Change a user role that is not built in", a.editRole),
		del("/api/userroles/{id}", identity.RoleEdit, "Delete a user role that no team gives", a.deleteRole),
		get("/api/scopeduserroles", identity.TeamView, "What teams give, paged; ids=", a.listScopedRoles),
		get("/api/scopeduserroles/{id}", identity.TeamView, "One role of a team with its scope", a.getScopedRole),
		post("/api/scopeduserroles", identity.TeamEdit,
			"Give a team a role: {TeamId, UserRoleId, SpaceId, ProjectIds, ProjectGroupIds, EnvironmentIds}; "+
				"empty lists mean everywhere",
			a.addScopedRole),
		put("/api/scopeduserroles/{id}", identity.TeamEdit, "Change role or scope", a.editScopedRole),
		del("/api/scopeduserroles/{id}", identity.TeamEdit, "Take a role away from its team", a.deleteScopedRole),
		get("/api/permissions/all", identity.SignedIn, "Every permission, and what it can be restricted to",
			a.listPermissions),
	}
}

func (a *api) environmentRoutes() []Route {
	return []Route{
		get("/api/S/environments", identity.EnvironmentView, "Environments, paged; ids=, name=, partialName=",
			a.listEnvironments),
		get("/api/S/environments/all", identity.EnvironmentView, "Environments, all", a.allEnvironments),
		get("/api/S/environments/v2", identity.EnvironmentView, "As environments, with Type", a.listEnvironments),
		get("/api/S/environments/{id}", identity.EnvironmentView, "One environment by id, name or slug", a.getEnvironment),
		get("/api/S/environments/{id}/machines", identity.MachineView, "The machines of an environment",
			a.environmentMachines),
		post("/api/S/environments", identity.EnvironmentEdit, "Add an environment", a.createEnvironment),
		put("/api/S/environments/{id}", identity.EnvironmentEdit, "Change an environment", a.editEnvironment),
		del("/api/S/environments/{id}", identity.EnvironmentEdit, "Delete an environment that nothing uses",
			a.deleteEnvironment),
		put("/api/S/environments/sortorder", identity.EnvironmentEdit,
			"Put environments in order: a list of ids; those not named follow", a.sortEnvironments),
		get("/api/S/lifecycles", identity.LifecycleView, "Lifecycles, paged", a.listLifecycles),
		get("/api/S/lifecycles/all", identity.LifecycleView, "Lifecycles, all", a.allLifecycles),
		get("/api/S/lifecycles/{id}", identity.LifecycleView, "One lifecycle by id, name or slug", a.getLifecycle),
		post("/api/S/lifecycles", identity.LifecycleEdit, "Add a lifecycle", a.createLifecycle),
		put("/api/S/lifecycles/{id}", identity.LifecycleEdit, "Change a lifecycle", a.editLifecycle),
		del("/api/S/lifecycles/{id}", identity.LifecycleEdit, "Delete a lifecycle that nothing uses", a.deleteLifecycle),
		get("/api/S/lifecycles/{id}/preview", identity.LifecycleView,
			"A lifecycle with the environments of each phase filled in", a.previewLifecycle),
		get("/api/S/lifecycles/{id}/projects", identity.ProjectView, "The projects of a lifecycle, all",
			a.lifecycleProjects),
	}
}

func (a *api) projectRoutes() []Route {
	return []Route{
		get("/api/S/projectgroups", identity.ProjectView, "Project groups, paged", a.listGroups),
		get("/api/S/projectgroups/all", identity.ProjectView, "Project groups, all", a.allGroups),
		get("/api/S/projectgroups/{id}", identity.ProjectView, "One project group", a.getGroup),
		get("/api/S/projectgroups/{id}/projects", identity.ProjectView, "The projects of a group", a.groupProjects),
		post("/api/S/projectgroups", identity.ProjectEdit, "Add a project group", a.createGroup),
		put("/api/S/projectgroups/{id}", identity.ProjectEdit, "Change a project group", a.editGroup),
		del("/api/S/projectgroups/{id}", identity.ProjectEdit, "Delete a project group that holds no project",
			a.deleteGroup),
		get("/api/S/projects", identity.ProjectView, "Projects, paged; ids=, name=, partialName=", a.listProjects),
		get("/api/S/projects/all", identity.ProjectView, "Projects, all", a.allProjects),
		get("/api/S/projects/{id}", identity.ProjectView, "One project by id, name or slug", a.getProject),
		post("/api/S/projects", identity.ProjectEdit,
			"Add a project with its channel; clone= takes settings, channels, process and variables of another",
			a.createProject),
		put("/api/S/projects/{id}", identity.ProjectEdit, "Change a project", a.editProject),
		del("/api/S/projects/{id}", identity.ProjectEdit, "Delete a project with all that belongs to it", a.deleteProject),
		get("/api/S/projects/{id}/deploymentsettings", identity.ProjectView,
			"How releases and deployments of a project are made", a.getSettings),
		put("/api/S/projects/{id}/deploymentsettings", identity.ProjectEdit,
			"Change them; what is left out stays as it is", a.editSettings),
		get("/api/S/projects/{id}/channels", identity.ProjectView, "The channels of a project", a.projectChannels),
		get("/api/S/projects/{id}/channels/{channel}", identity.ProjectView,
			"One channel of a project by id, name or slug", a.projectChannel),
		get("/api/S/projects/{id}/channels/{channel}/releases", identity.ReleaseView,
			"The releases of a channel, newest first", a.channelReleases),
		get("/api/S/channels/{id}/releases", identity.ReleaseView, "The releases of a channel, newest first",
			a.channelReleases),
		get("/api/S/channels", identity.ProjectView, "Channels, paged; ids=, partialName=", a.listChannels),
		get("/api/S/channels/all", identity.ProjectView, "Channels, all", a.allChannels),
		get("/api/S/channels/{id}", identity.ProjectView, "One channel by id", a.getChannel),
		post("/api/S/channels", identity.ProcessEdit, "Add a channel to the project ProjectId", a.createChannel),
		post("/api/S/projects/{id}/channels", identity.ProcessEdit, "Add a channel to a project", a.createChannel),
		put("/api/S/channels/{id}", identity.ProcessEdit, "Change a channel", a.editChannel),
		del("/api/S/channels/{id}", identity.ProcessEdit, "Delete a channel without releases that is not the default",
			a.deleteChannel),
		get("/api/S/projects/{id}/deploymentprocesses", identity.ProjectView, "The process of a project", a.getProcess),
		put("/api/S/projects/{id}/deploymentprocesses", identity.ProcessEdit, "Replace the process of a project",
			a.saveProcess),
		get("/api/S/projects/{id}/deploymentprocesses/template", identity.ReleaseView,
			"What a new release would be asked for; channel=", a.releaseTemplate),
		get("/api/S/projects/{id}/deploymentprocesses/{process}/template", identity.ReleaseView,
			"The same, as older clients ask for it", a.releaseTemplate),
		get("/api/S/deploymentprocesses/{id}/template", identity.ReleaseView,
			"What a new release would be asked for; channel=", a.releaseTemplate),
		get("/api/S/deploymentprocesses", identity.ProjectView, "The processes of all projects, paged; ids=",
			a.listProcesses),
		get("/api/S/deploymentprocesses/{id}", identity.ProjectView, "A process: deploymentprocess-Projects-1", a.getProcess),
		put("/api/S/deploymentprocesses/{id}", identity.ProcessEdit, "Replace a process; Version must be the one read",
			a.saveProcess),
		get("/api/S/projects/{id}/summary", identity.ProjectView, "Whether a project has anything to deploy",
			a.projectSummary),
		get("/api/S/projects/{id}/progression", identity.DeploymentView, "Releases of a project and where they are",
			a.projectProgression),
		get("/api/S/projects/{id}/runbooks", identity.ProjectView, "Runbooks: none yet", a.emptyPage("Runbook")),
		post("/api/S/projects/{id}/runbooks", identity.ProcessEdit, "400: runbooks come with a later version",
			notYet("runbooks")),
	}
}

func (a *api) packageRoutes() []Route {
	return []Route{
		post("/api/S/packages/raw", identity.PackagePush,
			"Push a whole package, as a form or as the plain body with fileName=; overwriteMode=, sha256=", a.pushPackage),
		get("/api/S/packages", identity.PackageView,
			"Packages: the highest version of each; nuGetPackageId= for all versions of one, filter=", a.listPackages),
		get("/api/S/packages/{id}", identity.PackageView, "One package: packages-Web.App.1.0.0", a.getPackage),
		get("/api/S/packages/{id}/raw", identity.PackageView, "The content of a package; ranges are served", a.rawPackage),
		get("/api/S/packages/{id}/{version}/delta-signature", identity.PackageView,
			"404: packages are pushed whole", a.noSignature),
		del("/api/S/packages/{id}", identity.PackageDelete, "Delete a package that no release uses", a.deletePackage),
		get("/api/S/feeds", identity.PackageView, "Feeds: the built-in one", a.listFeeds),
		get("/api/S/feeds/all", identity.PackageView, "Feeds, all", a.allFeeds),
		get("/api/S/feeds/stats", identity.PackageView, "How many packages the built-in feed holds", a.feedStatistics),
		get("/api/S/feeds/{id}", identity.PackageView, "One feed", a.getFeed),
		get("/api/S/feeds/{id}/packages/versions", identity.PackageView,
			"Versions of packageId=, highest first; filter=, versionRange=, preReleaseTag=, includePreRelease=",
			a.feedVersions),
		get("/api/S/feeds/{id}/packages/search", identity.PackageView, "Packages whose id contains term=", a.feedSearch),
	}
}

func (a *api) releaseRoutes() []Route {
	return []Route{
		post("/api/S/releases/create/v1", identity.ReleaseCreate, "Create a release by names", a.createReleaseV1),
		post("/api/S/releases", identity.ReleaseCreate, "Create a release by ids; ignoreChannelRules=", a.createRelease),
		get("/api/S/releases", identity.ReleaseView, "Releases of all projects, newest first; ids=, searchByVersion=",
			a.listReleases),
		put("/api/S/releases/{id}", identity.ReleaseEdit,
			"Change the version, notes, channel or packages of a release; once it was deployed, its notes only", a.editRelease),
		post("/api/S/releases/{id}/snapshot-variables", identity.ReleaseEdit,
			"Take the variables of a release afresh from its project", a.snapshotVariables),
		get("/api/S/releases/{id}/missingpackages", identity.ReleaseView,
			"Packages of a release that the feed does not hold any more", a.missingPackages),
		get("/api/S/releases/{id}", identity.ReleaseView, "One release", a.getRelease),
		del("/api/S/releases/{id}", identity.ReleaseDelete, "Delete a release", a.deleteRelease),
		get("/api/S/releases/{id}/deployments", identity.DeploymentView, "The deployments of a release",
			a.releaseDeployments),
		get("/api/S/releases/{id}/deployments/template", identity.DeploymentView, "Where a release may go",
			a.deploymentTemplate),
		post("/api/S/releases/{id}/deployments/previews", identity.DeploymentView,
			"What deployments would do, in the order asked for: {DeploymentPreviews: [{EnvironmentId}]}", a.previewDeployments),
		get("/api/S/releases/{id}/deployments/preview/{environment}", identity.DeploymentView,
			"What a deployment would do", a.previewDeployment),
		get("/api/S/releases/{id}/progression", identity.ReleaseView, "Where a release stands in its lifecycle",
			a.releaseProgression),
		get("/api/S/releases/{id}/defects", identity.ReleaseView, "The defects of a release, paged", a.listDefects),
		post("/api/S/releases/{id}/defects", identity.DefectReport,
			"Hold a release back from phases it has not reached: {Description}", a.reportDefect),
		post("/api/S/releases/{id}/defects/resolve", identity.DefectResolve, "Let a release go on", a.resolveDefect),
		get("/api/S/projects/{id}/releases", identity.ReleaseView, "The releases of a project, newest first",
			a.projectReleases),
		get("/api/S/projects/{id}/releases/{version}", identity.ReleaseView, "One release by its version", a.numberedRelease),
		post("/api/S/deployments/create/untenanted/v1", identity.DeploymentCreate,
			"Deploy a release to environments, by names", a.deployV1),
		post("/api/S/deployments", identity.DeploymentCreate, "Deploy a release to an environment, by ids", a.deploy),
		get("/api/S/deployments", identity.DeploymentView,
			"Deployments, newest first; ids=, projects=, environments=, channels=, taskState=, partialName=", a.listDeployments),
		get("/api/S/deployments/{id}", identity.DeploymentView, "One deployment", a.getDeployment),
		get("/api/S/dashboard", identity.DeploymentView, "The newest deployment of each project in each environment",
			a.getDashboard),
	}
}

func (a *api) taskRoutes() []Route {
	return []Route{
		get("/api/tasks", identity.TaskView,
			"Tasks of all spaces in which one may see them, newest first; spaces=, ids=, states=, name=, project=, "+
				"environment=, active=, running=, node=, partialName=, hasWarningsOrErrors=, "+
				"hasPendingInterruptions=", a.listTasks),
		post("/api/tasks", identity.TaskCreate, "Queue a task: Name AdHocScript, Health or Retention; SpaceId", a.createTask),
		get("/api/tasks/{id}", identity.TaskView, "One task", a.getTask),
		get("/api/tasks/{id}/details", identity.TaskView, "A task with its steps and their log; tail=", a.taskDetails),
		get("/api/tasks/{id}/raw", identity.TaskView, "The whole log as text", a.rawLog),
		get("/api/tasks/{id}/log", identity.TaskView,
			"The log as server-sent events; offset= or Last-Event-ID goes on; ends with the event done", a.followLog),
		post("/api/tasks/{id}/cancel", identity.TaskCancel, "Ask for the end of a task", a.cancelTask),
		post("/api/tasks/rerun/{id}", identity.TaskCreate, "Do again what a task that has ended did", a.rerunTask),
		get("/api/tasks/{id}/state", identity.TaskView, "Where a task stands", a.taskState),
		get("/api/tasks/tasktypes", identity.TaskView, "The kinds of tasks", a.taskTypes),
		get("/api/S/interruptions", identity.QuestionView,
			"Questions that tasks ask people, newest first; regarding=, pendingOnly=, ids=", a.listInterruptions),
		get("/api/S/interruptions/all", identity.QuestionView, "Questions, all; the same filters", a.allInterruptions),
		get("/api/S/interruptions/{id}", identity.QuestionView, "One question", a.getInterruption),
		put("/api/S/interruptions/{id}/responsible", identity.QuestionAnswer,
			"Be responsible for a question; answers the user", a.takeInterruption),
		get("/api/S/interruptions/{id}/responsible", identity.QuestionView,
			"Who is responsible for a question: a user", a.responsibleFor),
		post("/api/S/interruptions/{id}/submit", identity.QuestionAnswer,
			"Answer a question: {Result or Guidance, Notes}", a.submitInterruption),
	}
}

func (a *api) machineRoutes() []Route {
	return []Route{
		get("/api/S/machines", identity.MachineView,
			"Machines, paged; ids=, name=, partialName=, roles=, environmentIds=, healthStatuses=, "+
				"commStyles=, shellNames=, isDisabled=, thumbprint=, deploymentId=", a.listMachines),
		get("/api/S/machines/all", identity.MachineView, "Machines, all; the same filters", a.allMachines),
		get("/api/S/machines/{id}", identity.MachineView, "One machine by id or name", a.getMachine),
		get("/api/S/machines/{id}/connection", identity.MachineView,
			"Whether the machine is on line now; Logs: what happened to its line, and the last health check",
			a.machineConnection),
		post("/api/S/machines", identity.MachineEdit, "Add a listening machine; polling ones join with a token",
			a.createMachine),
		put("/api/S/machines/{id}", identity.MachineEdit, "Change a machine", a.editMachine),
		del("/api/S/machines/{id}", identity.MachineEdit, "Delete a machine and retire its pin", a.deleteMachine),
		get("/api/S/machines/discover", identity.MachineEdit,
			"The listening agent at host= and port= with its pin, for people to compare; type=", a.discoverMachine),
		get("/api/S/machines/operatingsystem/names/all", identity.MachineView, "What machines run on, all", a.systemNames),
		get("/api/S/machines/operatingsystem/shells/all", identity.MachineView, "The shells of machines, all", a.shellNames),
		get("/api/S/machineroles/all", identity.MachineView, "The target tags in use", a.allTags),
		get("/api/S/machinepolicies", identity.PolicyView, "Machine policies, paged; ids=, partialName=", a.listPolicies),
		get("/api/S/machinepolicies/all", identity.PolicyView, "Machine policies, all", a.allPolicies),
		get("/api/S/machinepolicies/template", identity.PolicyView, "What a new machine policy starts from",
			a.policyTemplate),
		get("/api/S/machinepolicies/{id}", identity.PolicyView, "One machine policy by id or name", a.getPolicy),
		post("/api/S/machinepolicies", identity.PolicyEdit, "Add a machine policy", a.createPolicy),
		put("/api/S/machinepolicies/{id}", identity.PolicyEdit, "Change a machine policy", a.editPolicy),
		del("/api/S/machinepolicies/{id}", identity.PolicyEdit, "Delete a machine policy that no machine has",
			a.deletePolicy),
	}
}

func (a *api) variableRoutes() []Route {
	return []Route{
		get("/api/S/variables/{id}", identity.VariableView,
			"Variables: variableset-Projects-1, variableset-LibraryVariableSets-1; sensitive values are null", a.getVariables),
		put("/api/S/variables/{id}", identity.VariableEdit,
			"Replace variables; Version must be the one read, an empty sensitive value stays as it is", a.saveVariables),
		get("/api/S/projects/{id}/variables", identity.VariableView, "The variables of a project", a.getVariables),
		put("/api/S/projects/{id}/variables", identity.VariableEdit, "Replace the variables of a project", a.saveVariables),
		get("/api/S/variables/names", identity.VariableView,
			"The names that scripts can use; project= adds a project's own", a.variableNames),
		get("/api/S/variables/preview", identity.VariableView,
			"What an action would see; project=, environment=, channel=, machine=, role=, action=", a.previewVariables),
		get("/api/S/libraryvariablesets", identity.LibraryView,
			"Library variable sets, paged; ids=, partialName=, contentType=", a.listLibrarySets),
		get("/api/S/libraryvariablesets/all", identity.LibraryView, "Library variable sets, all", a.allLibrarySets),
		get("/api/S/libraryvariablesets/{id}", identity.LibraryView, "One library variable set by id or name",
			a.getLibrarySet),
		get("/api/S/libraryvariablesets/{id}/usages", identity.LibraryView, "The projects that include it",
			a.librarySetUsages),
		post("/api/S/libraryvariablesets", identity.LibraryEdit, "Add a library variable set", a.createLibrarySet),
		put("/api/S/libraryvariablesets/{id}", identity.LibraryEdit, "Change a library variable set, not its variables",
			a.editLibrarySet),
		del("/api/S/libraryvariablesets/{id}", identity.LibraryEdit,
			"Delete a library variable set that no project includes", a.deleteLibrarySet),
		get("/api/S/accounts", identity.AccountView,
			"Accounts, paged, without their secrets; ids=, partialName=, accountType=", a.listAccounts),
		get("/api/S/accounts/all", identity.AccountView, "Accounts, all", a.allAccounts),
		get("/api/S/accounts/{id}", identity.AccountView, "One account by id, name or slug", a.getAccount),
		get("/api/S/accounts/{id}/usages", identity.AccountView, "What uses an account: nothing yet", a.accountUsages),
		post("/api/S/accounts", identity.AccountEdit, "Add an account: SshKeyPair, UsernamePassword or Token",
			a.createAccount),
		put("/api/S/accounts/{id}", identity.AccountEdit,
			"Change an account; HasValue without NewValue keeps a secret", a.editAccount),
		del("/api/S/accounts/{id}", identity.AccountEdit, "Delete an account", a.deleteAccount),
	}
}
