// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"strconv"
	"time"

	"fairlead/sim/plan"
)

const (
	internet = "internet"
	vpc      = "vpc"
	server   = "srv-1"
	second   = "srv-2"
	// Addresses for documentation (RFC 5737), which nothing else here has.
	balancerAddr = "203.0.113.80"
	natAddr      = "203.0.113." // and a number
	vpcPrefix    = "10.0.0.0/16"
	proberAddr   = "10.0.0.5"
)

// addServers stands one server on the internet, or one or two of them behind something. It returns where
// agents call.
func addServers(p *plan.Plan, d dice, plain bool) (target string) {
	p.Nets = []plan.Net{{Name: internet, Prefix: "0.0.0.0/0"}}
	p.Servers = []plan.Server{{Name: server, On: internet}}
	if plain || d.one(3) {
		return ""
	}
	p.Nets = append(p.Nets, plan.Net{Name: vpc, Prefix: vpcPrefix})
	p.Servers[0].On = vpc
	edge := plan.Edge{From: vpc, To: internet, Wire: plan.Wire{Latency: d.millis(1, 10)}}
	switch d.IntN(3) {
	case 0:
		balancer := plan.Box{
			Name: "nlb", Kind: plan.Balancer, Public: balancerAddr, Backends: []string{server},
			Preset: pick(d, "aws-nlb-passthrough", "azure-lb", "azure-lb-reset"),
		}
		if d.one(2) {
			p.Servers = append(p.Servers, plan.Server{Name: second, On: vpc})
			balancer.Backends = append(balancer.Backends, second)
			balancer.Check, balancer.CheckFrom = pick(d, plan.Duration(5*time.Second), plan.Duration(10*time.Second)), proberAddr
		}
		p.Boxes, edge.Boxes = append(p.Boxes, balancer), []string{"nlb"}
		target = "nlb:10943"
	case 1:
		p.Programs = append(p.Programs, plan.Program{
			Name: "haproxy", Kind: plan.TCPProxy, On: vpc, To: []string{server + ":10943"},
			Preset: pick(d, "haproxy-tcp-sample", "haproxy-tcp-tunnel", "nginx-stream"), SendProxy: d.IntN(3),
		})
		if p.Programs[0].SendProxy > 0 {
			p.Servers[0].ProxyProtocolFrom = []string{vpcPrefix}
		}
		target = "haproxy:10943"
	case 2:
		p.Boxes = append(p.Boxes, plan.Box{
			Name: "sg", Kind: plan.SecurityGroup, In: []string{"tcp/10943"},
			Idle: pick(d, 0, plan.Duration(60*time.Second), plan.Duration(350*time.Second)),
		})
		edge.Boxes = []string{"sg"}
	}
	p.Edges = append(p.Edges, edge)
	return target
}

// addSite makes a segment for agents and the way out of it. It returns the segment and the proxy that
// agents there must use, if any.
func addSite(p *plan.Plan, d dice, number int, plain bool) (segment, proxy string) {
	if plain || d.one(4) {
		return internet, ""
	}
	n := strconv.Itoa(number)
	segment = "site-" + n
	p.Nets = append(p.Nets, plan.Net{Name: segment, Prefix: "172." + strconv.Itoa(15+number) + ".0.0/16"})
	edge := plan.Edge{From: segment, To: internet, Wire: drawWire(d)}
	switch d.IntN(5) {
	case 0:
		edge.Boxes = []string{addNAT(p, d, n, natAddr+n)}
	case 1: // a NAT behind another
		branch := "branch-" + n
		p.Nets = append(p.Nets, plan.Net{Name: branch, Prefix: "10." + strconv.Itoa(100+number) + ".0.0/16"})
		edge.To, edge.Boxes = branch, []string{addNAT(p, d, "in-"+n, "10."+strconv.Itoa(100+number)+".0.1")}
		p.Edges = append(p.Edges, plan.Edge{
			From: branch, To: internet, Wire: drawWire(d), Boxes: []string{addNAT(p, d, "out-"+n, natAddr+n)},
		})
	case 2:
		edge.Boxes = []string{addFirewall(p, d, n)}
	case 3:
		edge.Boxes = []string{addNAT(p, d, n, natAddr+n)}
		proxy = addProxy(p, d, n, segment)
	case 4:
		edge.Boxes = []string{addFirewall(p, d, n), addNAT(p, d, n, natAddr+n)}
	}
	p.Edges = append(p.Edges, edge)
	return segment, proxy
}

func drawWire(d dice) plan.Wire {
	w := plan.Wire{Latency: d.millis(1, 80)}
	if d.one(2) {
		w.Jitter = d.millis(1, 20)
	}
	if d.one(4) {
		w.Loss = pick(d, 0.001, 0.01, 0.03)
	}
	if d.one(4) {
		w.Rate = pick(d, plan.Rate(2e6), plan.Rate(20e6), plan.Rate(100e6))
	}
	return w
}

// addNAT makes a box that remembers longer than agents keep silent: shorter ones are a fault.
func addNAT(p *plan.Plan, d dice, n, public string) string {
	box := plan.Box{Name: "nat-" + n, Kind: plan.NAT, Public: public}
	if d.one(2) {
		box.Preset = pick(d,
			"aws-natgw", "azure-natgw", "gcp-cloudnat", "linux-netfilter", "small-site-nat", "ibm-public-gateway")
	} else {
		box.Idle = pick(d, plan.Duration(40*time.Second), plan.Duration(60*time.Second), plan.Duration(240*time.Second))
		box.Expired = pick(d, "silence", "reset", "pass")
	}
	p.Boxes = append(p.Boxes, box)
	return box.Name
}

func addFirewall(p *plan.Plan, d dice, n string) string {
	box := plan.Box{
		Name: "fw-" + n, Kind: plan.Firewall, Out: []string{"tcp/10943"}, Refuse: pick(d, "silence", "reset", "unreachable"),
	}
	if d.one(2) {
		box.Preset = pick(d, "cisco-asa", "gcp-vpc", "aws-network-firewall", "ec2-conntrack")
	} else {
		box.Idle = pick(d, plan.Duration(40*time.Second), plan.Duration(120*time.Second))
	}
	p.Boxes = append(p.Boxes, box)
	return box.Name
}

func addProxy(p *plan.Plan, d dice, n, on string) string {
	if d.one(2) {
		p.Programs = append(p.Programs, plan.Program{Name: "socks-" + n, Kind: plan.SOCKS5, On: on})
		return "socks5://socks-" + n + ":1080"
	}
	p.Programs = append(p.Programs, plan.Program{
		Name: "squid-" + n, Kind: plan.ConnectProxy, On: on, Preset: "squid-connect", Allow: []int{443, plan.LinkPort},
	})
	return "http://squid-" + n + ":3128"
}
