// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showLifecycle(l deploy.Lifecycle) obj {
	self := spacePath + "lifecycles/" + string(l.ID)
	return obj{
		"Id": l.ID, "SpaceId": l.Space, "Name": l.Name, "Slug": l.Slug, "Description": l.Description,
		"ReleaseRetentionPolicy": showRetention(l.Releases, deploy.KeepDays), "Phases": each(l.Phases, showPhase),
		"TentacleRetentionPolicy": showRetention(l.OnMachine, deploy.KeepItems),
		"Links":                   obj{"Self": self, "Preview": self + "/preview", "Projects": self + "/projects"},
	}
}

// showRetention spells it in both ways: newer clients read Strategy, older ones the rest.
func showRetention(r deploy.Retention, unit deploy.RetentionUnit) obj {
	if r.Unit != "" {
		unit = r.Unit
	}
	strategy := r.Strategy
	if strategy == "" {
		strategy = deploy.KeepForever
	}
	return obj{
		"Strategy": strategy, "QuantityToKeep": r.Quantity, "ShouldKeepForever": strategy == deploy.KeepForever, "Unit": unit,
	}
}

// phaseRetention is null where the lifecycle's counts.
func phaseRetention(r deploy.Retention) any {
	if r == (deploy.Retention{}) {
		return nil
	}
	return showRetention(r, deploy.KeepItems)
}

func showPhase(p deploy.Phase) obj {
	manual := []deploy.EnvironmentID{}
	for _, e := range p.Environments {
		if !slices.Contains(p.Automatic, e) {
			manual = append(manual, e)
		}
	}
	return obj{
		"Id": p.ID, "Name": p.Name, "AutomaticDeploymentTargets": list(p.Automatic), "OptionalDeploymentTargets": manual,
		"MinimumEnvironmentsBeforePromotion": p.Minimum, "IsOptionalPhase": p.IsOptional, "IsPriorityPhase": p.IsPriority,
		"ReleaseRetentionPolicy": phaseRetention(p.Releases), "TentacleRetentionPolicy": phaseRetention(p.OnMachine),
	}
}

type retentionRequest struct {
	Strategy          deploy.RetentionStrategy
	QuantityToKeep    int
	ShouldKeepForever bool
	Unit              deploy.RetentionUnit
}

// retention reads both spellings. Older clients say for ever with the quantity 0.
func (q *retentionRequest) retention() deploy.Retention {
	switch {
	case q == nil:
		return deploy.Retention{}
	case q.Strategy == "" && (q.ShouldKeepForever || q.QuantityToKeep == 0):
		q.Strategy = deploy.KeepForever
	case q.Strategy == "":
		q.Strategy = deploy.KeepCount
	}
	if q.Strategy == deploy.KeepCount && q.Unit == "" {
		q.Unit = deploy.KeepItems
	}
	return deploy.Retention{Strategy: q.Strategy, Quantity: q.QuantityToKeep, Unit: q.Unit}
}

type lifecycleRequest struct {
	Name                    string
	Description             string
	ReleaseRetentionPolicy  *retentionRequest
	TentacleRetentionPolicy *retentionRequest
	Phases                  []phaseRequest
}

type phaseRequest struct {
	ID                                 string `json:"Id"`
	Name                               string
	AutomaticDeploymentTargets         []string
	OptionalDeploymentTargets          []string
	MinimumEnvironmentsBeforePromotion int
	IsOptionalPhase                    bool
	IsPriorityPhase                    bool
	ReleaseRetentionPolicy             *retentionRequest
	TentacleRetentionPolicy            *retentionRequest
}

func (c *call) lifecycleDraft() (draft catalog.LifecycleDraft, err error) {
	var q lifecycleRequest
	if err := c.decode(&q); err != nil {
		return draft, err
	}
	draft = catalog.LifecycleDraft{
		Name: q.Name, Description: q.Description, Releases: q.ReleaseRetentionPolicy.retention(),
		OnMachine: q.TentacleRetentionPolicy.retention(),
	}
	for _, p := range q.Phases {
		draft.Phases = append(draft.Phases, catalog.PhaseDraft{
			ID: p.ID, Name: p.Name, Automatic: p.AutomaticDeploymentTargets, Manual: p.OptionalDeploymentTargets,
			Minimum: p.MinimumEnvironmentsBeforePromotion, IsOptional: p.IsOptionalPhase, IsPriority: p.IsPriorityPhase,
			Releases: p.ReleaseRetentionPolicy.retention(), OnMachine: p.TentacleRetentionPolicy.retention(),
		})
	}
	return draft, nil
}

func (a *api) createLifecycle(c *call) error {
	draft, err := c.lifecycleDraft()
	if err != nil {
		return err
	}
	l, err := a.Catalog.CreateLifecycle(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showLifecycle(l))
}

func (a *api) editLifecycle(c *call) error {
	draft, err := c.lifecycleDraft()
	if err != nil {
		return err
	}
	l, err := a.Catalog.EditLifecycle(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showLifecycle(l))
}

func (a *api) deleteLifecycle(c *call) error {
	if err := a.Catalog.DeleteLifecycle(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) previewLifecycle(c *call) error {
	l, err := a.Catalog.PreviewLifecycle(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showLifecycle(l))
}

func (a *api) lifecycleProjects(c *call) error {
	all, err := a.Catalog.LifecycleProjects(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(each(all, showProject))
}

func (a *api) listLifecycles(c *call) error {
	all, err := a.Catalog.Lifecycles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(l deploy.Lifecycle) (string, string) { return string(l.ID), l.Name })
	return paged(c, "Lifecycle", all, showLifecycle)
}

func (a *api) allLifecycles(c *call) error {
	all, err := a.Catalog.Lifecycles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showLifecycle))
}

func (a *api) getLifecycle(c *call) error {
	l, err := a.Catalog.Lifecycle(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showLifecycle(l))
}
