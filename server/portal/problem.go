// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"errors"
	"net/http"
	"net/url"

	"fairlead/internal/errkind"
)

// statuses maps causes to HTTP.
var statuses = map[errkind.Kind]int{
	errkind.Internal:    http.StatusInternalServerError,
	errkind.Invalid:     http.StatusBadRequest,
	errkind.NotFound:    http.StatusNotFound,
	errkind.Conflict:    http.StatusConflict,
	errkind.Denied:      http.StatusForbidden,
	errkind.Untrusted:   http.StatusUnauthorized,
	errkind.Unavailable: http.StatusServiceUnavailable,
	errkind.Timeout:     http.StatusGatewayTimeout,
	errkind.Exhausted:   http.StatusInsufficientStorage,
	errkind.Corrupt:     http.StatusInternalServerError,
	errkind.Canceled:    http.StatusServiceUnavailable,
}

// headlines say in a few words what went wrong.
var headlines = map[errkind.Kind]string{
	errkind.Internal:    "Something broke here",
	errkind.Invalid:     "That cannot be done",
	errkind.NotFound:    "Not found",
	errkind.Conflict:    "It clashes with what is there",
	errkind.Denied:      "Not allowed",
	errkind.Untrusted:   "Please sign in",
	errkind.Unavailable: "Not reachable now",
	errkind.Timeout:     "Took too long",
	errkind.Exhausted:   "No room left",
	errkind.Corrupt:     "Damaged data",
	errkind.Canceled:    "Stopped",
}

// trouble is what a problem page shows.
type trouble struct {
	Headline, Message, Hint string
	Back                    string // the page whose form this answers; "" if not known
	Status                  int
}

// problem shows an error. A reader who is not signed in is led to the sign-in page and from
// there back.
func (p *Portal) problem(v *visit, err error) {
	kind := errkind.Of(err)
	if kind == errkind.Untrusted && v.Method == http.MethodGet && v.Request.Header.Get("Accept") != "text/event-stream" {
		_ = redirect(v, "/app/sign-in?to="+url.QueryEscape(v.URL.RequestURI()))
		return
	}
	t := trouble{Headline: headlines[kind], Message: err.Error(), Hint: errkind.Hint(err), Status: statuses[kind]}
	if kind == errkind.NotFound && t.Hint == "" && len(v.spaces) > 1 {
		t.Hint = "if it is in another space, choose that one at the top"
	}
	if errors.Is(err, errOtherHost) {
		t.Status = http.StatusMisdirectedRequest
	}
	if from, err := url.Parse(v.Referer()); err == nil && v.Method == http.MethodPost && from.Host == v.Host {
		t.Back = p.localPage(from.RequestURI())
	}
	if kind == errkind.Internal || kind == errkind.Corrupt {
		p.options.Log.ErrorContext(v.Context(), "a page could not be shown", "path", v.URL.Path, "error", err)
		t.Hint = "the server's log says more; it was written at " + p.options.Wall().Format("15:04:05")
	}
	if err := p.show(v, t.Status, "problem", view{Title: t.Headline, Data: t}); err != nil {
		http.Error(v.ResponseWriter, "the page could not be made", http.StatusInternalServerError)
	}
}
