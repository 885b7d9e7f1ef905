// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// paths are addresses of every page.
var paths = []string{
	"/app", "/app/projects", "/app/projects/shop", "/app/projects/shop/releases/1.4.2", "/app/machines", "/app/machines/Machines-1",
	"/app/tasks", "/app/tasks?show=active", "/app/tasks/ServerTasks-41", "/app/packages", "/app/packages/Shop.Web", "/app/events",
	"/app/restore",
}

func TestPagesShowWhatThereIs(t *testing.T) {
	p := open(sample(), nil)
	for path, wants := range map[string][]string{
		"/app": {
			`data-project="shop"`, `data-state="Executing"`, `href="/app/tasks/ServerTasks-39"`, "2.11.0-rc.3", "Success with warnings",
			`title="2026-11-22 13:45:00 UTC"`, "45 min ago", "Timed out", "2025-10-18",
		},
		"/app/projects": {`data-project="mail-relay"`, "Outgoing mail", "2.11.0-rc.3", "none yet"},
		"/app/projects/shop": {
			`data-release="1.3.9"`, `data-step="3"`, "Warm the cache", "only in Production EU",
			`action="/app/projects/shop/deploy"`, `value="Environments-4"`, `placeholder="1.4.3"`,
		},
		"/app/projects/shop/releases/1.4.2": {"Shop.Database", "Faster search.<br>", "Deploy 1.4.2", `data-task="ServerTasks-38"`},
		"/app/machines": {
			`data-machine="Machines-4" data-line="down"`, "no ping for 60 s", "26 min ago", "web-canary", "10.20.0.14:10933",
			"AlmaLinux 9.4", "arm64", "Never seen", "4 on line",
		},
		"/app/machines/Machines-1": {
			"The agent&#39;s certificate ends on 2026-12-05", "3fa9 4c07", "37.0 GiB", `action="/app/machines/Machines-1/check"`,
			`data-task="ServerTasks-42"`, "does not know these", "failed with exit code 3",
			`action="/app/machines/Machines-1/orphans/t-4kq7/forget"`,
		},
		"/app/tasks": {
			"waits: another deployment of Mail relay", "1 min 20 s", "step 2 (Deploy the service) failed on 1 of 3 machines",
		},
		"/app/tasks/ServerTasks-41": {
			`data-follow="/app/tasks/ServerTasks-41/follow" data-offset="18"`, `name="choice" value="Retry"`,
			`data-activity="Skipped"`, "Cancel task",
			`class="error" data-node="2/Machines-2"`, "14 left", "14:28:50", "Failed: exit code 14.", `href="/app/tasks/ServerTasks-41/log"`,
		},
		"/app/packages":          {"Mail.Relay", "850.8 KiB", "0.9.14"},
		"/app/packages/Shop.Web": {`data-version="1.4.2"`, "9b2f61c84de07a35", "tar.gz"},
		"/app/events":            {`data-event="111"`, "Machine offline", `href="?page=2"`, "edge-berlin-07 went off line"},
	} {
		t.Run(path, func(t *testing.T) {
			a := get(t, p, path)
			checkMarkup(t, a.body)
			for _, want := range wants {
				if !strings.Contains(a.body, want) {
					t.Errorf("%s lacks %q", path, want)
				}
			}
		})
	}
}

// TestEmptyServerSaysWhatToDo shows each page of a server that holds nothing.
func TestEmptyServerSaysWhatToDo(t *testing.T) {
	p := open(&fake{permissions: identity.NewSet(identity.Everything()...)}, nil)
	for _, path := range paths {
		a := get(t, p, path)
		checkMarkup(t, a.body)
		for page, want := range map[string]string{
			"/app": "fairlead-server token create", "/app/machines": "FAIRLEAD_TOKEN=… fairlead-agent join",
			"/app/packages": "http://fairlead.example:8065/api/packages/raw", "/app/projects": "octopus project create",
			"/app/tasks": "http://fairlead.example:8065/api/tasks",
		} {
			if path == page && !strings.Contains(a.body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
}

func TestSignIn(t *testing.T) {
	f := sample()
	p := open(f, nil)
	a := send(p, httptest.NewRequest("GET", "/app/tasks/ServerTasks-41?node=2", nil))
	if got := a.Header().Get("Location"); a.Code != 303 || got != "/app/sign-in?to=%2Fapp%2Ftasks%2FServerTasks-41%3Fnode%3D2" {
		t.Fatalf("%d to %q", a.Code, got)
	}
	a = send(p, httptest.NewRequest("GET", a.Header().Get("Location"), nil))
	if text := checkMarkup(t, a.body); a.Code != 200 || !strings.Contains(a.body, `value="/app/tasks/ServerTasks-41?node=2"`) ||
		!strings.Contains(text, "Ask an administrator of this server") {
		t.Fatalf("%d\n%s", a.Code, a.body)
	}
	a = send(p, form("/app/sign-in", "key", "  "+goodKey+"\n", "to", "/app/tasks/ServerTasks-41?node=2"))
	cookie := a.Result().Cookies()
	if a.Code != 303 || a.Header().Get("Location") != "/app/tasks/ServerTasks-41?node=2" || len(cookie) != 1 {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	if c := cookie[0]; c.Value != goodCookie || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode ||
		c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
	if got := f.done(); !slices.Equal(got, []string{"sign in from 192.0.2.1", "sign out " + goodCookie}) {
		t.Error(got)
	}
	a = send(p, form("/app/sign-out"))
	if c := a.Result().Cookies(); a.Code != 303 || len(c) != 1 || c[0].MaxAge >= 0 || f.done()[2] != "sign out "+goodCookie {
		t.Errorf("sign out: %d %v %v", a.Code, c, f.done())
	}
}

func TestSignInWithAPassword(t *testing.T) {
	f := sample()
	p := open(f, nil)
	a := send(p, form("/app/sign-in", "name", " ann ", "password", goodPassword, "to", "/app/tasks"))
	if c := a.Result().Cookies(); a.Code != 303 || a.Header().Get("Location") != "/app/tasks" || len(c) != 1 || c[0].Value != goodCookie {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	if got := f.done(); !slices.Equal(got, []string{"sign in from 192.0.2.1 as ann", "sign out " + goodCookie}) {
		t.Error(got)
	}
	a = send(p, form("/app/sign-in", "name", "Ann", "password", "not-the-password", "to", "/app/tasks"))
	text := checkMarkup(t, a.body)
	if a.Code != 401 || !strings.Contains(text, "the name or the password is wrong") || len(a.Result().Cookies()) != 0 ||
		strings.Contains(a.body, "not-the-password") || !strings.Contains(a.body, `value="/app/tasks"`) {
		t.Errorf("%d\n%s", a.Code, a.body)
	}
	if a := send(p, form("/app/sign-in", "name", "toomany", "password", "x")); a.Code != 429 || a.Header().Get("Retry-After") != "42" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
}

// TestPasswordInTheAddress: an address ends in logs, so a password there opens nothing.
func TestPasswordInTheAddress(t *testing.T) {
	f := sample()
	a := send(open(f, nil), form("/app/sign-in?name=ann&password="+goodPassword))
	if a.Code != 401 || len(a.Result().Cookies()) != 0 || strings.Contains(a.body, goodPassword) {
		t.Errorf("%d %v\n%s", a.Code, a.Header(), a.body)
	}
}

func TestSecureCookie(t *testing.T) {
	p := open(sample(), func(o *portal.Options) { o.Secure = true })
	c := send(p, form("/app/sign-in", "key", goodKey)).Result().Cookies()[0]
	if c.Name != identity.SecureCookieName || !c.Secure {
		t.Errorf("cookie %+v", c)
	}
	if a := send(p, signedIn(httptest.NewRequest("GET", "/app", nil))); a.Code != 303 {
		t.Errorf("the cookie for plain HTTP lets in: %d", a.Code)
	}
}

func TestRefusedSignIn(t *testing.T) {
	p := open(sample(), nil)
	a := send(p, form("/app/sign-in", "key", "API-WRONG"))
	if text := checkMarkup(t, a.body); a.Code != 401 || !strings.Contains(text, "the API key is not valid") ||
		!strings.Contains(text, "make another for your user") || strings.Contains(a.body, "API-WRONG") || len(a.Result().Cookies()) != 0 {
		t.Errorf("%d\n%s", a.Code, a.body)
	}
	if a := send(p, form("/app/sign-in", "key", "API-TOOMANY")); a.Code != 429 || a.Header().Get("Retry-After") != "42" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
}

// TestACanceledTaskIsNoFailure: what a person wanted is not told in the colour of failures.
func TestACanceledTaskIsNoFailure(t *testing.T) {
	for state, want := range map[deploy.TaskState]string{
		deploy.TaskCanceled: `<span class="sub">canceled by ann</span>`,
		deploy.TaskFailed:   `<span class="sub bad-text">canceled by ann</span>`,
	} {
		f := sample()
		f.tasks[0].State, f.tasks[0].Error, f.tasks[0].WaitsFor = state, "canceled by ann", ""
		if page := get(t, open(f, nil), "/app/tasks").body; !strings.Contains(page, want) {
			t.Errorf("%s: the page lacks %s", state, want)
		}
	}
}

// TestAskingIsShown: a task that waits for people does not look like one that works.
func TestAskingIsShown(t *testing.T) {
	const words = "Waiting for an answer"
	f := sample()
	p := open(f, nil)
	for _, path := range paths {
		if text := checkMarkup(t, get(t, p, path).body); strings.Contains(text, words) {
			t.Errorf("%s shows a question that nobody asked", path)
		}
	}
	f.dashboard.Asking = 1
	f.dashboard.Projects[0].Cells[0] = portal.DashboardCell{
		Version: "1.4.2", Task: "ServerTasks-41", State: deploy.TaskExecuting, IsAsking: true, At: now,
	}
	asking := f.tasks[0]
	asking.State, asking.IsAsking = deploy.TaskExecuting, true
	f.tasks, f.machine.Recent, f.task.Task = []portal.Task{asking}, []portal.Task{asking}, asking
	place := portal.Place{Environment: "Test", Task: asking.ID, State: asking.State, IsAsking: true}
	f.project.Releases[0].In = []portal.Place{place}
	f.release.Deployments[0].State, f.release.Deployments[0].IsAsking = asking.State, true
	for _, path := range []string{
		"/app", "/app/tasks", "/app/tasks?show=asking", "/app/tasks/ServerTasks-41", "/app/machines/web-1", "/app/projects/shop",
		"/app/projects/shop/releases/1.4.2",
	} {
		if text := checkMarkup(t, get(t, p, path).body); !strings.Contains(text, words) {
			t.Errorf("%s does not say that the task waits for people:\n%s", path, text)
		}
	}
}

func TestManualStepOfAProject(t *testing.T) {
	f := sample()
	f.project.Process = []portal.Step{{Number: 1, Name: "Approve", Actions: []portal.Action{{Name: "Approve", Kind: deploy.ManualAction}}}}
	text := checkMarkup(t, get(t, open(f, nil), "/app/projects/shop").body)
	if !strings.Contains(text, "Asks people") || strings.Contains(text, "on none") || strings.Contains(text, "Octopus.Manual") {
		t.Error(text)
	}
}

func TestEventsInWords(t *testing.T) {
	f := sample()
	for category, want := range map[string]string{
		"APIKeyCreated": ">API key created<", "MachineAdded": ">Machine added<", "LibraryVariableSetEdited": ">Library variable set edited<",
	} {
		f.events = []portal.Event{{Number: 1, At: now, User: "ann", Category: category, Subject: "x", Message: "m"}}
		if body := get(t, open(f, nil), "/app/events").body; !strings.Contains(body, want) {
			t.Errorf("%s is not shown as %s:\n%s", category, want, body)
		}
	}
}

func TestActs(t *testing.T) {
	for _, c := range []struct {
		path     string
		fields   []string
		act      string
		location string
	}{
		{
			"/app/projects/shop/deploy",
			[]string{"version", "1.4.2", "environment", "Environments-2"},
			"ann deploys {Project:shop Version:1.4.2 Environment:Environments-2}", "/app/tasks/ServerTasks-9",
		},
		{
			"/app/projects/shop/releases",
			[]string{"version", "1.5.0"},
			"ann creates release {Project:shop Version:1.5.0 Notes:}", "/app/projects/shop/releases/1.4.3",
		},
		{"/app/tasks/ServerTasks-41/cancel", nil, "ann cancels ServerTasks-41", "/app/tasks/ServerTasks-41"},
		{
			"/app/tasks/ServerTasks-41/questions/Interruptions-3",
			[]string{"choice", "Retry", "notes", "again"},
			"ann answers {Task:ServerTasks-41 Question:Interruptions-3 Choice:Retry Notes:again}", "/app/tasks/ServerTasks-41",
		},
		{"/app/machines/Machines-1/check", nil, "ann checks Machines-1", "/app/tasks/ServerTasks-9"},
		{"/app/machines/Machines-1/orphans/t-1/forget", nil, "ann lets Machines-1 forget t-1", "/app/machines/Machines-1"},
	} {
		f := sample()
		a := send(open(f, nil), form(c.path, c.fields...))
		if a.Code != 303 || a.Header().Get("Location") != c.location || !slices.Equal(f.done(), []string{c.act}) {
			t.Errorf("%s: %d to %q, acts %q", c.path, a.Code, a.Header().Get("Location"), f.done())
		}
	}
}

func TestRefusedActShowsWhy(t *testing.T) {
	f := sample()
	f.refuse = errkind.Hinted(errkind.Invalid.Errorf("nothing to deploy: the process has no steps"), "add a step")
	r := form("/app/projects/shop/deploy", "version", "1", "environment", "Environments-1")
	r.Header.Set("Referer", "http://example.com/app/projects/shop?x=1")
	a := send(open(f, nil), r)
	if text := checkMarkup(t, a.body); a.Code != 400 || !strings.Contains(text, "nothing to deploy: the process has no steps") ||
		!strings.Contains(text, "add a step") || !strings.Contains(a.body, `href="/app/projects/shop?x=1"`) {
		t.Errorf("%d\n%s", a.Code, a.body)
	}
	if a := send(open(sample(), nil), form("/app/projects/shop/deploy", "version", "1")); a.Code != 400 {
		t.Errorf("without an environment: %d", a.Code)
	}
}

func TestFormsNeedTheirPermission(t *testing.T) {
	f := sample()
	f.permissions = identity.NewSet(identity.SignedIn)
	p := open(f, nil)
	for _, path := range paths {
		if body := get(t, p, path).body; strings.Count(body, `method="post"`) != 1 {
			t.Errorf("%s offers more than signing out", path)
		}
	}
}

func TestEveryKindOfErrorHasAPage(t *testing.T) {
	for _, kind := range errkind.All() {
		f := sample()
		f.refuse = kind.Errorf("it is <b>so</b>")
		a := send(open(f, nil), signedIn(httptest.NewRequest("GET", "/app", nil)))
		if kind == errkind.Untrusted {
			if a.Code != 303 {
				t.Errorf("%s: %d", kind, a.Code)
			}
			continue
		}
		if text := checkMarkup(t, a.body); a.Code != portal.Statuses[kind] || a.Code < 400 || !strings.Contains(text, "it is <b>so</b>") {
			t.Errorf("%s: %d\n%s", kind, a.Code, a.body)
		}
	}
}

func TestBadRequests(t *testing.T) {
	p := open(sample(), nil)
	for path, want := range map[string]int{
		"/app/tasks?page=0": 400, "/app/tasks?page=x": 400, "/app/tasks?page=99999999999999999999": 400, "/app/tasks?show=all": 400,
		"/app/tasks/ServerTasks-41?from=-1": 400, "/app/tasks/ServerTasks-41?from=1e3": 400, "/app/events?page=-2": 400,
		"/app/tasks/ServerTasks-41/follow?offset=x": 400, "/app/nothing": 404, "/other": 404, "/app/static/portal.go": 404,
		"/app/static/..%2fdoc.go": 404, "/app/projects/missing": 404, "/app?" + strings.Repeat("x", 5000): 400,
	} {
		if a := send(p, signedIn(httptest.NewRequest("GET", path, nil))); a.Code != want {
			t.Errorf("GET %.60s: %d, want %d", path, a.Code, want)
		}
	}
	big := form("/app/projects/shop/deploy", "version", strings.Repeat("x", 100<<10), "environment", "Environments-1")
	if a := send(p, big); a.Code != 400 {
		t.Errorf("a form that is too long: %d", a.Code)
	}
}

func TestStaticFilesAreKept(t *testing.T) {
	p := open(sample(), nil)
	for _, name := range []string{"portal.css", "portal.js", "icons.svg", "mark.svg"} {
		if !strings.Contains(get(t, p, "/app").body, "/app/static/"+name+"?v=") {
			t.Errorf("the frame does not load %s", name)
		}
		a := send(p, httptest.NewRequest("GET", "/app/static/"+name, nil))
		if a.Code != 200 || a.Header().Get("Cache-Control") != "no-cache" || a.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %v", name, a.Code, a.Header())
		}
		tagged := send(p, httptest.NewRequest("GET", "/app/static/"+name+"?v="+strings.Trim(a.Header().Get("ETag"), `"`), nil))
		if !strings.Contains(tagged.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s with its tag: %v", name, tagged.Header())
		}
	}
}

func TestRawLog(t *testing.T) {
	a := get(t, open(sample(), nil), "/app/tasks/ServerTasks-41/log")
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	if len(lines) != 18 || lines[4] != "2026-11-22T14:28:43.655Z  Info       web-1  draining connections: 14 left" {
		t.Errorf("%d lines, the fifth %q", len(lines), lines[min(4, len(lines)-1)])
	}
	h := a.Header()
	if h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("Content-Disposition") != "inline; filename=ServerTasks-41.log.txt" {
		t.Error(h)
	}
}

func TestLogOfOnePlace(t *testing.T) {
	p := open(sample(), nil)
	if body := get(t, p, "/app/tasks/ServerTasks-41?node=2").body; strings.Count(body, `<span class="line-text">`) != 10 {
		t.Error("lines of step 2: ", strings.Count(body, `<span class="line-text">`))
	}
	if body := get(t, p, "/app/tasks/ServerTasks-41?node=2/Machines-2").body; strings.Count(body, `<span class="line-text">`) != 5 {
		t.Error("lines of web-2: ", strings.Count(body, `<span class="line-text">`))
	}
}

// poison puts text into every string below v; numbers and times stay.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i), text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	}
}

// poisoned is the sample with the text in the place of every string.
func poisoned(text string) *fake {
	f := sample()
	for _, value := range []any{
		&f.dashboard, &f.projects, &f.project, &f.release, &f.machines, &f.machine, &f.tasks, &f.task, &f.log, &f.packages, &f.events,
	} {
		poison(reflect.ValueOf(value).Elem(), text)
	}
	return f
}

func TestX3NamesStayText(t *testing.T) {
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`,
		`</title><svg/onload=alert(1)>`, "`{{.User}}`", `</textarea></select><b>`, `//evil.example/`, "a\u202eb\u0007c",
	} {
		p := open(poisoned(text), nil)
		for _, path := range paths {
			a := get(t, p, path)
			shown := checkMarkup(t, a.body)
			if want := portal.Visible(text); !strings.Contains(shown, want) {
				t.Errorf("X3 %s does not show %q as text", path, want)
			}
			if strings.Count(a.body, "<script") != 1 || strings.ContainsAny(shown, "\u202e\a") {
				t.Errorf("X3 %s lets %q through", path, text)
			}
		}
	}
}

// TestX3InstructionsAreHarmless: whoever writes a process writes no page; what his Markdown makes does nothing by itself.
func TestX3InstructionsAreHarmless(t *testing.T) {
	f := sample()
	f.task.State = deploy.TaskExecuting
	for text, want := range map[string]string{
		"**Look** at [it](https://e.com/?a&b):\n- one":   `<strong>Look</strong> at <a rel="noreferrer" href="https://e.com/?a&amp;b">it</a>`,
		"<script>alert(1)</script>":                      "&lt;script&gt;alert(1)&lt;/script&gt;",
		"</div></section><form action=/app/x>":           "&lt;form action=/app/x&gt;",
		"[x](javascript:alert(1)) [y](/app/sign-out)":    "<p>x y</p>",
		"![p](https://e.com/p.png)":                      `<a rel="noreferrer" href="https://e.com/p.png">p</a>`,
		"a\u202eb &#x202e; &#7; [\u2066](https://e.com)": `a\u202eb \u202e \x07`,
		"x\n" + strings.Repeat("<b>\n", 10_000):          "<p>x<br>\n&lt;b&gt;<br>\n&lt;b&gt;<br>",
	} {
		f.task.Questions = []portal.Question{{ID: "Interruptions-3", Title: "Go on?", Instructions: text, AskedAt: now}}
		a := get(t, open(f, nil), "/app/tasks/ServerTasks-41")
		shown := checkMarkup(t, a.body)
		if !strings.Contains(a.body, want) {
			t.Errorf("X3 %.60q does not become %q", text, want)
		}
		if strings.Count(a.body, "<script") != 1 || strings.ContainsAny(shown, "\u202e\u2066\a") {
			t.Errorf("X3 %.60q is let through", text)
		}
	}
}

func TestX4LogIsHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[1;31mred\x1b[0m":             "red",
		"\x1b]0;title\x07":                 `\x1b]0;title\x07`,
		"\x1b]8;;http://evil\x1b\\link":    `\x1b]8;;http://evil\x1b\link`,
		"\x1b]52;c;aGk=\x07":               `\x1b]52;c;aGk=\x07`,
		"\x1b[2J\x1b[H":                    `\x1b[2J\x1b[H`,
		"\x1b[":                            `\x1b[`,
		"\x1b[" + strings.Repeat("1;", 60): `\x1b[` + strings.Repeat("1;", 60),
		"tab\tstays":                       "tab\tstays",
		"back\bspace\x00\x7f\u0085":        `back\x08space\x00\x7f\x85`,
		"abc\u202edcba\u2066x\ufeff":       `abc\u202edcba\u2066x\ufeff`,
		"line\u2028sep":                    `line\u2028sep`,
		"bad \xff\xfe utf":                 `bad \xff\xfe utf`,
		"👩\u200d👧 ok":                      "👩\u200d👧 ok",
	} {
		if got := portal.Visible(text); got != want {
			t.Errorf("X4 %q is shown as %q, want %q", text, got, want)
		}
	}
	long := portal.Shown(strings.Repeat("é", 5<<20))
	if len(long) > 10<<10 || !strings.Contains(long, "more bytes in the raw log") {
		t.Errorf("X4 a line of 10 MiB is shown with %d bytes", len(long))
	}
	if got := portal.Shown("dos\r"); got != "dos" {
		t.Errorf("X4 a line that ends in CR: %q", got)
	}
}

func TestWords(t *testing.T) {
	var got []string
	for _, d := range []string{"-3h", "-30s", "0s", "44s", "45s", "2m30s", "89m", "95m", "35h", "36h", "800h", "2000h"} {
		got = append(got, portal.Ago(now.Add(-duration(t, d)), now))
	}
	want := []string{
		"in 3 h", "just now", "just now", "just now", "1 min", "3 min", "89 min", "2 h", "35 h", "2 days", "33 days", "2026-08-31",
	}
	for i := 4; i < 11; i++ {
		want[i] += " ago"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got = nil
	for _, d := range []string{"-1s", "900ms", "59s", "61s", "3725s", "100h"} {
		got = append(got, portal.Span(duration(t, d)))
	}
	if diff := cmp.Diff([]string{"0 s", "0.9 s", "59 s", "1 min 01 s", "1 h 02 min", "4 days 4 h"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1 << 20: "1.0 MiB", 1023 << 20: "1.0 GiB", 5 << 40: "5.0 TiB"} {
		if got := portal.Size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestArtifactOfATask(t *testing.T) {
	p := open(sample(), nil)
	a := get(t, p, "/app/tasks/ServerTasks-41/artifacts/Artifacts-7")
	h := a.Header()
	if a.body != "<script>alert(1)</script>" || h.Get("Content-Disposition") != `attachment; filename="a \"b\".html"` ||
		h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || h.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d %q %v", a.Code, a.body, h)
	}
	if a := send(p, signedIn(httptest.NewRequest("GET", "/app/tasks/ServerTasks-41/artifacts/Artifacts-8", nil))); a.Code != 404 {
		t.Errorf("of another file: %d %s", a.Code, a.body)
	}
	if a := send(p, httptest.NewRequest("GET", "/app/tasks/ServerTasks-41/artifacts/Artifacts-7", nil)); a.Code == 200 {
		t.Errorf("without signing in: %d %s", a.Code, a.body)
	}
}

// TestFormsHaveTimeToCome: a form is waited for no longer than its limit, which does not cut off who waits for the answer.
func TestFormsHaveTimeToCome(t *testing.T) {
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	begun := time.Now()
	open(sample(), nil).ServeHTTP(w, form("/app/sign-in", "name", "Ann", "password", goodPassword))
	if len(w.set) != 2 || w.set[0].Before(begun.Add(20*time.Second)) || w.set[0].After(time.Now().Add(time.Minute)) ||
		!w.set[1].IsZero() {
		t.Errorf("deadlines %v since %v; want half a minute, then none", w.set, begun)
	}
}

// deadlines keeps those that were set.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}
