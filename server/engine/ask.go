// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
)

// MaxInstructionBytes is how much of a manual step's text people are shown: 64 KiB.
const MaxInstructionBytes = 64 << 10

// questions makes the interruptions for slots of the plan, without their ids.
func (w *worker) questions(ctx context.Context, slots []deploy.Slot, record deploy.Record) ([]deploy.Interruption,
	error,
) {
	list := make([]deploy.Interruption, 0, len(slots))
	for _, slot := range slots {
		q, err := w.question(ctx, slot, record)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

func (w *worker) question(ctx context.Context, slot deploy.Slot, record deploy.Record) (deploy.Interruption, error) {
	step := w.task.Plan.Steps[slot.Step]
	action, now := step.Actions[slot.Action], w.engine.Env.Wall()
	q := deploy.Interruption{
		Space: w.task.Space, Task: w.id, Kind: deploy.FailureInterruption, Slot: slot, CreatedAt: now,
	}
	if policy, _ := deploy.NewPolicy(action); policy.AnswerLimit > 0 {
		q.ExpiresAt = now.Add(policy.AnswerLimit)
	}
	if step.IsManual() {
		q.Kind, q.Title = deploy.ManualInterruption, step.Name
		q.Teams = action.ResponsibleTeams()
		text, err := w.instructions(ctx, slot, action)
		q.Instructions = text
		return q, err
	}
	name, err := w.machineName(ctx, slot.Machine)
	q.Title = fmt.Sprintf("Step %d: %s failed on %s", step.Number, step.Name, name)
	for _, t := range record.Tickets {
		if slot == (deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: t.Attempt}) {
			q.Instructions = deploy.SentenceOf(t)
		}
	}
	return q, err
}

// instructions are the action's text with its variables; sensitive ones stay names, as people read it.
func (w *worker) instructions(ctx context.Context, slot deploy.Slot, action deploy.Action) (string, error) {
	values, sensitive, err := w.valuesAt(ctx, slot)
	if err != nil && !isLacking(err) {
		return "", err
	}
	var text string
	if err == nil {
		for _, name := range sensitive {
			delete(values, name)
		}
		text, _, err = deploy.Expand(action.Properties[deploy.PropInstructions], w.engine.values(values))
	}
	if err != nil {
		text = fmt.Sprintf("The instructions cannot be shown: %v.", err)
	}
	return strings.ToValidUTF8(text[:min(len(text), MaxInstructionBytes)], ""), nil
}

// valuesAt are the variables that an action sees in a slot, without a ticket.
func (w *worker) valuesAt(ctx context.Context, slot deploy.Slot) (all map[string]string, sensitive []string,
	err error,
) {
	c := newCarrier(w, deploy.Ticket{Task: w.id, Step: slot.Step, Action: slot.Action, Machine: slot.Machine})
	f, err := c.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c.variables(f, c.step.Actions[slot.Action])
}

func (w *worker) machineName(ctx context.Context, id deploy.MachineID) (name string, err error) {
	name = string(id)
	err = w.engine.Store.View(ctx, func(r store.Reader) error {
		m, err := r.Machine(id)
		if err == nil {
			name = m.Name
		}
		if errkind.Of(err) == errkind.NotFound {
			return nil // its id does for a machine that was removed
		}
		return err
	})
	return name, err
}

// ask gives the questions their ids and keeps them, with an event each.
func ask(s store.Writer, questions []deploy.Interruption) error {
	for i := range questions {
		id, err := s.NextID("Interruptions")
		if err != nil {
			return err
		}
		questions[i].ID = deploy.InterruptionID(id)
		if err := s.PutInterruption(questions[i]); err != nil {
			return err
		}
		_, err = s.AddEvent(deploy.Event{
			At: questions[i].CreatedAt, Space: questions[i].Space, User: "system",
			Category: "InterruptionRaised", Subject: string(questions[i].Task),
			Message: id + " waits for an answer: " + questions[i].Title,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// expire answers what nobody answered in time, and says when to look again; zero is never.
func (w *worker) expire(ctx context.Context, asked []deploy.Interruption) (next time.Time, err error) {
	now := w.engine.Env.Wall()
	for i := range asked {
		switch {
		case asked[i].HasExpired(now):
			if asked[i], err = w.expireOne(ctx, asked[i].ID, now); err != nil {
				return next, err
			}
		case asked[i].IsPending() && !asked[i].ExpiresAt.IsZero() && (next.IsZero() || asked[i].ExpiresAt.Before(next)):
			next = asked[i].ExpiresAt
		}
	}
	return next, nil
}

func (w *worker) expireOne(ctx context.Context, id deploy.InterruptionID, now time.Time) (kept deploy.Interruption,
	err error,
) {
	err = w.update(ctx, func(s store.Writer) error {
		if kept, err = s.Interruption(id); err != nil || !kept.IsPending() {
			return err // somebody was faster
		}
		kept.Choice, kept.AnsweredAt = kept.Unanswered(), now
		if err := s.PutInterruption(kept); err != nil {
			return err
		}
		_, err = s.AddEvent(deploy.Event{
			At: now, Space: kept.Space, User: "system", Category: "InterruptionExpired", Subject: string(w.id),
			Message: string(id) + ": " + kept.Said(),
		})
		return err
	})
	return kept, err
}

// tellAsked writes into the log, once, what is asked and what was answered.
func (w *worker) tellAsked(asked []deploy.Interruption) {
	isFirst := w.asked == nil
	if isFirst {
		w.asked = map[deploy.InterruptionID]deploy.Choice{}
	}
	for _, q := range asked {
		before, known := w.asked[q.ID]
		w.asked[q.ID] = q.Choice
		if known && before == q.Choice || isFirst && w.task.LeaseEpoch > 1 {
			continue
		}
		step := w.task.Plan.Steps[q.Slot.Step]
		place := strconv.Itoa(step.Number)
		if q.Slot.Machine != "" {
			place = node(step, q.Slot.Machine)
		}
		if q.IsPending() {
			w.say(place, tasklog.Wait, fmt.Sprintf("%s waits for an answer: %s.", q.ID, strings.TrimSuffix(q.Title, ".")))
			w.sayInstructions(place, q)
		} else if q.Choice != deploy.ChoiceWithdrawn {
			w.sayLines(place, tasklog.Info, q.Said())
		}
	}
}

// sayInstructions writes what people are asked to decide. A failure has told its own already.
func (w *worker) sayInstructions(place string, q deploy.Interruption) {
	if q.Kind != deploy.ManualInterruption {
		return
	}
	w.sayLines(place, tasklog.Wait, q.Instructions)
}

// sayLines writes each line of what a person wrote by itself.
func (w *worker) sayLines(place string, as tasklog.Category, text string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		w.say(place, as, strings.TrimRight(line, "\r\n"))
	}
}

// maxFaultBytes is how much is kept of why a condition could not be worked out.
const maxFaultBytes = 255

// decide works out conditions and makes them durable: a restart does not decide otherwise.
func (w *worker) decide(ctx context.Context, slots []deploy.Slot) error {
	made := make([]deploy.Decision, 0, len(slots))
	for _, slot := range slots {
		d, err := w.decision(ctx, slot)
		if err != nil {
			return err
		}
		made = append(made, d)
	}
	err := w.update(ctx, func(s store.Writer) error {
		stored, err := s.Task(w.id)
		if err != nil {
			return err
		}
		stored.Decisions = append(stored.Decisions, made...)
		return s.PutTaskLeased(stored)
	})
	if err == nil {
		w.engine.Env.Point("engine.decisions.committed")
	}
	return err
}

// decision works out one condition. Without its variables nobody knows what it comes to: that is a fault of the
// step, and no reason to leave it out.
func (w *worker) decision(ctx context.Context, slot deploy.Slot) (deploy.Decision, error) {
	d := deploy.Decision{Step: slot.Step, Machine: slot.Machine}
	values, _, err := w.valuesAt(ctx, slot)
	if isLacking(err) {
		text := err.Error()
		d.Fault = strings.ToValidUTF8(text[:min(len(text), maxFaultBytes)], "")
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Runs = deploy.Holds(w.task.Plan.Steps[slot.Step].Expression, w.engine.values(values))
	return d, nil
}

// isLacking reports whether something that a task needs is gone or cannot be opened: looking again does not help.
func isLacking(err error) bool {
	kind := errkind.Of(err)
	return kind == errkind.NotFound || kind == errkind.Invalid
}
