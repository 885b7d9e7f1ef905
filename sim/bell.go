// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"net"
	"sync"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/netem"
)

// maxRings is how many words wait at a bell, as in a socket's queue; more are lost.
const maxRings = 10

// ringDelay is what a word takes from who rings to who waits. The ringer has gone on to its next
// wait by then, so that the order of what the two do to their files is no matter of luck.
const ringDelay = 100 * time.Microsecond

// bells are a machine's bells.
type bells struct {
	net *netem.Host

	mu     sync.Mutex
	byPath map[string]*bell
}

type bell struct {
	all    *bells
	life   *Life // whose it is
	path   string
	words  chan string
	closed chan struct{}
	once   sync.Once
}

// lifeBells are the bells as one life reaches them.
type lifeBells struct{ l *Life }

// Open implements host.Bells.
func (b lifeBells) Open(path string) (host.Bell, error) {
	if b.l.Killed() {
		return nil, errKilled
	}
	return b.l.m.bells.open(b.l, b.l.m.inside(path))
}

// Ring implements host.Bells.
func (b lifeBells) Ring(path, word string) {
	if !b.l.Killed() {
		b.l.m.bells.ring(b.l.m.inside(path), word)
	}
}

// open makes a bell of a life. One that a dead process left is replaced.
func (b *bells) open(l *Life, path string) (host.Bell, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.byPath[path]; old != nil && !old.life.Killed() {
		return nil, errkind.Conflict.Errorf("open bell %q: another process listens there", path)
	}
	one := &bell{all: b, life: l, path: path, words: make(chan string, maxRings), closed: make(chan struct{})}
	b.byPath[path] = one
	return one, nil
}

// ring rings the bell at path, if somebody alive waits there.
func (b *bells) ring(path, word string) {
	b.net.After(ringDelay, "ring "+word, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if one := b.byPath[path]; one != nil && !one.life.Killed() {
			select {
			case one.words <- word:
			default:
			}
		}
	})
}

// Wait implements host.Bell.
func (b *bell) Wait(ctx context.Context) (string, error) {
	select {
	case word := <-b.words:
		return word, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-b.closed:
		return "", net.ErrClosed
	}
}

// Close implements host.Bell.
func (b *bell) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.all.mu.Lock()
		defer b.all.mu.Unlock()
		if b.all.byPath[b.path] == b {
			delete(b.all.byPath, b.path)
		}
	})
	return nil
}
