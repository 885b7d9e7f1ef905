// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

const (
	// apiVersion is what stock Tentacles ask for: 3.0.0 to 3.0.99.
	apiVersion = "3.0.0"
	// octopusVersion is the release whose documents these are like; clients compare it.
	octopusVersion = "2025.4.0"
	// probeInterval is how long one answer of /healthz is good for.
	probeInterval = 5 * time.Second
	// maxTokenSeconds keeps seconds from overflowing a duration; the catalog has the same limit.
	maxTokenSeconds = int64(catalog.MaxTokenLifetime / time.Second)
)

// probe asks the store now and then, however often it is asked itself.
type probe struct {
	run   func(context.Context) error
	wall  func() time.Time
	busy  atomic.Bool
	known atomic.Pointer[probed]
}

type probed struct {
	at  time.Time
	err error
}

func (p *probe) check(ctx context.Context) error {
	held := p.known.Load()
	fresh := held != nil && p.wall().Sub(held.at) < probeInterval
	if fresh || held != nil && !p.busy.CompareAndSwap(false, true) {
		return held.err
	}
	defer p.busy.Store(false)
	err := p.run(ctx)
	if ctx.Err() == nil {
		p.known.Store(&probed{p.wall(), err})
	}
	return err
}

func (a *api) getHealth(c *call) error {
	if err := a.health.check(c.ctx()); err != nil {
		a.Log.Error("health check: the store takes no write", "err", err)
		return c.reply(http.StatusServiceUnavailable, obj{"Status": "the store takes no write"})
	}
	if warnings := a.warnings(); len(warnings) > 0 { // it answers and works: whoever asks it is to go on
		return c.ok(obj{"Status": "new work is refused", "Warnings": warnings})
	}
	return c.ok(obj{"Status": "ok"})
}

// warnings are sentences on what the server cannot do now.
func (a *api) warnings() []string {
	if a.Notice == nil {
		return []string{}
	}
	if text := a.Notice(); text != "" {
		return []string{text}
	}
	return []string{}
}

func (a *api) getMetrics(c *call) error {
	a.Metrics.ServeHTTP(c.w, c.r)
	return nil
}

func (a *api) getRoot(c *call) error {
	row, err := a.Catalog.Installation(c.ctx())
	if err != nil {
		return err
	}
	return c.ok(obj{
		"Application": "Fairlead", "Version": octopusVersion, "FairleadVersion": a.Version, "ApiVersion": apiVersion,
		"InstallationId": row.ID, "IsEarlyAccessProgram": false, "HasLongTermSupport": true, "Links": a.links.root,
	})
}

func (a *api) getSpaceRoot(c *call) error {
	return c.ok(obj{"Links": a.links.space})
}

func (a *api) getToggles(c *call) error { return c.ok(obj{"FeatureToggles": []obj{}}) }

type tokenRequest struct {
	Environments     []string
	Tags             []string
	Machine          string
	ExpiresInSeconds int64
}

func (a *api) createToken(c *call) error {
	var q tokenRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	if q.ExpiresInSeconds < 0 || q.ExpiresInSeconds > maxTokenSeconds {
		return errkind.Invalid.Errorf("ExpiresInSeconds is %d: want 1 to %d", q.ExpiresInSeconds, maxTokenSeconds)
	}
	token, text, err := a.Catalog.CreateToken(c.ctx(), c.principal, catalog.TokenRequest{
		Environments: q.Environments, Tags: q.Tags, Machine: q.Machine,
		Lifetime: time.Duration(q.ExpiresInSeconds) * time.Second,
	})
	if err != nil {
		return err
	}
	shown := showToken(token)
	shown["Token"] = text
	return c.created(shown)
}

func showToken(t deploy.JoinToken) obj {
	return obj{
		"Id": t.ID, "SpaceId": t.Space, "Environments": list(t.Environments), "Tags": list(t.Tags), "Machine": t.Machine,
		"Created": at(t.CreatedAt), "CreatedBy": t.CreatedBy, "Expires": at(t.ExpiresAt), "Used": at(t.UsedAt),
		"UsedByMachineId": t.UsedBy, "Links": obj{"Self": spacePath + "jointokens/" + string(t.ID)},
	}
}

func (a *api) listTokens(c *call) error {
	all, err := a.Catalog.Tokens(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return paged(c, "JoinToken", all, showToken)
}

func (a *api) deleteToken(c *call) error {
	if err := a.Catalog.DeleteToken(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

// emptyPage answers a page without items.
func (a *api) emptyPage(itemType string) func(*call) error {
	return func(c *call) error { return paged(c, itemType, []obj{}, func(o obj) obj { return o }) }
}

func (a *api) emptyList(c *call) error { return c.ok([]obj{}) }
