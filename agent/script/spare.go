// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"io"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	// spareKept is how long a shim waits for the next order of its agent. An idle agent has none.
	spareKept = 30 * time.Second
	// maxSpareWord bounds what a spare shim is told: a path. Source: PATH_MAX of Linux.
	maxSpareWord = 4096
	// FromInput stands for the ticket folder in the arguments of a spare shim, which reads it from its
	// standard input.
	FromInput = "-"
)

// spare is a shim that was started before its ticket's intent was durable, so that the start of a process
// and the syncs go on at the same time, or that waits for the next order after one. Until it is told a
// folder it does nothing, and it ends with its agent. The goroutine of tend owns it until it is taken.
type spare struct {
	ready   chan struct{} // closed when process or err is set
	process host.Spare
	err     error
	taken   chan struct{} // closed by takeSpare: the ticket owns the process from then on
}

// readySpareLocked starts a spare shim unless there is one, where the machine can.
func (s *Service) readySpareLocked() {
	spares, ok := s.env.Exec.(host.Spares)
	if !ok || s.spare != nil || s.closed || s.ctx == nil {
		return
	}
	one := &spare{ready: make(chan struct{}), taken: make(chan struct{})}
	s.spare = one
	s.owned.Go(func() { s.tend(s.ctx, spares, one) })
}

// tend starts a spare and dismisses it when nobody takes it.
func (s *Service) tend(ctx context.Context, spares host.Spares, one *spare) {
	one.process, one.err = spares.StartSpare(s.shimCommand(FromInput, s.home))
	close(one.ready)
	if one.err == nil {
		kept := time.NewTimer(spareKept)
		defer kept.Stop()
		select { // whichever comes: the lock decides whose it is
		case <-one.taken:
		case <-kept.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	mine := s.spare == one
	if mine {
		s.spare = nil
	}
	s.mu.Unlock()
	if mine && one.err == nil {
		one.process.Dismiss()
	}
}

// takeSpare returns a shim that waits for a ticket, or nil.
func (s *Service) takeSpare() host.Spare {
	s.mu.Lock()
	one := s.spare
	s.spare = nil
	s.mu.Unlock()
	if one == nil {
		return nil
	}
	close(one.taken)
	<-one.ready // no longer than a process takes to start
	if one.err != nil {
		return nil
	}
	return one.process
}

// startShim has a shim carry the ticket in dir out: the spare one, or one that is started now.
func (s *Service) startShim(dir folder) (host.Process, error) {
	if one := s.takeSpare(); one != nil {
		if err := one.Tell(string(dir) + "\n"); err == nil {
			return one, nil
		}
		one.Dismiss()
	}
	return s.env.Exec.Start(s.shimCommand(string(dir), string(dir)))
}

func (s *Service) shimCommand(ticket, dir string) host.Command {
	return host.Command{
		Path: s.env.Exec.Self(), Args: []string{"shim", ticket}, Dir: dir, Env: baseEnvironment(), Detached: true,
	}
}

// AwaitTicket waits until a spare shim is told its ticket's folder on in; "" when its agent has gone or
// has no use for it. Errors: Corrupt, Internal.
func AwaitTicket(in io.Reader) (folder string, err error) {
	word, err := io.ReadAll(io.LimitReader(in, maxSpareWord))
	if err != nil {
		return "", errkind.Internal.Errorf("shim: wait for a ticket: %w", err)
	}
	if len(word) == 0 {
		return "", nil
	}
	folder, whole := strings.CutSuffix(string(word), "\n")
	if !whole {
		return "", errkind.Corrupt.Errorf("shim: told %.100q, want a path and a newline, at most %d bytes",
			word, maxSpareWord)
	}
	return folder, nil
}
