// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"fairlead/netem"
)

// The bounds of a plan.
const (
	MaxAgents    = 10_000
	MaxMachines  = 20 // servers and programs
	maxVirtual   = 90 * 24 * time.Hour
	maxLines     = 100_000
	maxPackageKB = 64 << 10
	maxRetries   = 3   // as a step may have
	maxReleases  = 100 // that a redeployment goes back, or retention keeps
	maxOps       = 10_000
	maxFaults    = 1_000
)

const (
	defaultSafety  = Duration(10 * time.Minute)
	defaultSettle  = Duration(5 * time.Minute)
	defaultLatency = Duration(10 * time.Millisecond)
	defaultLines   = 2
	defaultLasts   = Duration(5 * time.Second)
	defaultKB      = 64
)

// LinkPort is where servers listen for agents unless told otherwise.
const LinkPort = 10943

// fill puts defaults in the place of what was left out.
func (p *Plan) fill() {
	orDuration(&p.Safety, defaultSafety)
	orDuration(&p.Settle, defaultSettle)
	if len(p.Nets) == 0 {
		p.Nets = []Net{{Name: "internet"}}
	}
	if p.Nets[0].Prefix == "" {
		p.Nets[0].Prefix = "0.0.0.0/0"
	}
	for i := range p.Edges {
		orDuration(&p.Edges[i].Latency, defaultLatency)
	}
	for i := range p.Boxes {
		orText(&p.Boxes[i].Kind, presetKind(p.Boxes[i].Preset))
	}
	for i := range p.Programs {
		orText(&p.Programs[i].Kind, presetKind(p.Programs[i].Preset))
	}
	for i := range p.Servers {
		orText(&p.Servers[i].On, p.Nets[0].Name)
		if p.Servers[i].Link == 0 {
			p.Servers[i].Link = LinkPort
		}
	}
	for i := range p.Programs {
		orText(&p.Programs[i].On, p.Nets[0].Name)
	}
	for i := range p.Agents {
		a := &p.Agents[i]
		orText(&a.On, p.Nets[0].Name)
		if a.Count == 0 {
			a.Count = 1
		}
		if a.Target == "" && len(p.Servers) > 0 {
			a.Target = fmt.Sprintf("%s:%d", p.Servers[0].Name, p.Servers[0].Link)
		}
	}
	for i := range p.Ops {
		p.Ops[i].fill()
	}
	orText(&p.Expect.Online, "all")
}

// presetKind is the kind of box that a preset describes, "" for none.
func presetKind(name string) string {
	p, _ := netem.FindPreset(name)
	return string(p.Kind)
}

func (o *Op) fill() {
	if o.Do == DoScript {
		orDuration(&o.Lasts, defaultLasts)
		if o.Lines == 0 {
			o.Lines = defaultLines
		}
	}
	switch {
	case o.Do == DoDeploy && o.KB == 0:
		o.KB = defaultKB
	case o.Do == DoRedeploy && o.Back == 0:
		o.Back = 1
	case o.Do == DoRetention && o.Keep == 0:
		o.Keep = 1
	}
}

func orDuration(d *Duration, or Duration) {
	if *d == 0 {
		*d = or
	}
}

func orText(s *string, or string) {
	if *s == "" {
		*s = or
	}
}

// Machines counts the agents.
func (p Plan) Machines() (n int) {
	for _, a := range p.Agents {
		n += a.Count
	}
	return n
}

// Check reports everything that is wrong with a plan in one error. Errors: ProblemsError, which is Invalid.
func (p Plan) Check() error {
	q := &problems{names: map[string]string{}}
	p.check(q)
	return q.err()
}

func (p Plan) check(q *problems) {
	if p.Name == "" {
		q.add("name: a plan needs one")
	}
	for _, d := range []struct {
		key string
		d   Duration
	}{{"safety", p.Safety}, {"settle", p.Settle}} {
		if d.d < 0 || d.d.D() > maxVirtual {
			q.add("%s: %s: want 0s to %s", d.key, d.d, Duration(maxVirtual))
		}
	}
	p.checkSite(q)
	p.checkMachines(q)
	p.checkStory(q)
}

// segments and the rest list names.
func (p Plan) segments() (names []string) {
	for _, n := range p.Nets {
		names = append(names, n.Name)
	}
	return names
}

func (p Plan) edges() (names []string) {
	for _, e := range p.Edges {
		names = append(names, e.Name())
	}
	return names
}

func (p Plan) boxes() (names []string) {
	for _, b := range p.Boxes {
		names = append(names, b.Name)
	}
	return names
}

// ends lists what a balancer can lead to.
func (p Plan) ends() (names []string) {
	for _, s := range p.Servers {
		names = append(names, s.Name)
	}
	for _, g := range p.Programs {
		names = append(names, g.Name)
	}
	return names
}

// hosts lists the names that the site's name server knows.
func (p Plan) hosts() (names []string) {
	names = p.ends()
	for _, b := range p.Boxes {
		if b.Kind == Balancer {
			names = append(names, b.Name)
		}
	}
	for _, a := range p.Agents {
		for i := range min(a.Count, MaxAgents) {
			names = append(names, fmt.Sprintf("%s-%d", a.Name, i+1))
		}
	}
	return names
}

func (p Plan) checkSite(q *problems) {
	for i, n := range p.Nets {
		q.look("net", i)
		q.name("net", n.Name)
		if prefix, err := netip.ParsePrefix(n.Prefix); err != nil || !prefix.Addr().Is4() {
			q.add("net %s: prefix %q: want one of IPv4, as 192.168.7.0/24", n.Name, n.Prefix)
		}
	}
	used, ways := map[string]string{}, map[string]bool{}
	for i, e := range p.Edges {
		q.look("edge", i)
		where := fmt.Sprintf("edge %d", i+1)
		switch {
		case e.From == e.To:
			q.add("%s leads from %q to itself", where, e.From)
		case ways[e.Name()]:
			q.add("%s: there is an edge from %q to %q already", where, e.From, e.To)
		}
		ways[e.Name()] = true
		q.refer(where+" from", e.From, p.segments(), ofNets)
		q.refer(where+" to", e.To, p.segments(), ofNets)
		e.Wire.check(q, where)
		for _, b := range e.Boxes {
			q.refer(where+" boxes", b, p.boxes(), ofBoxes)
			if used[b] != "" {
				q.add("box %s stands on two edges: %s and %s", b, used[b], e.Name())
			}
			used[b] = e.Name()
		}
	}
	for i, b := range p.Boxes {
		q.look("box", i)
		q.name("box", b.Name)
		b.check(q, used[b.Name] != "")
		for _, name := range b.Backends {
			q.refer("box "+b.Name+" backends", name, p.ends(), ofEnds)
		}
	}
}

func (w Wire) check(q *problems, where string) {
	if w.Loss < 0 || w.Loss >= 1 {
		q.add("%s: loss %v: want 0 up to but without 1", where, w.Loss)
	}
	if w.Latency < 0 || w.Jitter < 0 || w.MTU < 0 {
		q.add("%s: latency, jitter and mtu cannot be below 0", where)
	}
}

func (b Box) check(q *problems, placed bool) {
	where := "box " + b.Name
	q.kind(where, b.Kind, b.Preset, NAT, Firewall, SecurityGroup, Balancer)
	q.preset(where, b.Preset, b.Kind)
	q.useless(where, b, b.Kind, "")
	q.word(where+" expired", b.Expired, "silence", "reset", "pass")
	q.word(where+" refuse", b.Refuse, "silence", "reset", "unreachable")
	q.address(where+" public", b.Public)
	q.address(where+" check_from", b.CheckFrom)
	switch {
	case b.Kind == NAT && b.Public == "":
		q.add("%s: a nat needs the public address it shares", where)
	case b.Kind == Balancer && (b.Public == "" || len(b.Backends) == 0):
		q.add("%s: a balancer needs its public address and backends", where)
	case b.Check == 0 && (b.CheckFrom != "" || b.Up > 0 || b.Down > 0):
		q.add("%s: check_from, up and down are for balancers that check: want check, as 10s", where)
	case b.Check > 0 && b.CheckFrom == "":
		q.add("%s: check needs check_from, an address in the backends' segment", where)
	}
	if !placed {
		q.add("%s stands on no edge: name it in the boxes of one", where)
	}
	if b.Ports != "" {
		if _, _, err := ParsePorts(b.Ports); err != nil {
			q.add("%s: %v", where, err)
		}
	}
	q.fromZero(where, map[string]int64{
		"idle": int64(b.Idle), "check": int64(b.Check), "up": int64(b.Up), "down": int64(b.Down), "states": int64(b.States),
	})
	for _, rule := range append(slices.Clone(b.Out), b.In...) {
		if _, err := ParseRule(rule); err != nil {
			q.add("%s: %v", where, err)
		}
	}
}

func (p Plan) checkMachines(q *problems) {
	if len(p.Servers) == 0 && !q.lost("server") {
		q.add("server: a site needs at least one")
	}
	if n := len(p.Servers) + len(p.Programs); n > MaxMachines {
		q.add("%d servers and programs: want at most %d", n, MaxMachines)
	}
	if n := p.Machines(); n > MaxAgents {
		q.add("%d agents: want at most %d", n, MaxAgents)
	}
	for i, s := range p.Servers {
		q.look("server", i)
		q.name("server", s.Name)
		q.refer("server "+s.Name+" on", s.On, p.segments(), ofNets)
		q.address("server "+s.Name+" addr", s.Addr)
		q.port("server "+s.Name+" link", s.Link)
		s.Wire.check(q, "server "+s.Name)
	}
	for i, g := range p.Programs {
		q.look("program", i)
		where := "program " + g.Name
		q.name("program", g.Name)
		q.refer(where+" on", g.On, p.segments(), ofNets)
		q.address(where+" addr", g.Addr)
		q.port(where+" listen", g.Listen)
		for _, to := range g.To {
			q.endpoint(where+" to", to, p.hosts())
		}
		q.kind(where, g.Kind, g.Preset,
			ConnectProxy, SOCKS5, TCPProxy, HTTPBalancer, TLSListener, TLSInspector, CaptivePortal)
		q.preset(where, g.Preset, g.Kind)
		q.useless(where, g, g.Kind, "")
		if g.Takes != "" {
			q.refer(where+" takes", g.Takes, p.edges(), ofEdges)
		}
	}
	for n, a := range p.Agents {
		q.look("agents", n)
		q.name("agents", a.Name)
		for i := range min(a.Count, MaxAgents) {
			if name := fmt.Sprintf("%s-%d", a.Name, i+1); q.names[name] != "" {
				q.add("agents name %q: its %s would have the name of a %s", a.Name, name, q.names[name])
			}
		}
		q.refer("agents "+a.Name+" on", a.On, p.segments(), ofNets)
		if a.Target != "" {
			q.endpoint("agents "+a.Name+" target", a.Target, p.hosts())
		}
		if via, err := url.Parse(a.Proxy); err != nil || a.Proxy != "" && via.Host == "" {
			q.add("agents %s proxy: %q: want http://HOST:PORT or socks5://HOST:PORT", a.Name, a.Proxy)
		} else if a.Proxy != "" {
			q.endpoint("agents "+a.Name+" proxy", via.Host, p.hosts())
		}
		a.Wire.check(q, "agents "+a.Name)
		if a.Count < 0 {
			q.add("agents %s: count %d", a.Name, a.Count)
		}
	}
	q.look("", 0)
	for _, b := range p.Boxes {
		if other := q.names[prober(b.Name)]; b.Check > 0 && other != "" {
			q.add("%s name %q: what checks the backends of %s has it already", other, prober(b.Name), b.Name)
		}
	}
	p.checkAddresses(q)
}

// prober is the name of the machine that checks a balancer's backends.
func prober(box string) string { return box + "-prober" }

// checkAddresses sees to it that machines with addresses of their own stand where those belong.
func (p Plan) checkAddresses(q *problems) {
	whose, prefixes := map[string]string{}, map[string]netip.Prefix{}
	for _, n := range p.Nets {
		prefixes[n.Name], _ = netip.ParsePrefix(n.Prefix) // one that is none was told of
	}
	for _, b := range p.Boxes {
		whose[b.Public] = "box " + b.Name
	}
	stand := func(who, on, text string) {
		at, err := netip.ParseAddr(text)
		switch prefix := prefixes[on]; {
		case err != nil || !prefix.IsValid():
		case !prefix.Contains(at):
			q.add("%s addr: %s does not lie in %s, which is %s", who, text, on, prefix)
		case whose[text] != "":
			q.add("%s addr: %s has %s already", who, whose[text], text)
		default:
			whose[text] = who
		}
	}
	for _, s := range p.Servers {
		stand("server "+s.Name, s.On, s.Addr)
	}
	for _, g := range p.Programs {
		stand("program "+g.Name, g.On, g.Addr)
	}
}

// places lists what a fault of a sort can be on.
func (p Plan) places(on Sort) (names []string) {
	add := func(yes bool, name string) {
		if yes {
			names = append(names, name)
		}
	}
	for _, e := range p.Edges {
		add(on == OnEdge, e.Name())
	}
	for _, b := range p.Boxes {
		add(on == OnNAT && b.Kind == NAT || on == OnBalancer && b.Kind == Balancer ||
			on == OnFirewall && (b.Kind == Firewall || b.Kind == SecurityGroup) || on == OnName && b.Kind == Balancer, b.Name)
	}
	for _, s := range p.Servers {
		add(on == OnServer || on == OnDaemon || on == OnHost || on == OnEdge || on == OnName, s.Name)
	}
	for _, g := range p.Programs {
		add(on == OnHost || on == OnClient || on == OnEdge || on == OnName, g.Name)
	}
	for _, a := range p.Agents {
		onAgents := on == OnMachine || on == OnDaemon || on == OnHost || on == OnClient || on == OnEdge
		add(onAgents, a.Name)
		for i := range a.Count {
			add(onAgents, fmt.Sprintf("%s-%d", a.Name, i+1))
		}
	}
	return names
}

func (p Plan) checkStory(q *problems) {
	if len(p.Ops) > maxOps || len(p.Faults) > maxFaults {
		q.add("%d ops and %d faults: want at most %d and %d", len(p.Ops), len(p.Faults), maxOps, maxFaults)
	}
	for i, o := range p.Ops {
		q.look("op", i)
		where := fmt.Sprintf("op %d", i+1)
		q.need(where+" do", o.Do, doings...)
		q.fromZero(where, map[string]int64{
			"at": int64(o.At), "every": int64(o.Every), "until": int64(o.Until), "lasts": int64(o.Lasts),
			"lines": int64(o.Lines), "any": int64(o.Any), "kb": int64(o.KB), "gives": int64(o.Gives), "exit": int64(o.Exit),
			"retries": int64(o.Retries), "back": int64(o.Back), "keep": int64(o.Keep),
		})
		if o.Do == DoFailover && len(p.Servers) < 2 {
			q.add("%s: failover needs a second server", where)
		}
		if o.Lines > maxLines || o.KB > maxPackageKB || o.Gives > maxPackageKB {
			q.add("%s: want at most %d lines and %d KB", where, maxLines, maxPackageKB)
		}
		if o.At >= p.Safety {
			q.add("%s: it comes at %s, and the safety phase ends at %s", where, o.At, p.Safety)
		}
		if o.On != "" {
			q.refer(where+" on", o.On, p.places(OnMachine), ofAll)
		}
		if o.Do == DoBrowse && o.URL == "" {
			q.add("%s: browse needs a url, as https://portal/api", where)
		}
		o.checkScript(q, where)
	}
	for i, f := range p.Faults {
		q.look("fault", i)
		where := fmt.Sprintf("fault %d", i+1)
		k, ok := f.kind()
		if !ok {
			q.need(where+" kind", f.Kind, KindNames()...)
			continue
		}
		f.check(q, where, k)
		if f.At >= p.Safety {
			q.add("%s: it comes at %s, and the safety phase, at whose end all faults heal, ends at %s", where, f.At, p.Safety)
		}
		known := p.places(k.On)
		switch {
		case len(known) == 0 && q.lost(ofAll...):
		case len(known) == 0:
			q.add("%s: %s needs a %s, and the site has none", where, f.Kind, k.On)
		case f.On != "" && f.On != "all":
			q.refer(where+" on", f.On, known, ofAll)
		}
		for j, other := range p.Faults[:i] {
			if p.Clash(other, f) {
				q.add("%s: fault %d of that kind lasts until %s in the same place", where, j+1, p.until(other))
			}
		}
		q.word(where+" way", f.Way, "up", "down")
		q.address(where+" addr", f.Addr)
	}
	q.look("", 0)
	for _, name := range p.Copies() {
		if other := q.names[CopyOf(name)]; other != "" {
			q.add("%s name %q: the copy of %s has it already", other, CopyOf(name), name)
		}
	}
	q.look("expect", 0)
	q.word("expect online", p.Expect.Online, "all", "none", "any")
	for _, bound := range slices.Sorted(maps.Keys(p.Expect.Within)) {
		q.word("expect within", bound, "L1", "L2", "L3", "L5", "L6", "L7")
	}
}

// doings are the things that people do.
var doings = []string{
	DoScript, DoCancel, DoDeploy, DoRedeploy, DoHealth, DoRestart, DoFailover, DoRemove, DoAnswer, DoRetention, DoBrowse,
}

// checkScript looks at what an op says of its scripts.
func (o Op) checkScript(q *problems, where string) {
	q.useless(where, o, o.Do, "")
	q.word(where+" choice", o.Choice, "Proceed", "Abort")
	q.word(where+" guidance", o.Guidance, "Fail", "Retry", "Ignore", "Exclude")
	switch {
	case o.Retries > 0 && !o.Stumbles:
		q.add("%s: retries are for a deployment that stumbles", where)
	case o.Retries > maxRetries || o.Back > maxReleases || o.Keep > maxReleases:
		q.add("%s: want at most %d retries, and at most %d releases to go back or to keep", where, maxRetries, maxReleases)
	}
	if o.Do == DoScript {
		q.minutes(where+": limit", o.Limit)
		q.minutes(where+": gives_up", o.GivesUp)
	}
}

func (q *problems) minutes(what string, d Duration) {
	if d < 0 || d.D()%time.Minute != 0 || d.D() > maxVirtual {
		q.add("%s %s: want whole minutes, as 2m", what, d)
	}
}

// Places resolves what a fault is on to the names of edges, boxes or machines: one, or several for
// "all" and a group of agents.
func (p Plan) Places(f Fault) (names []string) {
	k, _ := f.kind()
	known := p.places(k.On)
	groups := map[string]int{}
	for _, a := range p.Agents {
		groups[a.Name] = a.Count
	}
	expand := func(name string) []string {
		count, group := groups[name]
		if !group {
			return []string{name}
		}
		var all []string
		for i := range count {
			all = append(all, fmt.Sprintf("%s-%d", name, i+1))
		}
		return all
	}
	switch {
	case len(known) == 0:
		return nil
	case f.On == "all":
		for _, name := range known {
			if _, group := groups[name]; !group {
				names = append(names, name)
			}
		}
		return names
	case f.On == "" && slices.Contains([]Sort{OnMachine, OnDaemon, OnHost, OnClient}, k.On) && len(p.Agents) > 0:
		return expand(p.Agents[0].Name)[:1]
	case f.On == "":
		return expand(known[0])
	}
	return expand(f.On)
}
