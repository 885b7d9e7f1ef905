// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// RequestHeader must be sent, with any value, by pages that change something with a session
// cookie: no foreign page can send it.
const RequestHeader = "X-Fairlead-Request"

// localKey carries the principal of calls from inside the process.
type localKey struct{}

// checkRequest refuses what no route takes. Errors: Exhausted, Invalid, Untrusted.
func (a *api) checkRequest(r *http.Request) error {
	size := len(r.Method) + len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	if size > MaxHeaderBytes {
		return &statusProblem{http.StatusRequestHeaderFieldsTooLarge, errkind.Exhausted.Errorf(
			"the header has more than %d bytes", MaxHeaderBytes)}
	}
	if len(a.Hosts) > 0 && !a.isOurs(r.Host) {
		return &statusProblem{
			http.StatusMisdirectedRequest,
			errkind.Invalid.Errorf("this server does not answer to the name %.80q", r.Host),
		}
	}
	for name := range r.URL.Query() {
		if strings.EqualFold(name, "apikey") {
			return errkind.Hinted(errkind.Untrusted.Errorf("an API key in the address is refused: addresses end in logs"),
				"send it in the header X-Octopus-ApiKey, and replace this key: it may have been logged on its way")
		}
	}
	return nil
}

func (a *api) isOurs(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// authenticate says who asks. Errors: Untrusted, Exhausted (too many tries), Denied (a page of
// another site).
func (a *api) authenticate(c *call) (identity.Principal, error) {
	if p, ok := c.ctx().Value(localKey{}).(identity.Principal); ok {
		return p, nil
	}
	key, err := keyOf(c.r)
	if err != nil {
		return identity.Principal{}, err
	}
	if key != "" {
		p, err := a.Directory.ByKey(c.ctx(), sourceOf(c.r), key)
		return p, holdBack(c.ctx(), err)
	}
	cookie := cookieOf(c.r)
	if cookie == "" {
		return identity.Principal{}, errkind.Hinted(
			errkind.Untrusted.Errorf("You must be logged in to request this resource."),
			"send an API key in the header X-Octopus-ApiKey")
	}
	if err := a.sameOrigin(c.r); err != nil {
		return identity.Principal{}, err
	}
	return a.Directory.BySession(c.ctx(), cookie)
}

// keyOf takes the key from one of the headers that carry it. Errors: Untrusted (two keys).
func keyOf(r *http.Request) (string, error) {
	keys := []string{r.Header.Get("X-Octopus-ApiKey"), r.Header.Get("X-NuGet-ApiKey")}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		keys = append(keys, strings.TrimSpace(token))
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "" })
	if len(keys) == 0 {
		return "", nil
	}
	for _, k := range keys[1:] {
		if k != keys[0] {
			return "", errkind.Untrusted.Errorf("the request carries two different API keys")
		}
	}
	return keys[0], nil
}

func cookieOf(r *http.Request) string {
	for _, name := range []string{identity.SecureCookieName, identity.CookieName} {
		if cookie, err := r.Cookie(name); err == nil && cookie.Value != "" {
			return cookie.Value
		}
	}
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, sessionCookie) && cookie.Value != "" {
			return cookie.Value
		}
	}
	return ""
}

// sameOrigin lets a cookie change something only from our own pages. Errors: Denied.
func (a *api) sameOrigin(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := a.origins.Check(r); err != nil {
		return errkind.Denied.Errorf("the request comes from a page of another site")
	}
	if token := r.Header.Get(proofHeader); token != "" && identity.IsProof(cookieOf(r), token) {
		return nil
	}
	if r.Header.Get(RequestHeader) == "" {
		return errkind.Denied.Errorf("a change with a session cookie needs the header %s", RequestHeader)
	}
	return nil
}

// sourceOf is the address that a request comes from. Headers that claim another are not believed.
func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// holdBack slows a refusal down.
func holdBack(ctx context.Context, err error) error {
	refused, ok := errors.AsType[*identity.Refused](err)
	if !ok || refused.Delay == 0 {
		return err
	}
	timer := time.NewTimer(refused.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return err
}
