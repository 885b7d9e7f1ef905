// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Sort is what a fault can be on.
type Sort string

// The sorts of places.
const (
	OnEdge     Sort = "edge" // an edge, or a machine's access
	OnNAT      Sort = "nat"  // a box of that kind
	OnFirewall Sort = "firewall"
	OnBalancer Sort = "balancer"
	OnName     Sort = "name"    // a name in DNS: a server, a box or a program
	OnServer   Sort = "server"  // the machine and its program
	OnMachine  Sort = "machine" // of an agent
	OnDaemon   Sort = "daemon"  // a machine with a server or an agent
	OnHost     Sort = "host"    // any machine
	OnClient   Sort = "client"  // any machine without a server
)

// FaultKind says what a kind of fault is.
type FaultKind struct {
	On Sort
	// Crash faults end a program or a machine; the program is started again when they heal.
	Crash bool
	// Needs are the keys, with spaces between, without which a fault of the kind would do nothing.
	Needs string
	// Takes are the keys that it may have beside those.
	Takes string
	About string
}

var faultKinds = map[string]FaultKind{
	"link.cut":     {On: OnEdge, Takes: "way", About: "no packet passes; way = up or down cuts one direction"},
	"link.latency": {On: OnEdge, Takes: "delay jitter way", About: "delay comes on top, and jitter"},
	"link.loss":    {On: OnEdge, Needs: "loss", Takes: "way", About: "the share of packets in loss vanishes"},
	"link.burst": {
		On: OnEdge, Needs: "loss jitter", Takes: "way",
		About: "each second, with chance loss, all is lost for jitter",
	},
	"link.rate": {On: OnEdge, Needs: "rate", Takes: "way", About: "rate caps the bits per second"},
	"link.bloat": {
		On: OnEdge, Needs: "rate", Takes: "way",
		About: "rate caps the bits per second before a queue without end",
	},
	"link.mtu":     {On: OnEdge, Needs: "mtu", Takes: "way", About: "packets above mtu bytes vanish without a word"},
	"link.slice":   {On: OnEdge, Takes: "way", About: "bytes arrive one by one"},
	"link.flap":    {On: OnEdge, Needs: "delay jitter", About: "cut for delay, whole for jitter, in turn"},
	"link.clog":    {On: OnEdge, Takes: "way", About: "nothing passes now, and all of it when the fault heals"},
	"swizzle-clog": {On: OnClient, About: "half of the machines are clogged one by one, and freed in another order"},
	"partition": {
		On: OnClient, Takes: "way",
		About: "these machines and the servers do not reach each other; way = up or down",
	},

	"nat.flush":       {On: OnNAT, About: "forgets all connections, as a reboot does"},
	"nat.rebind":      {On: OnNAT, Needs: "addr", About: "gets the outer address addr and forgets all connections"},
	"nat.idle":        {On: OnNAT, Needs: "delay", About: "remembers quiet connections for delay alone"},
	"nat.ports":       {On: OnNAT, About: "has no free ports for new connections"},
	"nat.reuse":       {On: OnNAT, About: "gives ports that others had away again, after a reboot"},
	"firewall.flush":  {On: OnFirewall, About: "forgets all connections"},
	"firewall.close":  {On: OnFirewall, About: "lets no new connection through; those that exist go on"},
	"firewall.refuse": {On: OnFirewall, About: "lets nothing through, existing connections either"},
	"balancer.flush":  {On: OnBalancer, About: "forgets all connections"},
	"balancer.drain":  {On: OnBalancer, About: "sends no new connection to the first backend"},
	"balancer.idle":   {On: OnBalancer, Needs: "delay", About: "remembers quiet connections for delay alone"},
	"balancer.flap":   {On: OnBalancer, Needs: "delay", About: "takes the first backend for dead, then alive, each delay"},

	"dns.unknown": {On: OnName, About: "the name is not known"},
	"dns.broken":  {On: OnName, About: "the name server fails"},
	"dns.slow":    {On: OnName, Needs: "delay", About: "the answer takes delay"},
	"dns.silent":  {On: OnName, About: "no answer comes"},
	"dns.stale":   {On: OnName, About: "the answer stays what it is now, whatever changes"},
	"dns.dead":    {On: OnName, Needs: "addr", About: "the answer begins with addr, where nobody is"},

	"server.crash": {
		On: OnServer, Crash: true, Takes: "point nth",
		About: "the program is killed; with point, when it passes that place",
	},
	"agent.crash": {
		On: OnMachine, Crash: true, Takes: "point nth",
		About: "the agent is killed and its scripts go on; with point as above",
	},
	"shim.crash": {
		On: OnMachine, Crash: true, Takes: "point nth",
		About: "a shim is killed; with point, when it passes that place",
	},
	"host.power": {
		On: OnDaemon, Crash: true, Takes: "point nth",
		About: "the power goes: what was not synced may be lost; with point as above",
	},
	"host.rollback": {
		On: OnMachine, Crash: true, About: "a snapshot is taken, and the machine goes back to it when the fault heals",
	},
	Clone: {
		On: OnMachine, About: "its disk is copied to a second machine, NAME-copy, which runs until the fault heals",
	},
	"host.freeze": {On: OnHost, About: "a hypervisor pauses the machine's network"},
	"host.clock":  {On: OnDaemon, Needs: "by", About: "the wall clock goes wrong by this much"},
	"disk.sync":   {On: OnDaemon, About: "the next sync of the disk fails, and all after it"},
}

// kind describes the fault's kind. ok is false when there is none by that name.
func (f Fault) kind() (k FaultKind, ok bool) {
	k, ok = faultKinds[f.Kind]
	return k, ok
}

const (
	// CrashFor is how long a program stays away that was killed, unless its fault says otherwise.
	CrashFor = 5 * time.Second
	// RebootFor is how long a machine is away that a script restarts.
	RebootFor = 40 * time.Second
	// LookEvery is how often people look at a task that they began.
	LookEvery = 5 * time.Second
	// JoinEvery is how long whoever makes an agent join waits before the next try.
	JoinEvery = 20 * time.Second
	// SwizzleSpan is how long it takes at the most until the last machine of a swizzle-clog is freed.
	SwizzleSpan = 30 * time.Second
)

// Clone is the kind of fault that makes a copy of a machine.
const Clone = "host.clone"

// CopyOf names the copy of a machine.
func CopyOf(machine string) string { return machine + "-copy" }

// Copies lists the machines that are copied, in the order of the faults.
func (p Plan) Copies() (names []string) {
	for _, f := range p.Faults {
		if f.Kind != Clone {
			continue
		}
		for _, name := range p.Places(f) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// check looks at what a fault of a kind says of itself.
func (f Fault) check(q *problems, where string, k FaultKind) {
	has := map[string]bool{
		"delay": f.Delay > 0, "jitter": f.Jitter > 0, "loss": f.Loss > 0, "rate": f.Rate > 0, "mtu": f.MTU > 0,
		"addr": f.Addr != "", "by": f.By != 0,
	}
	for _, key := range strings.Fields(k.Needs) {
		if !has[key] {
			q.add("%s: %s needs %s", where, f.Kind, key)
		}
	}
	q.useless(where, f, f.Kind, k.Needs+" "+k.Takes)
	if f.Nth > 0 && f.Point == "" {
		q.add("%s: nth counts the passes of a point, and there is none", where)
	}
	q.fromZero(where, map[string]int64{
		"at": int64(f.At), "for": int64(f.For), "delay": int64(f.Delay), "jitter": int64(f.Jitter), "mtu": int64(f.MTU),
		"nth": int64(f.Nth),
	})
	if f.Loss < 0 || f.Loss > 1 {
		q.add("%s: loss %v: want 0 to 1", where, f.Loss)
	}
}

// until is when a fault heals, by itself or with all others.
func (p Plan) until(f Fault) Duration {
	k, _ := f.kind()
	switch {
	case f.For > 0:
		return f.At + f.For
	case k.Crash:
		return f.At + Duration(CrashFor)
	}
	return p.Safety
}

// Clash reports whether two faults of a kind, or two that change the same rules, are in one place at one
// time: the end of the first would heal the second. Crashes at a point come when the point does, and
// nothing heals what was forgotten.
func (p Plan) Clash(a, b Fault) bool {
	family := func(f Fault) string {
		if f.Kind == "firewall.refuse" {
			return "firewall.close"
		}
		return f.Kind
	}
	passing := strings.HasSuffix(a.Kind, ".flush") || a.Point != "" || b.Point != ""
	if passing || family(a) != family(b) || p.until(a) < b.At || p.until(b) < a.At {
		return false
	}
	places := p.Places(a)
	return slices.ContainsFunc(p.Places(b), func(place string) bool { return slices.Contains(places, place) })
}

// Kinds returns the kinds of faults by name.
func Kinds() map[string]FaultKind { return maps.Clone(faultKinds) }

// KindNames lists the kinds of faults, sorted.
func KindNames() []string { return slices.Sorted(maps.Keys(faultKinds)) }
