// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/port"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
	"fairlead/internal/trust"
	"fairlead/server/artifact"
	"fairlead/server/catalog"
	"fairlead/server/engine"
	"fairlead/server/feed"
	"fairlead/server/fleet"
	"fairlead/server/identity"
	"fairlead/server/target"
	"fairlead/server/tasks"
)

// Program is the server's name.
const Program = "fairlead-server"

// Options of a daemon.
type Options struct {
	Home     Home
	Settings Settings
	Version  string
	// Engine overrides the engine's waits; zero fields take its defaults.
	Engine engine.Limits
	// MasterKey is the key that seals sensitive values, as its text; "" takes it from its file.
	MasterKey string
	// NoAdminSocket leaves the socket for commands on this machine closed.
	NoAdminSocket bool
}

// Daemon is a server.
type Daemon struct {
	options  Options
	env      host.Env
	log      *slog.Logger
	release  func()
	identity trust.Identity
	server   store.Installation

	space     *space
	safe      safeMode
	disk      *durable.Guard // env.Disk
	store     store.Store
	damaged   <-chan struct{} // closed when the store can no longer be trusted
	logs      *tasklog.Folder
	feed      *feed.Feed
	artifacts *artifact.Folder
	secrets   secret.Key
	queue     *tasks.Queue
	engine    *engine.Engine
	fleet     *fleet.Fleet
	keeper    *link.Keeper
	catalog   *catalog.Catalog
	directory *identity.Directory
	line      *port.Port
	toPortal  *handedOver // connections of browsers that came to the agents' port

	mu       sync.Mutex
	bound    Bound
	boundSet chan struct{} // closed when both ports are open
}

// Bound is where the server really listens, which differs from the settings for port 0.
type Bound struct {
	HTTP, Link string
}

// New takes the home, opens what lies in it and wires the parts. Run must follow, or Close.
// Errors: Conflict (another server holds the home), Denied, Corrupt, Invalid.
func New(ctx context.Context, o Options, env host.Env) (*Daemon, error) {
	if err := o.Settings.check(); err != nil {
		return nil, err
	}
	disk := durable.Watch(env.Disk)
	env.Disk = disk
	if err := home.Make(env.Disk, string(o.Home)); err != nil {
		return nil, err
	}
	release, err := home.Take(string(o.Home))
	if err != nil {
		return nil, err
	}
	d := &Daemon{
		options: o, env: env, log: env.Log, release: release, keeper: link.NewKeeper(),
		toPortal: newHandedOver(), boundSet: make(chan struct{}), disk: disk, space: newSpace(o.Home, o.Settings, env),
	}
	disk.Alarm(d.hush)
	if err := d.open(ctx); err != nil {
		d.Close()
		return nil, err
	}
	if err := d.wire(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// open opens what lies on disk.
func (d *Daemon) open(ctx context.Context) (err error) {
	h := d.options.Home
	d.space.open()
	if d.identity, err = loadOrMakeIdentity(d.env.Disk, h, d.env.Wall()); err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, h.database(),
		sqlite.Options{Point: d.env.Point, MakeRoom: d.space.makeRoom, Alarm: d.hush})
	if err != nil {
		return h.hinted(err)
	}
	list := revocations{path: h.revocations(), disk: d.env.Disk, wall: d.env.Wall, makeRoom: d.space.makeRoom}
	d.store, d.damaged = witnessed{db, list}, db.Done()
	if err := d.openKey(ctx); err != nil {
		return err
	}
	if d.logs, err = tasklog.Open(h.logs(), d.env.Disk, d.env.Wall); err != nil {
		return err
	}
	d.logs.MakeRoom = d.space.makeRoom
	limits := feed.DefaultLimits()
	limits.FullPercent = d.options.Settings.FullPercent
	if d.feed, err = feed.New(d.store, h.packages(), d.env.Disk, d.env.Wall, limits); err != nil {
		return err
	}
	return d.openArtifacts()
}

func (d *Daemon) openArtifacts() (err error) {
	limits := artifact.DefaultLimits()
	limits.FullPercent = d.options.Settings.FullPercent
	limits.QuotaBytes = int64(d.options.Settings.ArtifactQuotaMB) << 20
	d.artifacts, err = artifact.New(artifact.Deps{
		Store: d.store, Dir: d.options.Home.artifacts(), Disk: d.env.Disk, Vitals: d.env.Vitals, Limits: limits,
	})
	return err
}

// wire puts the parts together.
func (d *Daemon) wire(ctx context.Context) (err error) {
	d.directory = identity.NewDirectory(d.store, d.env.Wall)
	d.catalog = catalog.New(catalog.Deps{
		Store: d.store, Feed: d.feed, Artifacts: d.artifacts, Logs: d.logs, TaskDays: d.options.Settings.TaskDays,
		Secrets: d.secrets, Wall: d.env.Wall, Pin: d.identity.Pin.String(), Mint: d.mint, Room: d.space.admit,
		Queued:  func() { d.engine.Wake() },
		Changed: func() { d.fleet.Refresh() }, Accepted: func() { d.safe.over.Store(true) },
	})
	if _, err := d.catalog.Seed(ctx, d.env.Facts().Hostname); err != nil {
		return err
	}
	if d.server, err = d.catalog.Installation(ctx); err != nil {
		return err
	}
	d.safe.why = catalog.SafeMode(d.server)
	d.fleet = fleet.New(fleet.Deps{
		Store: d.store, Env: d.env, Keeper: d.keeper, Version: d.options.Version,
		Server:     fleet.Server{ID: d.server.ID, Identity: d.identity},
		CameOnline: d.cameOnline,
		Check:      d.checkHealth,
	})
	owner := "server-" + strings.ToLower(rand.Text())
	d.queue = tasks.NewQueue(d.store, d.env.Wall, owner, d.options.Settings.TaskLimit)
	d.queue.Ended = d.catalog.Ended
	d.engine = engine.New(engine.Deps{
		Store: d.store, Queue: d.queue, Logs: d.logs, Reach: d.fleet, Packages: packages{d.feed}, Env: d.env,
		Artifacts: d.artifacts, Limits: d.options.Engine, Secrets: d.secrets, URL: d.url,
		Retain: func(ctx context.Context, space deploy.SpaceID) ([]string, error) {
			return d.catalog.ApplyRetention(ctx, identity.System().In(space))
		},
	})
	if d.line, err = d.newLine(); err != nil {
		return err
	}
	return nil
}

// url is how people reach the portal.
func (d *Daemon) url() string {
	listening := d.Bound().HTTP
	if listening == "" {
		listening = d.options.Settings.HTTP
	}
	return d.options.Settings.publicURL(d.env.Facts().Hostname, listening)
}

// cameOnline is what happens when a machine's line is up: results that a restored server does not
// know are noted, old tickets are forgotten there, and
// its health is looked at.
func (d *Daemon) cameOnline(ctx context.Context, id deploy.MachineID) {
	d.noteOrphans(ctx, id)
	if err := d.engine.Online(ctx, id); err != nil && ctx.Err() == nil {
		d.log.Warn("old tickets were not forgotten", "machine", id, "err", err)
	}
	d.engine.Check(ctx, id)
}

// checkHealth looks at machines whose time has come: with a task where their policies have a script.
func (d *Daemon) checkHealth(ctx context.Context, ids []deploy.MachineID) {
	spaces, err := d.catalog.Spaces(ctx, identity.System())
	for _, s := range spaces {
		plain, serr := d.catalog.QueueHealthScripts(ctx, identity.System().In(s.ID), ids)
		err = errors.Join(err, serr)
		d.engine.CheckAll(ctx, plain)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn("health checks were not queued", "machines", len(ids), "err", err)
	}
}

// mint makes a join token for this server's address and key.
func (d *Daemon) mint() (trust.Token, error) {
	listening := d.Bound().Link
	if listening == "" {
		listening = d.options.Settings.Link
	}
	return trust.NewToken(d.options.Settings.publicLink(d.env.Facts().Hostname, listening), d.identity.Pin)
}

// Close gives everything back without running.
func (d *Daemon) Close() {
	if d.store != nil {
		if err := d.store.Close(); err != nil {
			d.log.Error("store was not closed", "err", err)
		}
	}
	d.release()
}

// Run opens the ports and works until ctx ends. The first part that fails stops the others, in an order: the lines
// are hushed, whoever asks something of machines ends, and once he has, the lines say goodbye.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.Close()
	if err := d.fleet.Load(ctx); err != nil {
		return err
	}
	listeners, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer d.keep(ctx)()
	r := newRunner(ctx)
	r.start(&r.lines, "fleet", d.fleet.Run)
	r.start(&r.askers, "engine", d.engine.Run)
	r.start(&r.others, "store", d.watchStore)
	r.start(&r.others, "disk", d.watchDisk)
	phase := time.Duration(d.env.Rand("space.phase").Int64N(int64(spaceLook)))
	r.start(&r.others, "space", func(ctx context.Context) error { return d.space.run(ctx, phase) })
	tidying := time.Duration(d.env.Rand("housekeep.phase").Int64N(int64(abandonedLook)))
	r.start(&r.others, "housekeeping", func(ctx context.Context) error { return d.housekeep(ctx, tidying) })
	r.start(&r.lines, "agents' port", func(ctx context.Context) error { return d.line.Serve(ctx, listeners.link) })
	r.start(&r.others, "web", func(ctx context.Context) error { return d.serveWeb(ctx, listeners) })
	return r.run(d.hush)
}

// hush has the lines say nothing more but their goodbye. That a sync failed comes here before it comes to who asked
// for it, so nothing that hangs on what may not be kept leaves the server.
func (d *Daemon) hush() {
	if d.fleet != nil { // the disk may fail before there is one
		d.fleet.Hush()
	}
}

// keep runs the lines' keeper until stop. It outlives ctx: a session that says goodbye to an agent
// which no longer answers ends by its deadline only.
func (d *Daemon) keep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = d.keeper.Run(ctx) }) // always nil
	return func() {
		cancel()
		keeping.Wait()
	}
}

// watchStore ends the server when the store can no longer be trusted: whatever would be said
// after a failed sync might not be kept.
func (d *Daemon) watchStore(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.damaged:
		return d.store.Update(ctx, func(store.Writer) error { return nil })
	}
}

// watchDisk does the same when a sync failed outside of the store: in a task's log, in a package. What
// was to be kept may be lost, though a later sync reports success.
func (d *Daemon) watchDisk(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.disk.Failed():
	}
	return errkind.Hinted(
		errkind.Internal.Errorf("a sync failed, so what was written last may not be kept, and nothing more is said to be: %w",
			d.disk.Err()),
		"look for errors of the disk (dmesg), make it sound, then start the server: it looks at all that lies there afresh")
}

// Bound returns where the server listens; empty before Run has opened the ports.
func (d *Daemon) Bound() Bound {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bound
}

// Ready is closed when the ports are open.
func (d *Daemon) Ready() <-chan struct{} { return d.boundSet }

// Target is the way to a machine whose line is up, as the engine takes it. Errors: Unavailable.
func (d *Daemon) Target(id deploy.MachineID) (target.Target, error) {
	t, _, err := d.fleet.Target(id)
	return t, err
}

// Pin is the server's pin.
func (d *Daemon) Pin() trust.Pin { return d.identity.Pin }
