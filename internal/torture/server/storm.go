// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

const (
	// One server in three is killed in its first moments, which lie between 0 and this.
	earlyLife = 600 * time.Millisecond
	// The others live until they have gone on, and up to this much longer.
	lateLife = 1500 * time.Millisecond
	maxAway  = 300 * time.Millisecond // between a kill and the next start
	// goesOnLimit is how long a server may take from its start to the next verdict it commits.
	goesOnLimit = 10 * time.Second
	// giveUp is when a server that does not go on is given up.
	giveUp    = 40 * time.Second
	lookEvery = 40 * time.Millisecond
	newsEvery = 2 * time.Second
)

// storm kills the server again and again.
type storm struct {
	arena *arena
	work  *work
	dice  *rand.Rand
	out   io.Writer

	kills, early int
	took         []time.Duration // from each start to the next verdict
	toldAt       time.Time
}

// rage kills as often as wanted, or as the budget allows. When it returns a server runs.
func (s *storm) rage(ctx context.Context, o options) error {
	began := time.Now()
	for s.kills < o.kills && (o.budget == 0 || time.Since(began) < o.budget) {
		isEarly, life := s.dice.IntN(3) == 0, s.dice.Float64()
		away := time.Duration(s.dice.Float64() * float64(maxAway))
		var err error
		if isEarly {
			s.early++
			pause(ctx, time.Duration(life*float64(earlyLife)))
		} else if err = s.await(ctx); err == nil {
			pause(ctx, time.Duration(life*float64(lateLife)))
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if ended, err := s.arena.server.Ended(); ended {
			return fmt.Errorf("the server ended by itself: %w", err)
		}
		s.arena.server.Kill()
		s.kills++
		pause(ctx, away)
		if err := s.arena.startServer(); err != nil {
			return err
		}
		s.tell(o)
	}
	return s.await(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// await waits for the server that was just started to commit a verdict, and notes how long that took.
func (s *storm) await(ctx context.Context) error {
	began := time.Now()
	if err := s.arena.awaitServer(ctx); err != nil {
		return err
	}
	first := -1
	ctx, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	for ctx.Err() == nil {
		switch now, err := s.work.progress(ctx); {
		case err != nil:
		case first < 0:
			first = now
		case now > first:
			s.took = append(s.took, time.Since(began))
			return nil
		}
		pause(ctx, lookEvery)
	}
	s.took = append(s.took, time.Since(began))
	return nil
}

func (s *storm) tell(o options) {
	if time.Since(s.toldAt) < newsEvery {
		return
	}
	s.toldAt = time.Now()
	fmt.Fprintf(s.out, "%5d of %d kills\n", s.kills, o.kills)
}
