// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairlead/internal/errkind"
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

// TestAnAddressChoosesItsSpace: what names a space leads to the same page in it, once; one that he does not see chooses
// nothing.
func TestAnAddressChoosesItsSpace(t *testing.T) {
	f := sample()
	f.spaces = []portal.Space{{ID: "Spaces-1", Name: "Default"}, {ID: "Spaces-2", Name: "Second"}}
	p := open(f, nil)
	ask := func(path string) answer { return send(p, signedIn(httptest.NewRequest("GET", path, nil))) }
	a := ask("/app/tasks/ServerTasks-41?node=2&space=Spaces-2")
	cookies := a.Result().Cookies()
	if a.Code != 303 || a.Header().Get("Location") != "/app/tasks/ServerTasks-41?node=2" || len(cookies) != 1 ||
		cookies[0].Value != "Spaces-2" {
		t.Errorf("%d to %q with %v", a.Code, a.Header().Get("Location"), cookies)
	}
	a = ask("/app/tasks/ServerTasks-41?space=Spaces-3")
	if a.Code != 404 || len(a.Result().Cookies()) != 0 || !strings.Contains(a.body, "that you may see") ||
		!strings.Contains(a.body, "ask an administrator") {
		t.Errorf("one that he does not see: %d, %v: %s", a.Code, a.Result().Cookies(), a.body)
	}
	// HEAD changes nothing, so it chooses nothing: it looks there. To lead on would lead to the same address for ever.
	f.taskSpace = "Spaces-2"
	for space, want := range map[string]int{"Spaces-2": 200, "Spaces-3": 404} {
		a = send(p, signedIn(httptest.NewRequest("HEAD", "/app/tasks/ServerTasks-41?space="+space, nil)))
		if a.Code != want || len(a.Result().Cookies()) != 0 {
			t.Errorf("HEAD in %s: %d to %q, want %d and no cookie", space, a.Code, a.Header().Get("Location"), want)
		}
	}
	f.refuse = errkind.NotFound.Errorf("task ServerTasks-7 does not exist")
	if a = ask("/app/tasks/ServerTasks-7"); a.Code != 404 || !strings.Contains(a.body, "another space") {
		t.Errorf("what is not found may be in another space, and nobody says so: %d", a.Code)
	}
}

// TestATaskIsFoundInItsSpace: an address that somebody passed on opens the page whatever space was chosen last, for who
// sees the task.
func TestATaskIsFoundInItsSpace(t *testing.T) {
	f := sample()
	f.taskSpace = "Spaces-2"
	p := open(f, nil)
	for name, c := range map[string]struct {
		spaces []portal.Space
		path   string
		want   string
	}{
		"seen":     {[]portal.Space{{ID: "Spaces-1"}, {ID: "Spaces-2"}}, "?node=2", "/app/tasks/ServerTasks-41?node=2&space=Spaces-2"},
		"not seen": {[]portal.Space{{ID: "Spaces-1"}, {ID: "Spaces-3"}}, "", ""},
		"alone":    {[]portal.Space{{ID: "Spaces-1"}}, "", ""},
	} {
		f.spaces = c.spaces
		a := send(p, signedIn(httptest.NewRequest("GET", "/app/tasks/ServerTasks-41"+c.path, nil)))
		if c.want == "" && a.Code != 404 || c.want != "" && (a.Code != 303 || a.Header().Get("Location") != c.want) {
			t.Errorf("%s: %d to %q", name, a.Code, a.Header().Get("Location"))
		}
	}
}

// TestAFormActsInTheSpaceOfItsPage: another tab may have chosen another space, where a project has the same name.
func TestAFormActsInTheSpaceOfItsPage(t *testing.T) {
	f := sample()
	f.spaces = []portal.Space{{ID: "Spaces-1", Name: "Default"}, {ID: "Spaces-2", Name: "Second"}}
	p := open(f, nil)
	for _, path := range []string{"/app/projects/shop/releases", "/app/projects/shop/deploy"} {
		post := func(of string) answer {
			r := form(path, "version", "1.4.2", "environment", "Environments-1", "space", of)
			r.AddCookie(&http.Cookie{Name: "fairlead-space", Value: "Spaces-2"})
			return send(p, r)
		}
		before := len(f.done())
		if a := post("Spaces-1"); a.Code != 409 || len(f.done()) != before {
			t.Errorf("%s from a page of another space: %d, %v", path, a.Code, f.done())
		}
		if a := post("Spaces-2"); a.Code != 303 || len(f.done()) == before {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
	for _, path := range []string{"/app/projects/shop", "/app/projects/shop/releases/1.4.2"} {
		page := get(t, p, path).body
		if forms := strings.Count(page, `action="/app/projects/`); forms == 0 ||
			strings.Count(page, `name="space" value="Spaces-1"`) != forms {
			t.Errorf("%s: a form does not say of which space it is", path)
		}
	}
}

// TestCommandsNameTheirSpace where the client would ask, or mean the default one.
func TestCommandsNameTheirSpace(t *testing.T) {
	one, second := portal.Space{ID: "Spaces-1", Name: "Default"}, portal.Space{ID: "Spaces-2", Name: "Second"}
	for name, c := range map[string]struct {
		spaces []portal.Space
		want   []string
	}{
		"the default one alone": {[]portal.Space{one}, []string{
			"--tag web<", "/api/packages/raw", "OCTOPUS_API_KEY=$KEY",
		}},
		"another alone": {[]portal.Space{second}, []string{
			"--tag web --space Spaces-2<", "/api/Spaces-2/packages/raw", "OCTOPUS_SPACE=Spaces-2 OCTOPUS_API_KEY",
		}},
		"two": {[]portal.Space{one, second}, []string{
			"--tag web --space Spaces-1<", "/api/Spaces-1/packages/raw", "OCTOPUS_SPACE=Spaces-1 OCTOPUS_API_KEY",
		}},
	} {
		f := &fake{permissions: sample().permissions, spaces: c.spaces}
		page := get(t, open(f, nil), "/app").body
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the dashboard does not tell %q", name, want)
			}
		}
		named := strings.Count(page, "OCTOPUS_SPACE=") // one makes an environment, one a token
		if 2*named != strings.Count(page, "--space ") || named != strings.Count(page, "/api/Spaces-") {
			t.Errorf("%s: some commands name their space, and some do not", name)
		}
	}
}
