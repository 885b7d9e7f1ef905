// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/agent/script"
	"fairlead/agent/transfer"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/trust"
)

// Program is the agent's name.
const Program = "fairlead-agent"

// Daemon is a running agent.
type Daemon struct {
	home     Home
	settings Settings
	env      host.Env
	version  string
	identity trust.Identity
	trusted  *trust.TrustStore // nil when the pins were given by hand
	release  func()
	disk     *durable.Guard // env.Disk

	keeper  *link.Keeper
	scripts *script.Service
	blobs   *transfer.Store // nil before assemble
	mux     contract.Mux
	facts   contract.Facts
	state   *stateFile
}

// Options of a daemon.
type Options struct {
	Home     Home
	Settings Settings
	Version  string
}

// New takes the home and puts the parts together. Run must follow, or Close. Errors: Conflict
// (another agent holds the home), NotFound (not joined), Denied, Invalid.
func New(o Options, env host.Env) (*Daemon, error) {
	if err := o.Settings.check(); err != nil {
		return nil, err
	}
	disk := durable.Watch(env.Disk)
	env.Disk = disk
	release, err := o.Home.take(env.Disk)
	if err != nil {
		return nil, err
	}
	d := &Daemon{
		home: o.Home, settings: o.Settings, env: env, version: o.Version, release: release, disk: disk,
		keeper: link.NewKeeper(),
	}
	if err := disk.Opening(d.assemble); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Daemon) assemble() (err error) {
	if err := d.disk.Prove(d.home.probe()); err != nil {
		d.env.Log.Error("storage failed: nothing is started", "err", err)
	}
	if d.identity, err = trust.LoadIdentity(d.home.identity()); err != nil {
		return err
	}
	if len(d.settings.Trust) == 0 {
		if d.trusted, err = trust.OpenTrust(d.env.Disk, d.home.trust()); err != nil {
			return err
		}
	}
	if d.facts, err = newFacts(d.home, d.env, d.version); err != nil {
		return err
	}
	options := script.Options{Storage: d.disk, KeepLeftOvers: d.settings.LeftOvers == keepLeftOvers}
	if d.scripts, err = script.New(string(d.home), d.env, options); err != nil {
		return err
	}
	o := transfer.Options{
		Disk: d.env.Disk, Wall: d.env.Wall, MaxCacheBytes: d.settings.CacheMB << 20, Needed: d.scripts.Packages,
	}
	if d.blobs, err = transfer.New(string(d.home), o); err != nil {
		return err
	}
	d.state = newStateFile(d.home.state(), d.env.Wall, d.status())
	contract.Handle(&d.mux, contract.Hello, d.hello)
	contract.Handle(&d.mux, contract.Health, d.health)
	d.scripts.Register(&d.mux)
	d.blobs.Register(&d.mux)
	return nil
}

// newFacts is what this run of the agent says of itself.
func newFacts(h Home, env host.Env, version string) (contract.Facts, error) {
	stateID, err := h.readStateID(env.Disk)
	machine := env.Facts()
	return contract.Facts{
		Program: Program, Version: version, Hostname: machine.Hostname, OS: machine.OS,
		Distribution: machine.Distribution, Arch: machine.Arch, BootID: machine.BootID,
		RunID: strings.ToLower(rand.Text()), StateID: stateID, StartedAt: env.Wall().UTC().Format(time.RFC3339),
	}, err
}

// Close gives the home back. Run does so itself.
func (d *Daemon) Close() {
	if d.blobs != nil {
		_ = d.blobs.Close() // folders that were only read through
	}
	d.release()
}

// Run keeps the line and serves what comes along it until ctx ends. Scripts are not touched.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.Close()
	defer d.keep(ctx)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	var failed failure
	start := func(name string, run func(context.Context) error) {
		group.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				failed.set(fmt.Errorf("%s: %w", name, err))
			}
			cancel()
		})
	}
	start("scripts", d.scripts.Run)
	switch d.settings.Mode {
	case trust.ModeListening:
		start("listen", d.listen)
	default:
		start("poll", d.poll)
	}
	group.Wait()
	d.state.stopped()
	return failed.err
}

// keep runs the line's keeper until stop. It outlives ctx: a session that says goodbye to a server
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

// failure keeps the first error.
type failure struct {
	mu  sync.Mutex
	err error
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// accept says who a server's pin is.
func (d *Daemon) accept(pin trust.Pin) (trust.Grant, error) {
	if d.trusted != nil {
		return d.trusted.Accept(pin)
	}
	return trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "by-hand"}, d.settings.Trust...)(pin)
}

func (d *Daemon) pins() []trust.Pin {
	if d.trusted != nil {
		return d.trusted.Current().ServerPins()
	}
	return d.settings.Trust
}

// DefaultHome is where the agent lives unless told otherwise: a system folder for root, else one
// of the user's own.
func DefaultHome(getenv func(string) string, euid int) Home {
	switch {
	case getenv("FAIRLEAD_AGENT_HOME") != "":
		return Home(getenv("FAIRLEAD_AGENT_HOME"))
	case euid == 0:
		return "/var/lib/fairlead-agent"
	case getenv("XDG_STATE_HOME") != "":
		return Home(filepath.Join(getenv("XDG_STATE_HOME"), Program))
	}
	return Home(filepath.Join(getenv("HOME"), ".local", "state", Program))
}
