// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/store"
	"fairlead/internal/trust"
)

const (
	// CloseLimit is the longest a session outlives the removal of its machine.
	CloseLimit = time.Second
	// HelloLimit bounds the first call on a session.
	HelloLimit = 5 * time.Second
	// maxGreeting is how many sessions may say hello at once; more are asked to come back.
	maxGreeting = 512
	// refreshEvery is the safety net under Refresh: how often the store is asked without a hint.
	refreshEvery = 30 * time.Second
	// wholeEvery is how often all machines are read, not only those that changed.
	wholeEvery = time.Hour
	// healthLook is how often it is asked which machines are due for a health check.
	healthLook = 30 * time.Second
)

// Deps is what a fleet needs.
type Deps struct {
	Store   store.Store
	Env     host.Env
	Keeper  *link.Keeper
	Version string // of this program
	Server  Server
	// CameOnline is called when a machine has come on line; its session goes on meanwhile.
	CameOnline func(ctx context.Context, id deploy.MachineID)
	// Check asks machines for their health reports and stores the findings.
	Check func(ctx context.Context, ids []deploy.MachineID)
}

// Server is the identity this server proves.
type Server struct {
	ID       string // of the installation
	Identity trust.Identity
}

// Accept tells the door who the holder of a pin is. Agents of disabled machines come in as far as
// the hello, so that they learn why they are sent away.
func (f *Fleet) Accept(pin trust.Pin) (trust.Grant, error) { return f.pins.Lookup(pin) }

// Fleet knows the machines on the line.
type Fleet struct {
	Deps
	log     *slog.Logger
	rose    chan struct{} // capacity 1: an agent's journal has come further
	hint    chan struct{} // capacity 1: the store's machines changed
	inHello chan struct{} // capacity maxGreeting
	looking chan struct{} // capacity maxDiscovering
	loading chan struct{} // capacity 1: whoever is in it reads the machines, and owns what follows
	mark    int64         // what the store said of them last; 0 for nothing
	wholeAt time.Time     // when all were read
	pins    *trust.PinSet

	mu       sync.Mutex
	policies []deploy.MachinePolicy         // as stored
	known    map[deploy.MachineID]member    // as stored
	machines map[deploy.MachineID]*presence // entries of known machines only
	dialled  map[deploy.MachineID]*dialling
	lines    map[*link.Session]struct{} // all there are, also before their hello
	isHushed bool
}

// New makes a fleet; Run starts it.
func New(d Deps) *Fleet {
	return &Fleet{
		Deps: d, log: d.Env.Log.With("part", "fleet"),
		rose: make(chan struct{}, 1), hint: make(chan struct{}, 1), inHello: make(chan struct{}, maxGreeting),
		looking: make(chan struct{}, maxDiscovering),
		loading: make(chan struct{}, 1), pins: trust.NewPinSet(), known: map[deploy.MachineID]member{},
		machines: map[deploy.MachineID]*presence{}, dialled: map[deploy.MachineID]*dialling{},
		lines: map[*link.Session]struct{}{},
	}
}

// Refresh says that machines in the store have changed. It never blocks.
func (f *Fleet) Refresh() {
	select {
	case f.hint <- struct{}{}:
	default:
	}
}

// Hush is the beginning of the end of all lines: nothing leaves on them any more but the goodbye, which they say when
// their contexts end or after link.HushLimit. Lines that come later say it at once. It does not wait.
func (f *Fleet) Hush() {
	f.mu.Lock()
	f.isHushed = true
	lines := slices.Collect(maps.Keys(f.lines)) // in any order: none of them says anything now
	f.mu.Unlock()
	for _, line := range lines {
		line.Hush()
	}
}

// ends reports whether the lines are on their way out.
func (f *Fleet) ends() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isHushed
}

// begin notes a line before it runs.
func (f *Fleet) begin(line *link.Session) {
	f.mu.Lock()
	f.lines[line] = struct{}{}
	isHushed := f.isHushed
	f.mu.Unlock()
	if isHushed {
		line.Hush()
	}
}

func (f *Fleet) end(line *link.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.lines, line)
}

// Run keeps the fleet in step with the store and dials listening machines until ctx ends. It
// returns when every dialled session has ended.
func (f *Fleet) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { f.watchHealth(ctx) })
	group.Go(func() { f.keepJournals(ctx) })
	for ctx.Err() == nil {
		if err := f.Load(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("machines were not read", "err", err)
		}
		f.dial(ctx, &group)
		timer := time.NewTimer(refreshEvery)
		select {
		case <-ctx.Done():
		case <-f.hint:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Load reads the machines, revokes the pins of those that are gone and closes the sessions of
// those that are disabled. The port must not open before the first Load.
func (f *Fleet) Load(ctx context.Context) error {
	// One at a time: an older list must not take the place of a newer one.
	select {
	case f.loading <- struct{}{}:
		defer func() { <-f.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	since := f.mark
	if time.Since(f.wholeAt) >= wholeEvery {
		since = 0
	}
	var changes store.MachineChanges
	var retired []string
	var policies []deploy.MachinePolicy
	err := f.Store.View(ctx, func(r store.Reader) (err error) {
		if policies, err = store.AllMachinePolicies(r); err != nil {
			return err
		}
		if changes, err = r.ChangedMachines(since); err != nil || changes.IsNone() {
			return err
		}
		retired, err = r.RetiredPins()
		return err
	})
	if err != nil {
		return err
	}
	if f.mark = changes.Mark; changes.IsAll {
		f.wholeAt = time.Now()
	}
	for _, text := range retired {
		if pin, err := trust.ParsePin(text); err == nil {
			f.pins.Revoke(pin)
		}
	}
	for _, m := range changes.Written {
		f.admit(m)
	}
	for _, s := range f.take(changes, policies) {
		s.line.Goodbye(link.GoodbyeRevoked, 0, "the machine is disabled at the server")
	}
	return nil
}

func (f *Fleet) admit(m deploy.Machine) {
	pin, err := trust.ParsePin(m.Pin)
	if err == nil {
		err = f.pins.Add(pin, trust.Grant{Role: trust.RoleAgent, Subject: string(m.ID)})
	}
	if err != nil {
		f.log.Error("machine cannot be let in", "machine", m.ID, "err", err)
	}
}

// take notes what changed and returns the sessions of disabled machines.
func (f *Fleet) take(c store.MachineChanges, policies []deploy.MachinePolicy) (ends []*session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.policies = policies
	if c.IsAll {
		clear(f.known)
	}
	for _, id := range c.Deleted {
		delete(f.known, id)
	}
	for _, m := range c.Written {
		f.known[m.ID] = newMember(m)
	}
	for id, p := range f.machines {
		if m, ok := f.known[id]; !ok {
			p.change()
			delete(f.machines, id)
		} else if m.isDisabled {
			ends = append(ends, p.sessions...)
		}
	}
	return ends
}

// watchHealth asks machines on line for their reports, each at its own phase.
func (f *Fleet) watchHealth(ctx context.Context) {
	rng := f.Env.Rand("fleet.health")
	ticker := time.NewTicker(healthLook + time.Duration(rng.Int64N(int64(time.Second))))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if ids := f.stale(); len(ids) > 0 {
			f.Check(ctx, ids)
		}
		f.Refresh()
	}
}

// stale lists machines whose last report is older than their policy allows, and machines that went off
// line since.
func (f *Fleet) stale() (ids []deploy.MachineID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Env.Wall()
	schedules := map[deploy.MachinePolicyID]deploy.HealthSchedule{}
	for id, m := range f.known {
		online := f.machines[id] != nil && f.machines[id].newest() != nil
		schedule, isRead := schedules[m.policy]
		if !isRead {
			// One that cannot be read, after a change of the time zones for instance, leaves the interval.
			schedule, _ = deploy.NewHealthSchedule(deploy.PolicyOf(f.policies, deploy.Machine{Space: m.space, Policy: m.policy}))
			schedules[m.policy] = schedule
		}
		old := schedule.IsDue(now, deploy.Health{CheckedAt: m.checkedAt})
		lost := !online && m.health != deploy.HealthUnavailable && now.Sub(m.lastSeen) > 2*time.Minute
		found := online && m.health == deploy.HealthUnavailable
		if !m.isDisabled && (online && old || lost || found) {
			ids = append(ids, id)
		}
	}
	sortIDs(ids)
	return ids
}
