// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"fairlead/internal/demo"
)

// victim is an agent, its cable, and what happens to both.
type victim struct {
	site  *demo.Site
	agent *demo.Agent
	cable *cable
	owned sync.WaitGroup
	dying chan struct{} // capacity 1: the agent is to die

	mu      sync.Mutex
	rng     *rand.Rand
	every   int64
	damaged int // beginnings on the disk that were damaged while the agent was dead
	trouble error
}

func newVictim(site *demo.Site, agent *demo.Agent, every int64, seed, stream uint64) (*victim, error) {
	v := &victim{
		site: site, agent: agent, every: every, dying: make(chan struct{}, 1), rng: rand.New(rand.NewPCG(seed, stream)),
	}
	var err error
	v.cable, err = newCable(site.Link, v.draw, func() {
		select {
		case v.dying <- struct{}{}:
		default: // it is dying already
		}
	})
	if err == nil {
		v.owned.Go(func() {
			for range v.dying {
				v.die()
			}
		})
	}
	return v, err
}

// draw says what happens next to the cable, and after how many bytes.
func (v *victim) draw() (after int64, what act) {
	v.mu.Lock()
	defer v.mu.Unlock()
	after = 1 + v.rng.Int64N(2*v.every)
	switch n := v.rng.IntN(100); {
	case n < 50:
		what = cut
	case n < 80:
		what = flip
	default:
		what = kill
	}
	return after, what
}

// die kills the agent, changes a bit of what it had received so far, and starts it again.
func (v *victim) die() {
	v.site.KillAgent(v.agent)
	parts, _ := filepath.Glob(filepath.Join(v.agent.Home, "blobs", "*.part")) // the pattern is well formed
	for _, part := range parts {
		if v.damage(part) {
			v.mu.Lock()
			v.damaged++
			v.mu.Unlock()
		}
	}
	if err := v.site.StartAgent(v.agent); err != nil {
		v.mu.Lock()
		v.trouble = err
		v.mu.Unlock()
	}
}

// damage changes a bit in the last chunk of a file: what lies before must not be sent again.
func (v *victim) damage(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	v.mu.Lock()
	at := info.Size() - 1 - v.rng.Int64N(min(info.Size(), chunkBytes))
	v.mu.Unlock()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return false
	}
	b[0] ^= 1
	_, err = f.WriteAt(b[:], at)
	return err == nil
}

// close ends the storm and waits for what is under way.
func (v *victim) close() error {
	v.cable.close()
	close(v.dying)
	v.owned.Wait()
	return v.trouble
}
