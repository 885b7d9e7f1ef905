// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"net/netip"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// Rule lets new connections through a firewall.
type Rule struct {
	First, Last uint16 // ports of the far end; 0 and 0 for any
	From, To    netip.Prefix
}

// ParseRule reads "any", "tcp/443", "tcp/10000-10999", each with "from PREFIX" and "to PREFIX" behind
// it if wanted. Errors: Invalid.
func ParseRule(text string) (r Rule, err error) {
	words := strings.Fields(text)
	bad := errkind.Invalid.Errorf("rule %q: want any, tcp/443 or tcp/1000-2000, then from PREFIX and to PREFIX", text)
	if len(words)%2 != 1 {
		return r, bad
	}
	if words[0] != "any" {
		ports, found := strings.CutPrefix(words[0], "tcp/")
		if !found {
			return r, bad
		}
		if r.First, r.Last, err = ParsePorts(ports); err != nil {
			return r, bad
		}
	}
	for i := 1; i < len(words); i += 2 {
		prefix, err := netip.ParsePrefix(words[i+1])
		if addr, alone := netip.ParseAddr(words[i+1]); alone == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil:
			return r, bad
		case words[i] == "from":
			r.From = prefix
		case words[i] == "to":
			r.To = prefix
		default:
			return r, bad
		}
	}
	return r, nil
}

// ParsePorts reads "443" or "1024-65535". Errors: Invalid.
func ParsePorts(text string) (first, last uint16, err error) {
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	a, errA := strconv.ParseUint(low, 10, 16)
	b, errB := strconv.ParseUint(high, 10, 16)
	if errA != nil || errB != nil || a == 0 || a > b {
		return 0, 0, errkind.Invalid.Errorf("ports %q: want one as 443, or a range as 1024-65535", text)
	}
	return uint16(a), uint16(b), nil
}
