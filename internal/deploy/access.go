// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "time"

// JoinToken lets one machine (or Uses of them) join. The secret itself is not stored.
type JoinToken struct {
	ID           TokenID
	Space        SpaceID
	SecretSHA256 string // hex
	Environments []EnvironmentID
	Tags         []string
	Machine      string // the only name that may join with it; "" means any
	CreatedAt    time.Time
	CreatedBy    string
	ExpiresAt    time.Time
	UsedAt       time.Time // zero: not used
	UsedByPin    string    // the certificate it is bound to since
	UsedBy       MachineID
}

// User is a person or a service that acts.
type User struct {
	ID          UserID
	Name        string // unique without regard to case
	DisplayName string
	Email       string
	IsActive    bool
	IsService   bool
	// PasswordHash is what is kept of his password, in the form of server/identity; "" when he has none.
	PasswordHash string
	// PasswordSetAt ends the sessions that an earlier password opened.
	PasswordSetAt time.Time
}

// APIKey lets a user in. The key itself is not stored.
type APIKey struct {
	ID           KeyID
	User         UserID
	Purpose      string
	SecretSHA256 string // hex, of the whole key; unique
	Hint         string // first eight characters, "API-ABCD"
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero: never
}

// Session is a browser that has signed in. The cookie itself is not stored.
type Session struct {
	CookieSHA256 string // hex
	User         UserID
	Key          KeyID // the key that opened it; the session ends with the key; "" for a password
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Event is one row of the audit trail.
type Event struct {
	Number   int64 // assigned by the store, without gaps
	At       time.Time
	Space    SpaceID // "" when it is about the installation
	User     string  // name, or "system"
	Category string  // "MachineAdded", "DeploymentQueued" …
	Subject  string  // id of what was changed
	Message  string  // a sentence
}
