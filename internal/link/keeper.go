// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Keeper is what the sessions of one program share: one timer for all their deadlines, and spare
// buffers. Its Run must be alive as long as any of them runs.
type Keeper struct {
	wake   chan struct{} // capacity 1: the earliest deadline came nearer
	chunks sync.Pool

	mu      sync.Mutex
	due     deadlines
	order   uint64    // makes the order of equal deadlines that in which the sessions began
	resting bool      // Run waits, and looks at the deadlines at looksAt
	looksAt time.Time // zero for never
}

// NewKeeper makes a Keeper. It starts nothing.
func NewKeeper() *Keeper {
	return &Keeper{wake: make(chan struct{}, 1), chunks: sync.Pool{New: func() any { return new(chunk) }}}
}

// Run ticks the sessions when their time has come, until ctx ends. It returns nil.
func (k *Keeper) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-k.wake:
		case <-ctx.Done():
			return nil
		}
		k.rise()
		for s := k.pop(time.Now()); s != nil; s = k.pop(time.Now()) {
			_ = s.step(Tick{})
		}
		if at := k.rest(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// rise says that Run looks at the deadlines: whatever is armed meanwhile, it sees by itself.
func (k *Keeper) rise() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resting = false
}

// rest says that Run waits, until the time that it returns; zero for no time.
func (k *Keeper) rest() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resting, k.looksAt = true, time.Time{}
	if len(k.due) > 0 {
		k.looksAt = k.due[0].dueAt
	}
	return k.looksAt
}

// pop removes and returns one session whose deadline has come, or nil.
func (k *Keeper) pop(now time.Time) *Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.due) == 0 || k.due[0].dueAt.After(now) {
		return nil
	}
	return heap.Pop(&k.due).(*Session)
}

// arm sets the deadline of s. It never blocks.
func (k *Keeper) arm(s *Session, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.dueOrder == 0 {
		k.order++
		s.dueOrder = k.order
	}
	s.dueAt = at
	if s.dueIndex == 0 {
		heap.Push(&k.due, s)
	} else {
		heap.Fix(&k.due, s.dueIndex-1)
	}
	if k.resting && (k.looksAt.IsZero() || at.Before(k.looksAt)) {
		k.resting = false
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
}

func (k *Keeper) remove(s *Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.dueIndex != 0 {
		heap.Remove(&k.due, s.dueIndex-1)
	}
}

func (k *Keeper) chunk() *chunk { return k.chunks.Get().(*chunk) }

func (k *Keeper) recycle(c *chunk) {
	c.next = nil
	k.chunks.Put(c)
}

// deadlines is a heap of sessions, the earliest first.
type deadlines []*Session

func (d deadlines) Len() int { return len(d) }

func (d deadlines) Less(i, j int) bool {
	if !d[i].dueAt.Equal(d[j].dueAt) {
		return d[i].dueAt.Before(d[j].dueAt)
	}
	return d[i].dueOrder < d[j].dueOrder
}

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].dueIndex, d[j].dueIndex = i+1, j+1
}

// Push implements heap.Interface.
func (d *deadlines) Push(x any) {
	s := x.(*Session)
	*d = append(*d, s)
	s.dueIndex = len(*d)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	s := (*d)[last]
	(*d)[last], *d = nil, (*d)[:last]
	s.dueIndex = 0
	return s
}
