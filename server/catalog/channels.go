// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Channels lists the channels of a project, default first; all channels when project is "".
// Errors: Denied, NotFound.
func (c *Catalog) Channels(ctx context.Context, p identity.Principal, project string) (all []deploy.Channel,
	err error,
) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		projects, err := r.Projects(spaceOf(r))
		if err != nil {
			return err
		}
		if project != "" {
			one, err := pick("project", project, projects, projectKeys)
			if err != nil {
				return err
			}
			projects = []deploy.Project{one}
		}
		all = nil
		for _, one := range projects {
			channels, err := r.Channels(one.ID)
			if err != nil {
				return err
			}
			all = append(all, channels...)
		}
		return nil
	})
	return all, err
}

// Channel finds a channel by id: names and slugs repeat from project to project. Errors: Denied,
// NotFound.
func (c *Catalog) Channel(ctx context.Context, p identity.Principal, ref string) (deploy.Channel, error) {
	all, err := c.Channels(ctx, p, "")
	if err != nil {
		return deploy.Channel{}, err
	}
	return find("channel", ref, all, func(ch deploy.Channel) (string, string, string) { return string(ch.ID), "", "" })
}

// ProjectChannel finds a channel of a project. Errors: Denied, NotFound.
func (c *Catalog) ProjectChannel(
	ctx context.Context, p identity.Principal, project, ref string,
) (ch deploy.Channel, err error) {
	err = c.view(ctx, p, identity.ProjectView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		ch, err = findChannel(r, owner.ID, ref)
		return err
	})
	return ch, err
}

const (
	maxChannels     = 100
	maxChannelRules = 50
)

// ChannelDraft is what a caller may choose of a channel.
type ChannelDraft struct {
	Project     string // id, name or slug; it cannot change
	Name        string
	Description string
	Lifecycle   string // id, name or slug; "" means the project's
	IsDefault   bool   // false has no effect on the default channel: another one takes its place
	Rules       []deploy.ChannelRule
	Kept        deploy.Kept // what is named is replaced
}

// CreateChannel adds one to a project. Errors: Denied, NotFound (no such project), Invalid.
func (c *Catalog) CreateChannel(
	ctx context.Context, p identity.Principal, draft ChannelDraft,
) (ch deploy.Channel, err error) {
	err = c.change(ctx, p, identity.ProcessEdit, func(w store.Writer) (deploy.Event, error) {
		if strings.TrimSpace(draft.Project) == "" {
			return deploy.Event{}, &ValidationError{Reasons: []string{"a channel needs a project"}, Because: errkind.Invalid}
		}
		project, err := findProject(w, draft.Project)
		if err != nil {
			return deploy.Event{}, err
		}
		ch = deploy.Channel{Space: spaceOf(w), Project: project.ID}
		if err := fillChannel(w, &ch, draft); err != nil {
			return deploy.Event{}, err
		}
		if ch.ID, err = nextID[deploy.ChannelID](w, "Channels"); err != nil {
			return deploy.Event{}, err
		}
		if err := putChannel(w, ch); err != nil {
			return deploy.Event{}, err
		}
		return event("ChannelAdded", ch.ID, "channel %s of project %s was added", ch.Name, project.Name), nil
	})
	return ch, err
}

// EditChannel changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditChannel(
	ctx context.Context, p identity.Principal, id string, draft ChannelDraft,
) (ch deploy.Channel, err error) {
	err = c.change(ctx, p, identity.ProcessEdit, func(w store.Writer) (deploy.Event, error) {
		var project deploy.Project
		var err error
		if project, ch, err = anyChannel(w, id); err != nil {
			return deploy.Event{}, err
		}
		if err := fillChannel(w, &ch, draft); err != nil {
			return deploy.Event{}, err
		}
		if err := putChannel(w, ch); err != nil {
			return deploy.Event{}, err
		}
		return event("ChannelEdited", ch.ID, "channel %s of project %s was changed", ch.Name, project.Name), nil
	})
	return ch, err
}

// anyChannel finds a channel of any project by its id.
func anyChannel(r store.Reader, id string) (deploy.Project, deploy.Channel, error) {
	projects, err := r.Projects(spaceOf(r))
	if err != nil {
		return deploy.Project{}, deploy.Channel{}, err
	}
	for _, project := range projects {
		channels, err := r.Channels(project.ID)
		if err != nil {
			return deploy.Project{}, deploy.Channel{}, err
		}
		for _, ch := range channels {
			if strings.EqualFold(string(ch.ID), id) {
				return project, ch, nil
			}
		}
	}
	return deploy.Project{}, deploy.Channel{}, errkind.NotFound.Errorf("there is no channel %q", id)
}

// putChannel writes a channel; a new default one takes the place of the old.
func putChannel(w store.Writer, ch deploy.Channel) error {
	all, err := w.Channels(ch.Project)
	if err != nil {
		return err
	}
	for _, other := range all {
		if ch.IsDefault && other.IsDefault && other.ID != ch.ID {
			other.IsDefault = false
			if err := w.PutChannel(other); err != nil {
				return err
			}
		}
	}
	return w.PutChannel(ch)
}

func fillChannel(r store.Reader, ch *deploy.Channel, draft ChannelDraft) error {
	all, err := r.Channels(ch.Project)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.Channel) bool { return o.ID == ch.ID && ch.ID != "" })
	var why reasons
	ch.Name, ch.Description = why.name("a channel", draft.Name), why.description(draft.Description)
	ch.IsDefault, ch.Kept = ch.IsDefault || draft.IsDefault, why.kept(ch.Kept, draft.Kept)
	if slices.ContainsFunc(others, func(o deploy.Channel) bool { return strings.EqualFold(o.Name, ch.Name) }) {
		why.taken("A channel with the name %s exists already.", ch.Name)
	}
	if len(others) >= maxChannels {
		why.add("the project has %d channels: limit is %d", len(others), maxChannels)
	}
	if ch.Slug == "" {
		ch.Slug = freeSlug(ch.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Channel) bool { return o.Slug == slug })
		})
	}
	ch.Lifecycle = ""
	if draft.Lifecycle != "" {
		lifecycle, err := findLifecycle(r, draft.Lifecycle)
		if err := why.addErr(err); err != nil {
			return err
		}
		ch.Lifecycle = lifecycle.ID
	}
	process, err := r.Process(ch.Project)
	if err != nil {
		return err
	}
	ch.Rules = why.channelRules(process, draft.Rules)
	return why.err()
}

// channelRules checks them against the packages of the process. A package that left the process
// afterwards does no harm: no release carries it.
func (why *reasons) channelRules(process deploy.Process, drafts []deploy.ChannelRule) []deploy.ChannelRule {
	rules := []deploy.ChannelRule{}
	if len(drafts) > maxChannelRules {
		why.add("the channel has %d rules: limit is %d", len(drafts), maxChannelRules)
		return rules
	}
	for i, rule := range drafts {
		if rule.ID == "" || len(rule.ID) > maxNameCharacters {
			rule.ID = newUUID()
		}
		if _, err := deploy.NewVersionRule(rule.Versions, rule.Tag); err != nil {
			why.add("rule %d: %s", i+1, sentence(err))
		}
		if len(rule.Packages) == 0 {
			why.add("rule %d names no package", i+1)
		}
		if rule.Versions == "" && rule.Tag == "" {
			why.add("rule %d asks for nothing: give a version range or a pattern for the prerelease tag", i+1)
		}
		for _, one := range rule.Packages {
			if !process.HasPackage(one) {
				why.add("rule %d: no action %q of the process has the package reference %q", i+1, one.Action, one.Reference)
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// DeleteChannel removes one that has no release, that no action names, and that is not the default.
// Errors: Denied, NotFound, Invalid.
func (c *Catalog) DeleteChannel(ctx context.Context, p identity.Principal, id string) error {
	return c.change(ctx, p, identity.ProcessEdit, func(w store.Writer) (deploy.Event, error) {
		project, ch, err := anyChannel(w, id)
		if err != nil {
			return deploy.Event{}, err
		}
		rows, err := w.Releases(project.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		if ch.IsDefault {
			why.add("channel %s is the default one of project %s: make another one the default first", ch.Name, project.Name)
		}
		process, err := w.Process(project.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		for _, action := range process.ActionsOf(ch.ID) {
			why.add("action %s of the process is for channel %s", action.Name, ch.Name)
		}
		for _, row := range rows {
			if row.Channel == ch.ID {
				why.add("release %s is in channel %s: delete it first", row.Version, ch.Name)
				break
			}
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("ChannelDeleted", ch.ID, "channel %s of project %s was deleted", ch.Name, project.Name),
			w.DeleteChannel(ch.ID)
	})
}
