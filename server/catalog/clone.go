// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"maps"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// CloneProject adds a project that is deployed as another one is: the same settings, channels,
// process and variables, without its releases. What the draft leaves empty is the source's.
// Errors: Denied, NotFound (no such source), Invalid.
func (c *Catalog) CloneProject(
	ctx context.Context, p identity.Principal, source string, draft ProjectDraft,
) (made deploy.Project, err error) {
	err = c.change(ctx, p, identity.ProjectEdit, func(w store.Writer) (deploy.Event, error) {
		from, err := findProject(w, source)
		if err != nil {
			return deploy.Event{}, err
		}
		made = from
		made.ID, made.Name, made.Slug, made.ClonedFrom = "", "", "", from.ID
		made.Kept = maps.Clone(from.Kept)
		if draft.Group == "" {
			draft.Group = string(from.Group)
		}
		if draft.Lifecycle == "" {
			draft.Lifecycle = string(from.Lifecycle)
		}
		if err := fillProject(w, &made, draft); err != nil {
			return deploy.Event{}, err
		}
		if made.ID, err = nextID[deploy.ProjectID](w, "Projects"); err != nil {
			return deploy.Event{}, err
		}
		if err := w.PutProject(made); err != nil {
			return deploy.Event{}, err
		}
		return event("ProjectAdded", made.ID, "project %s was added as a clone of %s", made.Name, from.Name),
			c.cloneContents(w, from.ID, made.ID)
	})
	return made, err
}

func (c *Catalog) cloneContents(w store.Writer, from, to deploy.ProjectID) error {
	channels, err := cloneChannels(w, from, to)
	if err != nil {
		return err
	}
	process, err := w.Process(from)
	if err != nil {
		return err
	}
	// Actions keep their ids: variables are scoped by them.
	process.Project, process.Version = to, 0
	for _, step := range process.Steps {
		for i := range step.Actions {
			step.Actions[i].Channels = renamed(step.Actions[i].Channels, channels)
		}
	}
	if _, err := w.PutProcess(process); err != nil {
		return err
	}
	return c.cloneVariables(w, from, to, channels)
}

func (c *Catalog) cloneVariables(
	w store.Writer, from, to deploy.ProjectID, channels map[deploy.ChannelID]deploy.ChannelID,
) error {
	variables, err := w.Variables(from)
	if err != nil {
		return err
	}
	set := deploy.VariableSet{Owner: deploy.OwnerID(to)}
	for _, v := range variables.Variables {
		scoped, id := len(v.Scope.Channels) > 0, newUUID()
		v.Scope.Channels = renamed(v.Scope.Channels, channels)
		if scoped && len(v.Scope.Channels) == 0 {
			continue // it was for a channel that is gone, not for all
		}
		if len(v.Scope.Owners) > 0 {
			v.Scope.Owners = []deploy.OwnerID{set.Owner}
		}
		if v.Sealed, err = c.move(w, deploy.OwnerID(from), set.Owner, v, id); err != nil {
			return err
		}
		v.ID = id
		set.Variables = append(set.Variables, v)
	}
	_, err = w.PutVariables(set)
	return err
}

// cloneChannels copies channels and says which became which.
func cloneChannels(w store.Writer, from, to deploy.ProjectID) (map[deploy.ChannelID]deploy.ChannelID, error) {
	all, err := w.Channels(from)
	if err != nil {
		return nil, err
	}
	became := map[deploy.ChannelID]deploy.ChannelID{}
	for _, ch := range all {
		old := ch.ID
		if ch.ID, err = nextID[deploy.ChannelID](w, "Channels"); err != nil {
			return nil, err
		}
		ch.Project, became[old] = to, ch.ID
		if err := w.PutChannel(ch); err != nil {
			return nil, err
		}
	}
	return became, nil
}

// renamed puts the clone's channels in the place of the source's; a channel that was deleted goes.
func renamed(list []deploy.ChannelID, became map[deploy.ChannelID]deploy.ChannelID) []deploy.ChannelID {
	ids := []deploy.ChannelID{}
	for _, old := range list {
		if id, known := became[old]; known {
			ids = append(ids, id)
		}
	}
	return sortedSet(ids)
}
