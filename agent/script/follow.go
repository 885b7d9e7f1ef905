// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// logReader reads whole records of a log that may still grow. The file is opened once, when it
// is there.
type logReader struct {
	path   string
	file   *os.File
	offset int64 // of the next record
	buffer []byte
}

// next returns the whole records that follow, at most one frame of them and none beyond limit, or
// nothing when there are none yet. The slice is valid until the next call. Errors: Corrupt.
func (l *logReader) next(limit int64) ([]byte, error) {
	if l.file == nil {
		file, err := os.OpenFile(l.path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, storage("open the log", err)
		}
		l.file = file
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, storage("read the log", err)
	}
	room := min(contract.MaxFollowFrame, limit-l.offset, info.Size()-l.offset)
	if room <= 0 {
		l.buffer = nil // who has caught up waits with little
		return nil, nil
	}
	if int64(cap(l.buffer)) < room {
		l.buffer = make([]byte, room)
	}
	n, err := l.file.ReadAt(l.buffer[:room], l.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, storage("read the log", err)
	}
	rest, at := l.buffer[:n], l.offset
	for {
		record, after, ok, err := contract.ParseRecord(rest, at)
		if err != nil && at == l.offset {
			return nil, err
		}
		if !ok || err != nil {
			break
		}
		rest, at = after, record.End()
	}
	whole := l.buffer[:at-l.offset]
	l.offset = at
	return whole, nil
}

func (l *logReader) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// scanLog passes the whole records between from and limit to use, and returns where they end. A
// log that is torn or damaged ends before the damage.
func scanLog(path string, from, limit int64, use func([]byte) error) (end int64, err error) {
	l := &logReader{path: path, offset: from}
	defer l.close()
	for {
		raw, err := l.next(limit)
		if errkind.Of(err) == errkind.Corrupt && err != nil {
			return l.offset, nil
		}
		if err != nil || len(raw) == 0 {
			return l.offset, err
		}
		if err := use(raw); err != nil {
			return l.offset, err
		}
	}
}

// grown reports the log's size and whether it differs from the last look.
func (t *ticket) grown() (size int64, grew bool) {
	info, err := os.Lstat(t.dir.path("log"))
	if err != nil {
		return t.seenEnd, false
	}
	return info.Size(), info.Size() != t.seenEnd
}

// status is what is known of a ticket now, with the end of its log.
func (s *Service) status(t *ticket) contract.TicketStatus {
	s.mu.Lock()
	status := t.statusLocked()
	from := t.logEnd
	s.mu.Unlock()
	if status.Verdict != nil || status.State == contract.Waiting {
		return status
	}
	end, err := scanLog(t.dir.path("log"), from, maxLogBytes, func([]byte) error { return nil })
	if err != nil {
		s.env.Log.Warn("a ticket's log cannot be read", "ticket", t.id, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.logEnd = max(t.logEnd, end)
	status.LogEnd = t.logEnd
	return status
}

// statusLocked is the status without a look at the log.
func (t *ticket) statusLocked() contract.TicketStatus {
	status := contract.TicketStatus{
		Ticket: t.id, State: contract.Waiting, LogEnd: t.logEnd, Boot: t.s.boot, StartedBoot: t.startedBoot,
		Journal: t.passed,
	}
	switch {
	case t.verdict != nil:
		status.State, status.Verdict, status.LogEnd = contract.Finished, t.verdict, t.verdict.LogEnd
	case t.runs:
		status.State = contract.Running
	default:
		status.WaitingFor = t.s.queue.waitingFor(t.id)
	}
	return status
}

// follower sends one ticket's records and statuses to one reader.
type follower struct {
	t    *ticket
	log  logReader
	sent contract.TicketStatus
}

// Follow sends the records from offset on as they appear and the status whenever it changes, and
// returns after the verdict was sent. Errors: NotFound, Invalid (no record begins at offset),
// ctx's, the writer's.
func (s *Service) Follow(ctx context.Context, id contract.TicketID, offset int64, w contract.FollowWriter) error {
	f, err := s.follow(ctx, id, offset)
	if err != nil {
		return err
	}
	return f.run(ctx, w)
}

func (s *Service) follow(ctx context.Context, id contract.TicketID, offset int64) (*follower, error) {
	t, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errkind.NotFound.Errorf("follow %s: no such ticket here", id)
	}
	f := &follower{t: t, log: logReader{path: t.dir.path("log"), offset: offset}, sent: s.status(t)}
	if offset < 0 || offset > f.sent.LogEnd {
		return nil, errkind.Invalid.Errorf("follow %s from %d: its log ends at %d", id, offset, f.sent.LogEnd)
	}
	raw, err := f.log.next(f.sent.LogEnd)
	if err == nil && len(raw) == 0 && offset < f.sent.LogEnd {
		err = errkind.Corrupt.Errorf("the record at %d has no end", offset)
	}
	f.log.offset = offset // run reads it again
	if err != nil {
		f.log.close()
		if errkind.Of(err) == errkind.Corrupt {
			return nil, errkind.Invalid.Errorf("follow %s from %d: no record begins there: %w", id, offset, err)
		}
		return nil, err
	}
	return f, nil
}

func (f *follower) run(ctx context.Context, w contract.FollowWriter) error {
	defer f.log.close()
	first := true
	for {
		changed := f.t.change() // before the look, so that no change is missed
		f.t.s.mu.Lock()
		status := f.t.statusLocked()
		f.t.s.mu.Unlock()
		limit := int64(maxLogBytes)
		if status.Verdict != nil {
			limit = status.Verdict.LogEnd
		}
		if err := f.records(ctx, w, limit); err != nil {
			return err
		}
		if status.Verdict != nil && f.log.offset < limit {
			return errkind.Internal.Errorf("follow %s: the log ends at %d, the verdict says %d", f.t.id, f.log.offset, limit)
		}
		status.LogEnd = max(f.log.offset, status.LogEnd)
		if first || status.State != f.sent.State || status.WaitingFor != f.sent.WaitingFor ||
			status.Journal != f.sent.Journal {
			if err := w.Status(status); err != nil {
				return err
			}
			first, f.sent = false, status
		}
		if status.Verdict != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// records sends what lies between the last record sent and limit.
func (f *follower) records(ctx context.Context, w contract.FollowWriter, limit int64) error {
	for ctx.Err() == nil {
		raw, err := f.log.next(limit)
		if errkind.Of(err) == errkind.Corrupt && err != nil {
			return nil // torn by a crash: the verdict will say where the log ends
		}
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			return nil
		}
		if err := w.Records(raw); err != nil {
			return err
		}
	}
	return ctx.Err()
}
