// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Mean times between two disturbances of a kind, and the longest that one lasts.
const (
	agentKillEvery  = 500 * time.Millisecond // of all agents together
	shimKillEvery   = 700 * time.Millisecond
	cutEvery        = 900 * time.Millisecond
	serverKillEvery = 7 * time.Second
	maxAgentAway    = 400 * time.Millisecond
	maxServerAway   = 500 * time.Millisecond
	maxFreeze       = 700 * time.Millisecond
)

// Jobs that end between two disturbances of a kind, so that a busy machine, on which everything takes longer, is
// not disturbed out of all proportion. On an idle one the times above are longer.
const (
	agentKillJobs  = 1
	shimKillJobs   = 1
	cutJobs        = 2
	serverKillJobs = 16
	// workLook is how often the jobs that have ended are counted.
	workLook = 100 * time.Millisecond
)

// storm kills and cuts.
type storm struct {
	arena *arena
	seed  uint64

	mu    sync.Mutex
	kills kills
}

// kills counts what the storm did.
type kills struct{ agents, shims, servers, cuts int }

func newStorm(a *arena, seed uint64) *storm { return &storm{arena: a, seed: seed} }

func (s *storm) count() kills {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kills
}

func (s *storm) add(k kills) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills.agents += k.agents
	s.kills.shims += k.shims
	s.kills.servers += k.servers
	s.kills.cuts += k.cuts
}

// rage disturbs until ctx ends; ended counts the jobs that did. When it returns every program runs again; an error
// says which does not.
func (s *storm) rage(ctx context.Context, ended func() int) error {
	kinds := []struct {
		every   time.Duration
		jobs    int
		disturb func(context.Context, *rand.Rand) error
	}{
		{agentKillEvery, agentKillJobs, s.killAgent},
		{shimKillEvery, shimKillJobs, s.killShim},
		{cutEvery, cutJobs, s.cut},
		{serverKillEvery, serverKillJobs, s.killServer},
	}
	ctx, calm := context.WithCancel(ctx)
	defer calm()
	ends := make([]error, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		dice := rand.New(rand.NewPCG(s.seed, uint64(i+1)))
		group.Go(func() {
			for wait(ctx, time.Duration(dice.ExpFloat64()*float64(kind.every))) {
				// What was begun is ended, so that nobody stays dead.
				if ends[i] = kind.disturb(context.WithoutCancel(ctx), dice); ends[i] != nil {
					calm() // a storm without one of its kinds proves less than it says
					return
				}
				for before := ended(); ended() < before+kind.jobs; {
					if !wait(ctx, workLook) {
						return
					}
				}
			}
		})
	}
	group.Wait()
	return errors.Join(ends...)
}

// wait is false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func upTo(dice *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(dice.Int64N(int64(most)))
}

func (s *storm) killAgent(ctx context.Context, dice *rand.Rand) error {
	agent := s.arena.agents[dice.IntN(len(s.arena.agents))]
	away := upTo(dice, maxAgentAway)
	s.arena.site.KillAgent(agent)
	s.add(kills{agents: 1})
	wait(ctx, away)
	return s.arena.site.StartAgent(agent)
}

func (s *storm) killServer(ctx context.Context, dice *rand.Rand) error {
	away := upTo(dice, maxServerAway)
	s.arena.site.KillServer()
	s.add(kills{servers: 1})
	wait(ctx, away)
	return s.arena.site.StartServer(ctx)
}

// killShim picks one of the shims that live. Which ones do is not the seed's to say.
func (s *storm) killShim(_ context.Context, dice *rand.Rand) error {
	shims := shimsOf(s.arena.site.Dir)
	if pick := dice.Int(); len(shims) > 0 {
		_ = syscall.Kill(shims[pick%len(shims)], syscall.SIGKILL) // it may have ended meanwhile
		s.add(kills{shims: 1})
	}
	return nil
}

// shimsOf lists the shims of tickets below dir. The child of a shim that is about to become the script still
// has the shim's arguments, and is none: whoever kills it kills the script.
func shimsOf(dir string) (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && isShim(pid, dir) && !isShim(parentOf(pid), dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isShim knows a shim by its arguments and its folder, which is its ticket's, or that of all tickets
// while it is a spare.
func isShim(pid int, dir string) bool {
	process := filepath.Join("/proc", strconv.Itoa(pid))
	argv, _ := os.ReadFile(filepath.Join(process, "cmdline"))
	words := strings.Split(string(argv), "\x00")
	if len(words) < 3 || words[1] != "shim" {
		return false
	}
	folder, _ := os.Readlink(filepath.Join(process, "cwd"))
	return strings.HasPrefix(folder, dir+"/")
}

// parentOf is 0 for a process that is gone. Source: proc_pid_stat(5), field 4.
func parentOf(pid int) int {
	stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// cut resets an agent's connections, half of the time after nothing went through them for a while.
func (s *storm) cut(ctx context.Context, dice *rand.Rand) error {
	r := s.arena.relays[dice.IntN(len(s.arena.relays))]
	if frozen := upTo(dice, 2*maxFreeze) - maxFreeze; frozen > 0 {
		r.freeze()
		wait(ctx, frozen)
	}
	r.cut()
	r.thaw()
	s.add(kills{cuts: 1})
	return nil
}

func (k kills) String() string {
	return fmt.Sprintf("%d agents, %d shims, %d servers killed, %d cuts", k.agents, k.shims, k.servers, k.cuts)
}
