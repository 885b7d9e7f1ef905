// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// boxTable is the table of every box.
const boxTable = "table ip box"

// refusal is the end of a rule.
func (r Reaction) refusal() string {
	switch r {
	case Reset:
		return "reject with tcp reset"
	case Unreachable:
		return "reject with icmp type admin-prohibited"
	}
	return "drop"
}

// ruleset is a box in the language of nft, "" for a bare router.
func (b Box) ruleset() string {
	switch {
	case b.NAT != nil:
		return b.table(b.NAT.forward(), b.NAT.chains())
	case b.Firewall != nil:
		return b.table(b.Firewall.forward(), nil)
	case b.Balancer != nil:
		return b.table(nil, b.Balancer.chains())
	}
	return ""
}

// table wraps what is special in what all boxes do: known connections go on, strays get their
// reaction, and the box itself answers no TCP, so that it is silent where a real one would be.
func (b Box) table(forward, chains []string) string {
	lines := []string{
		boxTable + " {", "chain input {", "type filter hook input priority 0; policy accept;",
		"ct state established,related accept",
	}
	lines = append(lines, b.strays()...)
	lines = append(lines, "meta l4proto tcp drop", "}")
	lines = append(lines, "chain forward {", "type filter hook forward priority 0; policy accept;",
		"ct state established,related accept")
	lines = append(lines, b.strays()...)
	lines = append(lines, forward...)
	lines = append(append(append(lines, "}"), chains...), "}")
	return strings.Join(lines, "\n") + "\n"
}

// strays is what packets of unknown connections get. A NAT answers those from outside with nothing:
// it cannot know whose they are.
func (b Box) strays() []string {
	if b.Stray == Pass {
		return nil
	}
	answer := "ct state invalid meta l4proto tcp " + b.Stray.refusal()
	if b.NAT != nil {
		answer = fmt.Sprintf("iifname %q %s", innerDevice, answer)
	}
	return []string{answer, "ct state invalid drop"}
}

func (n *NAT) forward() []string {
	return []string{fmt.Sprintf("iifname %q ct state new drop", outerDevice)}
}

func (n *NAT) chains() []string {
	to := n.Public.String()
	if n.LastPort > 0 {
		to += fmt.Sprintf(":%d-%d", n.FirstPort, n.LastPort)
	}
	return []string{
		"chain out {", "type nat hook postrouting priority 100; policy accept;",
		fmt.Sprintf("oifname %q meta l4proto tcp snat to %s", outerDevice, to),
		fmt.Sprintf("oifname %q snat to %s", outerDevice, n.Public), "}",
	}
}

func (f *Firewall) forward() (lines []string) {
	for _, way := range []struct {
		from  string
		rules []Rule
	}{{innerDevice, f.Out}, {outerDevice, f.In}} {
		for _, r := range way.rules {
			lines = append(lines, fmt.Sprintf("iifname %q meta l4proto tcp%s accept", way.from, r.match()))
		}
	}
	return append(lines, "meta l4proto icmp accept", "meta l4proto tcp "+f.Refuse.refusal(), "drop")
}

func (r Rule) match() (text string) {
	if r.From.IsValid() {
		text += " ip saddr " + r.From.String()
	}
	if r.To.IsValid() {
		text += " ip daddr " + r.To.String()
	}
	switch {
	case r.First == 0:
	case r.Last <= r.First:
		text += " tcp dport " + strconv.Itoa(int(r.First))
	default:
		text += fmt.Sprintf(" tcp dport %d-%d", r.First, r.Last)
	}
	return text
}

func (v *Balancer) chains() []string {
	lines := []string{"chain in {", "type nat hook prerouting priority -100; policy accept;", "jump balance", "}"}
	lines = append(append(append(lines, "chain balance {"), v.balance(v.Backends)...), "}")
	if v.HideClient {
		lines = append(lines, "chain out {", "type nat hook postrouting priority 100; policy accept;",
			fmt.Sprintf("oifname %q ct status dnat snat to %s", innerDevice, v.Address), "}")
	}
	return lines
}

// balance spreads new connections over the living by a hash of the flow; without any, none passes.
func (v *Balancer) balance(living []netip.Addr) []string {
	if len(living) == 0 {
		return nil
	}
	places := make([]string, len(living))
	for i, a := range living {
		places[i] = fmt.Sprintf("%d : %s", i, a)
	}
	return []string{fmt.Sprintf("ip daddr %s meta l4proto tcp dnat to jhash ip saddr . tcp sport mod %d map { %s }",
		v.Address, len(living), strings.Join(places, ", "))}
}

// rebalance replaces the rules for new connections.
func (v *Balancer) rebalance(living []netip.Addr) string {
	text := "flush chain ip box balance\n"
	for _, rule := range v.balance(living) {
		text += "add rule ip box balance " + rule + "\n"
	}
	return text
}

// sysctls are the settings of a router's namespace below /proc/sys, in the order to write them.
func (r router) sysctls() [][2]string {
	settings := [][2]string{
		{"net/ipv4/ip_forward", "1"},
		{"net/ipv4/conf/all/rp_filter", "0"},
		{"net/ipv4/conf/default/rp_filter", "0"},
		{"net/ipv4/conf/" + innerDevice + "/rp_filter", "0"},
		{"net/ipv4/conf/" + outerDevice + "/rp_filter", "0"},
		{"net/ipv4/conf/" + innerDevice + "/send_redirects", "0"},
		{"net/ipv4/conf/all/send_redirects", "0"},
		{"net/ipv4/neigh/" + outerDevice + "/proxy_delay", "0"}, // up to 0.8 s else
	}
	if r.box.ruleset() == "" {
		return settings
	}
	loose := "0"
	if r.box.Stray == Pass {
		loose = "1"
	}
	settings = append(settings, [2]string{"net/netfilter/nf_conntrack_tcp_loose", loose})
	if r.box.Idle > 0 {
		settings = append(settings, idleSettings(r.box.Idle)...)
	}
	return settings
}

// idleSettings shortens the memory of connections: that of established ones, and that of those with
// data on the way, which the kernel counts apart.
func idleSettings(idle time.Duration) [][2]string {
	seconds := strconv.Itoa(int(idle / time.Second))
	return [][2]string{
		{"net/netfilter/nf_conntrack_tcp_timeout_established", seconds},
		{"net/netfilter/nf_conntrack_tcp_timeout_unacknowledged", seconds},
		{"net/netfilter/nf_conntrack_tcp_timeout_max_retrans", seconds},
	}
}
