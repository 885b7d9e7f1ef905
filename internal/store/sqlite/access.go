// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type joinTokenBody struct {
	SecretSHA256 string                 `json:"secret_sha256"`
	Environments []deploy.EnvironmentID `json:"environments,omitempty"`
	Tags         []string               `json:"tags,omitempty"`
	Machine      string                 `json:"machine,omitempty"`
	CreatedBy    string                 `json:"created_by,omitempty"`
	UsedAt       time.Time              `json:"used_at,omitzero"`
	UsedByPin    string                 `json:"used_by_pin,omitempty"`
	UsedBy       deploy.MachineID       `json:"used_by,omitempty"`
}

type userBody struct {
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name,omitempty"`
	Email       string    `json:"email,omitempty"`
	IsActive    bool      `json:"is_active"`
	IsService   bool      `json:"is_service,omitempty"`
	Password    string    `json:"password,omitempty"` // its hash
	PasswordAt  time.Time `json:"password_at,omitzero"`
}

type apiKeyBody struct {
	Purpose   string    `json:"purpose,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

type sessionBody struct {
	CreatedAt time.Time `json:"created_at,omitzero"`
}

const selectJoinToken = "SELECT id, space, created_at, expires_at, body, sum FROM join_token"

func scanJoinToken(row scanner) (deploy.JoinToken, error) {
	var s sealed
	var body joinTokenBody
	var t deploy.JoinToken
	var created, expires int64
	if err := row.Scan(&t.ID, &t.Space, &created, &expires, &s.text, &s.sum); err != nil {
		return t, err
	}
	err := s.open("join token "+string(t.ID), &body)
	return deploy.JoinToken{
		ID: t.ID, Space: t.Space, SecretSHA256: body.SecretSHA256, Environments: body.Environments, Tags: body.Tags,
		Machine: body.Machine, CreatedAt: moment(created), CreatedBy: body.CreatedBy, ExpiresAt: moment(expires),
		UsedAt: body.UsedAt, UsedByPin: body.UsedByPin, UsedBy: body.UsedBy,
	}, err
}

func (r *reader) JoinToken(id deploy.TokenID) (deploy.JoinToken, error) {
	return one(r, "join token "+string(id), scanJoinToken, selectJoinToken+" WHERE id = ?", id)
}

func (r *reader) JoinTokens(space deploy.SpaceID) ([]deploy.JoinToken, error) {
	return list(r, "list join tokens", scanJoinToken,
		selectJoinToken+" WHERE space = ? ORDER BY created_at DESC, number DESC, id DESC", space)
}

func (w *writer) PutJoinToken(t deploy.JoinToken) error {
	body, sum, err := seal(joinTokenBody{
		SecretSHA256: t.SecretSHA256, Environments: t.Environments, Tags: t.Tags, Machine: t.Machine,
		CreatedBy: t.CreatedBy, UsedAt: clean(t.UsedAt), UsedByPin: t.UsedByPin, UsedBy: t.UsedBy,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write join token "+string(t.ID),
		"INSERT INTO join_token (id, space, created_at, expires_at, is_used, number, body, sum) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET space = excluded.space, "+
			"created_at = excluded.created_at, expires_at = excluded.expires_at, is_used = excluded.is_used, "+
			"body = excluded.body, sum = excluded.sum",
		t.ID, t.Space, stamp(t.CreatedAt), stamp(t.ExpiresAt), !t.UsedAt.IsZero(), store.IDNumber(string(t.ID)), body, sum)
	return err
}

func (w *writer) DeleteJoinToken(id deploy.TokenID) error {
	what := "join token " + string(id)
	return w.change("delete "+what, what, "DELETE FROM join_token WHERE id = ?", id)
}

func scanUser(row scanner) (deploy.User, error) {
	var s sealed
	var body userBody
	var u deploy.User
	if err := row.Scan(&u.ID, &s.text, &s.sum); err != nil {
		return u, err
	}
	err := s.open("user "+string(u.ID), &body)
	return deploy.User{
		ID: u.ID, Name: body.Name, DisplayName: body.DisplayName, IsActive: body.IsActive, IsService: body.IsService,
		Email: body.Email, PasswordHash: body.Password, PasswordSetAt: body.PasswordAt,
	}, err
}

func (r *reader) User(id deploy.UserID) (deploy.User, error) {
	return one(r, "user "+string(id), scanUser, "SELECT id, body, sum FROM user WHERE id = ?", id)
}

func (r *reader) Users() ([]deploy.User, error) {
	return list(r, "list users", scanUser, "SELECT id, body, sum FROM user ORDER BY folded")
}

func (w *writer) PutUser(u deploy.User) error {
	w.people = true
	err := w.free("a user named "+u.Name, "SELECT id FROM user WHERE folded = ? AND id <> ?", fold(u.Name), u.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(userBody{
		Name: u.Name, DisplayName: u.DisplayName, IsActive: u.IsActive, IsService: u.IsService,
		Email: u.Email, Password: u.PasswordHash, PasswordAt: clean(u.PasswordSetAt),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write user "+string(u.ID), "INSERT INTO user (id, folded, body, sum) VALUES (?, ?, ?, ?) "+
		"ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		u.ID, fold(u.Name), body, sum)
	return err
}

const selectAPIKey = "SELECT id, user, sha256, created_at, body, sum FROM api_key"

func scanAPIKey(row scanner) (deploy.APIKey, error) {
	var s sealed
	var body apiKeyBody
	var k deploy.APIKey
	var created int64
	if err := row.Scan(&k.ID, &k.User, &k.SecretSHA256, &created, &s.text, &s.sum); err != nil {
		return k, err
	}
	err := s.open("API key "+string(k.ID), &body)
	return deploy.APIKey{
		ID: k.ID, User: k.User, Purpose: body.Purpose, SecretSHA256: k.SecretSHA256, Hint: body.Hint,
		CreatedAt: moment(created), ExpiresAt: body.ExpiresAt,
	}, err
}

func (r *reader) APIKeyByHash(sha256 string) (deploy.APIKey, error) {
	return one(r, "such an API key", scanAPIKey, selectAPIKey+" WHERE sha256 = ?", sha256)
}

func (r *reader) APIKeys(user deploy.UserID) ([]deploy.APIKey, error) {
	return list(r, "list API keys", scanAPIKey,
		selectAPIKey+" WHERE user = ? ORDER BY created_at DESC, number DESC, id DESC", user)
}

func (w *writer) PutAPIKey(k deploy.APIKey) error {
	w.people = true
	err := w.free("such an API key", "SELECT id FROM api_key WHERE sha256 = ? AND id <> ?", k.SecretSHA256, k.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(apiKeyBody{Purpose: k.Purpose, Hint: k.Hint, ExpiresAt: clean(k.ExpiresAt)})
	if err != nil {
		return err
	}
	_, err = w.exec("write API key "+string(k.ID),
		"INSERT INTO api_key (id, user, sha256, created_at, number, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET user = excluded.user, sha256 = excluded.sha256, "+
			"created_at = excluded.created_at, body = excluded.body, sum = excluded.sum",
		k.ID, k.User, k.SecretSHA256, stamp(k.CreatedAt), store.IDNumber(string(k.ID)), body, sum)
	return err
}

func (w *writer) DeleteAPIKey(id deploy.KeyID) error {
	w.people = true
	what := "API key " + string(id)
	return w.change("delete "+what, what, "DELETE FROM api_key WHERE id = ?", id)
}

func (r *reader) SessionByHash(sha256 string) (deploy.Session, error) {
	return one(r, "such a session", func(row scanner) (deploy.Session, error) {
		var seal sealed
		var body sessionBody
		var s deploy.Session
		var key sql.Null[deploy.KeyID]
		var expires int64
		if err := row.Scan(&s.CookieSHA256, &s.User, &key, &expires, &seal.text, &seal.sum); err != nil {
			return s, err
		}
		err := seal.open("a session", &body)
		s.Key, s.CreatedAt, s.ExpiresAt = key.V, body.CreatedAt, moment(expires)
		return s, err
	}, "SELECT sha256, user, key, expires_at, body, sum FROM session WHERE sha256 = ?", sha256)
}

func (w *writer) PutSession(s deploy.Session) error {
	body, sum, err := seal(sessionBody{CreatedAt: clean(s.CreatedAt)})
	if err != nil {
		return err
	}
	_, err = w.exec("write a session",
		"INSERT INTO session (sha256, user, key, expires_at, body, sum) VALUES (?, ?, nullif(?, ''), ?, ?, ?) "+
			"ON CONFLICT (sha256) DO UPDATE SET user = excluded.user, key = excluded.key, "+
			"expires_at = excluded.expires_at, body = excluded.body, sum = excluded.sum",
		s.CookieSHA256, s.User, s.Key, stamp(s.ExpiresAt), body, sum)
	return err
}

func (w *writer) DeleteSession(sha256 string) error {
	return w.change("delete a session", "such a session", "DELETE FROM session WHERE sha256 = ?", sha256)
}

func (w *writer) DeleteExpired(now time.Time) error {
	_, err := w.exec("delete expired sessions",
		"DELETE FROM session WHERE expires_at <> 0 AND expires_at < ?", stamp(now))
	if err != nil {
		return err
	}
	_, err = w.exec("delete expired join tokens",
		"DELETE FROM join_token WHERE is_used = 0 AND expires_at <> 0 AND expires_at < ?", stamp(now))
	return err
}
