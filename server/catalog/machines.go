// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"net"
	"slices"
	"strconv"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/trust"
	"fairlead/server/identity"
)

// MachineDraft is what a caller may choose of a machine. Environments are ids, names or slugs.
type MachineDraft struct {
	Name         string
	Environments []string
	Tags         []string
	IsDisabled   bool
	// Address (host:port) and Pin are those of a listening agent. An edit leaves them as they
	// are when they are "".
	Address string
	Pin     string
	// Policy is an id or a name; "" keeps what it has, or means the default one.
	Policy string
}

// MachineFilter picks machines.
type MachineFilter = store.MachineFilter

// Machines lists machines by name. Errors: Denied.
func (c *Catalog) Machines(ctx context.Context, p identity.Principal, f MachineFilter) (all []deploy.Machine,
	err error,
) {
	err = c.view(ctx, p, identity.MachineView, func(r store.Reader) (err error) {
		all, err = r.Machines(f)
		return err
	})
	return all, err
}

// Machine finds one. Errors: Denied, NotFound.
func (c *Catalog) Machine(ctx context.Context, p identity.Principal, ref string) (m deploy.Machine, err error) {
	err = c.view(ctx, p, identity.MachineView, func(r store.Reader) (err error) {
		m, err = findMachine(r, ref)
		return err
	})
	return m, err
}

// Tags lists the tags in use, sorted. Errors: Denied.
func (c *Catalog) Tags(ctx context.Context, p identity.Principal) ([]string, error) {
	all, err := c.Machines(ctx, p, MachineFilter{})
	tags := []string{}
	for _, m := range all {
		tags = append(tags, m.Tags...)
	}
	return sortedSet(tags), err
}

// AddListening adds a machine that the server dials. Polling agents join with a token instead.
// Errors: Denied, Invalid, Conflict (pin in use, or retired).
func (c *Catalog) AddListening(ctx context.Context, p identity.Principal, draft MachineDraft) (m deploy.Machine,
	err error,
) {
	err = c.change(ctx, p, identity.MachineEdit, func(w store.Writer) (deploy.Event, error) {
		m = deploy.Machine{
			Space: spaceOf(w), Style: deploy.Listening, AddedAt: c.Wall(),
			Health: deploy.Health{Status: deploy.HealthUnknown},
		}
		var why reasons
		if draft.Address == "" {
			why.add("a listening machine needs an address: host:port")
		}
		if draft.Pin == "" {
			why.add("a listening machine needs the pin of its certificate: run fairlead-agent status on it")
		}
		if err := c.fillMachine(w, &m, draft, why); err != nil {
			return deploy.Event{}, err
		}
		if err := c.pinIsFree(w, m.Pin); err != nil {
			return deploy.Event{}, err
		}
		var err error
		if m.ID, err = nextID[deploy.MachineID](w, "Machines"); err != nil {
			return deploy.Event{}, err
		}
		return event("MachineAdded", m.ID, "machine %s at %s was added", m.Name, m.Address), w.PutMachine(m)
	})
	if err == nil {
		c.Changed()
	}
	return m, err
}

// EditMachine changes name, tags, environments, address and whether it is disabled. A machine
// keeps its pin and its style for ever. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditMachine(
	ctx context.Context, p identity.Principal, ref string, draft MachineDraft,
) (m deploy.Machine, err error) {
	err = c.change(ctx, p, identity.MachineEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if m, err = findMachine(w, ref); err != nil {
			return deploy.Event{}, err
		}
		quarantine := m.Quarantine
		if err := c.fillMachine(w, &m, draft, reasons{}); err != nil {
			return deploy.Event{}, err
		}
		if quarantine != "" && m.Quarantine == "" {
			return accepted(m, quarantine), w.PutMachine(m)
		}
		return event("MachineEdited", m.ID, "machine %s was changed", m.Name), w.PutMachine(m)
	})
	if err == nil {
		c.Changed()
	}
	return m, err
}

// AcceptMachine lets a disabled machine work again. Why is the reason of the quarantine that is accepted, "" when a
// person disabled the machine. Errors: Denied, NotFound, Conflict (there is another reason by now).
func (c *Catalog) AcceptMachine(ctx context.Context, p identity.Principal, ref, why string) error {
	err := c.change(ctx, p, identity.MachineEdit, func(w store.Writer) (deploy.Event, error) {
		m, err := findMachine(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if !m.IsDisabled || m.Quarantine != why {
			return deploy.Event{}, errkind.Hinted(
				errkind.Conflict.Errorf("machine %s is not in the state that is to be accepted any more", m.Name),
				"look at its page again")
		}
		m.IsDisabled, m.Quarantine = false, ""
		if why == "" {
			return event("MachineEdited", m.ID, "machine %s was enabled", m.Name), w.PutMachine(m)
		}
		return accepted(m, why), w.PutMachine(m)
	})
	if err == nil {
		c.Changed()
	}
	return err
}

func accepted(m deploy.Machine, why string) deploy.Event {
	return event("MachineAccepted", m.ID, "machine %s was accepted out of quarantine: %s", m.Name, why)
}

func (c *Catalog) fillMachine(r store.Reader, m *deploy.Machine, draft MachineDraft, why reasons) error {
	if err := trust.CheckMachineName(draft.Name); err != nil {
		why.add("%s", sentence(err))
	}
	named, err := r.Machines(store.MachineFilter{Space: spaceOf(r), Name: draft.Name})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(named, func(o deploy.Machine) bool { return o.ID != m.ID }) {
		why.taken("a machine with the name %s exists already", draft.Name)
	}
	m.Name, m.IsDisabled, m.Tags = draft.Name, draft.IsDisabled, why.tags(draft.Tags)
	if !m.IsDisabled {
		m.Quarantine = "" // a person has accepted it
	}
	if m.Environments, err = why.environmentIDs(r, draft.Environments); err != nil {
		return err
	}
	if err := why.policyID(r, m, draft.Policy); err != nil {
		return err
	}
	why.address(m, draft.Address)
	why.pin(m, draft.Pin)
	return why.err()
}

// sentence is the message of an error and its hint.
func sentence(err error) string {
	if hint := errkind.Hint(err); hint != "" {
		return err.Error() + " (" + hint + ")"
	}
	return err.Error()
}

func (r *reasons) address(m *deploy.Machine, address string) {
	if address == "" || address == m.Address {
		return
	}
	if m.Style != deploy.Listening {
		r.add("machine %s dials the server itself and has no address", m.Name)
		return
	}
	host, port, err := net.SplitHostPort(address)
	number, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || bad != nil || number == 0 || len(address) > 300 || !printable(address) {
		r.add("the address %.80q is not host:port", address)
		return
	}
	m.Address = address
}

func (r *reasons) pin(m *deploy.Machine, text string) {
	if text == "" {
		return
	}
	pin, err := trust.ParsePin(text)
	switch {
	case err != nil:
		r.add("%s", sentence(err))
	case m.Pin == "":
		m.Pin = pin.String()
	case m.Pin != pin.String():
		r.add("machine %s keeps its pin: delete it and add it anew for another certificate", m.Name)
	}
}

// pinIsFree refuses a pin that any machine has or ever had, and the server's own: as a machine it would be retired when
// that is deleted.
func (c *Catalog) pinIsFree(r store.Reader, pin string) error {
	if pin == c.Pin {
		return errkind.Hinted(errkind.Invalid.Errorf("this is the pin of the server itself"),
			"take the address and the pin of the agent: fairlead-agent status on the machine tells its pin")
	}
	switch m, err := r.MachineByPin(pin); errkind.Of(err) {
	case errkind.NotFound:
	default:
		if err != nil {
			return err
		}
		return errkind.Conflict.Errorf("machine %s has this pin already", m.Name)
	}
	retired, err := r.RetiredPins()
	if err != nil {
		return err
	}
	if slices.Contains(retired, pin) {
		return errkind.Hinted(errkind.Conflict.Errorf("this pin belonged to a machine that was deleted and stays retired"),
			"give the agent a new identity: fairlead-agent join, or listen, in a new home folder")
	}
	return nil
}

// DeleteMachine removes a machine and retires its pin for ever. Errors: Denied, NotFound, Invalid
// (a task works on it).
func (c *Catalog) DeleteMachine(ctx context.Context, p identity.Principal, ref string) error {
	err := c.change(ctx, p, identity.MachineEdit, func(w store.Writer) (deploy.Event, error) {
		m, err := findMachine(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if err := machineInUse(w, m); err != nil {
			return deploy.Event{}, err
		}
		return event("MachineDeleted", m.ID, "machine %s was deleted and its pin %.12s retired", m.Name, m.Pin),
			w.DeleteMachine(m.ID)
	})
	if err == nil {
		c.Changed()
	}
	return err
}

func machineInUse(r store.Reader, m deploy.Machine) error {
	tickets, err := r.OpenTickets(m.ID)
	if err != nil {
		return err
	}
	var why reasons
	for _, t := range tickets {
		task, err := r.Task(t.Task)
		if err != nil {
			return err
		}
		if !task.State.IsCompleted() {
			why.add("%s works on machine %s: %s", task.ID, m.Name, task.Description)
		}
	}
	return why.err()
}
