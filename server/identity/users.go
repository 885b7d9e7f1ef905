// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

const (
	// maxUserNameCharacters is the longest name or address of a user, a team or a role.
	maxUserNameCharacters = 200
	// maxUsers, maxTeams and maxRoles bound what is read at each request.
	maxUsers = 10_000
	maxTeams = 1_000
	maxRoles = 200
)

// UserDraft is what may be chosen of a user. An empty Password keeps the one that is there.
type UserDraft struct {
	Name        string
	DisplayName string
	Email       string
	Password    string
	IsActive    *bool // nil keeps it; somebody new is let in
	IsService   bool
}

// Users lists all users by name. Errors: Denied.
func (d *Directory) Users(ctx context.Context, p Principal) (users []deploy.User, err error) {
	if err := p.Need(UserView); err != nil {
		return nil, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		users, err = r.Users()
		return err
	})
	return users, err
}

// User reads one; everybody may read himself. Errors: Denied, NotFound.
func (d *Directory) User(ctx context.Context, p Principal, id deploy.UserID) (user deploy.User, err error) {
	if p.User.ID == "" || p.User.ID != id {
		if err := p.Need(UserView); err != nil {
			return user, err
		}
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		user, err = findUser(r, id)
		return err
	})
	return user, err
}

func findUser(r store.Reader, id deploy.UserID) (deploy.User, error) {
	user, err := r.User(id)
	if errkind.Of(err) == errkind.NotFound {
		return user, errkind.NotFound.Errorf("there is no user %.80q", id)
	}
	return user, err
}

// Rights says what a user may do; everybody may ask it of himself. Errors: Denied, NotFound.
func (d *Directory) Rights(ctx context.Context, p Principal, id deploy.UserID) (of Principal, teams []deploy.Team,
	err error,
) {
	user, err := d.User(ctx, p, id)
	if err != nil {
		return of, nil, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		if of, err = principalOf(r, user); err != nil {
			return err
		}
		teams, err = teamsOf(r, user.ID)
		return err
	})
	return of, teams, err
}

// CreateUser adds one. Nobody has rights by it but those of everyone. Errors: Denied, Invalid, Conflict (the
// name is taken), Exhausted.
func (d *Directory) CreateUser(ctx context.Context, p Principal, draft UserDraft) (user deploy.User, err error) {
	if err := p.Need(UserEdit); err != nil {
		return user, err
	}
	hash, err := d.hashOf(ctx, draft)
	if err != nil {
		return user, err
	}
	err = d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		users, err := w.Users()
		if err != nil {
			return deploy.Event{}, err
		}
		if len(users) >= maxUsers {
			return deploy.Event{}, errkind.Exhausted.Errorf("there are %d users: limit is %d", len(users), maxUsers)
		}
		id, err := w.NextID("Users")
		if err != nil {
			return deploy.Event{}, err
		}
		user = deploy.User{ID: deploy.UserID(id), IsService: draft.IsService, IsActive: true}
		if err := d.fillUser(&user, draft, hash, users); err != nil {
			return deploy.Event{}, err
		}
		return said("UserAdded", user.ID, "user %s was added", user.Name), w.PutUser(user)
	})
	return user, err
}

// EditUser changes one. Everybody may change his own display name, address and password; the rest, and
// others, need UserEdit and every right that the user has. Errors: Denied, NotFound, Invalid, Conflict.
func (d *Directory) EditUser(ctx context.Context, p Principal, id deploy.UserID, draft UserDraft) (
	user deploy.User, err error,
) {
	if err := p.needOver(id); err != nil {
		return user, err
	}
	if err := p.maySetPassword(draft); err != nil {
		return user, err
	}
	err = d.store.View(ctx, func(r store.Reader) error {
		user, err = findUser(r, id)
		return err
	})
	if err != nil {
		return user, err
	}
	hash, err := d.hashOf(ctx, draft.settled(p, user))
	if err != nil {
		return user, err
	}
	err = d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		old, err := findUser(w, id)
		if err != nil {
			return deploy.Event{}, err
		}
		if !p.editsHimselfOnly(old) {
			if err := p.outranks(w, old); err != nil {
				return deploy.Event{}, err
			}
		}
		draft := draft.settled(p, old)
		if id == AdministratorID && draft.IsActive != nil && !*draft.IsActive {
			return deploy.Event{}, errkind.Invalid.Errorf("the built-in administrator cannot be disabled")
		}
		users, err := w.Users()
		if err != nil {
			return deploy.Event{}, err
		}
		user = old
		if err := d.fillUser(&user, draft, hash, users); err != nil {
			return deploy.Event{}, err
		}
		return said("UserEdited", user.ID, "user %s was changed%s", user.Name, userChanges(old, user)), w.PutUser(user)
	})
	return user, err
}

// maySetPassword refuses a password that would outlive the key that lets its setter in. Errors: Denied.
func (p Principal) maySetPassword(draft UserDraft) error {
	if draft.Password == "" || p.KeyExpiresAt.IsZero() {
		return nil
	}
	return errkind.Hinted(errkind.Denied.Errorf("a key that ends sets no password, which would outlive it: it ends at %s",
		p.KeyExpiresAt.UTC().Format(time.RFC3339)), "sign in with the present password, or use a key without end")
}

// editsHimselfOnly reports whether a principal edits a user because it is himself.
func (p Principal) editsHimselfOnly(user deploy.User) bool {
	return p.User.ID == user.ID && p.Need(UserEdit) != nil
}

// settled keeps what is not the principal's to choose as it is stored: of himself his name, and whether he is let
// in.
func (u UserDraft) settled(p Principal, stored deploy.User) UserDraft {
	if p.editsHimselfOnly(stored) {
		u.Name, u.IsActive = stored.Name, nil
	}
	return u
}

// userChanges tells of what decides who comes in.
func userChanges(old, now deploy.User) (words string) {
	if now.PasswordHash != old.PasswordHash {
		words = "; the password was changed"
	}
	if now.IsActive != old.IsActive {
		words += map[bool]string{true: "; the user was enabled", false: "; the user was disabled"}[now.IsActive]
	}
	return words
}

// hashOf checks and hashes a new password, before any transaction: it takes a while. "" without one.
func (d *Directory) hashOf(ctx context.Context, draft UserDraft) (string, error) {
	if draft.Password == "" {
		return "", nil
	}
	if draft.IsService {
		return "", errkind.Invalid.Errorf("a service account signs in with API keys and has no password")
	}
	if err := checkPassword(draft.Name, draft.Password); err != nil {
		return "", err
	}
	return d.newPasswordHash(ctx, draft.Password)
}

func (d *Directory) fillUser(user *deploy.User, draft UserDraft, hash string, users []deploy.User) error {
	name, err := checkName("a user", draft.Name)
	if err != nil {
		return err
	}
	for _, other := range users {
		if other.ID != user.ID && strings.EqualFold(other.Name, name) {
			return errkind.Conflict.Errorf("a user with the name %s exists already", name)
		}
	}
	for _, text := range []string{draft.DisplayName, draft.Email} {
		if utf8.RuneCountInString(text) > maxUserNameCharacters || !isPrintable(text) {
			return errkind.Invalid.Errorf("user %s: his display name or address has more than %d characters, or odd ones",
				name, maxUserNameCharacters)
		}
	}
	user.Name, user.DisplayName, user.Email = name, draft.DisplayName, draft.Email
	if draft.IsActive != nil {
		user.IsActive = *draft.IsActive
	}
	if user.DisplayName == "" {
		user.DisplayName = name
	}
	if hash != "" {
		if user.IsService {
			return errkind.Invalid.Errorf("a service account signs in with API keys and has no password")
		}
		user.PasswordHash, user.PasswordSetAt = hash, d.wall()
	}
	return nil
}

// DeleteUser removes one with his keys and sessions, and takes him out of his teams. Errors: Denied, NotFound,
// Invalid.
func (d *Directory) DeleteUser(ctx context.Context, p Principal, id deploy.UserID) error {
	if err := p.Need(UserEdit); err != nil {
		return err
	}
	return d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		user, err := findUser(w, id)
		if err != nil {
			return deploy.Event{}, err
		}
		if id == AdministratorID || id == p.User.ID {
			return deploy.Event{},
				errkind.Invalid.Errorf("user %s cannot be deleted: he is the built-in administrator, or you", user.Name)
		}
		if err := p.outranks(w, user); err != nil {
			return deploy.Event{}, err
		}
		if err := leaveTeams(w, id); err != nil {
			return deploy.Event{}, err
		}
		return said("UserDeleted", id, "user %s was deleted", user.Name), w.DeleteUser(id)
	})
}

// change writes in one transaction with the event that tells of it.
func (d *Directory) change(ctx context.Context, p Principal, f func(store.Writer) (deploy.Event, error)) error {
	return d.store.Update(ctx, func(w store.Writer) error {
		if err := RefuseMaintenance(w, p); err != nil {
			return err
		}
		event, err := f(w)
		if err != nil {
			return err
		}
		event.At, event.User = d.wall(), p.Name()
		_, err = w.AddEvent(event)
		return err
	})
}

func said[ID ~string](category string, subject ID, format string, args ...any) deploy.Event {
	return deploy.Event{Category: category, Subject: string(subject), Message: fmt.Sprintf(format, args...)}
}

// checkName returns a name without outer space. Errors: Invalid.
func checkName(what, name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", errkind.Invalid.Errorf("%s needs a name", what)
	case utf8.RuneCountInString(name) > maxUserNameCharacters:
		return "", errkind.Invalid.Errorf("the name of %s has more than %d characters", what, maxUserNameCharacters)
	case !isPrintable(name):
		return "", errkind.Invalid.Errorf("the name %q of %s holds characters that cannot be shown", name, what)
	}
	return name, nil
}

// isPrintable refuses control and format characters: they hide or reorder what people read.
func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError
	})
}
