// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// firstPause and longestPause are the wait after an accept for which there was no file, doubling.
	firstPause, longestPause = 100 * time.Millisecond, time.Second
	// spareFiles are left to what is at work: database, logs, scripts. A quarter of a limit below 256.
	spareFiles = 64
	// calmAfter is how long files must have sufficed before that is said.
	calmAfter = 10 * time.Second
)

// Patient makes a listener that bears a lack of open files: it waits and tries again, refuses connections while few
// files are left, so that the lines that are up and the database go on, and tells the log once.
func Patient(listener net.Listener, log *slog.Logger) net.Listener {
	return &patient{Listener: listener, log: log, closed: make(chan struct{})}
}

type patient struct {
	net.Listener
	log    *slog.Logger
	once   sync.Once
	closed chan struct{}

	mu     sync.Mutex
	isLow  bool // said, and not yet taken back
	lacked time.Time
}

// Close ends a wait too.
func (p *patient) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

// Accept implements net.Listener.
func (p *patient) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		conn, err := p.Listener.Accept()
		limit := fileLimit()
		switch {
		case err == nil && !leavesFew(conn, limit):
			p.sufficed(time.Now())
			return conn, nil
		case err == nil:
			_ = conn.Close() // its peer comes back later
			p.lack(time.Now(), limit, errors.New("the last ones are left to what is at work"))
		case isLack(err):
			p.lack(time.Now(), limit, err)
		default:
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-p.closed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// isLack tells a lack of files, or of memory for a connection, from what ends a listener. Source: accept(2).
func isLack(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// leavesFew reports whether the connection took one of the last files: the kernel gives the lowest number that is free.
func leavesFew(conn net.Conn, limit uint64) bool {
	raw, ok := conn.(syscall.Conn)
	if !ok || limit == 0 {
		return false
	}
	few := false
	control, err := raw.SyscallConn()
	if err == nil {
		err = control.Control(func(fd uintptr) { few = uint64(fd) >= limit-min(spareFiles, limit/4) })
	}
	return err == nil && few
}

// fileLimit is how many files this program may have open, 0 when that cannot be learned.
func fileLimit() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}

func (p *patient) lack(now time.Time, limit uint64, err error) {
	p.mu.Lock()
	was := p.isLow
	p.isLow, p.lacked = true, now
	p.mu.Unlock()
	if was {
		return
	}
	p.log.Error("new connections are not accepted: too many open files; those that are open go on",
		"address", p.Addr().String(), "limit", limit, "err", err,
		"hint", "raise the limit of open files (ulimit -n, or LimitNOFILE= in the unit) and start again; a line takes one")
}

func (p *patient) sufficed(now time.Time) {
	p.mu.Lock()
	over := p.isLow && now.Sub(p.lacked) >= calmAfter
	p.isLow = p.isLow && !over
	p.mu.Unlock()
	if over {
		p.log.Info("new connections are accepted again", "address", p.Addr().String())
	}
}
