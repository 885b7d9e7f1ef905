// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/trust"
)

// joinLimit bounds one join exchange.
const joinLimit = 10 * time.Second

// errReused marks a token that a second key has shown.
var errReused = errors.New(trust.DenyReuse)

// Join answers one machine that wants in. It is the port's handler for "fairlead-join/1".
func (f *Fleet) Join(ctx context.Context, conn *tls.Conn, peer trust.Peer) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := trust.ServeJoin(conn, peer, func(peer trust.Peer, q trust.JoinRequest) (trust.JoinReply, error) {
		return f.letIn(ctx, peer, q)
	})
	if err != nil {
		f.log.Warn("join refused", "remote", conn.RemoteAddr().String(), "peer", peer.Pin().Short(), "err", err)
		return
	}
	f.Refresh()
}

// letIn consumes the token and makes the machine in one transaction. The same key asking again
// gets the same machine, so a lost answer costs nothing.
func (f *Fleet) letIn(ctx context.Context, peer trust.Peer, q trust.JoinRequest) (trust.JoinReply, error) {
	var m deploy.Machine
	var names []string
	err := f.Store.Update(ctx, func(w store.Writer) (err error) {
		m, names, err = f.join(w, peer.Pin(), q)
		return err
	})
	if errors.Is(err, errReused) {
		f.alarm(ctx, q)
		err = trust.TokenRefused()
	}
	if err != nil {
		return trust.JoinReply{}, err
	}
	// The agent dials as soon as it has the answer: its pin must be known by then.
	if err := f.Load(ctx); err != nil {
		return trust.JoinReply{}, err
	}
	bundle, err := f.Bundle(ctx)
	return trust.JoinReply{
		MachineID: string(
			m.ID,
		), Name: m.Name, Environments: names, Tags: m.Tags, ServerID: f.Server.ID, Bundle: bundle,
	}, err
}

func (f *Fleet) join(
	w store.Writer,
	pin trust.Pin,
	q trust.JoinRequest,
) (m deploy.Machine, names []string, err error) {
	token, err := w.JoinToken(deploy.TokenID(q.TokenID.String()))
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return m, nil, err
	}
	admission, why := record(token).Admit(q, pin, f.Env.Wall())
	switch admission {
	case trust.AdmitAgain:
		if m, err = w.Machine(token.UsedBy); err != nil && errkind.Of(err) == errkind.NotFound {
			err = errRetired()
		}
	case trust.AdmitNew:
		m, err = f.create(w, token, pin, q)
	case trust.AdmitNobody:
		err = trust.TokenRefused()
		if why == trust.DenyReuse {
			err = errReused
		}
		f.log.Warn("join token refused", "token", q.TokenID.String(), "why", why, "peer", pin.Short())
	}
	if err != nil {
		return m, nil, err
	}
	for _, id := range m.Environments {
		e, err := w.Environment(id)
		if err != nil {
			return m, nil, err
		}
		names = append(names, e.Name)
	}
	return m, names, nil
}

func record(t deploy.JoinToken) trust.TokenRecord {
	r := trust.TokenRecord{ExpiresAt: t.ExpiresAt, Machine: t.Machine}
	_ = r.ID.UnmarshalText([]byte(t.ID)) // an empty row stays the zero record, which admits nobody
	if hash, err := hex.DecodeString(t.SecretSHA256); err == nil && len(hash) == len(r.Hash) {
		copy(r.Hash[:], hash)
	}
	if pin, err := trust.ParsePin(t.UsedByPin); err == nil {
		r.UsedBy = pin
	}
	return r
}

func (f *Fleet) create(
	w store.Writer,
	t deploy.JoinToken,
	pin trust.Pin,
	q trust.JoinRequest,
) (deploy.Machine, error) {
	now := f.Env.Wall()
	m := deploy.Machine{
		Space: t.Space, Name: q.Name, Environments: t.Environments, Tags: t.Tags, Style: deploy.Style(q.Mode),
		Address: q.Address, Pin: pin.String(), AddedAt: now,
		Facts: deploy.MachineFacts{
			AgentVersion: q.Facts.Version, OS: q.Facts.OS, Distribution: q.Facts.Distribution, Arch: q.Facts.Arch,
			Hostname: q.Facts.Hostname,
		},
		Health: deploy.Health{
			Status: deploy.HealthUnknown, Summary: "The machine has joined and has not been on line yet.", LastSeen: now,
		},
	}
	if err := free(w, m); err != nil {
		return m, err
	}
	id, err := w.NextID("Machines")
	if err != nil {
		return m, err
	}
	m.ID = deploy.MachineID(id)
	if err := w.PutMachine(m); err != nil {
		return m, err
	}
	t.UsedAt, t.UsedBy, t.UsedByPin = now, m.ID, m.Pin
	if err := w.PutJoinToken(t); err != nil {
		return m, err
	}
	_, err = w.AddEvent(deploy.Event{
		At: now, Space: m.Space, User: "token " + string(t.ID), Category: "MachineJoined", Subject: string(m.ID),
		Message: fmt.Sprintf("machine %s joined (%s) with pin %s", m.Name, m.Style, pin.Short()),
	})
	return m, err
}

// free says whether name and pin can be had. A name is never taken over by a join.
func free(w store.Writer, m deploy.Machine) error {
	same, err := w.Machines(store.MachineFilter{Space: m.Space, Name: m.Name})
	if err != nil {
		return err
	}
	if len(same) > 0 {
		return errkind.Hinted(errkind.Conflict.Errorf("a machine named %s exists already", m.Name),
			"choose another name with --name, or delete the old machine at the server first")
	}
	if other, err := w.MachineByPin(m.Pin); err == nil {
		return errkind.Hinted(errkind.Conflict.Errorf("this certificate belongs to machine %s already", other.Name),
			"a copied home cannot join: use a new home folder")
	}
	retired, err := w.RetiredPins()
	if err != nil {
		return err
	}
	if slices.Contains(retired, m.Pin) {
		return errRetired()
	}
	return nil
}

func errRetired() error {
	return errkind.Hinted(errkind.Denied.Errorf("this certificate belonged to a machine that was deleted"),
		"use a new home folder: a retired certificate never comes back")
}

// alarm notes on the first machine that its token turned up again in other hands.
func (f *Fleet) alarm(ctx context.Context, q trust.JoinRequest) {
	err := f.Store.Update(ctx, func(w store.Writer) error {
		token, err := w.JoinToken(deploy.TokenID(q.TokenID.String()))
		if err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: f.Env.Wall(), Space: token.Space, User: "system", Category: "JoinTokenReused", Subject: string(token.UsedBy),
			Message: fmt.Sprintf(
				"the join token of %s was shown again with another key, by a machine that calls itself %s",
				token.UsedBy,
				q.Name,
			),
		})
		return err
	})
	if err != nil {
		f.log.Error("alarm was not stored", "err", err)
	}
}

// Bundle signs the server's present trust bundle.
func (f *Fleet) Bundle(ctx context.Context) (trust.SignedBundle, error) {
	var row store.Installation
	err := f.Store.View(ctx, func(r store.Reader) (err error) {
		row, err = r.Installation()
		return err
	})
	if err != nil {
		return trust.SignedBundle{}, err
	}
	id := f.Server.Identity
	return trust.SignBundle(trust.Bundle{
		ServerID: row.ID, Epoch: max(1, row.BundleEpoch), IssuedAt: row.CreatedAt,
		Pins: []trust.BundlePin{{Pin: id.Pin, Role: trust.RoleServer, NotAfter: id.NotAfter()}},
	}, id)
}
