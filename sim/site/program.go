// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/netem/box"
	"fairlead/sim/plan"
)

// authorityName is who signs the certificates of boxes that end TLS.
const authorityName = "Example Company CA"

// program is a box that ends connections, on a machine of its own.
type program struct {
	spec plan.Program
	host *netem.Host
}

// defaultPort is where a kind of program listens.
func defaultPort(kind string) int {
	switch kind {
	case plan.ConnectProxy:
		return 3128
	case plan.SOCKS5:
		return 1080
	case plan.HTTPBalancer, plan.TLSInspector, plan.CaptivePortal:
		return 443
	}
	return plan.LinkPort
}

func (s *site) addPrograms() error {
	for _, spec := range s.plan.Programs {
		h, err := s.host(spec.Name, spec.On, spec.Addr, plan.Wire{})
		if err != nil {
			return err
		}
		if spec.Listen == 0 {
			spec.Listen = defaultPort(spec.Kind)
		}
		s.programs = append(s.programs, program{spec, h})
	}
	return nil
}

// intercepts are boxes that lead connections over an edge to a program.
func (s *site) intercepts(edge string) (boxes []netem.Box) {
	for _, p := range s.programs {
		if p.spec.Takes != edge {
			continue
		}
		boxes = append(boxes, netem.NewIntercept(netem.InterceptSpec{
			To: netip.AddrPortFrom(p.host.Addr(), uint16(p.spec.Listen)), Ports: ports(p.spec.Ports),
		}))
	}
	return boxes
}

// startPrograms runs the programs, and the health checks of balancers.
func (s *site) startPrograms() error {
	authority, err := box.NewAuthority(authorityName, s.plan.Seed, epoch())
	if err != nil {
		return errkind.Internal.Errorf("make an authority: %w", err)
	}
	for _, p := range s.programs {
		behaviour, err := makeProgram(p.spec, authority)
		if err != nil {
			return err
		}
		running, err := box.Run(s.ctx, p.host, fmt.Sprintf(":%d", p.spec.Listen), behaviour)
		if err != nil {
			return errkind.Internal.Errorf("program %s: %w", p.spec.Name, err)
		}
		s.running = append(s.running, running.Close)
	}
	for _, b := range s.plan.Boxes {
		if b.Check > 0 {
			if err := s.probe(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// probe lets a balancer look after its backends.
func (s *site) probe(b plan.Box) error {
	on := ""
	port := plan.LinkPort
	for _, v := range s.plan.Servers {
		if slices.Contains(b.Backends, v.Name) {
			on, port = v.On, v.Link
		}
	}
	for _, g := range s.plan.Programs {
		if slices.Contains(b.Backends, g.Name) {
			on, port = g.On, g.Listen
		}
	}
	// The prober stands where its address belongs, which may be another segment than the backends'.
	from := netip.MustParseAddr(b.CheckFrom)
	for _, n := range s.plan.Nets {
		prefix := netip.MustParsePrefix(n.Prefix)
		if prefix.Contains(from) && !s.narrower(prefix, from) {
			on = n.Name
		}
	}
	h, err := s.host(b.Name+"-prober", on, b.CheckFrom, plan.Wire{})
	if err != nil {
		return err
	}
	known, _ := netem.FindPreset(b.Preset)
	check := known.Check
	check.Every = b.Check.D()
	orInt(&check.Up, b.Up)
	orInt(&check.Down, b.Down)
	balancer, is := s.boxes[b.Name].(*netem.Balancer)
	if !is {
		return errkind.Invalid.Errorf("box %s: health checks are for balancers, and this is a %s", b.Name, b.Kind)
	}
	probing := box.Prober{World: s.world, Balancer: balancer, Port: uint16(port), Check: check}.Start(s.ctx, h)
	s.running = append(s.running, probing.Close)
	return nil
}

// narrower reports whether a smaller segment than this one has the address.
func (s *site) narrower(than netip.Prefix, at netip.Addr) bool {
	for _, n := range s.plan.Nets {
		prefix := netip.MustParsePrefix(n.Prefix)
		if prefix.Bits() > than.Bits() && prefix.Contains(at) {
			return true
		}
	}
	return false
}

func orDuration(value *time.Duration, asked plan.Duration) {
	if asked > 0 {
		*value = asked.D()
	}
}

func ports(list []int) (out []uint16) {
	for _, port := range list {
		out = append(out, uint16(port))
	}
	return out
}

func orInt(value *int, asked int) {
	if asked > 0 {
		*value = asked
	}
}

// stopPrograms ends what startPrograms began.
func (s *site) stopPrograms() {
	for _, stop := range slices.Backward(s.running) {
		if err := stop(); err != nil {
			s.fail("end a box: %v", err)
		}
	}
	s.running = nil
}

// makeProgram makes what a plan describes.
func makeProgram(spec plan.Program, authority *box.Authority) (box.Program, error) {
	p, known := box.FromPreset(spec.Preset, box.Setup{To: spec.To, Authority: authority, Name: spec.Name})
	if !known {
		p = bare(spec, authority)
	}
	switch p := p.(type) {
	case *box.ConnectProxy:
		p.User, p.Password, p.Allow = spec.User, spec.Password, ports(spec.Allow)
		orDuration(&p.Idle, spec.Idle)
	case *box.SOCKS5:
		p.User, p.Password, p.Allow = spec.User, spec.Password, ports(spec.Allow)
		orDuration(&p.Idle, spec.Idle)
	case *box.TCPProxy:
		p.SendProxy = spec.SendProxy
		orDuration(&p.Idle, spec.Idle)
	case *box.TLSListener:
		p.SendProxy = spec.SendProxy
		orDuration(&p.Idle, spec.Idle)
	case *box.HTTPBalancer:
		orDuration(&p.Idle, spec.Idle)
	case *box.TLSInspector:
		orDuration(&p.Idle, spec.Idle)
	case *box.CaptivePortal:
	default:
		return nil, errkind.Invalid.Errorf("program %s: a %s cannot be built", spec.Name, spec.Kind)
	}
	return p, nil
}

// bare is a program without a preset.
func bare(spec plan.Program, authority *box.Authority) box.Program {
	switch spec.Kind {
	case plan.ConnectProxy:
		return &box.ConnectProxy{}
	case plan.SOCKS5:
		return &box.SOCKS5{}
	case plan.TCPProxy:
		return &box.TCPProxy{To: spec.To}
	case plan.HTTPBalancer:
		return &box.HTTPBalancer{Authority: authority, Name: spec.Name, To: spec.To}
	case plan.TLSListener:
		return &box.TLSListener{Authority: authority, Name: spec.Name, To: spec.To, Expiry: netem.EndsBoth}
	case plan.TLSInspector:
		return &box.TLSInspector{Authority: authority}
	case plan.CaptivePortal:
		return &box.CaptivePortal{
			Page: "http://" + spec.Name + ".example/login", Authority: authority, Name: spec.Name + ".example",
		}
	}
	return nil
}
