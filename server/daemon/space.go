// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	// spaceLook is how often the disk is looked at when nobody asks for work: the longest time until
	// the server says that it is full, or takes work again. Limit: 30 s, security.md 4 (G9).
	spaceLook = 10 * time.Second
	// leastFree is what is too little to begin with: a server that starts with less gives up its
	// reserve first, in bytes.
	leastFree = 1 << 20
)

// space knows how full the disk is that holds the home. It refuses new work on one that is too full,
// and keeps a reserve for what is at work. Source: security.md 3.10. Safe for concurrent use.
type space struct {
	home    string
	vitals  func(folder string) host.Vitals
	log     *slog.Logger
	reserve *durable.Reserve
	percent int // of the disk: at this share of used space nothing new begins

	mu       sync.Mutex
	sentence string // why nothing new begins; "" while it does
	ranOut   bool   // a write found no space, and the reserve is not whole yet
}

func newSpace(h Home, s Settings, env host.Env) *space {
	return &space{
		home: string(h), vitals: env.Vitals, log: env.Log.With("part", "space"), percent: s.FullPercent,
		reserve: durable.NewReserve(h.reserve(), int64(s.ReserveMB)<<20),
	}
}

// open is the first look. On a disk so full that no store could be opened, the reserve goes first.
func (s *space) open() {
	if v := s.vitals(s.home); v.DiskTotalBytes > 0 && v.DiskFreeBytes < leastFree {
		s.makeRoom()
	}
	s.look()
}

// run looks now and then, so that logs, portal and metrics are right when nobody asks for work.
func (s *space) run(ctx context.Context, phase time.Duration) error {
	timer := time.NewTimer(phase)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		s.look()
		timer.Reset(spaceLook)
	}
}

// makeRoom is called when a write found no space. It gives the reserve up and reports whether that
// made any.
func (s *space) makeRoom() bool {
	freed := s.reserve.Free()
	s.mu.Lock()
	news := !s.ranOut
	s.ranOut = true
	s.mu.Unlock()
	if freed || news {
		s.log.Error("the disk is full", "folder", s.home, "reserve_freed", freed, "reserve_bytes", s.reserve.Size())
	}
	s.look()
	return freed
}

// look asks the disk and sets the reserve aside again when there is space for it.
func (s *space) look() {
	v := s.vitals(s.home)
	if v.DiskTotalBytes == 0 {
		return // not known: the writes themselves will tell
	}
	isHeld := s.reserve.IsHeld()
	if !isHeld && !s.isFull(v, s.reserve.Size()) {
		if err := s.reserve.Keep(); err != nil {
			s.log.Warn("no space can be set aside", "err", err)
		} else {
			isHeld, v = true, s.vitals(s.home)
		}
	}
	s.mu.Lock()
	s.ranOut = s.ranOut && !isHeld
	before := s.sentence
	s.sentence = s.judge(v)
	now := s.sentence
	s.mu.Unlock()
	switch {
	case now != "" && before == "":
		s.log.Warn("new work is refused", "free_bytes", v.DiskFreeBytes, "total_bytes", v.DiskTotalBytes)
	case now == "" && before != "":
		s.log.Info("new work is taken again", "free_bytes", v.DiskFreeBytes, "total_bytes", v.DiskTotalBytes)
	}
}

// isFull reports whether the disk is too full once more bytes are taken from it.
func (s *space) isFull(v host.Vitals, more int64) bool {
	used := v.DiskTotalBytes - v.DiskFreeBytes + more
	return float64(used) >= float64(v.DiskTotalBytes)*float64(s.percent)/100
}

func (s *space) judge(v host.Vitals) string {
	if !s.ranOut && !s.isFull(v, 0) {
		return ""
	}
	return fmt.Sprintf("The disk that holds the server's home is full (%s of %s are free): deployments, releases, tasks "+
		"and packages that are new are refused until it is below %d %%. What is at work goes on.",
		cli.Bytes(v.DiskFreeBytes), cli.Bytes(v.DiskTotalBytes), s.percent)
}

// notice is why nothing new begins, in sentences; "" while it does.
func (s *space) notice() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sentence
}

// admit looks at the disk before something new begins. Errors: Unavailable, as it comes back by itself.
func (s *space) admit() error {
	s.look()
	if sentence := s.notice(); sentence != "" {
		return errkind.Hinted(errkind.Unavailable.Errorf("%s", sentence),
			"free space on the disk of %s: delete releases and packages, or give it a larger disk", s.home)
	}
	return nil
}
