// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func showChannel(ch deploy.Channel) obj {
	var lifecycle any
	if ch.Lifecycle != "" {
		lifecycle = ch.Lifecycle
	}
	project := spacePath + "projects/" + string(ch.Project)
	return withKept(ch.Kept, obj{
		"Id": ch.ID, "SpaceId": ch.Space, "ProjectId": ch.Project, "Name": ch.Name, "Slug": ch.Slug,
		"Description": ch.Description, "Type": "Lifecycle", "IsDefault": ch.IsDefault, "LifecycleId": lifecycle,
		"Rules": each(ch.Rules, showRule), "TenantTags": []string{}, "GitReferenceRules": []obj{},
		"GitResourceRules": []obj{}, "CustomFieldDefinitions": []obj{},
		"Links": obj{
			"Self": spacePath + "channels/" + string(ch.ID), "Project": project, "Projects": project,
			"Releases": project + "/channels/" + string(ch.ID) + "/releases{?skip,take,searchByVersion}",
		},
	})
}

func showRule(r deploy.ChannelRule) obj {
	return obj{
		"Id": r.ID, "VersionRange": r.Versions, "Tag": r.Tag,
		"ActionPackages": each(r.Packages, func(p deploy.ActionPackage) obj {
			return obj{"DeploymentAction": p.Action, "PackageReference": p.Reference}
		}),
	}
}

type channelRequest struct {
	Name                   string
	ProjectID              string `json:"ProjectId"`
	Description            string
	IsDefault              bool
	LifecycleID            string `json:"LifecycleId"`
	Type                   string
	Rules                  []ruleRequest
	TenantTags             json.RawMessage
	GitReferenceRules      json.RawMessage
	GitResourceRules       json.RawMessage
	CustomFieldDefinitions json.RawMessage
}

type ruleRequest struct {
	ID             string `json:"Id"`
	VersionRange   string
	Tag            string
	ActionPackages []actionPackageRequest
	Actions        []string // as older clients name them
}

type actionPackageRequest struct{ DeploymentAction, PackageReference string }

func (c *call) channelDraft() (draft catalog.ChannelDraft, err error) {
	var q channelRequest
	if err := c.decode(&q); err != nil {
		return draft, err
	}
	if q.Type != "" && !strings.EqualFold(q.Type, "Lifecycle") {
		return draft, errkind.Invalid.Errorf("a channel of type %.40q comes with a later version: want Lifecycle", q.Type)
	}
	draft = catalog.ChannelDraft{
		Project: q.ProjectID, Name: q.Name, Description: q.Description, Lifecycle: q.LifecycleID, IsDefault: q.IsDefault,
		Kept: keep(members{
			"TenantTags": q.TenantTags, "GitReferenceRules": q.GitReferenceRules, "GitResourceRules": q.GitResourceRules,
			"CustomFieldDefinitions": q.CustomFieldDefinitions,
		}),
	}
	for _, r := range q.Rules {
		rule := deploy.ChannelRule{ID: r.ID, Versions: r.VersionRange, Tag: r.Tag}
		for _, p := range r.ActionPackages {
			one := deploy.ActionPackage{Action: p.DeploymentAction, Reference: p.PackageReference}
			rule.Packages = append(rule.Packages, one)
		}
		for _, action := range r.Actions {
			if len(r.ActionPackages) == 0 {
				rule.Packages = append(rule.Packages, deploy.ActionPackage{Action: action})
			}
		}
		draft.Rules = append(draft.Rules, rule)
	}
	return draft, nil
}

func (a *api) projectChannel(c *call) error {
	ch, err := a.Catalog.ProjectChannel(c.ctx(), c.principal, c.param("id"), c.param("channel"))
	if err != nil {
		return err
	}
	return c.ok(showChannel(ch))
}

func (a *api) createChannel(c *call) error {
	draft, err := c.channelDraft()
	if err != nil {
		return err
	}
	if c.route.Pattern == "/api/S/projects/{id}/channels" {
		draft.Project = c.param("id")
	}
	ch, err := a.Catalog.CreateChannel(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showChannel(ch))
}

func (a *api) editChannel(c *call) error {
	draft, err := c.channelDraft()
	if err != nil {
		return err
	}
	ch, err := a.Catalog.EditChannel(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showChannel(ch))
}

func (a *api) deleteChannel(c *call) error {
	if err := a.Catalog.DeleteChannel(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func channelKeys(ch deploy.Channel) (string, string) { return string(ch.ID), ch.Name }

func (a *api) projectChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return paged(c, "Channel", chosen(c, all, channelKeys), showChannel)
}

func (a *api) listChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, "")
	if err != nil {
		return err
	}
	return paged(c, "Channel", chosen(c, all, channelKeys), showChannel)
}

func (a *api) allChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, "")
	if err != nil {
		return err
	}
	return c.ok(each(all, showChannel))
}

func (a *api) getChannel(c *call) error {
	ch, err := a.Catalog.Channel(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showChannel(ch))
}
