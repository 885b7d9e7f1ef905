// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showAccount(a deploy.Account) obj {
	self := spacePath + "accounts/" + string(a.ID)
	shown := withKept(a.Kept, obj{
		"Id": a.ID, "SpaceId": a.Space, "Name": a.Name, "Slug": a.Slug, "Description": a.Description,
		"AccountType": a.Kind, "EnvironmentIds": list(a.Environments), "TenantedDeploymentParticipation": "Untenanted",
		"TenantIds": []string{}, "TenantTags": []string{}, "Links": obj{"Self": self, "Usages": self + "/usages"},
	})
	switch a.Kind {
	case deploy.KeyPairAccount:
		shown["Username"] = a.Username
		shown["PrivateKeyFile"], shown["PrivateKeyPassphrase"] = showSecret(a.Secret), showSecret(a.Passphrase)
	case deploy.PasswordAccount:
		shown["Username"], shown["Password"] = a.Username, showSecret(a.Secret)
	case deploy.TokenAccount:
		shown["Token"] = showSecret(a.Secret)
	}
	return shown
}

func (a *api) accounts(c *call) ([]deploy.Account, error) {
	all, err := a.Catalog.Accounts(c.ctx(), c.principal)
	if kind := c.query()["accounttype"]; kind != "" {
		kept := []deploy.Account{}
		for _, one := range all {
			if strings.EqualFold(string(one.Kind), kind) {
				kept = append(kept, one)
			}
		}
		all = kept
	}
	return chosen(c, all, func(a deploy.Account) (string, string) { return string(a.ID), a.Name }), err
}

func (a *api) listAccounts(c *call) error {
	all, err := a.accounts(c)
	if err != nil {
		return err
	}
	return paged(c, "Account", all, showAccount)
}

func (a *api) allAccounts(c *call) error {
	all, err := a.accounts(c)
	if err != nil {
		return err
	}
	return c.ok(each(all, showAccount))
}

func (a *api) getAccount(c *call) error {
	one, err := a.Catalog.Account(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showAccount(one))
}

// accountUsages is empty: no machine is reached by an account yet.
func (a *api) accountUsages(c *call) error {
	if _, err := a.Catalog.Account(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.ok(obj{
		"Targets": []obj{}, "DeploymentProcesses": []obj{}, "LibraryVariableSets": []obj{}, "ProjectVariableSets": []obj{},
		"Releases": []obj{}, "RunbookProcesses": []obj{}, "RunbookSnapshots": []obj{}, "Links": obj{},
	})
}

type accountRequest struct {
	Name                            string
	Description                     string
	AccountType                     string
	Username                        string
	EnvironmentIDs                  []string `json:"EnvironmentIds"`
	PrivateKeyFile                  secretValue
	PrivateKeyPassphrase            secretValue
	Password                        secretValue
	Token                           secretValue
	TenantedDeploymentParticipation json.RawMessage
	TenantIDs                       json.RawMessage `json:"TenantIds"`
	TenantTags                      json.RawMessage
}

func (c *call) accountDraft() (catalog.AccountDraft, error) {
	var q accountRequest
	if err := c.decode(&q); err != nil {
		return catalog.AccountDraft{}, err
	}
	draft := catalog.AccountDraft{
		Name: q.Name, Description: q.Description, Username: q.Username, Environments: q.EnvironmentIDs,
		Passphrase: q.PrivateKeyPassphrase.Text, NoPassphrase: q.PrivateKeyPassphrase.removes(),
		Kept: keep(members{
			"TenantedDeploymentParticipation": q.TenantedDeploymentParticipation, "TenantIds": q.TenantIDs,
			"TenantTags": q.TenantTags,
		}),
	}
	kinds := []deploy.AccountKind{deploy.KeyPairAccount, deploy.PasswordAccount, deploy.TokenAccount}
	draft.Kind = deploy.AccountKind(q.AccountType)
	for _, kind := range kinds {
		if strings.EqualFold(string(kind), q.AccountType) {
			draft.Kind = kind
		}
	}
	secret := q.secret(draft.Kind)
	draft.Secret, draft.NoSecret = secret.Text, secret.removes()
	return draft, nil
}

// secret is the member that holds the secret of a kind: clients may send those of other kinds along, empty.
// Without a kind it is the one that is given.
func (q accountRequest) secret(kind deploy.AccountKind) (s secretValue) {
	switch kind {
	case deploy.KeyPairAccount:
		return q.PrivateKeyFile
	case deploy.PasswordAccount:
		return q.Password
	case deploy.TokenAccount:
		return q.Token
	}
	for _, one := range []secretValue{q.PrivateKeyFile, q.Password, q.Token} {
		if one.isGiven && (!s.isGiven || one.has) {
			s = one
		}
	}
	return s
}

func (a *api) createAccount(c *call) error {
	draft, err := c.accountDraft()
	if err != nil {
		return err
	}
	one, err := a.Catalog.CreateAccount(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showAccount(one))
}

func (a *api) editAccount(c *call) error {
	draft, err := c.accountDraft()
	if err != nil {
		return err
	}
	one, err := a.Catalog.EditAccount(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showAccount(one))
}

func (a *api) deleteAccount(c *call) error {
	if err := a.Catalog.DeleteAccount(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}
