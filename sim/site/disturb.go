// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"net/netip"
	"time"

	"fairlead/netem"
	"fairlead/sim/plan"
)

const (
	// burstEvery is how often a burst of losses may begin.
	burstEvery = time.Second
	// bloatedQueue is the queue of a bloated link, in bytes.
	bloatedQueue = 1 << 30
	// swizzleStep lies between two machines that are clogged, or freed, at the most.
	swizzleStep = 5 * time.Second
)

// disturb harms the network and returns what heals it.
func (s *site) disturb(f plan.Fault) (undo func(), err error) {
	fault, err := s.networkFault(f)
	if err != nil {
		return nil, err
	}
	return s.world.Inject(fault), nil
}

func (s *site) networkFault(f plan.Fault) (netem.Fault, error) {
	edge, host := s.edges[f.On], s.hosts[f.On]
	up, down := f.Way == "up", f.Way == "down"
	worse := netem.Degrade{Edge: edge, Host: host, OnlyUp: up, OnlyDown: down}
	switch f.Kind {
	case "link.cut":
		return netem.Cut{Edge: edge, Host: host, OnlyUp: up, OnlyDown: down}, nil
	case "link.clog":
		return netem.Clog{Edge: edge, Host: host, OnlyUp: up, OnlyDown: down}, nil
	case "link.flap":
		return netem.Flap{Edge: edge, Host: host, Down: f.Delay.D(), Up: f.Jitter.D()}, nil
	case "link.latency":
		worse.Extra = netem.Dist{Least: f.Delay.D(), Spread: f.Jitter.D()}
		return worse, nil
	case "link.loss":
		worse.Loss = f.Loss
		return worse, nil
	case "link.burst":
		worse.Burst = netem.Burst{Every: burstEvery, Length: f.Jitter.D(), Share: f.Loss}
		return worse, nil
	case "link.rate":
		worse.Rate = int64(f.Rate)
		return worse, nil
	case "link.bloat":
		worse.Rate, worse.Queue = int64(f.Rate), bloatedQueue
		return worse, nil
	case "link.mtu":
		worse.MTU = f.MTU
		return worse, nil
	case "link.slice":
		worse.Slice = true
		return worse, nil
	case "host.freeze":
		return netem.Freeze{Host: host}, nil
	case "partition":
		from, to := s.group(f), s.serverHosts()
		if down {
			from, to = to, from
		}
		return netem.Partition{Name: f.On, A: from, B: to, OneWay: up || down}, nil
	case "swizzle-clog":
		hosts := s.group(f)
		step := min(swizzleStep, plan.SwizzleSpan/time.Duration(max(1, len(hosts)/2)))
		return netem.SwizzleClog{Hosts: hosts, Step: step}, nil
	}
	return s.boxFault(f)
}

// group are the machines that a fault on several is on.
func (s *site) group(f plan.Fault) (hosts []*netem.Host) {
	for _, name := range s.plan.Places(f) {
		if h := s.hosts[name]; h != nil {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func (s *site) serverHosts() (hosts []*netem.Host) {
	for _, v := range s.servers {
		hosts = append(hosts, v.m.Net())
	}
	return hosts
}

func (s *site) boxFault(f plan.Fault) (netem.Fault, error) {
	switch box := s.boxes[f.On].(type) {
	case *netem.NAT:
		return natFault(f, box)
	case *netem.Firewall:
		return firewallFault(f, box)
	case *netem.SecurityGroup:
		return groupFault(f, box)
	case *netem.Balancer:
		if fault, is := balancerFault(f, box); is {
			return fault, nil
		}
	}
	return nameFault(f)
}

func natFault(f plan.Fault, box *netem.NAT) (netem.Fault, error) {
	switch f.Kind {
	case "nat.flush":
		return netem.Flush{Box: box}, nil
	case "nat.rebind":
		public, err := netip.ParseAddr(f.Addr)
		if err != nil {
			return nil, fmt.Errorf("%s needs addr, the new outer address: %w", f.Kind, err)
		}
		return netem.NATRebind{NAT: box, Public: public}, nil
	case "nat.idle":
		return netem.NATIdle{NAT: box, Idle: f.Delay.D()}, nil
	case "nat.ports":
		return netem.NATPorts{NAT: box}, nil
	case "nat.reuse":
		return netem.NATReuse{NAT: box}, nil
	}
	return nil, noSuchFault(f)
}

func firewallFault(f plan.Fault, box *netem.Firewall) (netem.Fault, error) {
	switch f.Kind {
	case "firewall.flush":
		return netem.Flush{Box: box}, nil
	case "firewall.close", "firewall.refuse":
		refuse := []netem.Rule{
			{Direction: netem.Outward, Action: netem.Silence}, {Direction: netem.Inward, Action: netem.Silence},
		}
		return netem.FirewallRules{Firewall: box, Rules: refuse, Existing: f.Kind == "firewall.refuse"}, nil
	}
	return nil, noSuchFault(f)
}

func groupFault(f plan.Fault, box *netem.SecurityGroup) (netem.Fault, error) {
	switch f.Kind {
	case "firewall.flush":
		return netem.Flush{Box: box}, nil
	case "firewall.close", "firewall.refuse":
		return netem.GroupRules{
			Group: box, Ingress: []netem.Allow{}, Egress: []netem.Allow{}, Existing: f.Kind == "firewall.refuse",
		}, nil
	}
	return nil, noSuchFault(f)
}

func balancerFault(f plan.Fault, box *netem.Balancer) (fault netem.Fault, is bool) {
	first := box.Backends()[0]
	switch f.Kind {
	case "balancer.flush":
		return netem.Flush{Box: box}, true
	case "balancer.drain":
		return netem.BalancerDrain{Balancer: box, Backend: first}, true
	case "balancer.idle":
		return netem.BalancerIdle{Balancer: box, Idle: f.Delay.D()}, true
	case "balancer.flap":
		return netem.BackendDown{Balancer: box, Backend: first, Every: f.Delay.D()}, true
	}
	return nil, false
}

func nameFault(f plan.Fault) (netem.Fault, error) {
	switch f.Kind {
	case "dns.unknown":
		return netem.NameUnknown{Name: f.On}, nil
	case "dns.broken":
		return netem.NameBroken{Name: f.On}, nil
	case "dns.slow":
		return netem.NameSlow{Name: f.On, Delay: f.Delay.D()}, nil
	case "dns.silent":
		return netem.NameSlow{Name: f.On}, nil // as slow as the resolver has patience
	case "dns.stale":
		return netem.NameStale{Name: f.On}, nil
	case "dns.dead":
		dead, err := netip.ParseAddr(f.Addr)
		if err != nil {
			return nil, fmt.Errorf("%s needs addr, where nobody is: %w", f.Kind, err)
		}
		return netem.NameDead{Name: f.On, Addrs: []netip.Addr{dead}}, nil
	}
	return nil, noSuchFault(f)
}

func noSuchFault(f plan.Fault) error { return fmt.Errorf("there is no fault %s of that box", f.Kind) }
