// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/portal"
)

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// address makes a path that a pattern matches.
func address(r portal.Route) string {
	return wildcard.ReplaceAllString(strings.Replace(r.Pattern, "{$}", "", 1), "x")
}

func TestX1FormsFromElsewhere(t *testing.T) {
	for name, headers := range map[string]map[string]string{
		"X1 cross-site":           {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
		"X1 same-site":            {"Sec-Fetch-Site": "same-site", "Origin": "http://other.example.com"},
		"X1 other origin only":    {"Origin": "http://evil.example"},
		"X1 Origin null":          {"Origin": "null"},
		"X1 no headers, a cookie": {},
	} {
		t.Run(name, func(t *testing.T) {
			f := sample()
			p := open(f, nil)
			for _, route := range p.Routes() {
				if route.Method == "GET" {
					continue
				}
				r := signedIn(httptest.NewRequest(route.Method, address(route), strings.NewReader("version=1&environment=e")))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				for k, v := range headers {
					r.Header.Set(k, v)
				}
				if a := send(p, r); a.Code != http.StatusForbidden {
					t.Errorf("%s %s: %d, want 403", route.Method, route.Pattern, a.Code)
				}
			}
			if got := f.done(); len(got) != 0 {
				t.Errorf("acts %q", got)
			}
		})
	}
}

func TestX2NoGetHasAnEffect(t *testing.T) {
	f := sample()
	f.task.State = deploy.TaskSuccess
	p := open(f, nil)
	posts := 0
	for _, route := range p.Routes() {
		for _, method := range []string{"GET", "HEAD"} {
			ctx, stop := contextFor(t)
			a := send(p, signedIn(httptest.NewRequest(method, address(route), nil).WithContext(ctx)))
			stop()
			switch {
			case route.Method == "GET" && a.Code == http.StatusMethodNotAllowed:
				t.Errorf("%s %s: %d", method, route.Pattern, a.Code)
			case route.Method == "POST" && a.Code == 200 && route.Pattern != "/app/sign-in":
				t.Errorf("%s %s answers %d", method, route.Pattern, a.Code)
			}
		}
		if route.Method == "POST" {
			posts++
		}
	}
	if got := f.done(); len(got) != 0 || posts < 5 {
		t.Errorf("acts %q, %d routes with effects", got, posts)
	}
}

func TestRoutesNeedASession(t *testing.T) {
	f := sample()
	p := open(f, nil)
	for _, route := range p.Routes() {
		if route.Open {
			continue
		}
		r := form(address(route), "version", "1", "environment", "e")
		r.Method = route.Method
		r.Header.Del("Cookie")
		a := send(p, r)
		if route.Method == "GET" && a.Code != 303 || route.Method == "POST" && a.Code != 401 {
			t.Errorf("%s %s without a session: %d", route.Method, route.Pattern, a.Code)
		}
	}
	if got := f.done(); len(got) != 0 {
		t.Errorf("acts %q", got)
	}
}

func TestX6HostsAndForwardedHeaders(t *testing.T) {
	p := open(sample(), func(o *portal.Options) { o.Hosts = []string{"fairlead.example", "::1"} })
	for host, want := range map[string]int{
		"fairlead.example": 200, "FAIRLEAD.example:8065": 200, "[::1]:80": 200, "evil.example": 421, "fairlead.example.evil": 421, "": 421,
	} {
		r := signedIn(httptest.NewRequest("GET", "/app", nil))
		r.Host = host
		if a := send(p, r); a.Code != want {
			t.Errorf("X6 host %q: %d, want %d", host, a.Code, want)
		}
	}
	p = open(sample(), nil)
	for _, path := range []string{"/", "/app/", "/app/tasks", "/app/nothing", "//app"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "evil.example"
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "X-Original-URL", "X-Rewrite-URL"} {
			r.Header.Set(name, "evil.example")
		}
		a := send(p, r)
		if location := a.Header().Get("Location"); strings.Contains(a.body+location, "evil") || strings.HasPrefix(location, "//") {
			t.Errorf("X6 %s: to %q\n%s", path, location, a.body)
		}
	}
}

func TestX7ReturnAddresses(t *testing.T) {
	p := open(sample(), nil)
	for to, want := range map[string]string{
		"/app/tasks/ServerTasks-41?node=2": "/app/tasks/ServerTasks-41?node=2", "/app": "/app", "/app/machines": "/app/machines",
		"": "/app", "//evil": "/app", `/\evil`: "/app", "https:evil": "/app", "https://evil/app": "/app", "javascript:alert(1)": "/app",
		"/app/../../evil": "/app", "/app//evil": "/app", "/app/\\evil": "/app", "\t//evil": "/app", "/app\r\nX: y": "/app", "/apple": "/app",
		"/api/tasks": "/app", "/app/sign-in": "/app", "/app/tasks/x/cancel": "/app", "/app/tasks/x/follow": "/app", "evil": "/app",
		"/app/tasks#@evil": "/app/tasks", "http:///app": "/app", "/%2fevil": "/app", "/app/%2e%2e/evil": "/app", "@evil/app": "/app",
	} {
		if got := p.LocalPage(to); got != want {
			t.Errorf("X7 %q leads to %q, want %q", to, got, want)
		}
		a := send(p, form("/app/sign-in", "key", goodKey, "to", to))
		if got := a.Header().Get("Location"); got != want {
			t.Errorf("X7 signing in for %q leads to %q, want %q", to, got, want)
		}
	}
}

func FuzzX7ReturnAddresses(f *testing.F) {
	for _, seed := range []string{"/app/tasks/x?y=z", "//evil", `/\evil`, "https:evil", "/app/%5cevil", "/app/tasks/%0d%0a"} {
		f.Add(seed)
	}
	p := open(sample(), nil)
	f.Fuzz(func(t *testing.T, to string) {
		got := p.LocalPage(to)
		if got != "/app" && !strings.HasPrefix(got, "/app/") && !strings.HasPrefix(got, "/app?") || strings.ContainsAny(got, "\\\r\n\x00") {
			t.Fatalf("%q leads to %q", to, got)
		}
	})
}

func TestX8HeaderValues(t *testing.T) {
	f := sample()
	p := open(f, nil)
	a := send(p, form("/app/projects/a%0d%0aSet-Cookie:x=y/releases", "version", "1"))
	if got := a.Header().Get("Location"); got != "/app/projects/a%0D%0ASet-Cookie:x=y/releases/1.4.3" || len(a.Result().Cookies()) != 0 {
		t.Errorf("X8 redirect to %q", got)
	}
	f.task.ID = "a\r\nb\"; filename=evil.exe"
	if got := get(t, p, "/app/tasks/x/log").Header().Get("Content-Disposition"); got != "inline; filename=a__b___filename_evil_exe.log.txt" {
		t.Errorf("X8 file name %q", got)
	}
}

func TestX9HeadersOnEveryAnswer(t *testing.T) {
	f := sample()
	p := open(f, nil)
	requests := map[string]*http.Request{
		"page": signedIn(httptest.NewRequest("GET", "/app", nil)), "sign-in": httptest.NewRequest("GET", "/app/sign-in", nil),
		"redirect": httptest.NewRequest("GET", "/", nil), "not found": signedIn(httptest.NewRequest("GET", "/x", nil)),
		"refused": httptest.NewRequest("POST", "/app/sign-out", nil), "file": httptest.NewRequest("GET", "/app/static/portal.js", nil),
		"raw log": signedIn(httptest.NewRequest("GET", "/app/tasks/x/log", nil)),
	}
	for name, r := range requests {
		h := send(p, r).Header()
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
			"form-action 'self'",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("X9 %s: the policy %q lacks %s", name, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") || strings.Contains(policy, "*") {
			t.Errorf("X9 %s: the policy %q is open", name, policy)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("X9 %s: %v", name, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" || name != "file" && h.Get("Cache-Control") != "no-store" {
			t.Errorf("X9 %s: %v", name, h)
		}
	}
}

// TestInternalErrorsKeepTheirPlace: what broke inside is in the log, and the page says where to look.
func TestInternalErrorsAreFound(t *testing.T) {
	f := sample()
	f.refuse = errkind.Internal.Errorf("disk I/O error")
	a := send(open(f, nil), signedIn(httptest.NewRequest("GET", "/app", nil)))
	if text := checkMarkup(t, a.body); a.Code != 500 || !strings.Contains(text, "14:30:00") {
		t.Errorf("%d\n%s", a.Code, a.body)
	}
}
