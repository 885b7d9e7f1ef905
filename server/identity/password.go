// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

const (
	// passwordRounds of PBKDF2 with SHA-256 are what a guess costs. Source: OWASP's recommendation of 2023.
	passwordRounds    = 600_000
	passwordScheme    = "pbkdf2-sha256"
	saltBytes         = 16
	passwordHashBytes = 32
	// minPasswordCharacters is the shortest password that is taken.
	minPasswordCharacters = 8
	// MaxPasswordBytes is the longest one.
	MaxPasswordBytes = 128
	// maxHashing is how many passwords are worked on at once: each takes a core for a while.
	maxHashing = 2
	// maxWaiting is how many may wait for their turn: half a minute at 300 ms each.
	maxWaiting = 200
)

// newPasswordHash makes what is stored of a password: scheme$rounds$salt$hash.
func (d *Directory) newPasswordHash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	done, err := d.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	sum, err := stretch(password, salt, passwordRounds)
	if err != nil {
		return "", err
	}
	code := base64.RawStdEncoding
	return fmt.Sprintf("%s$%d$%s$%s", passwordScheme, passwordRounds, code.EncodeToString(salt),
		code.EncodeToString(sum)), nil
}

// turn waits until a password may be worked on; done is called after that. Errors: Canceled, Unavailable (too many
// wait already).
func (d *Directory) turn(ctx context.Context) (done func(), err error) {
	select {
	case d.waiting <- struct{}{}:
	default:
		return nil, errkind.Hinted(errkind.Unavailable.Errorf("%d passwords wait to be looked at: this is the limit",
			maxWaiting), "try again in a minute")
	}
	select {
	case d.hashing <- struct{}{}:
		return func() { <-d.hashing; <-d.waiting }, nil
	case <-ctx.Done():
		<-d.waiting
		return nil, errkind.Canceled.Errorf("work on a password: %w", ctx.Err())
	}
}

// stretch is slow on purpose: whoever calls it has had his turn.
func stretch(password string, salt []byte, rounds int) ([]byte, error) {
	sum, err := pbkdf2.Key(sha256.New, password, salt, rounds, passwordHashBytes)
	if err != nil {
		return nil, errkind.Internal.Errorf("work on a password: %w", err)
	}
	return sum, nil
}

// isPassword compares with what was stored. No password fits "", and finding that out takes as long.
func isPassword(password, stored string) (bool, error) {
	rounds, salt, want := parsePasswordHash(stored)
	sum, err := stretch(password, salt, rounds)
	return err == nil && len(want) > 0 && sameHash(string(sum), string(want)), err
}

func parsePasswordHash(stored string) (rounds int, salt, sum []byte) {
	none := make([]byte, saltBytes)
	parts := strings.Split(stored, "$")
	if len(parts) != 4 || parts[0] != passwordScheme {
		return passwordRounds, none, nil
	}
	code := base64.RawStdEncoding
	rounds, err := strconv.Atoi(parts[1])
	salt, serr := code.DecodeString(parts[2])
	sum, herr := code.DecodeString(parts[3])
	if errors.Join(err, serr, herr) != nil || rounds < 1 || rounds > 100*passwordRounds {
		return passwordRounds, none, nil
	}
	return rounds, salt, sum
}

// checkPassword refuses a password that is no good. Errors: Invalid.
func checkPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPasswordCharacters:
		return errkind.Invalid.Errorf("the password has fewer than %d characters", minPasswordCharacters)
	case len(password) > MaxPasswordBytes:
		return errkind.Invalid.Errorf("the password has more than %d bytes", MaxPasswordBytes)
	case !utf8.ValidString(password):
		return errkind.Invalid.Errorf("the password is not UTF-8")
	case strings.EqualFold(password, name):
		return errkind.Invalid.Errorf("the password is the user's name")
	}
	return nil
}

// SignInWithPassword opens a session for a user by his name and password. Errors: *Refused of kind
// Untrusted (no such user, wrong password, disabled) or Exhausted (too many failed attempts); Unavailable (too many at
// once); those of the store.
func (d *Directory) SignInWithPassword(ctx context.Context, source, name, password string) (
	p Principal, cookie string, expires time.Time, err error,
) {
	user, err := d.byPassword(ctx, source, name, password)
	if err != nil {
		return p, "", expires, err
	}
	err = d.store.View(ctx, func(r store.Reader) error {
		p, err = principalOf(r, user)
		return err
	})
	if err != nil {
		return p, "", expires, err
	}
	cookie, expires, err = d.openSession(ctx, p, func(r store.Reader) error {
		now, err := r.User(user.ID)
		if errkind.Of(err) == errkind.NotFound || err == nil && (!now.IsActive || now.PasswordHash != user.PasswordHash) {
			return &Refused{Cause: wrongPassword()} // it was changed while this one was looked at
		}
		return err
	})
	return p, cookie, expires, err
}

func wrongPassword() error { return errkind.Untrusted.Errorf("the name or the password is wrong") }

// byPassword finds the user whose name and password these are. Failures are counted within its turn, so that those
// who try at the same time try no oftener than one after the other, but for maxHashing - 1.
func (d *Directory) byPassword(ctx context.Context, source, name, password string) (user deploy.User, err error) {
	account := "user " + name
	if utf8.RuneCountInString(name) > maxUserNameCharacters {
		account = "" // no user has it, and nothing so long is remembered
	}
	if err := d.held(account, source, "check the password"); err != nil {
		return user, err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return user, err
	}
	defer done()
	if err := d.held(account, source, "check the password"); err != nil {
		return user, err
	}
	if user, err = d.named(ctx, name); err != nil {
		return user, err
	}
	fits, err := isPassword(password[:min(len(password), MaxPasswordBytes+1)], user.PasswordHash)
	if err != nil {
		return user, err
	}
	if fits && user.IsActive && !user.IsService {
		return user, nil
	}
	now := d.wall()
	delay, isNews := d.tries.fail(now, account, source)
	if isNews && d.tries.isTold(now) {
		err = d.noteFailure(ctx, user, source)
	}
	if err != nil {
		return user, err
	}
	return user, &Refused{Delay: delay, Cause: wrongPassword()}
}

// noteFailure tells the audit trail of a failed sign in. What was typed as the name of nobody stays untold: it may be
// a password.
func (d *Directory) noteFailure(ctx context.Context, user deploy.User, source string) error {
	who := user.Name
	if who == "" {
		who = "somebody who is no user"
	}
	return d.store.Update(ctx, func(w store.Writer) error {
		event := said("SignInFailed", user.ID, "%s failed to sign in with a password from %.100s", who, source)
		event.At, event.User = d.wall(), SystemName
		_, err := w.AddEvent(event)
		return err
	})
}

// named finds a user by name; the zero User when there is none.
func (d *Directory) named(ctx context.Context, name string) (user deploy.User, err error) {
	err = d.store.View(ctx, func(r store.Reader) error {
		users, err := r.Users()
		for _, u := range users {
			if strings.EqualFold(u.Name, name) {
				user = u
			}
		}
		return err
	})
	return user, err
}

// passwordHolder makes the principal of a session that a password opened. Errors: Untrusted.
func passwordHolder(r store.Reader, row deploy.Session) (Principal, error) {
	user, err := r.User(row.User)
	if errors.Is(err, errkind.NotFound) || err == nil && (!user.IsActive || row.CreatedAt.Before(user.PasswordSetAt)) {
		return Principal{}, endedSession()
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := principalOf(r, user)
	p.FromSession = true
	return p, err
}
