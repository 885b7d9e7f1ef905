// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"errors"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

const (
	// SessionLifetime is how long a browser stays signed in at most: 12 h.
	SessionLifetime = 12 * time.Hour
	// SessionIdle is how long it stays signed in without a request: 2 h.
	SessionIdle = 2 * time.Hour
	// sessionNoted is how much of that may have passed before a request is noted in the store: 1 min.
	sessionNoted = time.Minute
)

// openSession makes the session of a principal who was let in, if check finds that what let him in still holds.
// It ends at expires at the latest.
func (d *Directory) openSession(ctx context.Context, p Principal, check func(store.Reader) error) (
	cookie string, expires time.Time, err error,
) {
	cookie, now := newCookie(), d.wall()
	expires = now.Add(SessionLifetime)
	if !p.KeyExpiresAt.IsZero() && p.KeyExpiresAt.Before(expires) {
		expires = p.KeyExpiresAt
	}
	row := deploy.Session{CookieSHA256: hash(cookie), User: p.User.ID, Key: p.Key, CreatedAt: now}
	row.ExpiresAt = idleEnd(row, now)
	err = d.store.Update(ctx, func(w store.Writer) error {
		if err := check(w); err != nil {
			return err
		}
		if err := w.DeleteExpired(now); err != nil {
			return err
		}
		if err := w.PutSession(row); err != nil {
			return err
		}
		_, err := w.AddEvent(deploy.Event{
			At: now, User: p.Name(), Category: "SignedIn", Subject: string(p.User.ID), Message: p.Name() + " signed in",
		})
		return err
	})
	return cookie, expires, err
}

// BySession lets the holder of a session cookie in. Errors: *Refused of kind Untrusted; those of
// the store. Cookies cannot be guessed and browsers keep stale ones, so failures do not count.
func (d *Directory) BySession(ctx context.Context, cookie string) (Principal, error) {
	var p Principal
	var row deploy.Session
	err := d.store.View(ctx, func(r store.Reader) (err error) {
		sum := hash(cookie)
		row, err = r.SessionByHash(sum)
		if isUnknown(err, row.CookieSHA256, sum) {
			return endedSession()
		}
		if err != nil {
			return err
		}
		p, err = d.sessionHolder(r, row)
		return err
	})
	if errkind.Of(err) == errkind.Untrusted {
		return Principal{}, &Refused{Cause: err}
	}
	if err == nil {
		d.keepSession(ctx, row)
	}
	return p, err
}

// idleEnd is when a session ends that is used now and then no more. The key that opened it is looked at anyway.
func idleEnd(row deploy.Session, now time.Time) time.Time {
	end, last := now.Add(SessionIdle), row.CreatedAt.Add(SessionLifetime)
	if end.After(last) {
		return last
	}
	return end
}

// keepSession notes that a session is used, unless it was noted within the last sessionNoted. A store that takes no
// writes, as with a full disk, is no reason to keep anybody out.
func (d *Directory) keepSession(ctx context.Context, row deploy.Session) {
	if idleEnd(row, d.wall()).Sub(row.ExpiresAt) < sessionNoted {
		return
	}
	_ = d.store.Update(ctx, func(w store.Writer) error {
		held, err := w.SessionByHash(row.CookieSHA256) // it may have been signed out meanwhile
		if err != nil {
			return err
		}
		held.ExpiresAt = idleEnd(held, d.wall())
		return w.PutSession(held)
	})
}

func endedSession() error {
	return errkind.Hinted(errkind.Untrusted.Errorf("the browser session has ended"), "sign in again")
}

func (d *Directory) sessionHolder(r store.Reader, row deploy.Session) (Principal, error) {
	if !d.wall().Before(row.ExpiresAt) {
		return Principal{}, endedSession()
	}
	if row.Key == "" {
		return passwordHolder(r, row)
	}
	keys, err := r.APIKeys(row.User)
	if err != nil {
		return Principal{}, err
	}
	for _, key := range keys {
		if key.ID != row.Key {
			continue
		}
		p, err := d.holder(r, key)
		if errkind.Of(err) == errkind.Untrusted {
			return Principal{}, endedSession()
		}
		p.FromSession = true
		return p, err
	}
	return Principal{}, endedSession()
}

// SignOut ends a session; one that has ended already is no error, nor is no cookie.
func (d *Directory) SignOut(ctx context.Context, cookie string) error {
	if cookie == "" {
		return nil
	}
	err := d.store.Update(ctx, func(w store.Writer) error { return w.DeleteSession(hash(cookie)) })
	if errors.Is(err, errkind.NotFound) {
		return nil
	}
	return err
}
