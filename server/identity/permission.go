// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import "slices"

// Permission is one thing that can be allowed.
type Permission string

// The permissions; where Octopus Deploy knows the same one, it has the same word.
const (
	EnvironmentView  Permission = "EnvironmentView"
	EnvironmentEdit  Permission = "EnvironmentEdit"
	MachineView      Permission = "MachineView"
	MachineEdit      Permission = "MachineEdit"
	LifecycleView    Permission = "LifecycleView"
	LifecycleEdit    Permission = "LifecycleEdit"
	ProjectView      Permission = "ProjectView"
	ProjectEdit      Permission = "ProjectEdit"
	ProcessEdit      Permission = "ProcessEdit"
	VariableView     Permission = "VariableView"
	VariableEdit     Permission = "VariableEdit"
	LibraryView      Permission = "LibraryVariableSetView"
	LibraryEdit      Permission = "LibraryVariableSetEdit"
	AccountView      Permission = "AccountView"
	AccountEdit      Permission = "AccountEdit"
	PackageView      Permission = "FeedView"
	PackagePush      Permission = "BuiltInFeedPush"
	PackageDelete    Permission = "BuiltInFeedAdminister"
	ReleaseView      Permission = "ReleaseView"
	ReleaseCreate    Permission = "ReleaseCreate"
	ReleaseEdit      Permission = "ReleaseEdit"
	ReleaseDelete    Permission = "ReleaseDelete"
	DefectReport     Permission = "DefectReport"
	DefectResolve    Permission = "DefectResolve"
	DeploymentView   Permission = "DeploymentView"
	DeploymentCreate Permission = "DeploymentCreate"
	TaskView         Permission = "TaskView"
	TaskCreate       Permission = "TaskCreate"
	TaskCancel       Permission = "TaskCancel"
	QuestionView     Permission = "InterruptionView"
	QuestionAnswer   Permission = "InterruptionSubmit"
	ArtifactView     Permission = "ArtifactView"
	ArtifactEdit     Permission = "ArtifactEdit"
	ArtifactDelete   Permission = "ArtifactDelete"
	TokenView        Permission = "JoinTokenView"
	TokenCreate      Permission = "JoinTokenCreate"
	PolicyView       Permission = "MachinePolicyView"
	PolicyEdit       Permission = "MachinePolicyEdit"
	UserView         Permission = "UserView"
	UserEdit         Permission = "UserEdit"
	TeamView         Permission = "TeamView"
	TeamEdit         Permission = "TeamEdit"
	RoleView         Permission = "UserRoleView"
	RoleEdit         Permission = "UserRoleEdit"
	EventView        Permission = "EventView"
	ConfigureServer  Permission = "ConfigureServer"
	ServerAdmin      Permission = "AdministerSystem"
	// SignedIn is held by everybody who is let in; it guards what every user may see, such as
	// his own name.
	SignedIn Permission = "SignedIn"
)

// Everything lists every permission, sorted.
func Everything() []Permission {
	all := []Permission{
		EnvironmentView, EnvironmentEdit, MachineView, MachineEdit, LifecycleView, LifecycleEdit,
		ProjectView, ProjectEdit, ProcessEdit, VariableView, VariableEdit, LibraryView, LibraryEdit,
		AccountView, AccountEdit, PackageView, PackagePush, PackageDelete,
		ReleaseView, ReleaseCreate, ReleaseEdit, ReleaseDelete, DefectReport, DefectResolve,
		DeploymentView, DeploymentCreate, TaskView, TaskCreate, TaskCancel,
		QuestionView, QuestionAnswer, ArtifactView, ArtifactEdit, ArtifactDelete,
		TokenView, TokenCreate, PolicyView, PolicyEdit, UserView, UserEdit, TeamView, TeamEdit, RoleView, RoleEdit,
		EventView, ConfigureServer, ServerAdmin, SignedIn,
	}
	slices.Sort(all)
	return all
}

// Set is an immutable set of permissions. The zero Set is empty and allows nothing.
type Set struct{ sorted []Permission }

// NewSet makes a set.
func NewSet(permissions ...Permission) Set {
	sorted := slices.Clone(permissions)
	slices.Sort(sorted)
	return Set{slices.Compact(sorted)}
}

// Has reports whether the set holds p.
func (s Set) Has(p Permission) bool {
	_, found := slices.BinarySearch(s.sorted, p)
	return found
}

// List returns the permissions, sorted.
func (s Set) List() []Permission { return slices.Clone(s.sorted) }
