// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

var now = time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)

const (
	goodKey      = "API-GOODGOODGOODGOODGOODGOODGOODGOOD"
	goodPassword = "password-of-ann"
	goodCookie   = "cookie-of-ann"
)

// fake is a Source filled with data. Everything that has an effect is counted in acts.
type fake struct {
	mu     sync.Mutex
	acts   []string
	refuse error // what every call but those of the gate answers

	permissions identity.Set
	spaces      []portal.Space
	dashboard   portal.Dashboard
	projects    []portal.ProjectSummary
	project     portal.Project
	release     portal.Release
	machines    []portal.Machine
	machine     portal.MachineDetail
	tasks       []portal.Task
	task        portal.TaskDetail
	log         []portal.LogLine
	packages    []portal.Package
	events      []portal.Event
	// isStrict has Task ask for the permission.
	isStrict bool
	// taskSpace is where the task is; "" for anywhere.
	taskSpace deploy.SpaceID
	// signedOut ends the session.
	signedOut bool
	// hold is how long a real browser waits with what it prints.
	hold <-chan time.Time
	// follow replaces FollowLog.
	follow func(ctx context.Context, offset int64, deliver func([]portal.LogLine, int64) error) error
}

func (f *fake) act(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acts = append(f.acts, fmt.Sprintf(format, args...))
	return f.refuse
}

func (f *fake) done() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acts
}

func (f *fake) SignIn(_ context.Context, source, key string) (string, time.Time, error) {
	_ = f.act("sign in from %s", source)
	switch key {
	case goodKey:
		return goodCookie, now.Add(12 * time.Hour), nil
	case "API-TOOMANY":
		return "", time.Time{}, &identity.Refused{
			RetryAfter: 42 * time.Second, Cause: errkind.Exhausted.Errorf("too many failed attempts to sign in"),
		}
	}
	return "", time.Time{}, &identity.Refused{Cause: errkind.Hinted(
		errkind.Untrusted.Errorf("the API key is not valid"), "make another for your user")}
}

func (f *fake) SignInWithPassword(_ context.Context, source, name, password string) (
	p identity.Principal, cookie string, expires time.Time, err error,
) {
	_ = f.act("sign in from %s as %s", source, name)
	switch {
	case name == "toomany":
		return p, "", expires, &identity.Refused{
			RetryAfter: 42 * time.Second, Cause: errkind.Exhausted.Errorf("too many failed attempts to sign in"),
		}
	case name == "ann" && password == goodPassword:
		return p, goodCookie, now.Add(12 * time.Hour), nil
	}
	return p, "", expires, &identity.Refused{Cause: errkind.Untrusted.Errorf("the name or the password is wrong")}
}

func (f *fake) SignOut(_ context.Context, cookie string) error { return f.act("sign out %s", cookie) }

func (f *fake) BySession(_ context.Context, cookie string) (identity.Principal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cookie != goodCookie || f.signedOut {
		return identity.Principal{}, errkind.Untrusted.Errorf("the session has ended")
	}
	return identity.Principal{
		User: deploy.User{ID: "Users-1", Name: "ann", DisplayName: "Ann Carter"}, Permissions: f.permissions,
	}, nil
}

func (f *fake) Spaces(context.Context, identity.Principal) ([]portal.Space, error) {
	return f.spaces, nil
}

func (f *fake) Dashboard(context.Context, identity.Principal) (portal.Dashboard, error) {
	return f.dashboard, f.refuse
}

func (f *fake) Projects(context.Context, identity.Principal) ([]portal.ProjectSummary, error) {
	return f.projects, f.refuse
}

func (f *fake) Project(_ context.Context, _ identity.Principal, ref string) (portal.Project, error) {
	if ref == "missing" {
		return portal.Project{}, errkind.NotFound.Errorf("no project %q", ref)
	}
	return f.project, f.refuse
}

func (f *fake) Release(context.Context, identity.Principal, string, string) (portal.Release, error) {
	return f.release, f.refuse
}

func (f *fake) FindRelease(_ context.Context, _ identity.Principal, id string) (project, version string, err error) {
	if id != "Releases-21" {
		return "", "", errkind.NotFound.Errorf("release %s does not exist", id)
	}
	return "shop", f.release.Version, f.refuse
}

func (f *fake) FindDeployment(_ context.Context, _ identity.Principal, id string) (deploy.TaskID, error) {
	if id != "Deployments-5" {
		return "", errkind.NotFound.Errorf("deployment %s does not exist", id)
	}
	return "ServerTasks-41", f.refuse
}

func (f *fake) Machines(context.Context, identity.Principal) ([]portal.Machine, error) {
	return f.machines, f.refuse
}

func (f *fake) Machine(context.Context, identity.Principal, string) (portal.MachineDetail, error) {
	return f.machine, f.refuse
}

func (f *fake) Tasks(_ context.Context, _ identity.Principal, q portal.TaskQuery) ([]portal.Task, int, error) {
	tasks := f.tasks[min(q.Skip, len(f.tasks)):]
	return tasks[:min(q.Take, len(tasks))], len(f.tasks), f.refuse
}

func (f *fake) Task(_ context.Context, p identity.Principal, _ deploy.TaskID) (portal.TaskDetail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taskSpace != "" && p.SpaceID() != f.taskSpace {
		return portal.TaskDetail{}, errkind.NotFound.Errorf("task %s does not exist", f.task.ID)
	}
	if f.isStrict {
		return f.task, p.Need(identity.TaskView)
	}
	return f.task, f.refuse
}

// OpenArtifact knows one file, a page with a script in it.
func (f *fake) OpenArtifact(
	_ context.Context, _ identity.Principal, _ deploy.TaskID, id deploy.ArtifactID,
) (portal.Artifact, io.ReadSeekCloser, error) {
	if id != "Artifacts-7" {
		return portal.Artifact{}, nil, errkind.NotFound.Errorf("no artifact %s", id)
	}
	content := struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader("<script>alert(1)</script>"), io.NopCloser(nil)}
	return portal.Artifact{ID: id, Name: "a \"b\".html", SHA256: "00"}, content, f.refuse
}

// ReadLog counts offsets in lines.
func (f *fake) ReadLog(
	_ context.Context, _ identity.Principal, _ deploy.TaskID, offset int64, _ int,
) ([]portal.LogLine, int64, error) {
	lines := f.log[min(int(offset), len(f.log)):]
	return lines, offset + int64(len(lines)), f.refuse
}

func (f *fake) FollowLog(
	ctx context.Context, _ identity.Principal, _ deploy.TaskID, offset int64, deliver func([]portal.LogLine, int64) error,
) error {
	if f.follow != nil {
		return f.follow(ctx, offset, deliver)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fake) Packages(context.Context, identity.Principal, string) ([]portal.Package, error) {
	return f.packages, f.refuse
}

func (f *fake) PackageVersions(context.Context, identity.Principal, string) ([]portal.Package, error) {
	return f.packages, f.refuse
}

func (f *fake) Events(context.Context, identity.Principal, portal.EventQuery) ([]portal.Event, bool, error) {
	return f.events, true, f.refuse
}

func (f *fake) CreateRelease(_ context.Context, p identity.Principal, r portal.NewRelease) (string, error) {
	return "1.4.3", f.act("%s creates release %+v", p.Name(), r)
}

func (f *fake) Deploy(_ context.Context, p identity.Principal, d portal.NewDeployment) (deploy.TaskID, error) {
	return "ServerTasks-9", f.act("%s deploys %+v", p.Name(), d)
}

func (f *fake) Cancel(_ context.Context, p identity.Principal, id deploy.TaskID) error {
	return f.act("%s cancels %s", p.Name(), id)
}

func (f *fake) Answer(_ context.Context, p identity.Principal, a portal.NewAnswer) error {
	return f.act("%s answers %+v", p.Name(), a)
}

func (f *fake) ForgetOrphan(_ context.Context, p identity.Principal, machine, ticket string) error {
	return f.act("%s lets %s forget %s", p.Name(), machine, ticket)
}

func (f *fake) AcceptMachine(_ context.Context, p identity.Principal, machine, why string) error {
	return f.act("%s accepts %s: %s", p.Name(), machine, why)
}

func (f *fake) AcceptRestore(_ context.Context, p identity.Principal, number int64) error {
	return f.act("%s accepts restore %d", p.Name(), number)
}

func (f *fake) Restored(context.Context, identity.Principal) (portal.Restored, error) {
	return portal.Restored{
		Number: 2, BackupAt: now.Add(-26 * time.Hour), RestoredAt: now.Add(-time.Hour), Machines: f.machines,
	}, f.refuse
}

func (f *fake) CheckHealth(_ context.Context, p identity.Principal, machine string) (deploy.TaskID, error) {
	return "ServerTasks-9", f.act("%s checks %s", p.Name(), machine)
}

// open makes a portal over the source.
func open(f *fake, change func(*portal.Options)) *portal.Portal {
	o := portal.Options{
		Wall: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Version: "0.1.0", URL: "http://fairlead.example:8065",
	}
	if change != nil {
		change(&o)
	}
	return portal.New(f, o)
}

// answer is a response that was read to its end.
type answer struct {
	*httptest.ResponseRecorder
	body string
}

func send(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w, w.Body.String()}
}

func signedIn(r *http.Request) *http.Request {
	r.AddCookie(&http.Cookie{Name: identity.CookieName, Value: goodCookie})
	return r
}

// get reads a page as Ann.
func get(t *testing.T, h http.Handler, path string) answer {
	t.Helper()
	a := send(h, signedIn(httptest.NewRequest("GET", path, nil)))
	if a.Code != http.StatusOK {
		t.Fatalf("GET %s: %d\n%s", path, a.Code, a.body)
	}
	return a
}

// form is a POST as a browser sends it from one of our pages.
func form(path string, fields ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "http://example.com")
	return signedIn(r)
}
