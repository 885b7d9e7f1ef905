// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/hex"
	"time"

	"fairlead/internal/deploy"
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
			ID: deploy.TokenID(minted.ID().String()), Space: spaceOf(w), SecretSHA256: hex.EncodeToString(sum[:]),
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
		all, err = r.JoinTokens(spaceOf(r))
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
