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

const (
	// minHealthInterval and maxPolicyTime bound the times of a machine policy.
	minHealthInterval = time.Minute
	maxPolicyTime     = 365 * 24 * time.Hour
	// maxMachinePolicies bounds what is read when machines are looked after.
	maxMachinePolicies = 200
)

// machinePolicies lists stored policies, and the default one as it is until somebody changes it, by name.
func machinePolicies(r store.Reader) ([]deploy.MachinePolicy, error) {
	all, err := r.MachinePolicies(spaceOf(r))
	standard := deploy.DefaultMachinePolicy(spaceOf(r))
	if !slices.ContainsFunc(all, func(p deploy.MachinePolicy) bool { return p.ID == standard.ID }) {
		all = append(all, standard)
	}
	slices.SortStableFunc(all, func(a, b deploy.MachinePolicy) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return all, err
}

func findPolicy(r store.Reader, ref string) (deploy.MachinePolicy, error) {
	all, err := machinePolicies(r)
	if err != nil {
		return deploy.MachinePolicy{}, err
	}
	return find("machine policy", ref, all, func(p deploy.MachinePolicy) (string, string, string) {
		return string(p.ID), p.Name, deploy.Slug(p.Name)
	})
}

// MachinePolicies lists all policies by name. Errors: Denied.
func (c *Catalog) MachinePolicies(ctx context.Context, p identity.Principal) (all []deploy.MachinePolicy, err error) {
	err = c.view(ctx, p, identity.PolicyView, func(r store.Reader) (err error) {
		all, err = machinePolicies(r)
		return err
	})
	return all, err
}

// MachinePolicy finds one by id or name. Errors: Denied, NotFound.
func (c *Catalog) MachinePolicy(ctx context.Context, p identity.Principal, ref string) (found deploy.MachinePolicy,
	err error,
) {
	err = c.view(ctx, p, identity.PolicyView, func(r store.Reader) (err error) {
		found, err = findPolicy(r, ref)
		return err
	})
	return found, err
}

// CreateMachinePolicy adds one; id and space of the draft mean nothing. Errors: Denied, Invalid.
func (c *Catalog) CreateMachinePolicy(ctx context.Context, p identity.Principal, draft deploy.MachinePolicy) (
	made deploy.MachinePolicy, err error,
) {
	err = c.change(ctx, p, identity.PolicyEdit, func(w store.Writer) (deploy.Event, error) {
		all, err := machinePolicies(w)
		if err != nil {
			return deploy.Event{}, err
		}
		if len(all) >= maxMachinePolicies {
			return deploy.Event{}, errkind.Exhausted.Errorf("there are %d machine policies: limit is %d", len(all),
				maxMachinePolicies)
		}
		if made.ID, err = nextID[deploy.MachinePolicyID](w, "MachinePolicies"); err != nil {
			return deploy.Event{}, err
		}
		if made.ID == deploy.DefaultMachinePolicyID { // the default one has it, stored or not
			if made.ID, err = nextID[deploy.MachinePolicyID](w, "MachinePolicies"); err != nil {
				return deploy.Event{}, err
			}
		}
		if made, err = c.filledPolicy(all, deploy.MachinePolicy{ID: made.ID, Space: spaceOf(w)}, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("MachinePolicyAdded", made.ID, "machine policy %s was added", made.Name), w.PutMachinePolicy(made)
	})
	return made, err
}

// EditMachinePolicy changes one. Errors: Denied, NotFound, Invalid.
func (c *Catalog) EditMachinePolicy(
	ctx context.Context, p identity.Principal, ref string, draft deploy.MachinePolicy,
) (made deploy.MachinePolicy, err error) {
	err = c.change(ctx, p, identity.PolicyEdit, func(w store.Writer) (deploy.Event, error) {
		all, err := machinePolicies(w)
		if err != nil {
			return deploy.Event{}, err
		}
		old, err := findPolicy(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		if made, err = c.filledPolicy(all, old, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("MachinePolicyEdited", made.ID, "machine policy %s was changed", made.Name), w.PutMachinePolicy(made)
	})
	if err == nil {
		c.Changed()
	}
	return made, err
}

// filledPolicy is the old policy with what the draft chooses.
func (c *Catalog) filledPolicy(all []deploy.MachinePolicy, old, draft deploy.MachinePolicy) (deploy.MachinePolicy,
	error,
) {
	var why reasons
	made := draft
	made.ID, made.Space = old.ID, old.Space
	made.Name, made.Description = why.name("a machine policy", draft.Name), why.description(draft.Description)
	if slices.ContainsFunc(all, func(o deploy.MachinePolicy) bool {
		return o.ID != made.ID && strings.EqualFold(o.Name, made.Name)
	}) {
		why.taken("A machine policy with the name %s exists already.", made.Name)
	}
	if t := made.HealthInterval; t != 0 && (t < minHealthInterval || t > maxPolicyTime) {
		why.add("the interval of health checks is %s: want %s to %s, or 0 for never", t, minHealthInterval, maxPolicyTime)
	}
	why.schedule(made, c.Wall())
	if t := made.DeleteAfter; t < 0 || t > maxPolicyTime {
		why.add("machines are deleted after %s out of reach: want 0 to %s", t, maxPolicyTime)
	}
	made.Kept = why.kept(old.Kept, draft.Kept)
	return made, why.err()
}

// schedule settles when machines of a policy are checked, and how.
func (r *reasons) schedule(p deploy.MachinePolicy, now time.Time) {
	schedule, err := deploy.NewHealthSchedule(p)
	switch {
	case err != nil:
		r.add("%v", err)
	case p.HealthCron != "" && schedule.Next(now).IsZero():
		r.add("the cron expression of health checks is %q: no such time comes in the next years", p.HealthCron)
	}
	if len(p.HealthScript) > deploy.MaxHealthScript {
		r.add("the health check script has %d bytes: limit is %d", len(p.HealthScript), deploy.MaxHealthScript)
	}
}

// DeleteMachinePolicy removes one that no machine has. Errors: Denied, NotFound, Invalid.
func (c *Catalog) DeleteMachinePolicy(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.PolicyEdit, func(w store.Writer) (deploy.Event, error) {
		old, err := findPolicy(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		if old.ID == deploy.DefaultPolicyID(old.Space) {
			why.add("the default machine policy cannot be deleted")
		}
		machines, err := w.Machines(store.MachineFilter{Space: spaceOf(w)})
		if err != nil {
			return deploy.Event{}, err
		}
		for _, m := range machines {
			if m.Policy == old.ID {
				why.add("machine %s has the machine policy %s", m.Name, old.Name)
			}
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("MachinePolicyDeleted", old.ID, "machine policy %s was deleted", old.Name), w.DeleteMachinePolicy(old.ID)
	})
}

// policyID settles the policy of a machine; "" keeps what it has.
func (r *reasons) policyID(from store.Reader, m *deploy.Machine, ref string) error {
	if ref == "" {
		return nil
	}
	p, err := findPolicy(from, ref)
	if err := r.addErr(err); err != nil {
		return err
	}
	if p.ID != "" {
		m.Policy = p.ID
	}
	return nil
}

// DeleteAbandoned deletes the machines that were out of reach for longer than their policies allow, and tells
// how many they were. One that a task works on stays. Errors: Denied.
func (c *Catalog) DeleteAbandoned(ctx context.Context, p identity.Principal) (n int, err error) {
	var gone []deploy.Machine
	err = c.view(ctx, p, identity.MachineEdit, func(r store.Reader) error {
		gone, err = abandoned(r, c.Wall())
		return err
	})
	for _, m := range gone {
		if err == nil {
			err = c.deleteAbandoned(ctx, p, m, &n)
		}
	}
	return n, err
}

func abandoned(r store.Reader, now time.Time) (gone []deploy.Machine, err error) {
	policies, err := machinePolicies(r)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(policies, func(p deploy.MachinePolicy) bool { return p.DeleteAfter > 0 }) {
		return nil, nil
	}
	machines, err := r.Machines(store.MachineFilter{Space: spaceOf(r)})
	for _, m := range machines {
		if deploy.PolicyOf(policies, m).IsAbandoned(now, m) {
			gone = append(gone, m)
		}
	}
	return gone, err
}

// deleteAbandoned looks again: the machine may have come back meanwhile.
func (c *Catalog) deleteAbandoned(ctx context.Context, p identity.Principal, m deploy.Machine, n *int) error {
	err := c.change(ctx, p, identity.MachineEdit, func(w store.Writer) (deploy.Event, error) {
		policies, err := machinePolicies(w)
		if err != nil {
			return deploy.Event{}, err
		}
		now, err := w.Machine(m.ID)
		if err != nil {
			return deploy.Event{}, err
		}
		policy := deploy.PolicyOf(policies, now)
		if !policy.IsAbandoned(c.Wall(), now) {
			return deploy.Event{}, errkind.Conflict.Errorf("machine %s is back", m.Name)
		}
		if err := machineInUse(w, now); err != nil {
			return deploy.Event{}, err
		}
		return event("MachineDeleted", m.ID,
			"machine %s was deleted: it was out of reach for longer than the %s of machine policy %s",
			m.Name, policy.DeleteAfter, policy.Name), w.DeleteMachine(m.ID)
	})
	switch errkind.Of(err) {
	case errkind.Conflict, errkind.Invalid, errkind.NotFound:
		if err != nil {
			return nil
		}
	default:
	}
	if err == nil {
		*n++
		c.Changed()
	}
	return err
}
