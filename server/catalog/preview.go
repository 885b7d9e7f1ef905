// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// PreviewRequest asks what an action would see. References are ids, names or slugs; "" leaves a part
// open, so that what is scoped by it does not fit.
type PreviewRequest struct {
	Project     string
	Environment string
	Channel     string // "" means the default channel
	Machine     string
	Tag         string // of the machine, when no machine is named
	Action      string // id, or name
}

// VariablePreview answers a PreviewRequest.
type VariablePreview struct {
	Picks []deploy.Pick // by name; sensitive ones have no Value
	Ties  []string
	Owner deploy.Project
	// Sources are the names of the project and the library sets by their ids.
	Sources map[deploy.OwnerID]string
}

// PreviewVariables picks the project's variables as they are now, for a place. Errors: Denied, NotFound.
func (c *Catalog) PreviewVariables(
	ctx context.Context, p identity.Principal, q PreviewRequest,
) (v VariablePreview, err error) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) (err error) {
		if v.Owner, err = findProject(r, q.Project); err != nil {
			return err
		}
		sets, sources, err := currentSets(r, v.Owner)
		if err != nil {
			return err
		}
		place, err := q.place(r, v.Owner)
		if err != nil {
			return err
		}
		v.Sources = sources
		v.Picks, v.Ties = deploy.Resolve(sets, place)
		return nil
	})
	return v, err
}

func currentSets(
	r store.Reader, project deploy.Project,
) (sets []deploy.VariableSet, sources map[deploy.OwnerID]string, err error) {
	own, err := r.Variables(project.ID)
	if err != nil {
		return nil, nil, err
	}
	own.Owner = deploy.OwnerID(project.ID)
	sets, sources = []deploy.VariableSet{own}, map[deploy.OwnerID]string{own.Owner: project.Name}
	for _, id := range project.Libraries {
		l, err := r.LibrarySet(id)
		if err != nil {
			return nil, nil, err
		}
		sets, sources[deploy.OwnerID(id)] = append(sets, l.Set()), l.Name
	}
	return sets, sources, nil
}

func (q PreviewRequest) place(r store.Reader, project deploy.Project) (p deploy.Place, err error) {
	p.Owner = deploy.OwnerID(project.ID)
	if q.Environment != "" {
		e, err := findEnvironment(r, q.Environment)
		if err != nil {
			return p, err
		}
		p.Environment = e.ID
	}
	channel, err := releaseChannel(r, project.ID, q.Channel)
	if err != nil {
		return p, err
	}
	p.Channel = channel.ID
	switch {
	case q.Machine != "":
		if p.Machine, err = findMachine(r, q.Machine); err != nil {
			return p, err
		}
	case q.Tag != "":
		p.Machine.Tags = []string{q.Tag}
	}
	if q.Action == "" {
		return p, nil
	}
	process, err := r.Process(project.ID)
	if err != nil {
		return p, err
	}
	for _, step := range process.Steps {
		for _, a := range step.Actions {
			if strings.EqualFold(a.ID, q.Action) || strings.EqualFold(a.Name, q.Action) {
				p.Action, p.StepTags = a.ID, step.Tags
			}
		}
	}
	if p.Action == "" {
		_, err = find("action", q.Action, []deploy.Action{}, func(a deploy.Action) (string, string, string) {
			return a.ID, a.Name, ""
		})
	}
	return p, err
}

// VariableNames lists the names that scripts of a project can use, or those of the system alone when
// it is ""; sorted. Errors: Denied, NotFound.
func (c *Catalog) VariableNames(ctx context.Context, p identity.Principal, project string) (names []string, err error) {
	err = c.view(ctx, p, identity.VariableView, func(r store.Reader) error {
		names = nil
		var process deploy.Process
		if project != "" {
			owner, err := findProject(r, project)
			if err != nil {
				return err
			}
			sets, _, err := currentSets(r, owner)
			if err != nil {
				return err
			}
			if process, err = r.Process(owner.ID); err != nil && errkind.Of(err) != errkind.NotFound {
				return err
			}
			for _, set := range sets {
				for _, v := range set.Variables {
					names = append(names, v.Name)
				}
			}
		}
		names = append(names, systemNames(process)...)
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		names = slices.CompactFunc(names, strings.EqualFold)
		return nil
	})
	return names, err
}

// systemNames are the names of the system's variables, in no order; those for steps and tags are of a process.
func systemNames(process deploy.Process) []string {
	around := deploy.Surroundings{Process: process}
	for _, step := range process.Steps {
		around.Plan.Steps = append(around.Plan.Steps, deploy.PlannedStep{Name: step.Name})
	}
	scene := deploy.Scene{Task: deploy.Task{Kind: deploy.DeployTask}, Failure: "one", Around: around.Variables()}
	return slices.Collect(maps.Keys(scene.Variables()))
}
