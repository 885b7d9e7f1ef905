// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"fairlead/netem"
)

func TestNameFaults(t *testing.T) {
	real, dead := netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.77")
	for _, c := range []struct {
		name  string
		fault netem.Fault
		want  []netip.Addr
		err   func(e *net.DNSError) bool
		took  time.Duration
	}{
		{"NXDOMAIN", netem.NameUnknown{Name: "B"}, nil, func(e *net.DNSError) bool { return e.IsNotFound }, 0},
		{"SERVFAIL", netem.NameBroken{Name: "b"}, nil, func(e *net.DNSError) bool { return e.IsTemporary && !e.IsTimeout }, 0},
		{"slow", netem.NameSlow{Name: "b", Delay: 3 * time.Second}, []netip.Addr{real}, nil, 3 * time.Second},
		{"silent", netem.NameSlow{Name: "b"}, nil, func(e *net.DNSError) bool { return e.IsTimeout }, 10 * time.Second},
		{"dead ones first", netem.NameDead{Name: "b", Addrs: []netip.Addr{dead}}, []netip.Addr{dead, real}, nil, 0},
		{"dead ones alone", netem.NameDead{Name: "b", Addrs: []netip.Addr{dead}, Alone: true}, []netip.Addr{dead}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p pairOf) {
				heal := p.w.Inject(c.fault)
				began := time.Now()
				got, err := p.a.LookupNetIP(t.Context(), "ip4", "b")
				if d := time.Since(began).Truncate(time.Second); d != c.took {
					t.Errorf("took %v", d)
				}
				dns, is := errors.AsType[*net.DNSError](err)
				if !slices.Equal(got, c.want) || is != (c.err != nil) || is && !c.err(dns) {
					t.Errorf("got %v, %v", got, err)
				}
				heal()
				if got, err := p.a.LookupNetIP(t.Context(), "ip4", "b"); err != nil || !slices.Equal(got, []netip.Addr{real}) {
					t.Errorf("healed: %v, %v", got, err)
				}
			})
		})
	}
}

// TestAStaleNameKeepsItsAnswer while the truth changes, and shows what has become of it when it heals.
func TestAStaleNameKeepsItsAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		old, moved := netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.9")
		heal := p.w.Inject(netem.NameStale{Name: "b"})
		p.w.Resolve("b", netem.Answer{Addrs: []netip.Addr{moved}})
		for _, want := range []netip.Addr{old, moved} {
			if got, err := p.a.LookupNetIP(t.Context(), "ip4", "b"); err != nil || !slices.Equal(got, []netip.Addr{want}) {
				t.Errorf("got %v, %v, want %s", got, err, want)
			}
			heal()
		}
	})
}

// TestADialTriesTheNextAddress: a name whose first address is dead costs time, no more.
func TestADialTriesTheNextAddress(t *testing.T) {
	inBubble(t, func(t *testing.T, p pairOf) {
		p.w.Inject(netem.NameDead{Name: "b", Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.77")}})
		p.connect(t)
	})
}
