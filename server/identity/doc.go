// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package identity says who acts and what he may do: users, API keys, browser sessions,
// permissions.
//
// It knows no HTTP: edges hand over the key or the cookie and get a Principal. It decides no use
// case: those ask Principal.Need.
//
//  1. Of a key or a cookie only the SHA-256 is stored; the text is shown once, when it is made.
//  2. A principal is made anew for each request from the stored rows, so that a user who was
//     disabled and a key that was deleted are refused at once.
//  3. The zero Principal may do nothing.
//  4. Something has expired at its very end, not a moment later.
//  5. Rights come from teams: a team gives roles, each within a scope of projects, project groups and
//     environments. A scope restricts only permissions to which it means something.
//  6. Nobody gives or takes a right that he does not have himself, be it by a team, a role, a key or a password.
//
// Safe for concurrent use.
//
// permission.go names what can be allowed, grant.go where, principal.go is who acts, role.go makes
// principals of teams and roles, secret.go makes and hashes keys and cookies, password.go passwords,
// limiter.go slows guessing down, directory.go lets callers in; keys.go, users.go, teams.go, roles.go
// and scoped_roles.go look after what is stored, managers.go after who manages a space.
package identity
