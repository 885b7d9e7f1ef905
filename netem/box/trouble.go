// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"slices"
	"sync"
	"time"

	"fairlead/netem"
)

// Misbehaviour is what can be wrong with a proxy, for connections that begin from then on. The zero
// value is nothing.
type Misbehaviour struct {
	// Status answers each CONNECT and each request with this HTTP status: 407, 502, 503. SOCKS5 and TCP
	// proxies take any for a refusal.
	Status int
	// Delay comes before the answer, or before the connection onwards is made.
	Delay time.Duration
	// Idle takes the place of the program's own.
	Idle time.Duration
	// Truncate ends a connection after so many bytes from the server; 0 is never.
	Truncate int64
	// Hold passes bytes on in whole blocks of so many alone, as what buffers streams; 0 is at once.
	Hold int
	// WrongHost is where connections lead instead: "host:port".
	WrongHost string
}

// Trouble gives a program misbehaviours while it runs. The zero value has none.
type Trouble struct {
	mu   sync.Mutex
	list []*Misbehaviour
}

// Fault makes a misbehaviour a fault of the world. Of several at once the latest counts.
func (t *Trouble) Fault(kind, where string, m Misbehaviour) netem.Fault {
	return netem.Custom{Name: kind, Where: where, Break: func() (heal func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		mine := &m
		t.list = append(t.list, mine)
		return func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.list = slices.DeleteFunc(t.list, func(p *Misbehaviour) bool { return p == mine })
		}
	}}
}

func (t *Trouble) now() Misbehaviour {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.list); n > 0 {
		return *t.list[n-1]
	}
	return Misbehaviour{}
}

// pause waits, or until the program ends.
func (v *visit) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.ctx.Done():
	}
}
