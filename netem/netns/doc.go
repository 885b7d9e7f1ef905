// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

// Package netns builds a network out of the kernel's own parts: network namespaces, bridges, veth
// pairs, nftables and connection tracking. It is what netem's tables are checked against.
//
// A segment is a namespace with a bridge, a host one with an address, a box one that routes: a NAT,
// a stateful firewall or a layer 4 balancer by nftables. A wire with a delay is a pair of TAP devices
// with this process between them, because not every kernel has sch_netem. Programs run on a host
// by `ip netns exec`, which also gives them the network's names as /etc/hosts.
//
// It has real time and no determinism. It does not model loss, jitter, rates or DNS.
//
//  1. Whatever it makes carries the name of its run: namespaces, folders of names, a lock. Close
//     takes all of it away, with the processes in it; Sweep does so for runs whose process died.
//  2. Nothing of the machine's own network is read or changed: packets stay in the namespaces.
//  3. Every goroutine of a Network ends with Close, which waits for it.
//  4. An error names the command, what it was for and what it printed.
//
// A Network is safe for concurrent use. It needs root, iproute2, nft and conntrack; Missing says what
// is not there.
//
// topology.go is what to build, address.go gives addresses, route.go leads the way, compile.go makes
// command lines and ruleset.go nftables rules of it: all of them pure. network.go builds and takes
// down, sweep.go removes what is stale; namespace.go enters, command.go runs tools, tap.go and wire.go
// delay, probe.go checks backends, fault.go breaks things and heals them.
package netns
