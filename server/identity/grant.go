// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"

	"fairlead/internal/deploy"
)

// Place is where something is done: a project with its group, an environment. What does not apply
// is "".
type Place struct {
	Project     deploy.ProjectID
	Group       deploy.ProjectGroupID
	Environment deploy.EnvironmentID
}

// Grant is permissions that hold in some places only. In each dimension empty lists mean
// everywhere; projects and groups are one dimension.
type Grant struct {
	Permissions  Set
	Projects     []deploy.ProjectID
	Groups       []deploy.ProjectGroupID
	Environments []deploy.EnvironmentID
}

// dimensions are the restrictions that a permission knows; others are no restriction to it.
// Permissions that are not named here hold everywhere or nowhere.
func dimensions(p Permission) (byProject, byEnvironment bool) {
	switch p {
	case ProjectView, ProjectEdit, ProcessEdit, VariableView, ReleaseView, ReleaseCreate, ReleaseEdit, ReleaseDelete,
		DefectReport, DefectResolve:
		return true, false
	case VariableEdit, DeploymentView, DeploymentCreate, TaskView, TaskCreate, TaskCancel,
		QuestionView, QuestionAnswer, ArtifactView, ArtifactEdit, ArtifactDelete, EventView:
		return true, true
	case EnvironmentView, EnvironmentEdit, MachineView, MachineEdit, AccountView, AccountEdit, TokenView, TokenCreate:
		return false, true
	}
	return false, false
}

// restricts reports whether the grant's scope means anything to a permission.
func (g Grant) restricts(p Permission) bool {
	byProject, byEnvironment := dimensions(p)
	return byProject && g.isForProjects() || byEnvironment && len(g.Environments) > 0
}

func (g Grant) isForProjects() bool { return len(g.Projects)+len(g.Groups) > 0 }

func (g Grant) covers(permission Permission, place Place) bool {
	byProject, byEnvironment := dimensions(permission)
	if byProject && g.isForProjects() && !slices.Contains(g.Projects, place.Project) &&
		(place.Group == "" || !slices.Contains(g.Groups, place.Group)) {
		return false
	}
	return !byEnvironment || len(g.Environments) == 0 || slices.Contains(g.Environments, place.Environment)
}

// within reports whether all that g allows with a permission is allowed by o too.
func (g Grant) within(o Grant, permission Permission) bool {
	byProject, byEnvironment := dimensions(permission)
	if byEnvironment && len(o.Environments) > 0 && !isSubset(g.Environments, o.Environments) {
		return false
	}
	if !byProject || !o.isForProjects() {
		return true
	}
	return g.isForProjects() && all(g.Projects, o.Projects) && all(g.Groups, o.Groups)
}

// isSubset reports whether part is not empty and lies in whole.
func isSubset[T comparable](part, whole []T) bool { return len(part) > 0 && all(part, whole) }

func all[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(x T) bool { return !slices.Contains(whole, x) })
}

// Reach is where somebody has a permission. The zero Reach is nowhere.
type Reach struct {
	IsEverywhere bool
	permission   Permission
	grants       []Grant
}

// Grants are what gives the permission where it does not hold everywhere.
func (r Reach) Grants() []Grant { return slices.Clone(r.grants) }

// IsSomewhere reports whether there can be any place.
func (r Reach) IsSomewhere() bool { return r.IsEverywhere || len(r.grants) > 0 }

// Covers reports whether a place lies in reach.
func (r Reach) Covers(place Place) bool {
	if r.IsEverywhere {
		return true
	}
	return slices.ContainsFunc(r.grants, func(g Grant) bool { return g.covers(r.permission, place) })
}

// ByProject reports whether the permission can be restricted to projects.
func (r Reach) ByProject() bool { byProject, _ := dimensions(r.permission); return byProject }

// ByEnvironment reports whether the permission can be restricted to environments.
func (r Reach) ByEnvironment() bool {
	_, byEnvironment := dimensions(r.permission)
	return byEnvironment
}

// CoversProject reports whether a project lies in reach in at least one environment.
func (r Reach) CoversProject(project deploy.ProjectID, group deploy.ProjectGroupID) bool {
	if r.IsEverywhere {
		return true
	}
	return slices.ContainsFunc(r.grants, func(g Grant) bool {
		g.Environments = nil
		return g.covers(r.permission, Place{Project: project, Group: group})
	})
}

// CoversAny reports whether one of the environments lies in reach; of nothing at all, whether the
// permission holds everywhere.
func (r Reach) CoversAny(environments []deploy.EnvironmentID) bool {
	return r.IsEverywhere || slices.ContainsFunc(environments, func(e deploy.EnvironmentID) bool {
		return r.Covers(Place{Environment: e})
	})
}

// CoversAll reports whether each of the environments lies in reach, and there is one.
func (r Reach) CoversAll(environments []deploy.EnvironmentID) bool {
	if r.IsEverywhere {
		return true
	}
	return len(environments) > 0 && !slices.ContainsFunc(environments, func(e deploy.EnvironmentID) bool {
		return !r.Covers(Place{Environment: e})
	})
}

// RestrictionsOf are what a permission can be restricted to, in the words of the wire.
func RestrictionsOf(p Permission) []string {
	words := []string{}
	byProject, byEnvironment := dimensions(p)
	if byEnvironment {
		words = append(words, "Environments")
	}
	if byProject {
		words = append(words, "ProjectGroups", "Projects")
	}
	return words
}

// IsSystemPermission reports whether a permission is about the installation and not about a space.
func IsSystemPermission(p Permission) bool { return slices.Contains(systemPermissions(), p) }
