// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// PresetKind is what sort of box a preset describes.
type PresetKind string

// The kinds of presets. The first three are tables of this package, the others programs of package
// box.
const (
	PresetNAT      PresetKind = "nat"
	PresetFirewall PresetKind = "firewall"
	PresetBalancer PresetKind = "balancer"

	PresetConnectProxy PresetKind = "connect-proxy"
	PresetTCPProxy     PresetKind = "tcp-proxy"
	PresetHTTPBalancer PresetKind = "http-balancer"
	PresetTLSListener  PresetKind = "tls-listener"
	PresetTLSInspector PresetKind = "tls-inspector"
)

// Expiry is what becomes of a connection that was quiet for too long.
type Expiry uint8

// The expiries.
const (
	ForgetsSilently Expiry = iota // what comes later vanishes
	ResetsNext                    // what comes later is answered with RST
	ResetsBoth                    // both ends get RST at once
	EndsBoth                      // both ends get FIN at once
	TakesUp                       // what comes later from inside is taken for a new connection
	Rehashes                      // what comes later goes to a backend by the hash of its addresses
)

func (e Expiry) String() string {
	return [...]string{"forgets", "resets the next", "resets both", "ends both", "takes up", "rehashes"}[e]
}

// HealthCheck is how a balancer probes its backends: a connection every so often, that must be made
// within Timeout. Up and Down are how many probes in a row change the verdict.
type HealthCheck struct {
	Every, Timeout time.Duration
	Up, Down       int
}

// Preset is what is known of a real box, as its makers ship it. Zero fields are not known, or mean
// nothing for the kind.
type Preset struct {
	Name   string
	Kind   PresetKind
	Source string
	// Idle is how long a quiet open connection lives; 0 is for ever. MinIdle and MaxIdle are what it
	// can be set to.
	Idle, MinIdle, MaxIdle time.Duration
	Expiry                 Expiry
	// Transitory and Aging are for connections that open or close.
	Transitory time.Duration
	Aging      Aging
	// Mapping and Filtering are for NATs.
	Mapping, Filtering Behaviour
	// Of balancers: how connections end when their backend goes.
	Drain          time.Duration
	CutDrained     bool
	UnhealthyReset bool
	Check          HealthCheck
	// Of programs. Tunnel takes the place of Idle once bytes went both ways. Lifetime is the longest
	// that a connection may be, Preread how long the client's first bytes may take.
	Tunnel, Connect, Request, Lifetime, Preread time.Duration
}

// Probes reports whether TCP keep-alive probes count as traffic. They end at a program, whose kernel
// answers them, and pass through a table.
func (p Preset) Probes() bool { return p.table() }

func (p Preset) table() bool {
	return p.Kind == PresetNAT || p.Kind == PresetFirewall || p.Kind == PresetBalancer
}

const netfilterSource = "Linux Documentation/networking/nf_conntrack-sysctl.rst; nf_conntrack_tcp_loose = 1"

// presets are rows as documented by the makers; small-site-nat is an assumption from what is seen in
// the field, 30 s to 5 min.
var presets = map[string]Preset{
	"aws-nlb-passthrough": {
		Kind: PresetBalancer, Source: "AWS network/update-idle-timeout, target-group-health-checks",
		Idle: 350 * time.Second, MinIdle: 60 * time.Second, MaxIdle: 6000 * time.Second, Expiry: ResetsNext,
		Drain: 300 * time.Second, UnhealthyReset: true,
		Check: HealthCheck{Every: 30 * time.Second, Timeout: 10 * time.Second, Up: 3, Down: 3},
	},
	"aws-nlb-tls": {
		Kind: PresetTLSListener, Source: "AWS network/update-idle-timeout: fixed for TLS listeners",
		Idle: 350 * time.Second, MinIdle: 350 * time.Second, MaxIdle: 350 * time.Second, Expiry: ResetsNext,
	},
	"aws-alb": {
		Kind: PresetHTTPBalancer, Source: "AWS application/config-idle-timeout",
		Idle: 60 * time.Second, MinIdle: time.Second, MaxIdle: 4000 * time.Second, Expiry: EndsBoth,
	},
	"aws-clb-tcp": {
		Kind: PresetTCPProxy, Source: "AWS classic/config-idle-timeout, config-conn-drain",
		Idle: 60 * time.Second, MinIdle: time.Second, MaxIdle: 4000 * time.Second, Expiry: EndsBoth, Drain: 300 * time.Second,
	},
	"aws-natgw": {
		Kind: PresetNAT, Source: "AWS \"NAT gateways\", troubleshooting: 350 s, then RST",
		Idle: 350 * time.Second, Expiry: ResetsNext, Mapping: AddressPortDependent, Filtering: AddressPortDependent,
	},
	"aws-network-firewall": {
		Kind: PresetFirewall, Source: "AWS Network Firewall API_FlowTimeouts",
		Idle: 350 * time.Second, MinIdle: 60 * time.Second, MaxIdle: 6000 * time.Second,
	},
	"ec2-conntrack": {
		Kind: PresetFirewall, Source: "AWS EC2 API_ConnectionTrackingConfiguration",
		Idle: 120 * time.Hour, MinIdle: 60 * time.Second, MaxIdle: 120 * time.Hour,
	},
	"ec2-conntrack-nitro6": {
		Kind: PresetFirewall, Source: "AWS EC2 API_ConnectionTrackingConfiguration: default of Nitro v6",
		Idle: 350 * time.Second, MinIdle: 60 * time.Second, MaxIdle: 120 * time.Hour,
	},
	"azure-lb": {
		Kind: PresetBalancer, Source: "Azure load-balancer-tcp-idle-timeout",
		Idle: 240 * time.Second, MinIdle: 240 * time.Second, MaxIdle: 6000 * time.Second,
	},
	"azure-lb-reset": {
		Kind: PresetBalancer, Source: "Azure load-balancer-tcp-reset: TCP reset on idle, an option",
		Idle: 240 * time.Second, MinIdle: 240 * time.Second, MaxIdle: 6000 * time.Second, Expiry: ResetsBoth,
	},
	"azure-natgw": {
		Kind: PresetNAT, Source: "Azure nat-gateway-resource: silent at expiry, RST for what comes later",
		Idle: 240 * time.Second, MinIdle: 240 * time.Second, MaxIdle: 7200 * time.Second, Expiry: ResetsNext,
		Mapping: AddressPortDependent, Filtering: AddressPortDependent,
	},
	"gcp-vpc": {Kind: PresetFirewall, Source: "GCP compute troubleshooting: idle connections", Idle: 600 * time.Second},
	"gcp-cloudnat": {
		Kind: PresetNAT, Source: "GCP Cloud NAT, NAT timeouts",
		Idle: 1200 * time.Second, Transitory: 30 * time.Second, Aging: Aging{TimeWait: 120 * time.Second},
		Filtering: AddressPortDependent,
	},
	"gcp-passthrough-ext": {
		Kind: PresetBalancer, Source: "GCP BackendServiceConnectionTrackingPolicy.idleTimeoutSec, external",
		Idle: 60 * time.Second, MinIdle: 60 * time.Second, MaxIdle: 60 * time.Second, Expiry: Rehashes,
	},
	"gcp-passthrough-int": {
		Kind: PresetBalancer, Source: "GCP BackendServiceConnectionTrackingPolicy.idleTimeoutSec, internal",
		Idle: 600 * time.Second, MinIdle: 600 * time.Second, MaxIdle: 16 * time.Hour, Expiry: Rehashes,
	},
	"haproxy-tcp": {
		Kind: PresetTCPProxy, Source: "HAProxy configuration: no default for timeout client and server", Expiry: EndsBoth,
	},
	"haproxy-tcp-sample": {
		Kind: PresetTCPProxy, Source: "HAProxy configuration: common samples set 30 s",
		Idle: 30 * time.Second, Expiry: EndsBoth,
	},
	"haproxy-tcp-tunnel": {
		Kind: PresetTCPProxy, Source: "HAProxy configuration: timeout tunnel 1h beside the sample",
		Idle: 30 * time.Second, Tunnel: time.Hour, Expiry: EndsBoth,
	},
	"nginx-stream": {
		Kind: PresetTCPProxy, Source: "nginx ngx_stream_proxy_module, ngx_stream_core_module",
		Idle: 600 * time.Second, Connect: 60 * time.Second, Preread: 30 * time.Second, Expiry: EndsBoth,
	},
	"linux-netfilter": {
		Kind: PresetNAT, Source: netfilterSource, Idle: 120 * time.Hour, Expiry: TakesUp,
		Transitory: 120 * time.Second, Mapping: AddressPortDependent, Filtering: AddressPortDependent,
		Aging: Aging{
			SynSent: 120 * time.Second, SynReceived: 60 * time.Second, HalfClosed: 120 * time.Second,
			TimeWait: 120 * time.Second, Closed: 10 * time.Second, Unacknowledged: 300 * time.Second,
		},
	},
	"squid-connect": {
		Kind: PresetConnectProxy, Source: "squid configuration: read, connect and request_timeout, client_lifetime",
		Idle: 900 * time.Second, Connect: 60 * time.Second, Lifetime: 24 * time.Hour, Request: 300 * time.Second,
		Expiry: EndsBoth,
	},
	"cisco-asa": {
		Kind: PresetFirewall, Source: "Cisco ASA timeout conn, half-closed",
		Idle: time.Hour, Aging: Aging{HalfClosed: 600 * time.Second},
	},
	"ibm-public-gateway": {
		Kind: PresetNAT, Source: "IBM VPC public gateway", Idle: 240 * time.Second, Filtering: AddressPortDependent,
	},
	"huawei-nat": {Kind: PresetNAT, Source: "Huawei NAT", Idle: 900 * time.Second, Filtering: AddressPortDependent},
	"small-site-nat": {
		Kind: PresetNAT, Source: "assumption: 30 s to 5 min are seen in the field", Idle: 60 * time.Second,
		MinIdle: 30 * time.Second, MaxIdle: 300 * time.Second, Mapping: AddressPortDependent, Filtering: AddressPortDependent,
	},
	"tls-inspector": {
		Kind: PresetTLSInspector, Source: "inspecting firewalls: the certificate is replaced by the company CA's",
		Expiry: EndsBoth,
	},
}

// Presets lists the names of all presets, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// FindPreset returns a preset by name. ok is false for a name that Presets does not list.
func FindPreset(name string) (p Preset, ok bool) {
	p, ok = presets[name]
	p.Name = name
	return p, ok
}

// expired is what a packet of a forgotten connection gets.
func (p Preset) expired() Action {
	switch p.Expiry {
	case ResetsNext:
		return Reset
	case TakesUp, Rehashes:
		return Pass
	}
	return Silence
}

// NATPreset describes a NAT that forgets as a real box does. Ports and limits are the default's. ok
// is false for a name that Presets does not list, and for a program.
func NATPreset(name string, public netip.Addr) (s NATSpec, ok bool) {
	p := presets[name]
	return NATSpec{
		Public: public, Mapping: p.Mapping, Filtering: p.Filtering, Established: p.Idle, Transitory: p.Transitory,
		Aging: p.Aging, Expired: p.expired(), ResetBoth: p.Expiry == ResetsBoth,
	}, p.table()
}

// FirewallPreset describes a firewall without rules that forgets as a real box does: it lets
// connections out, and none in. ok is false for a name that Presets does not list, and for a program.
func FirewallPreset(name string) (s FirewallSpec, ok bool) {
	p := presets[name]
	return FirewallSpec{
		In: Silence, Idle: p.Idle, Transitory: p.Transitory, Aging: p.Aging, Stray: p.expired(),
	}, p.table()
}

// BalancerPreset describes a layer 4 balancer that forgets as a real box does. Whether the backends see
// their clients' addresses is for HideSource: AWS shows them to targets registered by instance, and
// hides them from those registered by address. ok is false for a name that Presets does not list,
// and for a program.
func BalancerPreset(name string, vip netip.Addr, backends ...netip.Addr) (s BalancerSpec, ok bool) {
	p := presets[name]
	return BalancerSpec{
		VIP: vip, Backends: backends, Idle: p.Idle, Expired: p.expired(), Rehash: p.Expiry == Rehashes,
		ResetBoth: p.Expiry == ResetsBoth, UnhealthyReset: p.UnhealthyReset, DrainDelay: p.Drain, CutDrained: p.CutDrained,
	}, p.table()
}
