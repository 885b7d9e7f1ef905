// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/trust"
	"fairlead/server/identity"
)

const (
	// DefaultTokenLifetime is how long a join token can be used unless its maker says otherwise.
	DefaultTokenLifetime = time.Hour
	// MaxTokenLifetime is the longest that can be asked for.
	MaxTokenLifetime = 30 * 24 * time.Hour
)

// TokenRequest asks for a join token. Environments are ids, names or slugs.
type TokenRequest struct {
	Environments []string
	Tags         []string
	Machine      string        // the only name that may join with it; "" means any
	Lifetime     time.Duration // 0 means DefaultTokenLifetime
}

// CreateToken makes a token that lets one machine join, and returns its text, which is never
// shown again. Errors: Denied, Invalid.
func (c *Catalog) CreateToken(
	ctx context.Context, p identity.Principal, q TokenRequest,
) (token deploy.JoinToken, text string, err error) {
	if err := p.Need(identity.TokenCreate); err != nil {
		return token, "", err
	}
	minted, err := c.Mint()
	if err != nil {
		return token, "", err
	}
	if q.Lifetime == 0 {
		q.Lifetime = DefaultTokenLifetime
	}
	err = c.change(ctx, p, identity.TokenCreate, func(w store.Writer) (deploy.Event, error) {
		var why reasons
		if q.Lifetime < 0 || q.Lifetime > MaxTokenLifetime {
			why.add("a token lives for 1 minute to %d days", MaxTokenLifetime/(24*time.Hour))
		}
		if q.Machine != "" {
			if err := trust.CheckMachineName(q.Machine); err != nil {
				why.add("%s", sentence(err))
			}
		}
		now, sum := c.Wall(), minted.Secret().Hash()
		token = deploy.JoinToken{
			ID: deploy.TokenID(minted.ID().String()), Space: space, SecretSHA256: hex.EncodeToString(sum[:]),
			Machine: q.Machine, Tags: why.tags(q.Tags),
			CreatedAt: now, CreatedBy: p.Name(), ExpiresAt: now.Add(q.Lifetime),
		}
		if token.Environments, err = why.environmentIDs(w, q.Environments); err != nil {
			return deploy.Event{}, err
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("JoinTokenCreated", token.ID, "a join token was made that ends at %s",
			token.ExpiresAt.UTC().Format(time.RFC3339)), w.PutJoinToken(token)
	})
	if err != nil {
		return deploy.JoinToken{}, "", err
	}
	return token, minted.Reveal(), nil
}

// Tokens lists the join tokens, newest first. Errors: Denied.
func (c *Catalog) Tokens(ctx context.Context, p identity.Principal) (all []deploy.JoinToken, err error) {
	err = c.view(ctx, p, identity.TokenView, func(r store.Reader) error {
		all, err = r.JoinTokens(space)
		return err
	})
	return all, err
}

// DeleteToken takes a join token back. Errors: Denied, NotFound.
func (c *Catalog) DeleteToken(ctx context.Context, p identity.Principal, id string) error {
	return c.change(ctx, p, identity.TokenCreate, func(w store.Writer) (deploy.Event, error) {
		return event("JoinTokenDeleted", id, "a join token was deleted"), w.DeleteJoinToken(deploy.TokenID(id))
	})
}

// Joining is a machine that wants to join. Pin is proved by its handshake, the rest is its word.
type Joining struct {
	Token        deploy.TokenID
	SecretSHA256 string // hex, of the secret it showed
	Pin          string
	Name         string
	Style        deploy.Style
	Address      string // of a listening agent
	Facts        deploy.MachineFacts
}

// Join uses a token up and adds its machine, in one transaction. The same certificate with the
// same token gets the same machine again, so that a lost answer can be asked for anew. Errors:
// Untrusted (no such token, used, expired), Denied (another name), Invalid, Conflict (name or pin
// taken).
func (c *Catalog) Join(ctx context.Context, j Joining) (m deploy.Machine, err error) {
	joined := false
	err = c.Store.Update(ctx, func(w store.Writer) error {
		joined = false
		token, err := c.openToken(w, j)
		if err != nil {
			return err
		}
		if token.UsedByPin != "" {
			m, err = w.Machine(token.UsedBy)
			return err
		}
		joined = true
		if m, err = c.admit(w, j, token); err != nil {
			return err
		}
		token.UsedAt, token.UsedByPin, token.UsedBy = c.Wall(), j.Pin, m.ID
		if err := w.PutJoinToken(token); err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: c.Wall(), User: identity.SystemName, Category: "MachineJoined", Subject: string(m.ID),
			Message: fmt.Sprintf("machine %s joined with a token made by %s", m.Name, token.CreatedBy),
		})
		return err
	})
	if err == nil && joined {
		c.Changed()
	}
	return m, err
}

// openToken tells a usable token; every other one gets the same answer.
func (c *Catalog) openToken(r store.Reader, j Joining) (deploy.JoinToken, error) {
	refusal := errkind.Hinted(errkind.Untrusted.Errorf("the join token is not known, used up or expired"),
		"make a new one with: fairlead-server token create")
	token, err := r.JoinToken(j.Token)
	switch {
	case errkind.Of(err) == errkind.NotFound:
		return token, refusal
	case err != nil:
		return token, err
	case subtle.ConstantTimeCompare([]byte(token.SecretSHA256), []byte(j.SecretSHA256)) != 1:
		return token, refusal
	case token.UsedByPin != "" && token.UsedByPin == j.Pin:
		return token, nil
	case token.UsedByPin != "", !c.Wall().Before(token.ExpiresAt):
		return token, refusal
	case token.Machine != "" && !strings.EqualFold(token.Machine, j.Name):
		return token, errkind.Denied.Errorf("the join token is for a machine of another name")
	}
	return token, nil
}

func (c *Catalog) admit(w store.Writer, j Joining, token deploy.JoinToken) (m deploy.Machine, err error) {
	m = deploy.Machine{
		Space: space, Style: j.Style, AddedAt: c.Wall(), Facts: j.Facts,
		Health: deploy.Health{Status: deploy.HealthUnknown},
	}
	refs := make([]string, len(token.Environments))
	for i, id := range token.Environments {
		refs[i] = string(id)
	}
	draft := MachineDraft{Name: j.Name, Environments: refs, Tags: token.Tags, Address: j.Address, Pin: j.Pin}
	if err := c.fillMachine(w, &m, draft, nil); err != nil {
		return m, err
	}
	if err := pinIsFree(w, m.Pin); err != nil {
		return m, err
	}
	if m.ID, err = nextID[deploy.MachineID](w, "Machines"); err != nil {
		return m, err
	}
	return m, w.PutMachine(m)
}
