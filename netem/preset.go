// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// preset is what is known of a kind of box that forgets idle connections.
type preset struct {
	established, transitory time.Duration // 0 for the default of the kind of box
	expired                 Action
	mapping, filtering      Behaviour
}

// Idle times of real boxes, as their makers ship them.
//
// Sources: AWS "NAT gateway" and "Network Load Balancers" (idle timeout), AWS Network Firewall
// API_FlowTimeouts, EC2 API_ConnectionTrackingConfiguration (Nitro v6: 350 s); Azure load-balancer
// and nat-gateway-resource; GCP VPC troubleshooting and Cloud NAT defaults; Linux
// nf_conntrack-sysctl.rst; IBM VPC public gateway; Huawei NAT; Cisco ASA. small-site is an assumption
// from what is seen in the field (30 s to 5 min), not a document.
var presets = map[string]preset{
	"aws-natgw": {
		established: 350 * time.Second, expired: Reset, mapping: AddressPortDependent,
		filtering: AddressPortDependent,
	},
	"aws-network-firewall": {established: 350 * time.Second, expired: Silence},
	"ec2-conntrack":        {established: 120 * time.Hour, expired: Silence},
	"ec2-conntrack-nitro6": {established: 350 * time.Second, expired: Silence},
	"azure-lb":             {established: 240 * time.Second, expired: Silence},
	"azure-natgw": {
		established: 240 * time.Second, expired: Silence, mapping: AddressPortDependent,
		filtering: AddressPortDependent,
	},
	"gcp-vpc": {established: 600 * time.Second, expired: Silence},
	"gcp-cloudnat": {
		established: 1200 * time.Second, transitory: 30 * time.Second, expired: Silence, filtering: AddressPortDependent,
	},
	"linux-netfilter": {
		established: 120 * time.Hour, transitory: 120 * time.Second, expired: Pass, mapping: AddressPortDependent,
		filtering: AddressPortDependent,
	},
	"ibm-public-gateway": {established: 240 * time.Second, expired: Silence, filtering: AddressPortDependent},
	"huawei-nat":         {established: 900 * time.Second, expired: Silence, filtering: AddressPortDependent},
	"cisco-asa":          {established: time.Hour, expired: Silence},
	"small-site": {
		established: 60 * time.Second, expired: Silence, mapping: AddressPortDependent,
		filtering: AddressPortDependent,
	},
}

// Presets lists the boxes that NATPreset and FirewallPreset know, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// NATPreset describes a NAT that forgets as a real box does. Ports and limits are the default's. ok
// is false for a name that Presets does not list.
func NATPreset(name string, public netip.Addr) (s NATSpec, ok bool) {
	p, ok := presets[name]
	return NATSpec{
		Public: public, Mapping: p.mapping, Filtering: p.filtering, Established: p.established,
		Transitory: p.transitory, Expired: p.expired,
	}, ok
}

// FirewallPreset describes a firewall without rules that forgets as a real box does: it lets
// connections out, and none in.
func FirewallPreset(name string) (s FirewallSpec, ok bool) {
	p, ok := presets[name]
	return FirewallSpec{In: Silence, Idle: p.established, Stray: p.expired}, ok
}

// AWSBalancer describes a network load balancer as AWS ships it: 350 s, RST for the next packet of
// a forgotten connection. With hideSource the backends see the balancer's address, as targets that
// are registered by address do.
func AWSBalancer(vip netip.Addr, hideSource bool, backends ...netip.Addr) BalancerSpec {
	return BalancerSpec{
		VIP: vip, Backends: backends, Idle: defaultBalancerIdle, Expired: Reset, NoBackend: Silence, HideSource: hideSource,
	}
}
