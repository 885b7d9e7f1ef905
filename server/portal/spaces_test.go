// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairlead/server/portal"
)

// TestSpacesAreChosenInTheHead: who sees several chooses one, and who sees one alone is in it.
func TestSpacesAreChosenInTheHead(t *testing.T) {
	f := sample()
	p := open(f, nil)
	page := func(space string) string {
		r := signedIn(httptest.NewRequest("GET", "/app", nil))
		if space != "" {
			r.AddCookie(&http.Cookie{Name: "fairlead-space", Value: space})
		}
		a := send(p, r)
		checkMarkup(t, a.body)
		return a.body
	}
	if strings.Contains(page(""), "/app/space") {
		t.Error("one space alone is to be chosen")
	}
	f.spaces = []portal.Space{{ID: "Spaces-1", Name: "Default"}, {ID: "Spaces-2", Name: "Second <b>"}}
	for space, selected := range map[string]string{
		"": "Spaces-1", "Spaces-2": "Spaces-2", "Spaces-3": "Spaces-1", "\"><b>": "Spaces-1",
	} {
		if body := page(space); !strings.Contains(body, `<option value="`+selected+`" selected>`) ||
			!strings.Contains(body, "Second &lt;b&gt;") {
			t.Errorf("cookie %q: %s is not selected", space, selected)
		}
	}
	a := send(p, form("/app/space", "space", "Spaces-2"))
	cookies := a.Result().Cookies()
	if a.Code != 303 || a.Header().Get("Location") != "/app" || len(cookies) != 1 || cookies[0].Value != "Spaces-2" ||
		!cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("choosing: %d, %v", a.Code, cookies)
	}
	a = send(p, form("/app/space", "space", "Spaces-3"))
	if a.Code != 404 || len(a.Result().Cookies()) != 0 {
		t.Errorf("one that he does not see: %d, %v", a.Code, a.Result().Cookies())
	}
	f.spaces = f.spaces[1:]
	if body := page("Spaces-1"); strings.Contains(body, "/app/space") {
		t.Error("the one that he manages is to be chosen")
	}
}
