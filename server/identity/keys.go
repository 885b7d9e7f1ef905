// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

const (
	// maxKeysPerUser bounds what one user can store.
	maxKeysPerUser = 100
	// maxPurposeCharacters is the longest note on a key.
	maxPurposeCharacters = 200
)

// CreateKey makes an API key for a user and returns its text, which is never shown again. A key
// cannot make one that outlives itself. Zero expires means never. Errors: Denied, NotFound (no
// such user), Invalid, Exhausted, Unavailable (maintenance).
func (d *Directory) CreateKey(
	ctx context.Context, p Principal, user deploy.UserID, purpose string, expires time.Time,
) (deploy.APIKey, string, error) {
	if err := p.needOver(user); err != nil {
		return deploy.APIKey{}, "", err
	}
	now, purpose := d.wall(), strings.TrimSpace(purpose)
	if err := checkNewKey(p, now, purpose, expires); err != nil {
		return deploy.APIKey{}, "", err
	}
	text := newKey()
	row := deploy.APIKey{
		ID: deploy.KeyID(newKeyID()), User: user, Purpose: purpose, SecretSHA256: hash(text),
		Hint: text[:hintCharacters], CreatedAt: now, ExpiresAt: expires,
	}
	err := d.change(ctx, p, func(w store.Writer) (event deploy.Event, err error) {
		owner, err := w.User(user)
		if err != nil {
			return event, err
		}
		if err := p.outranks(w, owner); err != nil { // nobody gains a right by a key for somebody else
			return event, err
		}
		held, err := w.APIKeys(user)
		if err != nil {
			return event, err
		}
		if len(held) >= maxKeysPerUser {
			return event, errkind.Exhausted.Errorf("user %s has %d API keys: limit is %d", owner.Name, len(held),
				maxKeysPerUser)
		}
		event = said("APIKeyCreated", row.ID, "API key %s… was made for user %s", row.Hint, owner.Name)
		return event, w.PutAPIKey(row)
	})
	if err != nil {
		return deploy.APIKey{}, "", err
	}
	return row, text, nil
}

func checkNewKey(p Principal, now time.Time, purpose string, expires time.Time) error {
	switch {
	case len([]rune(purpose)) > maxPurposeCharacters:
		return errkind.Invalid.Errorf("the purpose has more than %d characters", maxPurposeCharacters)
	case !expires.IsZero() && !expires.After(now):
		return errkind.Invalid.Errorf("the key would have expired at %s", expires.UTC().Format(time.RFC3339))
	case !p.KeyExpiresAt.IsZero() && (expires.IsZero() || expires.After(p.KeyExpiresAt)):
		return errkind.Denied.Errorf("a key cannot make one that outlives it: this one ends at %s",
			p.KeyExpiresAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// needOver allows a user his own keys, and others' with UserEdit.
func (p Principal) needOver(user deploy.UserID) error {
	if p.User.ID != "" && p.User.ID == user {
		return p.Need(SignedIn)
	}
	return p.Need(UserEdit)
}

// Keys lists the keys of a user, newest first. Errors: Denied, NotFound (no such user).
func (d *Directory) Keys(ctx context.Context, p Principal, user deploy.UserID) ([]deploy.APIKey, error) {
	if err := p.needOver(user); err != nil {
		return nil, err
	}
	var keys []deploy.APIKey
	err := d.store.View(ctx, func(r store.Reader) error {
		if _, err := r.User(user); err != nil {
			return err
		}
		var err error
		keys, err = r.APIKeys(user)
		return err
	})
	return keys, err
}

// DeleteKey deletes a key of a user and ends the sessions it opened. Others' keys need every right that the user
// has. Errors: Denied, NotFound.
func (d *Directory) DeleteKey(ctx context.Context, p Principal, user deploy.UserID, id deploy.KeyID) error {
	if err := p.needOver(user); err != nil {
		return err
	}
	return d.change(ctx, p, func(w store.Writer) (event deploy.Event, err error) {
		owner, err := findUser(w, user)
		if err != nil {
			return event, err
		}
		if err := p.outranks(w, owner); err != nil {
			return event, err
		}
		keys, err := w.APIKeys(user)
		if err != nil {
			return event, err
		}
		i := slices.IndexFunc(keys, func(k deploy.APIKey) bool { return k.ID == id })
		if i < 0 {
			return event, errkind.NotFound.Errorf("no API key %s", id)
		}
		return said("APIKeyDeleted", id, "API key %s… was deleted", keys[i].Hint), w.DeleteAPIKey(id)
	})
}
