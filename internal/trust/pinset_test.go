// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

func TestPinSetAdd(t *testing.T) {
	set, pin := trust.NewPinSet(), trust.Pin{1}
	one := trust.Grant{Role: trust.RoleAgent, Subject: "machines-1"}
	for range 2 {
		if err := set.Add(pin, one); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, set.Add(pin, trust.Grant{Role: trust.RoleAgent, Subject: "machines-2"}), errkind.Conflict, "machines-1")
	wantKind(t, set.Add(pin, trust.Grant{Role: trust.RoleServer, Subject: "machines-1"}), errkind.Conflict)
	for _, grant := range []trust.Grant{{}, {Role: trust.RoleApplicant, Subject: "x"}, {Role: trust.RoleAgent}} {
		wantKind(t, set.Add(trust.Pin{2}, grant), errkind.Invalid)
	}
	wantKind(t, set.Add(trust.Pin{}, one), errkind.Invalid)
	if set.Len() != 1 {
		t.Errorf("%d pins", set.Len())
	}
}

func TestP6NewestSessionsStay(t *testing.T) {
	h := newHouse(t)
	_, listen := h.dial(t, h.agent)
	const opened = 500
	var ended []int
	releases := make([]func(), opened)
	for i := range opened {
		release, err := h.pins.Hold(listen.peer, func(err error) {
			wantKind(t, err, errkind.Exhausted)
			ended = append(ended, i)
		})
		if err != nil {
			t.Fatal(err)
		}
		releases[i] = release
	}
	if len(ended) != opened-trust.MaxSessionsPerPin || !slices.IsSorted(ended) {
		t.Fatalf("%d sessions ended, in order: %v", len(ended), slices.IsSorted(ended))
	}
	for _, release := range releases {
		release()
		release()
	}
	h.pins.Revoke(h.agent.Pin)
	if len(ended) != opened-trust.MaxSessionsPerPin {
		t.Error("a released session was ended")
	}
	if _, err := h.pins.Hold(trust.Peer{}, func(error) {}); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("nobody holds a session: %v", err)
	}
}

func TestPinSetNeverResurrects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := trust.NewPinSet()
		dead, owner := map[trust.Pin]bool{}, map[trust.Pin]trust.Grant{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			pin := trust.Pin{rapid.ByteRange(1, 5).Draw(t, "pin")}
			if rapid.Bool().Draw(t, "revoke") {
				set.Revoke(pin)
				dead[pin] = true
			} else {
				subject := rapid.SampledFrom([]string{"machines-1", "machines-2"}).Draw(t, "subject")
				grant := trust.Grant{Role: trust.RoleAgent, Subject: subject}
				err := set.Add(pin, grant)
				first, taken := owner[pin]
				if allowed := !dead[pin] && (!taken || first == grant); allowed != (err == nil) {
					t.Fatalf("add: %v, allowed %v", err, allowed)
				}
				if err == nil {
					owner[pin] = grant
				}
			}
			got, err := set.Lookup(pin)
			first, taken := owner[pin]
			if accepted := taken && !dead[pin]; accepted != (err == nil) || err == nil && got != first {
				t.Fatalf("look-up gives %v, %v", got, err)
			}
		}
	})
}

func TestPinSetRevokeRacesHold(t *testing.T) {
	h := newHouse(t)
	_, listen := h.dial(t, h.agent)
	var begun, ended atomic.Int64
	var group sync.WaitGroup
	start := make(chan struct{})
	for range 8 {
		group.Go(func() {
			<-start
			for range 50 {
				if _, err := h.pins.Hold(listen.peer, func(error) { ended.Add(1) }); err == nil {
					begun.Add(1)
				}
			}
		})
	}
	group.Go(func() {
		<-start
		h.pins.Revoke(h.agent.Pin)
	})
	close(start)
	group.Wait()
	if begun.Load() != ended.Load() {
		t.Errorf("%d sessions began, %d were ended", begun.Load(), ended.Load())
	}
}
