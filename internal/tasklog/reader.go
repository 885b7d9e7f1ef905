// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

const (
	// scanBytes is how much of a file is read at once; a longer line gets a buffer of its own.
	scanBytes = 32 << 10
	// followBytes is about how much of a file a follower is given at once.
	followBytes = 32 << 10
)

// scan reads whole lines of a file between two offsets.
type scan struct {
	file   io.ReaderAt
	offset int64 // of the next line
	read   int64 // of the next byte to read
	limit  int64
	buffer []byte
	start  int   // of what is not returned yet in the buffer
	lost   int64 // bytes of a line too long to keep, before the buffer
}

func newScan(file io.ReaderAt, offset, limit int64) *scan {
	return &scan{file: file, offset: offset, read: offset, limit: limit}
}

// next returns the next line without its newline, valid until the next call; io.EOF when there
// is no further whole one. Of a line that is too long for one of ours it returns the end, which
// cannot be decoded.
func (s *scan) next() ([]byte, error) {
	searched := 0
	for {
		if n := bytes.IndexByte(s.buffer[s.start+searched:], '\n'); n >= 0 {
			line := s.buffer[s.start : s.start+searched+n]
			s.start += len(line) + 1
			s.offset += s.lost + int64(len(line)) + 1
			s.lost = 0
			return line, nil
		}
		if searched = len(s.buffer) - s.start; searched > maxStoredLine {
			searched = 0
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads on behind what is left in the buffer.
func (s *scan) fill() error {
	if rest := len(s.buffer) - s.start; rest > maxStoredLine {
		s.lost += int64(rest)
		s.start = len(s.buffer)
	}
	rest := len(s.buffer) - s.start
	size := min(max(scanBytes, 2*rest), maxStoredLine+scanBytes)
	if cap(s.buffer) < size || cap(s.buffer) > scanBytes && rest < scanBytes/2 {
		s.buffer = append(make([]byte, 0, size), s.buffer[s.start:]...)
	} else {
		s.buffer = s.buffer[:copy(s.buffer, s.buffer[s.start:])]
	}
	s.start = 0
	want := int(min(int64(cap(s.buffer)-rest), s.limit-s.read))
	if want <= 0 {
		return io.EOF
	}
	n, err := s.file.ReadAt(s.buffer[rest:rest+want], s.read)
	s.buffer = s.buffer[:rest+n]
	s.read += int64(n)
	if n > 0 {
		return nil
	}
	return err
}

// Read returns the whole lines from offset on, about maxBytes of the file (one line at least),
// and the offset after them. A log that has not begun has no lines. Errors: Invalid (no place
// between lines).
func (f *Folder) Read(task deploy.TaskID, offset int64, maxBytes int) (lines []Line, next int64, err error) {
	t := f.use(task)
	defer f.leave(task, t)
	lines, next, _, err = f.read(task, t, offset, maxBytes)
	return lines, next, err
}

// bound is what may be read of a file that is being written, -1 for all of one that is not.
func (f *Folder) bound(t *tail) (bound int64, changed <-chan struct{}, removed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !t.writing {
		return -1, t.changed, t.removed
	}
	return t.end, t.changed, t.removed
}

func (f *Folder) read(task deploy.TaskID, t *tail, offset int64, maxBytes int) (
	lines []Line, next int64, finished bool, err error,
) {
	path, err := f.path(task)
	if err != nil {
		return nil, offset, false, err
	}
	limit, _, _ := f.bound(t)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && offset == 0 {
		return nil, 0, false, nil
	}
	if err != nil {
		return nil, offset, false, fault("read the log of task "+string(task), err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, offset, false, fault("read the log of task "+string(task), err)
	}
	if limit < 0 {
		limit = info.Size()
	}
	if err := between(file, offset, info.Size()); err != nil {
		return nil, offset, false, errkind.Of(err).Errorf("read the log of task %s: %w", task, err)
	}
	lines, next, finished, err = collect(newScan(file, offset, limit), maxBytes)
	if err != nil {
		err = errkind.Of(err).Errorf("read the log of task %s: %w", task, err)
	}
	return lines, next, finished, err
}

// between checks that an offset lies between lines.
func between(file io.ReaderAt, offset, size int64) error {
	if offset == 0 {
		return nil
	}
	before := []byte{0}
	if offset > 0 && offset <= size {
		if _, err := file.ReadAt(before, offset-1); err != nil {
			return err
		}
	}
	if before[0] != '\n' {
		return errkind.Invalid.Errorf("offset %d is no start of a line (the log has %d bytes)", offset, size)
	}
	return nil
}

func collect(s *scan, maxBytes int) (lines []Line, next int64, finished bool, err error) {
	first := s.offset
	for len(lines) == 0 || s.offset-first < int64(maxBytes) {
		stored, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return lines, s.offset, false, err
		}
		r := decode(stored)
		if r.Finished {
			return lines, s.offset, true, nil
		}
		if len(r.Mark) == 0 {
			lines = append(lines, r.line())
		}
	}
	return lines, s.offset, false, nil
}

// Follow calls deliver, from this goroutine, with the lines from offset on as they appear. It
// waits for a log that has not begun, and returns nil after the last line of a finished one.
// Errors: deliver's own, Canceled or Timeout when ctx ends, Invalid (no place between lines),
// NotFound (removed).
func (f *Folder) Follow(ctx context.Context, task deploy.TaskID, offset int64,
	deliver func(lines []Line, next int64) error,
) error {
	t := f.use(task)
	defer f.leave(task, t)
	for {
		_, changed, removed := f.bound(t)
		if removed {
			return errkind.NotFound.Errorf("the log of task %s was removed", task)
		}
		lines, next, finished, err := f.read(task, t, offset, followBytes)
		if err != nil {
			return err
		}
		if len(lines) > 0 {
			if err := deliver(lines, next); err != nil {
				return err
			}
		}
		offset = next
		if finished {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return errkind.Of(err).Errorf("follow the log of task %s: %w", task, err)
		}
		if len(lines) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
