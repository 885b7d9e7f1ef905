// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package api is the REST surface, in the shape that the public Octopus clients use.
//
// It only translates: between HTTP, JSON field names and status codes on one side and the use
// cases of server/catalog and server/identity on the other. It decides nothing about deployments
// and keeps nothing.
//
//  1. Every route stands in one table (routes.go) with the permission it needs; what is public
//     says so there.
//  2. Nobody is asked for the body of a request before he was let in.
//  3. Errors of every kind have a JSON body; the status comes from one table (problem.go).
//  4. No GET changes anything, lists are never null, secrets never come from an address.
//
// Safe for concurrent use; it starts no goroutine that outlives its request.
//
// api.go is the door, routes.go the table, router.go finds a route, guard.go lets callers in,
// body.go reads requests, reply.go and page.go write answers, problem.go writes errors, local.go
// calls the handler inside the process; the rest has one file for each resource.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// Deps is what the surface works with. All fields must be set but Hosts, Secure and Notice.
type Deps struct {
	Catalog   *catalog.Catalog
	Directory *identity.Directory
	Presence  Presence
	Logs      Logs
	Queue     Queue
	Orphans   Orphans
	// Server describes the server's own certificate to agents.
	Server func() ServerCertificate
	// Version is Fairlead's own version.
	Version string
	Wall    func() time.Time
	Log     *slog.Logger
	// Discover asks whoever listens at host:port for the pin of an agent, 64 hex digits.
	Discover func(ctx context.Context, address string) (pin string, err error)
	// Notice is a sentence on what the server cannot do now, or ""; nil when there never is one.
	Notice func() string
	// Metrics answers /metrics.
	Metrics http.Handler
	// Secure says that callers come by HTTPS even if this server does not see it, because a proxy ends TLS.
	Secure bool
	// Hosts are the names by which the server may be asked, without port; empty means any.
	Hosts []string
}

// Presence knows which agents hold a line now.
type Presence interface {
	Machine(id deploy.MachineID) Online
	// Log is what happened to a machine's line, oldest first.
	Log(id deploy.MachineID) []LineEvent
}

// LineEvent is something that happened to a line: Info, Warning or Error.
type LineEvent struct {
	At             time.Time
	Category, Text string
}

// Online is what is known of a machine's line.
type Online struct {
	IsOnline bool
	Since    time.Time // of this line; zero when there is none
	LastSeen time.Time // zero when not known
	Version  string    // of the agent; "" when not known
}

// Queue tells why tasks wait.
type Queue interface {
	// Waits holds a sentence for each queued task that cannot start yet.
	Waits(ctx context.Context) (map[deploy.TaskID]string, error)
}

// Logs reads what tasks said.
type Logs interface {
	// Read returns whole lines from an offset, at most about maxBytes of them, and the offset
	// after them. No line yet is no error.
	Read(task deploy.TaskID, offset int64, maxBytes int) (lines []LogLine, next int64, err error)
	// Follow calls f from one goroutine with the lines from offset on as they appear, until the
	// log is finished (nil), f fails or ctx ends.
	Follow(ctx context.Context, task deploy.TaskID, offset int64, f func(lines []LogLine, next int64) error) error
}

// LogLine is one line of a task's log.
type LogLine struct {
	Number   int64     `json:"Number"`
	At       time.Time `json:"OccurredAt"`
	Category string    `json:"Category"` // "Info", "Error" …
	// Node says whose line it is: "" the task's, "2" that of step 2, "2/Machines-1" that of
	// step 2 on a machine.
	Node string `json:"Node"`
	Text string `json:"MessageText"`
	// More says that the line goes on in the next one of the same node and category.
	More bool `json:"More,omitempty"`
}

// ServerCertificate is what agents see of the server.
type ServerCertificate struct {
	Name       string
	Thumbprint string // SHA-1, 40 capital hex digits; for stock Tentacles
	Pin        string // SHA-256, 64 lower hex digits
	Algorithm  string // "ecdsaWithSHA256"
}

// Limits on a request. Source: security.md 1.4.
const (
	// MaxHeaderBytes bounds the header of a request; set it in http.Server too.
	MaxHeaderBytes = 32 << 10
	// MaxBodyBytes bounds a JSON body.
	MaxBodyBytes = 2 << 20
	// MaxNesting bounds the depth of a JSON body.
	MaxNesting = 64
	// BodyLimit is how long the sending of a JSON body may take.
	BodyLimit = 30 * time.Second
)

// api answers requests.
type api struct {
	Deps
	routes  *router
	origins *http.CrossOriginProtection
	health  probe
	started time.Time
	links   writtenLinks
	buffers buffers
}

// New makes the handler of /api, /healthz and /metrics. Anything else is 404.
func New(d Deps) http.Handler {
	a := &api{Deps: d, origins: http.NewCrossOriginProtection()}
	a.health.run = d.Catalog.Probe
	a.health.wall = d.Wall
	a.started = d.Wall()
	a.links = writtenLinks{root: written(allLinks("/api")), space: written(allLinks(spaceHome))}
	a.routes = newRouter(a.table())
	return a
}

// call is one request on its way through.
type call struct {
	w         http.ResponseWriter
	r         *http.Request
	route     *Route
	params    map[string]string
	principal identity.Principal
	// isEverywhere: the address names no single space, but those of spaces, or all.
	isEverywhere bool
	spaces       []deploy.SpaceID
	// isNamed: the address names the one space that is meant.
	isNamed bool
	buffers *buffers
}

func (c *call) ctx() context.Context { return c.r.Context() }

// param is a decoded segment of the path.
func (c *call) param(name string) string { return c.params[name] }

// ServeHTTP answers one request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	c := &call{w: w, r: r, buffers: &a.buffers}
	if err := a.serve(c); err != nil {
		a.problem(c, err)
	}
}

func (a *api) serve(c *call) error {
	if err := a.checkRequest(c.r); err != nil {
		return err
	}
	method, err := effectiveMethod(c.r)
	if err != nil {
		return err
	}
	segments, space, err := segmentsOf(c.r)
	if err != nil {
		return err
	}
	c.route, c.params, err = a.routes.find(method, segments)
	if err != nil {
		// Who is not let in learns nothing about what there is.
		if _, refused := a.authenticate(c); refused != nil {
			return refused
		}
		return err
	}
	if !c.route.Public {
		if c.principal, err = a.authenticate(c); err != nil {
			return err
		}
		if err := a.enter(c, space); err != nil {
			return err
		}
		if err := c.principal.Need(c.route.Need); err != nil {
			return err
		}
	}
	return c.route.handle(c)
}
