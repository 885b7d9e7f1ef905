// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/internal/trust"
)

// keyLog is what one end writes.
type keyLog struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (k *keyLog) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.out.Write(b)
}

func (k *keyLog) lines() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(k.out.String()), "\n")
	slices.Sort(lines)
	return lines
}

// TestKeyLog shows that both ends tell the same secrets, for each protocol, when they are asked to.
func TestKeyLog(t *testing.T) {
	h := newHouse(t)
	for _, protocol := range []string{trust.LinkProtocol, trust.JoinProtocol} {
		t.Run(protocol, func(t *testing.T) {
			var door, dialler keyLog
			dial, listen := meet(t, newDialler(t, trust.DialTerms{
				Identity: h.agent, Pins: []trust.Pin{h.server.Pin}, Protocol: protocol, KeyLog: &dialler,
			}), newDoor(t, trust.DoorTerms{
				Identities: proving(h.server), Links: h.pins.Lookup, LinkRole: trust.RoleAgent, Applicants: true, KeyLog: &door,
			}))
			if dial.err != nil || listen.err != nil {
				t.Fatalf("dialler %v, door %v", dial.err, listen.err)
			}
			if !slices.Equal(door.lines(), dialler.lines()) || len(door.lines()) != 4 {
				t.Errorf("the door told %q, the dialler %q: want the same four secrets", door.lines(), dialler.lines())
			}
			for _, line := range door.lines() {
				if label, _, _ := strings.Cut(line, " "); !strings.Contains(label, "TRAFFIC_SECRET") {
					t.Errorf("line %q names no traffic secret", line)
				}
			}
		})
	}
}
