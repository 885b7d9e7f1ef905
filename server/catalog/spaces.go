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

// maxSpaces bounds what walks all spaces.
const maxSpaces = 200

// SpaceDraft is what may be chosen of a space.
type SpaceDraft struct {
	Name, Description string
	IsStopped         bool
	identity.SpaceManagers
}

// SpaceDetail is a space with who manages it.
type SpaceDetail struct {
	deploy.Space
	identity.SpaceManagers
}

func spaceKeys(s SpaceDetail) (string, string, string) { return string(s.ID), s.Name, s.Slug }

// Spaces lists those in which the principal has a permission, the default one first, then by id. Errors: Denied.
func (c *Catalog) Spaces(ctx context.Context, p identity.Principal) (all []SpaceDetail, err error) {
	if err := p.Need(identity.SignedIn); err != nil {
		return nil, err
	}
	err = c.Store.View(ctx, func(r store.Reader) error {
		all = nil
		spaces, err := store.EverySpace(r)
		if err != nil {
			return err
		}
		for _, s := range spaces {
			if !p.Sees(s.ID) {
				continue
			}
			d, err := spaceDetail(r, s)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return nil
	})
	return all, err
}

func spaceDetail(r store.Reader, s deploy.Space) (SpaceDetail, error) {
	managers, err := identity.ManagersOf(r, s.ID)
	return SpaceDetail{s, managers}, err
}

// Space finds one that the principal sees. Errors: Denied, NotFound.
func (c *Catalog) Space(ctx context.Context, p identity.Principal, ref string) (SpaceDetail, error) {
	all, err := c.Spaces(ctx, p)
	if err != nil {
		return SpaceDetail{}, err
	}
	return find("space", ref, all, spaceKeys)
}

// CreateSpace adds one with what each starts with. Errors: Denied, Invalid, Exhausted.
func (c *Catalog) CreateSpace(ctx context.Context, p identity.Principal, draft SpaceDraft) (d SpaceDetail, err error) {
	err = c.change(ctx, p, identity.ServerAdmin, func(w store.Writer) (deploy.Event, error) {
		made := deploy.Space{}
		all, err := store.EverySpace(w)
		if err != nil {
			return deploy.Event{}, err
		}
		if len(all) >= maxSpaces {
			return deploy.Event{}, errkind.Exhausted.Errorf("there are %d spaces: limit is %d", len(all), maxSpaces)
		}
		for made.ID == "" || made.IsDefault() { // the default one has its id, stored or not
			if made.ID, err = nextID[deploy.SpaceID](w, "Spaces"); err != nil {
				return deploy.Event{}, err
			}
		}
		if _, err := draft.SpaceManagers.Change(w, p, made.ID); err != nil {
			return deploy.Event{}, err
		}
		if err := fillSpace(w, all, &made, draft, true); err != nil {
			return deploy.Event{}, err
		}
		if err := furnish(elsewhere(w, made.ID), made.ID); err != nil {
			return deploy.Event{}, err
		}
		d, err = spaceDetail(w, made)
		return event("SpaceCreated", made.ID, "space %s was created", made.Name), err
	})
	return d, err
}

// EditSpace changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditSpace(ctx context.Context, p identity.Principal, ref string, draft SpaceDraft) (
	d SpaceDetail, err error,
) {
	err = c.change(ctx, p, identity.ServerAdmin, func(w store.Writer) (deploy.Event, error) {
		all, old, err := spaceNamed(w, p, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		made := old
		changes, err := draft.SpaceManagers.Change(w, p, old.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := fillSpace(w, all, &made, draft, changes); err != nil {
			return deploy.Event{}, err
		}
		if d, err = spaceDetail(w, made); err != nil {
			return deploy.Event{}, err
		}
		word := ""
		if made.IsStopped != old.IsStopped {
			word = map[bool]string{true: "; its task queue was stopped", false: "; its task queue goes on"}[made.IsStopped]
		}
		return event("SpaceEdited", made.ID, "space %s was changed%s", made.Name, word), nil
	})
	if err == nil {
		c.Queued() // its tasks may begin
	}
	return d, err
}

// DeleteSpace deletes one and all that is in it but its events. Errors: Denied, NotFound, Invalid (the default
// one, its queue is not stopped, a task of it is open).
func (c *Catalog) DeleteSpace(ctx context.Context, p identity.Principal, ref string) error {
	var sums []string
	err := c.change(ctx, p, identity.ServerAdmin, func(w store.Writer) (deploy.Event, error) {
		_, old, err := spaceNamed(w, p, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := refuseDelete(w, old); err != nil {
			return deploy.Event{}, err
		}
		packages, err := elsewhere(w, old.ID).Packages(store.PackageFilter{})
		if err != nil {
			return deploy.Event{}, err
		}
		sums = nil
		for _, p := range packages {
			sums = append(sums, p.SHA256)
		}
		if err := identity.LeaveSpace(w, old.ID); err != nil {
			return deploy.Event{}, err
		}
		return event("SpaceDeleted", old.ID, "space %s was deleted with all that was in it", old.Name), w.DeleteSpace(old.ID)
	})
	if err := c.tidied(ctx, err); err != nil {
		return err
	}
	c.Changed()
	return c.Feed.Tidy(context.WithoutCancel(ctx), sums...)
}

func refuseDelete(w store.Writer, s deploy.Space) error {
	var why reasons
	if s.IsDefault() {
		why.add("the space %s is the default one and cannot be deleted", s.Name)
	}
	if !s.IsStopped {
		why.add("the task queue of space %s is not stopped: stop it first", s.Name)
	}
	open, n, err := elsewhere(w, s.ID).Tasks(store.TaskFilter{Take: 1, States: []deploy.TaskState{
		deploy.TaskExecuting, deploy.TaskCancelling,
	}})
	if err != nil {
		return err
	}
	if n > 0 {
		why.add("%s of space %s has not ended: %s", open[0].ID, s.Name, open[0].Description)
	}
	return why.err()
}

// spaceNamed finds one that the principal sees among all. Errors: NotFound.
func spaceNamed(r store.Reader, p identity.Principal, ref string) (all []deploy.Space, s deploy.Space, err error) {
	if all, err = store.EverySpace(r); err != nil {
		return nil, s, err
	}
	seen := slices.DeleteFunc(slices.Clone(all), func(s deploy.Space) bool { return !p.Sees(s.ID) })
	s, err = find("space", ref, seen, func(s deploy.Space) (string, string, string) {
		return string(s.ID), s.Name, s.Slug
	})
	return all, s, err
}

// fillSpace stores a space with what the draft chooses.
func fillSpace(w store.Writer, all []deploy.Space, s *deploy.Space, draft SpaceDraft, withManagers bool) error {
	var why reasons
	others := slices.DeleteFunc(slices.Clone(all), func(o deploy.Space) bool { return o.ID == s.ID })
	name := why.name("a space", draft.Name)
	if strings.HasPrefix(strings.ToLower(name), "spaces-") {
		why.add("the name of a space does not begin with %q: it would read like an id", "Spaces-")
	}
	if slices.ContainsFunc(others, func(o deploy.Space) bool { return strings.EqualFold(o.Name, name) }) {
		why.taken("A space with the name %s exists already.", name)
	}
	if s.Name != name {
		s.Slug = freeSlug(name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Space) bool { return o.Slug == slug })
		})
	}
	s.Name, s.Description, s.IsStopped = name, why.description(draft.Description), draft.IsStopped
	if s.IsDefault() && s.IsStopped {
		why.add("the task queue of the default space cannot be stopped: " +
			"the maintenance mode keeps people from queueing anything")
	}
	if err := why.err(); err != nil {
		return err
	}
	if err := w.PutSpace(*s); err != nil {
		return err
	}
	if !withManagers {
		return nil
	}
	return identity.PutManagers(w, s.ID, draft.SpaceManagers)
}

// SpaceID finds the id of a space that the principal sees, by id or name. Errors: NotFound.
func (c *Catalog) SpaceID(ctx context.Context, p identity.Principal, ref string) (id deploy.SpaceID, err error) {
	if err := p.Need(identity.SignedIn); err != nil {
		return "", err
	}
	err = c.Store.View(ctx, func(r store.Reader) error {
		_, s, err := spaceNamed(r, p, ref)
		id = s.ID
		return err
	})
	return id, err
}

// SpaceOfTask is the space of a task that the principal may see there; it is the one he acts in when there is none
// such.
func (c *Catalog) SpaceOfTask(ctx context.Context, p identity.Principal, id string) (deploy.SpaceID, error) {
	if err := p.Need(identity.SignedIn); err != nil {
		return "", err
	}
	space := p.SpaceID()
	err := c.Store.View(ctx, func(r store.Reader) error {
		t, err := r.Task(deploy.TaskID(properID("ServerTasks", id)))
		if err == nil && p.In(t.Space.OrDefault()).Need(identity.TaskView) == nil {
			space = t.Space.OrDefault()
		}
		if errkind.Of(err) == errkind.NotFound {
			err = nil
		}
		return err
	})
	return space, err
}
