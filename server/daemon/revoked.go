// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// shortLived is longer than any session or join token lives.
const shortLived = 365 * 24 * time.Hour

// revokeAgain takes back what a list says, and what is short-lived and may have been used or ended since: sessions
// and join tokens. It returns in words what it found to take back.
func (l lostTime) revokeAgain(w store.Writer, list []revocation) (told []string, err error) {
	if err := w.DeleteExpired(l.now.Add(shortLived)); err != nil {
		return nil, err
	}
	for i, one := range list {
		later := func(o revocation) bool { return o.Kind == one.Kind && o.ID == one.ID }
		if slices.ContainsFunc(list[i+1:], later) {
			continue // the last word counts
		}
		found, err := l.revokeOne(w, one)
		if err != nil {
			return nil, err
		}
		if found != "" {
			told = append(told, found)
		}
	}
	return told, nil
}

// revokeOne returns "" when there is nothing to revoke.
func (l lostTime) revokeOne(w store.Writer, one revocation) (found string, err error) {
	event := deploy.Event{At: l.now, User: "system"}
	switch one.Kind {
	case machineRevoked:
		m, missing := w.MachineByPin(one.ID)
		if err = missing; err == nil {
			event.Space = m.Space
			event.Category, event.Subject, found = "MachineDeleted", string(m.ID), "machine "+m.Name
			err = w.DeleteMachine(m.ID)
		}
	case keyRevoked:
		event.Category, event.Subject, found = "APIKeyDeleted", one.ID, "API key "+one.ID
		err = w.DeleteAPIKey(deploy.KeyID(one.ID))
	case userRevoked:
		user, missing := w.User(deploy.UserID(one.ID))
		if err = missing; err == nil && user.IsActive && !one.Again {
			event.Category, event.Subject, found = "UserDisabled", one.ID, "user "+user.Name
			user.IsActive = false
			err = w.PutUser(user)
		}
	}
	if errkind.Of(err) == errkind.NotFound {
		return "", nil
	}
	if err != nil || found == "" {
		return "", err
	}
	event.Message = found + " was revoked at " + one.At.UTC().Format(timeLayout) + ", after the backup, and is so again"
	_, err = w.AddEvent(event)
	return found, err
}

// keepRevocations gives the new home the list of the backup and what the other one has beyond it.
func (w *restoreWork) keepRevocations(stage Home) error {
	path := stage.revocations()
	list, err := readRevocations(path, w.manifest.Installation)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	held := len(list)
	for _, one := range w.revoked {
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	if len(list) == held {
		return nil
	}
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, one := range list {
		if err := lines.Encode(one); err != nil {
			return errkind.Internal.Errorf("encode the list of revocations: %w", err)
		}
	}
	return durable.Replace(w.copies.disk, path, text.Bytes())
}
