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

// Directory lets callers in.
type Directory struct {
	store store.Store
	// wall decides expiry.
	wall  func() time.Time
	tries *limiter
	known holders
	// hashing bounds how many passwords are worked on at once, capacity maxHashing, and waiting those that wait for it
	// as well.
	hashing chan struct{}
	waiting chan struct{}
}

// NewDirectory makes a directory over the store.
func NewDirectory(s store.Store, wall func() time.Time) *Directory {
	return &Directory{
		store: s, wall: wall, tries: newLimiter(), hashing: make(chan struct{}, maxHashing),
		waiting: make(chan struct{}, maxHashing+maxWaiting),
	}
}

// Refused says why nobody was let in, and how the answer should be slowed down.
type Refused struct {
	// Delay is how long the answer should be held back.
	Delay time.Duration
	// RetryAfter is set when there were too many failed attempts.
	RetryAfter time.Duration
	Cause      error
}

func (r *Refused) Error() string { return r.Cause.Error() }

func (r *Refused) Unwrap() error { return r.Cause }

// ByKey lets the holder of an API key in. Source is where he comes from, usually an address
// without its port. Errors: *Refused of kind Untrusted (no such key, expired, user disabled) or
// Exhausted (too many failed attempts from there); those of the store. A key that is valid is let in whatever failed
// before: nobody finds 160 bits by guessing, and no stranger, or neighbor behind the same proxy, locks its holder out.
func (d *Directory) ByKey(ctx context.Context, source, key string) (Principal, error) {
	p, err := d.lookUpKey(ctx, key)
	if errkind.Of(err) != errkind.Untrusted {
		return p, err
	}
	if held := d.held("", source, "check the key"); held != nil {
		return Principal{}, held
	}
	delay, _ := d.tries.fail(d.wall(), "", source)
	return Principal{}, &Refused{Delay: delay, Cause: err}
}

// held refuses after too many failed attempts on an account or from a source. Errors: *Refused.
func (d *Directory) held(account, source, then string) error {
	wait := d.tries.allow(d.wall(), account, source)
	if wait == 0 {
		return nil
	}
	return &Refused{RetryAfter: wait, Cause: errkind.Hinted(
		errkind.Exhausted.Errorf("too many failed attempts to sign in"), "wait %s, then %s", wait.Round(time.Second), then)}
}

func (d *Directory) lookUpKey(ctx context.Context, key string) (Principal, error) {
	if err := checkKeyShape(key); err != nil {
		return Principal{}, err
	}
	sum, mark := hash(key), d.store.PeopleMark()
	if p, ok := d.known.find(sum, mark); ok {
		return p, d.stillHolds(p.KeyExpiresAt)
	}
	var p Principal
	err := d.store.View(ctx, func(r store.Reader) error {
		row, err := r.APIKeyByHash(sum)
		if isUnknown(err, row.SecretSHA256, sum) {
			return unknownKey()
		}
		if err != nil {
			return err
		}
		p, err = d.holder(r, row)
		return err
	})
	if err == nil {
		d.known.keep(sum, mark, p)
	}
	return p, err
}

// stillHolds refuses what has expired; zero: never. Errors: Untrusted.
func (d *Directory) stillHolds(expires time.Time) error {
	if !expires.IsZero() && !d.wall().Before(expires) {
		return unknownKey()
	}
	return nil
}

// unknownKey is one answer for a wrong key, an expired one and one of a disabled user: whoever
// guesses learns nothing.
func unknownKey() error {
	return errkind.Hinted(errkind.Untrusted.Errorf("the API key is not valid"),
		"it may have expired or been deleted; make another for your user, or ask an administrator of this server")
}

// holder makes the principal of a key's row.
func (d *Directory) holder(r store.Reader, row deploy.APIKey) (Principal, error) {
	if err := d.stillHolds(row.ExpiresAt); err != nil {
		return Principal{}, err
	}
	user, err := r.User(row.User)
	if errors.Is(err, errkind.NotFound) || err == nil && !user.IsActive {
		return Principal{}, unknownKey()
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := principalOf(r, user)
	p.Key, p.KeyExpiresAt = row.ID, row.ExpiresAt
	return p, err
}

// SignIn opens a browser session for the holder of a key. The cookie is new each time, so one
// that was planted before is worth nothing. Errors: as ByKey.
func (d *Directory) SignIn(ctx context.Context, source, key string) (cookie string, expires time.Time, err error) {
	p, err := d.ByKey(ctx, source, key)
	if err != nil {
		return "", time.Time{}, err
	}
	return d.openSession(ctx, p, func(store.Reader) error { return nil })
}
