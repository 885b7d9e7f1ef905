// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// quarantineTwins disables the machine: its key answers from two places, and nobody can tell which
// one is meant.
func (f *Fleet) quarantineTwins(ctx context.Context, s, other *session) error {
	f.log.Error("machine is cloned", "machine", s.machine, "hosts", []string{s.facts.hostname, other.facts.hostname})
	why := fmt.Sprintf("two agents are alive with one key: %s on %s and %s on %s; remove the copy's home and %s",
		s.facts.hostname, s.remote, other.facts.hostname, other.remote, f.remedy(s.machine))
	return f.quarantine(ctx, s, why, func(*deploy.Machine) {})
}

// quarantineRewound disables a machine whose journal is older than what the server was told of it: a
// snapshot or a backup of it was brought back. Scripts that ran since may not be in it, so that they
// would run again. Its journal counts as another one from here on: what was sent to it is in doubt,
// and is not sent again when a person accepts the machine as it is.
func (f *Fleet) quarantineRewound(ctx context.Context, s *session, known int64) error {
	f.log.Error("agent went back in time", "machine", s.machine, "journal", s.facts.journal, "was", known)
	why := fmt.Sprintf("the agent on %s went back in time, as after a restored snapshot: its journal is at %d and was at "+
		"%d; look at the machine, then %s",
		s.facts.hostname, s.facts.journal, known, f.remedy(s.machine))
	return f.quarantine(ctx, s, why, func(m *deploy.Machine) {
		m.Facts.StateID, m.Facts.Journal = s.facts.stateID, s.facts.journal
		m.Facts.Rewinds++
	})
}

// remedy is the last clause of every reason.
func (f *Fleet) remedy(id deploy.MachineID) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return "accept it with: fairlead-server machine enable " + f.known[id].name
}

// quarantine disables the machine of a session, and edits it, until a person enables it. It returns why, as an
// error, or what went wrong.
func (f *Fleet) quarantine(ctx context.Context, s *session, why string, edit func(*deploy.Machine)) error {
	now := f.Env.Wall()
	err := f.Store.Update(ctx, func(w store.Writer) error {
		m, err := w.Machine(s.machine)
		if err != nil {
			return err
		}
		m.IsDisabled, m.Quarantine = true, why
		m.Health = deploy.Health{Status: deploy.HealthUnhealthy, Summary: why, CheckedAt: now, LastSeen: now}
		edit(&m)
		if err := w.PutMachine(m); err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: now, Space: m.Space, User: "system", Category: "MachineQuarantined", Subject: string(m.ID),
			Message: m.Name + ": " + why,
		})
		return err
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	if p, ok := f.machines[s.machine]; ok {
		p.journal = journal{} // what is stored counts
	}
	f.mu.Unlock()
	if err := f.Load(ctx); err != nil {
		return err
	}
	return errkind.Denied.Errorf("%s", why)
}
