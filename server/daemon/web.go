// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"fairlead/internal/port"
	"fairlead/internal/store"
	"fairlead/server/api"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// Limits of the HTTP side. Source: security.md 1.4. Uploads and followed logs take as long as
// they take, so there is no limit on a whole request.
const (
	readHeaderLimit = 5 * time.Second
	idleLimit       = 2 * time.Minute
	// drainLimit is how long requests may go on after the server was told to stop.
	drainLimit = 5 * time.Second
)

// newWeb makes the handler of both HTTP listeners: /app is the portal, the rest is REST. Both
// answer to these host names only; none means any.
func (d *Daemon) newWeb(hosts []string) http.Handler {
	deps := d.apiDeps()
	deps.Hosts, deps.Secure = hosts, strings.HasPrefix(d.options.Settings.PublicURL, "https://")
	rest := api.New(deps)
	listening := d.Bound().HTTP
	if listening == "" {
		listening = d.options.Settings.HTTP
	}
	pages := portal.New(d.newPages(), portal.Options{
		Wall: d.env.Wall, Log: d.log.With("part", "portal"), Version: d.options.Version,
		URL:    d.options.Settings.publicURL(d.env.Facts().Hostname, listening),
		Secure: deps.Secure, Hosts: hosts, Notice: d.notice,
		SafeMode: func() bool { return d.safe.notice() != "" },
	})
	mux := http.NewServeMux()
	mux.Handle("/api", rest)
	mux.Handle("/api/", rest)
	mux.Handle("/healthz", rest)
	mux.Handle("/metrics", rest)
	mux.Handle("/", pages)
	return mux
}

// serveWeb answers browsers and REST callers on the HTTP port, on the agents' port, and, as the
// administrator, on the admin socket.
func (d *Daemon) serveWeb(ctx context.Context, o opened) error {
	web := d.newServer(ctx, d.newWeb(d.options.Settings.Hosts))
	local := d.newServer(ctx, d.localWeb())
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan error, 3)
	serve := func(s *http.Server, l net.Listener) {
		group.Go(func() { ends <- s.Serve(l) })
	}
	serve(web, port.Patient(o.web, d.log))
	serve(web, d.toPortal)
	if o.admin != nil {
		serve(local, port.Patient(o.admin, d.log))
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-ends:
	}
	stop(ctx, web, local)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// localWeb is what the admin socket answers: REST as the administrator, and the server's state.
func (d *Daemon) localWeb() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api.AsPrincipal(d.newWeb(nil), identity.System()))
	mux.HandleFunc("POST "+localDatabasePath, d.sendDatabase())
	mux.HandleFunc("GET "+localStatusPath, func(w http.ResponseWriter, r *http.Request) {
		count := 0
		err := d.store.View(r.Context(), func(s store.Reader) error {
			machines, err := s.Machines(store.MachineFilter{})
			count = len(machines)
			return err
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		bound := d.Bound()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(localStatus{bound.HTTP, bound.Link, d.notice(), count, d.fleet.CountOnline()})
	})
	return mux
}

// localStatusPath and localStatus are for `fairlead-server status` alone.
const localStatusPath = "/local/status"

type localStatus struct {
	HTTP, Link       string
	Notice           string // what it cannot do now
	Machines, Online int
}

func (d *Daemon) newServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderLimit, IdleTimeout: idleLimit, MaxHeaderBytes: api.MaxHeaderBytes,
		ErrorLog:    slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// stop lets requests end for drainLimit; followed logs end at once, as their context is over.
func stop(ctx context.Context, servers ...*http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
	}
}
