// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// mayStaff refuses to change who is in a team that answers questions: being in it is a right, though no role says so.
// For each project whose process names the team, or that of a deployment which has not ended, it takes ProcessEdit,
// which could name another team, or to be in the team and to be able to answer. Errors: Denied.
func (p Principal) mayStaff(r store.Reader, old, now deploy.Team) error {
	if sameSet(old.Members, now.Members) || p.Need(ServerAdmin) == nil {
		return nil
	}
	isIn := slices.Contains(old.Members, p.User.ID)
	spaces, err := store.EverySpace(r)
	if err != nil {
		return err
	}
	asking, err := askingFor(r, now.ID)
	if err != nil {
		return err
	}
	for _, space := range spaces {
		here := p.In(space.ID)
		projects, err := r.Projects(space.ID)
		if err != nil {
			return err
		}
		for _, project := range projects {
			covers := func(need Permission) bool { return here.Reach(need).CoversProject(project.ID, project.Group) }
			if covers(ProcessEdit) || isIn && covers(QuestionAnswer) {
				continue
			}
			answers, err := answersFor(r, project.ID, now.ID)
			if err != nil {
				return err
			}
			if answers || asking[project.ID] {
				return p.noStaff(now)
			}
		}
	}
	return nil
}

func (p Principal) noStaff(team deploy.Team) error {
	return errkind.Hinted(errkind.Denied.Errorf(
		"team %s answers questions of deployments: user %s may not choose its members", team.Name, p.User.Name),
		"it takes ProcessEdit for each project that names the team, or to be in it and InterruptionSubmit")
}

// askingFor are the projects of deployments that have not ended and ask the team, or still will.
func askingFor(r store.Reader, team deploy.TeamID) (projects map[deploy.ProjectID]bool, err error) {
	open, _, err := r.Tasks(store.TaskFilter{States: deploy.OpenStates()})
	projects = map[deploy.ProjectID]bool{}
	for _, task := range open {
		for _, step := range task.Plan.Steps {
			if askTeam(step.Actions, team) {
				projects[task.Project] = true
			}
		}
	}
	return projects, err
}

// answersFor reports whether a step of the project's process names the team.
func answersFor(r store.Reader, project deploy.ProjectID, team deploy.TeamID) (bool, error) {
	process, err := r.Process(project)
	return slices.ContainsFunc(process.Steps, func(s deploy.Step) bool { return askTeam(s.Actions, team) }), err
}

// askTeam reports whether one of the actions names the team.
func askTeam(actions []deploy.Action, team deploy.TeamID) bool {
	isTeam := func(id string) bool { return strings.EqualFold(id, string(team)) }
	return slices.ContainsFunc(actions, func(a deploy.Action) bool {
		return slices.ContainsFunc(a.ResponsibleTeams(), isTeam)
	})
}
