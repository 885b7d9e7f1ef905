// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// InterruptionFilter picks interruptions.
type InterruptionFilter = store.InterruptionFilter

// InterruptionDetail is a question with what belongs to it.
type InterruptionDetail struct {
	deploy.Interruption
	Task deploy.Task
	// CanTake is whether the caller may be responsible, Has whether he is.
	CanTake, Has bool
}

// Interruptions lists questions, newest first. Regarding is the id of a task, a deployment, a project or
// an environment; "" means all. Errors: Denied.
func (c *Catalog) Interruptions(
	ctx context.Context, p identity.Principal, regarding string, f InterruptionFilter,
) (all []InterruptionDetail, err error) {
	err = c.view(ctx, p, identity.QuestionView, func(r store.Reader) error {
		all = nil
		if number := store.IDNumber(regarding); number > 0 && strings.HasPrefix(strings.ToLower(regarding), "servertasks-") {
			f.Task = deploy.TaskID(properID("ServerTasks", regarding))
		}
		list, err := r.Interruptions(f)
		if err != nil {
			return err
		}
		once := taskOnce{r, map[deploy.TaskID]deploy.Task{}}
		for _, i := range list {
			d, err := detailOf(once, p, i)
			if errkind.Of(err) == errkind.NotFound {
				continue // its task is out of the caller's reach
			}
			if err != nil {
				return err
			}
			if regarding == "" || d.regards(regarding) {
				all = append(all, d)
			}
		}
		return nil
	})
	return all, err
}

// taskOnce reads each task once, with its whole plan: one that is guided may ask about hundreds of machines.
type taskOnce struct {
	store.Reader
	known map[deploy.TaskID]deploy.Task
}

// Task is the one that was read before.
func (o taskOnce) Task(id deploy.TaskID) (task deploy.Task, err error) {
	task, known := o.known[id]
	if known {
		return task, nil
	}
	if task, err = o.Reader.Task(id); err == nil {
		o.known[id] = task
	}
	return task, err
}

// Related are the ids of what the question is about.
func (d InterruptionDetail) Related() []string {
	ids := []string{string(d.Task.ID)}
	for _, id := range []string{string(d.Task.Deployment), string(d.Task.Project), string(d.Task.Environment)} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func (d InterruptionDetail) regards(id string) bool {
	return slices.ContainsFunc(d.Related(), func(known string) bool { return strings.EqualFold(known, id) })
}

func detailOf(r store.Reader, p identity.Principal, i deploy.Interruption) (d InterruptionDetail, err error) {
	d.Interruption = i
	d.Task, err = r.Task(i.Task)
	if err != nil {
		return d, err
	}
	d.Has = i.Responsible != "" && i.Responsible == p.User.ID
	switch err = mayAnswer(r, p, i); {
	case err == nil:
		d.CanTake = i.IsPending() && !d.Task.CancelAsked && p.Need(identity.QuestionAnswer) == nil
	case errkind.Of(err) != errkind.Denied:
		return d, err
	}
	return d, nil
}

// mayAnswer refuses who is in none of the responsible teams. Errors: Denied.
func mayAnswer(r store.Reader, p identity.Principal, i deploy.Interruption) error {
	if len(i.Teams) == 0 || p.Need(identity.ServerAdmin) == nil {
		return nil
	}
	isAsked, err := identity.IsInTeam(r, p.User.ID, i.Teams)
	if err != nil || isAsked {
		return err
	}
	return errkind.Denied.Errorf("%s is for %s to answer", i.ID, strings.Join(i.Teams, ", "))
}

// Interruption reads one. Errors: Denied, NotFound.
func (c *Catalog) Interruption(ctx context.Context, p identity.Principal, id string) (d InterruptionDetail, err error) {
	err = c.view(ctx, p, identity.QuestionView, func(r store.Reader) error {
		i, err := r.Interruption(deploy.InterruptionID(properID("Interruptions", id)))
		if err != nil {
			return err
		}
		d, err = detailOf(r, p, i)
		return err
	})
	return d, err
}

// TakeInterruption makes the caller responsible, also when somebody else was: who is away must not
// hold a deployment up. Errors: Denied, NotFound, Invalid (it is answered, or it is too late).
func (c *Catalog) TakeInterruption(
	ctx context.Context, p identity.Principal, id string,
) (d InterruptionDetail, err error) {
	err = c.change(ctx, p, identity.QuestionAnswer, func(w store.Writer) (deploy.Event, error) {
		i, err := c.pendingFor(w, p, id)
		if err != nil {
			return deploy.Event{}, err
		}
		i.Responsible, i.ResponsibleName = p.User.ID, p.Name()
		if err := w.PutInterruption(i); err != nil {
			return deploy.Event{}, err
		}
		if d, err = detailOf(w, p, i); err != nil {
			return deploy.Event{}, err
		}
		return event("InterruptionTaken", i.Task, "%s took %s: %s", p.Name(), i.ID, i.Title), nil
	})
	return d, err
}

// Answer answers a question; who answers one that nobody has taken is responsible for it. Errors:
// Denied, NotFound, Invalid (it is answered, it is too late, no such choice), Conflict (somebody else is responsible).
func (c *Catalog) Answer(
	ctx context.Context, p identity.Principal, id, choice, notes string,
) (d InterruptionDetail, err error) {
	err = c.change(ctx, p, identity.QuestionAnswer, func(w store.Writer) (deploy.Event, error) {
		i, err := c.pendingFor(w, p, id)
		if err != nil {
			return deploy.Event{}, err
		}
		if i.Responsible != "" && i.Responsible != p.User.ID {
			return deploy.Event{}, errkind.Hinted(
				errkind.Conflict.Errorf("%s is responsible for %s", i.ResponsibleName, i.ID), "take it first, then answer")
		}
		if i, err = answered(i, choice, notes); err != nil {
			return deploy.Event{}, err
		}
		i.Responsible, i.ResponsibleName = p.User.ID, p.Name()
		i.AnsweredBy, i.AnsweredAt = p.Name(), c.Wall()
		if err := w.PutInterruption(i); err != nil {
			return deploy.Event{}, err
		}
		if d, err = detailOf(w, p, i); err != nil {
			return deploy.Event{}, err
		}
		return event("InterruptionSubmitted", i.Task, "%s: %s: %s", i.ID, i.Title, i.Said()), nil
	})
	if err == nil {
		c.Queued()
	}
	return d, err
}

func answered(i deploy.Interruption, choice, notes string) (deploy.Interruption, error) {
	var why reasons
	made, ok := i.ChoiceNamed(choice)
	if !ok {
		words := make([]string, 0, len(i.Choices()))
		for _, c := range i.Choices() {
			words = append(words, string(c))
		}
		why.add("the answer to %s is %.40q: want one of %s", i.ID, choice, strings.Join(words, ", "))
	}
	notes = strings.ReplaceAll(notes, "\r\n", "\n") // forms send both; scripts, which read notes, want one
	if len(notes) > deploy.MaxNotesBytes {
		why.add("the notes have %d bytes: limit is %d", len(notes), deploy.MaxNotesBytes)
	}
	i.Choice, i.Notes = made, strings.ToValidUTF8(notes, "\uFFFD")
	return i, why.err()
}

// pendingFor finds a question that the caller may answer. Errors: Denied, NotFound, Invalid (an answer would count no
// more).
func (c *Catalog) pendingFor(r store.Reader, p identity.Principal, id string) (deploy.Interruption, error) {
	i, err := r.Interruption(deploy.InterruptionID(properID("Interruptions", id)))
	if err != nil {
		return i, err
	}
	if err := mayAnswer(r, p, i); err != nil {
		return i, err
	}
	task, err := r.Task(i.Task)
	switch {
	case err != nil:
	case !i.IsPending():
		err = errkind.Invalid.Errorf("%s waits for no answer any more: %s", i.ID, i.Said())
	case task.CancelAsked:
		err = errkind.Invalid.Errorf("%s waits for no answer any more: %s asked to cancel %s",
			i.ID, task.CancelAskers, i.Task)
	case i.HasExpired(c.Wall()):
		err = errkind.Invalid.Errorf("%s waits for no answer any more: the time for it ended at %s, and it comes to %s",
			i.ID, i.ExpiresAt.UTC().Format(time.RFC3339), i.Unanswered())
	}
	return i, err
}
