// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// isSecure tells whether the browser reaches the portal by HTTPS.
func (p *Portal) isSecure(r *http.Request) bool { return p.options.Secure || r.TLS != nil }

func (p *Portal) cookieName(r *http.Request) string {
	if p.isSecure(r) {
		return identity.SecureCookieName
	}
	return identity.CookieName
}

func (p *Portal) cookie(r *http.Request) string {
	cookie, err := r.Cookie(p.cookieName(r))
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (p *Portal) setCookie(v *visit, value string, expires time.Time) {
	cookie := &http.Cookie{
		Name: p.cookieName(v.Request), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: p.isSecure(v.Request), SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(v.ResponseWriter, cookie)
}

// identify finds out who asks. Errors: Untrusted (nobody), or the store's.
func (p *Portal) identify(v *visit) (err error) {
	cookie := p.cookie(v.Request)
	if cookie == "" {
		return errkind.Untrusted.Errorf("nobody is signed in")
	}
	v.who, err = p.source.BySession(v.Context(), cookie)
	return err
}

func (p *Portal) home(v *visit) error { return redirect(v, "/app") }

func (p *Portal) nowhere(v *visit) error {
	return errkind.NotFound.Errorf("there is no page at %s", visible(v.URL.Path))
}

// signInForm is what the sign-in page shows.
type signInForm struct {
	To      string
	Problem string
	Hint    string
}

func (p *Portal) signInPage(v *visit) error {
	return p.showSignIn(v, http.StatusOK, signInForm{To: p.localPage(v.FormValue("to"))})
}

func (p *Portal) showSignIn(v *visit, status int, form signInForm) error {
	return p.show(v, status, "signin", view{Title: "Sign in", Data: form})
}

func (p *Portal) signIn(v *visit) error {
	to := p.localPage(v.PostFormValue("to"))
	cookie, expires, err := p.openSession(v)
	if err == nil {
		if err := p.endSession(v); err != nil { // the one that this takes the place of
			return err
		}
		p.setCookie(v, cookie, expires)
		return redirect(v, to)
	}
	refused, ok := errors.AsType[*identity.Refused](err)
	if !ok {
		return err
	}
	hold(v, refused.Delay)
	status := http.StatusUnauthorized
	if refused.RetryAfter > 0 {
		status = http.StatusTooManyRequests
		seconds := int64(refused.RetryAfter.Round(time.Second) / time.Second)
		v.ResponseWriter.Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	}
	return p.showSignIn(v, status, signInForm{To: to, Problem: err.Error(), Hint: errkind.Hint(err)})
}

// openSession opens one by the API key of the form, or by its name and password. The form is the body:
// what the address carries is not looked at.
func (p *Portal) openSession(v *visit) (cookie string, expires time.Time, err error) {
	source, _, err := net.SplitHostPort(v.RemoteAddr)
	if err != nil {
		source = v.RemoteAddr
	}
	if key := strings.TrimSpace(v.PostFormValue("key")); key != "" {
		return p.source.SignIn(v.Context(), source, key)
	}
	name := strings.TrimSpace(v.PostFormValue("name"))
	_, cookie, expires, err = p.source.SignInWithPassword(v.Context(), source, name, v.PostFormValue("password"))
	return cookie, expires, err
}

// maxHold bounds how long an answer to a wrong key or password is held back.
const maxHold = 30 * time.Second

func hold(v *visit, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(min(wait, maxHold))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.Context().Done():
	}
}

// endSession ends the one of the request's cookie, if there is any.
func (p *Portal) endSession(v *visit) error {
	return p.source.SignOut(v.Context(), p.cookie(v.Request))
}

func (p *Portal) signOut(v *visit) error {
	if err := p.endSession(v); err != nil {
		return err
	}
	p.setCookie(v, "", time.Time{})
	return redirect(v, "/app/sign-in")
}
