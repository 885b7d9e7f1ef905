// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
)

type accountBody struct {
	Name         string                 `json:"name"`
	Slug         string                 `json:"slug,omitempty"`
	Description  string                 `json:"description,omitempty"`
	Kind         deploy.AccountKind     `json:"kind"`
	Username     string                 `json:"username,omitempty"`
	Environments []deploy.EnvironmentID `json:"environments,omitempty"`
	Secret       string                 `json:"secret,omitempty"`
	Passphrase   string                 `json:"passphrase,omitempty"`
	Kept         deploy.Kept            `json:"kept,omitempty"`
}

const selectAccount = "SELECT id, space, body, sum FROM account"

func scanAccount(row scanner) (a deploy.Account, err error) {
	var s sealed
	var b accountBody
	if err := row.Scan(&a.ID, &a.Space, &s.text, &s.sum); err != nil {
		return a, err
	}
	err = s.open("account "+string(a.ID), &b)
	return deploy.Account{
		ID: a.ID, Space: a.Space, Name: b.Name, Slug: b.Slug, Description: b.Description, Kind: b.Kind,
		Username: b.Username, Environments: b.Environments, Secret: b.Secret, Passphrase: b.Passphrase, Kept: b.Kept,
	}, err
}

func (r *reader) Account(id deploy.AccountID) (deploy.Account, error) {
	return one(r, "account "+string(id), scanAccount, selectAccount+" WHERE id = ?", id)
}

func (r *reader) Accounts(space deploy.SpaceID) ([]deploy.Account, error) {
	return list(r, "list accounts", scanAccount, selectAccount+" WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutAccount(a deploy.Account) error {
	err := w.free("an account named "+a.Name,
		"SELECT id FROM account WHERE space = ? AND folded = ? AND id <> ?", a.Space, fold(a.Name), a.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(accountBody{
		Name: a.Name, Slug: a.Slug, Description: a.Description, Kind: a.Kind, Username: a.Username,
		Environments: a.Environments, Secret: a.Secret, Passphrase: a.Passphrase, Kept: a.Kept,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write account "+string(a.ID),
		"INSERT INTO account (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		a.ID, a.Space, fold(a.Name), body, sum)
	return err
}

func (w *writer) DeleteAccount(id deploy.AccountID) error {
	what := "account " + string(id)
	return w.change("delete "+what, what, "DELETE FROM account WHERE id = ?", id)
}
