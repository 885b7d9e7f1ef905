// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// Names that stock Tentacles and the .NET client library look for; the id of the installation follows the
// underscore. Source: octopus-rest.md (e), step 3.
const (
	sessionCookie = "OctopusIdentificationToken_"
	proofCookie   = "Octopus-Csrf-Token_"
	proofHeader   = "X-Octopus-Csrf-Token"
)

type signInRequest struct{ Username, Password string }

// signIn opens a session by name and password.
func (a *api) signIn(c *call) error {
	if err := a.origins.Check(c.r); err != nil {
		return errkind.Denied.Errorf("the request comes from a page of another site")
	}
	var q signInRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	row, err := a.Catalog.Installation(c.ctx())
	if err != nil {
		return err
	}
	p, cookie, expires, err := a.Directory.SignInWithPassword(c.ctx(), sourceOf(c.r), q.Username, q.Password)
	if err != nil {
		return holdBack(c.ctx(), err)
	}
	if err := a.Directory.SignOut(c.ctx(), cookieOf(c.r)); err != nil { // the one that this takes the place of
		return err
	}
	c.setCookie(sessionCookie+row.ID, cookie, expires, a.Secure)
	c.setCookie(proofCookie+row.ID, identity.Proof(cookie), expires, a.Secure)
	return c.ok(showUser(p.User))
}

func (c *call) setCookie(name, value string, expires time.Time, secure bool) {
	http.SetCookie(c.w, &http.Cookie{
		Name: name, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: secure || c.r.TLS != nil,
		SameSite: http.SameSiteStrictMode,
	})
}

// dropCookies has the browser forget what signIn gave it.
func (c *call) dropCookies() {
	for _, cookie := range c.r.Cookies() {
		if strings.HasPrefix(cookie.Name, sessionCookie) || strings.HasPrefix(cookie.Name, proofCookie) {
			http.SetCookie(c.w, &http.Cookie{Name: cookie.Name, Path: "/", MaxAge: -1, HttpOnly: true})
		}
	}
}

// signOut ends the session of the cookie; a key has none and stays as it is.
func (a *api) signOut(c *call) error {
	cookie := cookieOf(c.r)
	if cookie == "" {
		return c.ok(obj{})
	}
	if err := a.Directory.SignOut(c.ctx(), cookie); err != nil {
		return err
	}
	c.dropCookies()
	return c.ok(obj{})
}
