// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

// resultTries is how often a result that comes damaged is asked for.
const resultTries = 5

// collect fetches what the scripts have handed over. It is kept with the verdict, before the machine
// may forget. A result that the machine has lost is no reason to wait for ever: the verdict says so.
func (c *carrier) collect(ctx context.Context, t target.Target, verdict *contract.Verdict) (*contract.Verdict, error) {
	if verdict == nil || verdict.Result == nil || c.ruling != deploy.RulingNone {
		return verdict, nil
	}
	result, err := t.Result(ctx, c.ticket.ID, *verdict.Result)
	switch kind := errkind.Of(err); {
	case err == nil:
		if c.outputs == nil {
			c.outputs = c.keep(result)
		}
		return verdict, c.artifacts(ctx, t, result.Artifacts)
	case kind == errkind.Corrupt && c.resultFaults < resultTries:
		c.resultFaults++
		return nil, remote(err)
	case kind == errkind.Corrupt, kind == errkind.NotFound, kind == errkind.Invalid:
		c.say(tasklog.Error, "What it handed over is lost: "+err.Error()+".")
		said := *verdict
		said.Reason = strings.TrimPrefix(said.Reason+"; what it handed over is lost", "; ")
		return &said, nil
	}
	return nil, remote(err)
}

// keep makes what is stored of a result; what is sensitive is sealed.
func (c *carrier) keep(result contract.Result) *deploy.Outputs {
	out := &deploy.Outputs{Ticket: c.ticket.ID, Task: c.task.ID, Slot: slotOf(c.ticket)}
	for _, o := range result.Outputs {
		if o.IsSensitive && c.worker.engine.Secrets.IsZero() {
			c.say(tasklog.Warning, "The sensitive output variable "+o.Name+" is not kept: this server has no master key.")
			continue
		}
		value := deploy.OutputValue{Name: o.Name, Value: o.Value}
		if o.IsSensitive {
			value.Value, value.Sealed = "", c.worker.engine.Secrets.Seal(o.Value, out.SealedAs(o.Name))
		}
		out.Values = append(out.Values, value)
	}
	if n := len(out.Values); n == 1 {
		c.say(tasklog.Verbose, "Kept 1 output variable.")
	} else if n > 1 {
		c.say(tasklog.Verbose, fmt.Sprintf("Kept %d output variables.", n))
	}
	return out
}

// putHanded commits what the scripts have handed over.
func (c *carrier) putHanded(w store.Writer) error {
	if c.outputs != nil {
		if err := c.worker.engine.putOutputs(w, *c.outputs); err != nil {
			return err
		}
	}
	return c.worker.engine.putArtifacts(w, c.ticket.Machine, c.handed.kept)
}

// putOutputs keeps outputs; with the first sealed one the store notes which key it depends on.
func (e *Engine) putOutputs(w store.Writer, out deploy.Outputs) error {
	if slices.ContainsFunc(out.Values, func(v deploy.OutputValue) bool { return v.Sealed != "" }) {
		row, err := w.Installation()
		if err == nil && row.MasterKey == "" {
			row.MasterKey = e.Secrets.ID()
			err = w.PutInstallation(row)
		}
		if err != nil && errkind.Of(err) != errkind.NotFound {
			return err
		}
	}
	return w.PutOutputs(out)
}

func slotOf(t deploy.Ticket) deploy.Slot {
	return deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: t.Attempt}
}

// handed is what earlier actions of a task have handed over. Of an action that was begun again on a machine, the last
// attempt counts alone: what one that failed has set is of a state that the next one may have left.
type handed struct {
	outputs       []deploy.Outputs // by step, action, machine as planned
	interruptions []deploy.Interruption
	names         map[deploy.MachineID]string
}

// group is what the steps before one have handed over: the same for each of its orders, since those steps have ended.
type group struct {
	start int // index of its first step
	handed
}

// handed reads what an order for a slot may use. What the group has in common is read once; of its own step, an order
// uses what the tickets before it on its machine have handed over.
func (w *worker) handed(
	r store.Reader, task deploy.Task, slot deploy.Slot, own []contract.TicketID,
) (handed, error) {
	start := task.Plan.GroupStart(slot.Step)
	w.mu.Lock()
	known := w.before
	w.mu.Unlock()
	if known == nil || known.start != start {
		known = &group{start: start}
		if err := known.look(r, task, start); err != nil {
			return handed{}, err
		}
		w.mu.Lock()
		w.before = known
		w.mu.Unlock()
	}
	if len(own) == 0 {
		return known.handed, nil
	}
	outputs, err := r.Outputs(task.ID, own...)
	if err != nil || len(outputs) == 0 {
		return known.handed, err
	}
	h := known.handed
	h.names = maps.Clone(h.names)
	slices.SortFunc(outputs, func(a, b deploy.Outputs) int { return cmp.Compare(a.Slot.Action, b.Slot.Action) })
	return h, h.add(r, outputs)
}

// lastAttempts are the tickets that count in each slot, which stands there without its attempt.
func lastAttempts(tickets []deploy.Ticket) map[deploy.Slot]deploy.Ticket {
	last := make(map[deploy.Slot]deploy.Ticket, len(tickets))
	for _, t := range tickets {
		if slot := anyAttempt(slotOf(t)); t.Attempt >= last[slot].Attempt {
			last[slot] = t
		}
	}
	return last
}

// before are the last attempts of the actions before a slot's, of its step on its machine.
func before(last map[deploy.Slot]deploy.Ticket, slot deploy.Slot) (tickets []contract.TicketID) {
	slot = anyAttempt(slot)
	for action := range slot.Action {
		slot.Action = action
		if t, made := last[slot]; made {
			tickets = append(tickets, t.ID)
		}
	}
	return tickets
}

// look reads what the steps before one have handed over.
func (h *handed) look(r store.Reader, task deploy.Task, step int) error {
	h.names = map[deploy.MachineID]string{}
	if err := h.read(r, task, step); err != nil {
		return err
	}
	all, err := r.Interruptions(store.InterruptionFilter{Task: task.ID})
	h.interruptions = slices.DeleteFunc(all, func(i deploy.Interruption) bool {
		return i.Kind != deploy.ManualInterruption || i.Choice != deploy.ChoiceProceed || i.Slot.Step >= step
	})
	return err
}

// read takes the outputs of last attempts in the steps before one.
func (h *handed) read(r store.Reader, task deploy.Task, step int) error {
	all, err := r.Outputs(task.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(o deploy.Outputs) bool { return o.Slot.Step >= step })
	if len(all) == 0 {
		return nil
	}
	tickets, err := r.Tickets(task.ID)
	if err != nil {
		return err
	}
	last := lastAttempts(tickets)
	all = slices.DeleteFunc(all, func(o deploy.Outputs) bool { return o.Slot.Attempt < last[anyAttempt(o.Slot)].Attempt })
	sortAsPlanned(all, task.Plan)
	return h.add(r, all)
}

// add appends outputs, and the names of their machines.
func (h *handed) add(r store.Reader, all []deploy.Outputs) error {
	for _, o := range all {
		if _, known := h.names[o.Slot.Machine]; known {
			continue
		}
		m, err := r.Machine(o.Slot.Machine)
		if err != nil && errkind.Of(err) != errkind.NotFound {
			return err
		}
		h.names[o.Slot.Machine] = cmp.Or(m.Name, string(o.Slot.Machine))
	}
	h.outputs = slices.Concat(h.outputs, all)
	return nil
}

func anyAttempt(s deploy.Slot) deploy.Slot {
	s.Attempt = 0
	return s
}

// sortAsPlanned sorts by step, action and machine as planned.
func sortAsPlanned(all []deploy.Outputs, plan deploy.Plan) {
	type place struct {
		step    int
		machine deploy.MachineID
	}
	order := map[place]int{}
	for i, step := range plan.Steps {
		for at, id := range step.Machines {
			order[place{i, id}] = at
		}
	}
	slices.SortFunc(all, func(a, b deploy.Outputs) int {
		return cmp.Or(cmp.Compare(a.Slot.Step, b.Slot.Step), cmp.Compare(a.Slot.Action, b.Slot.Action),
			cmp.Compare(order[place{a.Slot.Step, a.Slot.Machine}], order[place{b.Slot.Step, b.Slot.Machine}]))
	})
}

// variables are the outputs by their names for scripts. Of several machines, the last one as planned
// gives the name without a machine. Source: Octopus Deploy's documentation of output variables.
func (h *handed) variables(plan deploy.Plan, open func(sealed, place string) (string, error)) (
	all map[string]string, sensitive []string, err error,
) {
	all, secret, spelled := map[string]string{}, map[string]bool{}, map[string]string{}
	set := func(name, value string, isSecret bool) {
		key := strings.ToLower(name) // names are one whatever their case: the agent refuses an order with two
		delete(all, spelled[key])
		delete(secret, spelled[key])
		spelled[key], all[name], secret[name] = name, value, isSecret
	}
	for _, o := range h.outputs {
		step := plan.Steps[o.Slot.Step]
		owners := slices.Compact([]string{step.Actions[o.Slot.Action].Name, step.Name})
		for _, v := range o.Values {
			value := v.Value
			if v.Sealed != "" {
				opened, oerr := open(v.Sealed, o.SealedAs(v.Name))
				value, err = opened, errors.Join(err, oerr)
			}
			for _, owner := range owners {
				prefix := "Octopus.Action[" + owner + "].Output"
				set(prefix+"."+v.Name, value, v.Sealed != "")
				set(prefix+"["+h.names[o.Slot.Machine]+"]."+v.Name, value, v.Sealed != "")
			}
		}
	}
	for _, i := range h.interruptions {
		prefix := "Octopus.Action[" + plan.Steps[i.Slot.Step].Name + "].Output.Manual."
		set(prefix+"Notes", i.Notes, false)
		set(prefix+"Approved", "True", false)
		set(prefix+"ResponsibleUser.Id", string(i.Responsible), false)
		set(prefix+"ResponsibleUser.Username", i.AnsweredBy, false)
		set(prefix+"ResponsibleUser.DisplayName", i.AnsweredBy, false)
	}
	for name := range secret {
		if secret[name] {
			sensitive = append(sensitive, name)
		}
	}
	slices.Sort(sensitive)
	return all, sensitive, err
}
