// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	accounts              = "Accounts" // the collection
	maxAccountSecretBytes = 64 << 10
)

// AccountDraft is what a caller may choose of an account. An empty Secret or Passphrase keeps the one
// that is there, unless NoSecret or NoPassphrase takes it away.
type AccountDraft struct {
	Name, Description      string
	Kind                   deploy.AccountKind
	Username               string
	Environments           []string // ids, names or slugs
	Secret, Passphrase     string
	NoSecret, NoPassphrase bool
	Kept                   deploy.Kept // what is named is replaced
}

func findAccount(r store.Reader, ref string) (deploy.Account, error) {
	all, err := r.Accounts(spaceOf(r))
	if err != nil {
		return deploy.Account{}, err
	}
	return find("account", ref, all, func(a deploy.Account) (string, string, string) {
		return string(a.ID), a.Name, a.Slug
	})
}

// Accounts lists all accounts by name. Errors: Denied.
func (c *Catalog) Accounts(ctx context.Context, p identity.Principal) (all []deploy.Account, err error) {
	err = c.view(ctx, p, identity.AccountView, func(r store.Reader) (err error) {
		all, err = r.Accounts(spaceOf(r))
		return err
	})
	return all, err
}

// Account finds one by id, name or slug. Errors: Denied, NotFound.
func (c *Catalog) Account(ctx context.Context, p identity.Principal, ref string) (a deploy.Account, err error) {
	err = c.view(ctx, p, identity.AccountView, func(r store.Reader) (err error) {
		a, err = findAccount(r, ref)
		return err
	})
	return a, err
}

// CreateAccount adds one. Errors: Denied, Invalid, Unavailable (nothing can be sealed).
func (c *Catalog) CreateAccount(
	ctx context.Context, p identity.Principal, draft AccountDraft,
) (a deploy.Account, err error) {
	err = c.change(ctx, p, identity.AccountEdit, func(w store.Writer) (deploy.Event, error) {
		a = deploy.Account{Space: spaceOf(w), Kind: draft.Kind}
		var err error
		if a.ID, err = nextID[deploy.AccountID](w, accounts); err != nil {
			return deploy.Event{}, err
		}
		if err := c.fillAccount(w, &a, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("AccountAdded", a.ID, "account %s was added", a.Name), w.PutAccount(a)
	})
	return a, err
}

// EditAccount changes one, but not its kind. Errors: Denied, NotFound, Invalid, Unavailable.
func (c *Catalog) EditAccount(
	ctx context.Context, p identity.Principal, ref string, draft AccountDraft,
) (a deploy.Account, err error) {
	err = c.change(ctx, p, identity.AccountEdit, func(w store.Writer) (deploy.Event, error) {
		var err error
		if a, err = findAccount(w, ref); err != nil {
			return deploy.Event{}, err
		}
		if err := c.fillAccount(w, &a, draft); err != nil {
			return deploy.Event{}, err
		}
		return event("AccountEdited", a.ID, "account %s was changed", a.Name), w.PutAccount(a)
	})
	return a, err
}

func (c *Catalog) fillAccount(w store.Writer, a *deploy.Account, draft AccountDraft) error {
	all, err := w.Accounts(spaceOf(w))
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(o deploy.Account) bool { return o.ID == a.ID })
	var why reasons
	a.Name, a.Description = why.name("an account", draft.Name), why.description(draft.Description)
	if slices.ContainsFunc(others, func(o deploy.Account) bool { return strings.EqualFold(o.Name, a.Name) }) {
		why.taken("An account with the name %s exists already.", a.Name)
	}
	if a.Slug == "" {
		a.Slug = freeSlug(a.Name, func(slug string) bool {
			return slices.ContainsFunc(others, func(o deploy.Account) bool { return o.Slug == slug })
		})
	}
	why.account(a, draft)
	if a.Environments, err = why.environmentIDs(w, draft.Environments); err != nil {
		return err
	}
	a.Kept = why.kept(a.Kept, draft.Kept)
	if err := why.err(); err != nil {
		return err
	}
	return c.sealAccount(w, a, draft)
}

// account checks what depends on the kind.
func (why *reasons) account(a *deploy.Account, draft AccountDraft) {
	a.Username = draft.Username
	switch a.Kind {
	case deploy.KeyPairAccount, deploy.PasswordAccount:
		if strings.TrimSpace(a.Username) == "" || len(a.Username) > maxNameCharacters || !printable(a.Username) {
			why.add("an account of the type %s needs a user name of at most %d characters", a.Kind, maxNameCharacters)
		}
	case deploy.TokenAccount:
		a.Username = ""
	default:
		why.add("accounts of the type %.40q come with a later version: want %s, %s or %s", a.Kind, deploy.KeyPairAccount,
			deploy.PasswordAccount, deploy.TokenAccount)
	}
	if draft.Kind != "" && draft.Kind != a.Kind {
		why.add("account %s is of the type %s, which cannot change to %.40q", a.Name, a.Kind, draft.Kind)
	}
	needed := map[deploy.AccountKind]string{deploy.KeyPairAccount: "private key", deploy.TokenAccount: "token"}[a.Kind]
	if needed != "" && draft.Secret == "" && (a.Secret == "" || draft.NoSecret) {
		why.add("an account of the type %s needs its %s", a.Kind, needed)
	}
	if len(draft.Secret) > maxAccountSecretBytes || len(draft.Passphrase) > maxAccountSecretBytes {
		why.add("a secret of an account has more than %d bytes", maxAccountSecretBytes)
	}
	if draft.Passphrase != "" && a.Kind != deploy.KeyPairAccount {
		why.add("an account of the type %s has no passphrase", a.Kind)
	}
}

func (c *Catalog) sealAccount(w store.Writer, a *deploy.Account, draft AccountDraft) (err error) {
	if draft.NoSecret {
		a.Secret = ""
	}
	if draft.NoPassphrase {
		a.Passphrase = ""
	}
	if draft.Secret != "" {
		if a.Secret, err = c.seal(w, draft.Secret, a.SecretSealedAs()); err != nil {
			return err
		}
	}
	if draft.Passphrase != "" {
		a.Passphrase, err = c.seal(w, draft.Passphrase, a.PassphraseSealedAs())
	}
	return err
}

// DeleteAccount removes one. Errors: Denied, NotFound.
func (c *Catalog) DeleteAccount(ctx context.Context, p identity.Principal, ref string) error {
	return c.change(ctx, p, identity.AccountEdit, func(w store.Writer) (deploy.Event, error) {
		a, err := findAccount(w, ref)
		if err != nil {
			return deploy.Event{}, err
		}
		return event("AccountDeleted", a.ID, "account %s was deleted", a.Name), w.DeleteAccount(a.ID)
	})
}
