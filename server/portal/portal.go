// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"fairlead/server/identity"
)

// Options are the portal's settings.
type Options struct {
	// Wall is now; times are shown in the time zone of its answer. It must be set.
	Wall func() time.Time
	// Log takes errors of kind Internal. It must be set.
	Log *slog.Logger
	// URL is the server's own address as people type it, for commands that pages show:
	// "http://localhost:8065", which is also the default.
	URL string
	// Hosts are the host names, without port, that the portal answers to. Empty: any.
	Hosts []string
	// Secure says that browsers reach the portal by HTTPS even if this server does not see it,
	// because a proxy ends TLS.
	Secure bool
	// Version of the server, shown at the foot.
	Version string
	// Notice is what every page shows at its top: what the server cannot do now, or ""; nil for never.
	Notice func() string
	// SafeMode says whether the server is held after a restore; nil for never.
	SafeMode func() bool
	// Followers is how many logs may be followed at once; 0 means 256.
	Followers int
}

// Portal is the handler. Make one with New.
type Portal struct {
	source    Source
	options   Options
	pages     func() pages // parsed when the first is wanted
	assets    assets
	mux       *http.ServeMux
	handler   http.Handler
	followers chan struct{} // one place for each followed log
}

const defaultFollowers = 256

// New makes the portal. It answers below /app and redirects / to it.
func New(source Source, o Options) *Portal {
	if o.URL == "" {
		o.URL = "http://localhost:8065"
	}
	if o.Followers == 0 {
		o.Followers = defaultFollowers
	}
	p := &Portal{source: source, options: o, assets: loadAssets(), mux: http.NewServeMux()}
	p.followers = make(chan struct{}, o.Followers)
	p.pages = sync.OnceValue(p.loadPages)
	for _, r := range p.routes() {
		p.mux.HandleFunc(r.method+" "+r.pattern, p.serve(r))
	}
	p.mux.HandleFunc("/", p.serve(route{open: true, handle: p.nowhere}))
	p.handler = p.guarded(p.mux)
	return p
}

// ServeHTTP answers a request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// route is one row of the table.
type route struct {
	method, pattern string
	open            bool // for everybody; else for those who are signed in
	page            bool // a page that signing in may lead back to
	handle          func(*visit) error
}

// visit is one request on its way.
type visit struct {
	http.ResponseWriter
	*http.Request
	who identity.Principal
	// spaces are those he may choose from, the default one first.
	spaces []Space
}

func (p *Portal) routes() []route {
	page := func(pattern string, handle func(*visit) error) route {
		return route{method: "GET", pattern: pattern, page: true, handle: handle}
	}
	post := func(pattern string, handle func(*visit) error) route {
		return route{method: "POST", pattern: pattern, handle: handle}
	}
	return []route{
		{method: "GET", pattern: "/{$}", open: true, handle: p.home},
		{method: "GET", pattern: "/app/static/{file}", open: true, handle: p.asset},
		{method: "GET", pattern: "/app/sign-in", open: true, handle: p.signInPage},
		{method: "POST", pattern: "/app/sign-in", open: true, handle: p.signIn},
		{method: "POST", pattern: "/app/sign-out", open: true, handle: p.signOut},

		post("/app/space", p.chooseSpace),
		page("/app", p.dashboard),
		page("/app/projects", p.projects),
		page("/app/projects/{project}", p.project),
		post("/app/projects/{project}/releases", p.createRelease),
		page("/app/projects/{project}/releases/{version}", p.release),
		post("/app/projects/{project}/deploy", p.deploy),
		page("/app/releases/{release}", p.findRelease),
		page("/app/deployments/{deployment}", p.findDeployment),
		page("/app/machines", p.machines),
		page("/app/machines/{machine}", p.machine),
		post("/app/machines/{machine}/check", p.checkHealth),
		post("/app/machines/{machine}/accept", p.acceptMachine),
		post("/app/machines/{machine}/orphans/{ticket}/forget", p.forgetOrphan),
		page("/app/tasks", p.tasks),
		page("/app/tasks/{task}", p.task),
		{method: "GET", pattern: "/app/tasks/{task}/log", handle: p.rawLog},
		{method: "GET", pattern: "/app/tasks/{task}/artifacts/{artifact}", handle: p.artifact},
		{method: "GET", pattern: "/app/tasks/{task}/follow", handle: p.follow},
		post("/app/tasks/{task}/cancel", p.cancel),
		post("/app/tasks/{task}/questions/{question}", p.answer),
		page("/app/packages", p.packages),
		page("/app/packages/{package}", p.packageVersions),
		page("/app/events", p.events),
		page(restorePage, p.restored),
		post(restorePage+"/accept", p.acceptRestore),
	}
}

// serve finds out who asks, answers, and shows what went wrong.
func (p *Portal) serve(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{ResponseWriter: w, Request: r}
		err := p.identify(v)
		isDone := false
		if err == nil && !route.open {
			isDone, err = p.enter(v)
		}
		if !isDone && (err == nil || route.open) {
			err = route.handle(v)
		}
		if err != nil {
			p.problem(v, err)
		}
	}
}
