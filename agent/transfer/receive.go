// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"errors"
	"io"
	"os"
	"syscall"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	bufferBytes = 64 << 10
	// syncEveryBytes is how much may lie in memory only: what a power cut takes of a long transfer.
	syncEveryBytes = 64 << 20
)

// receive moves size bytes from r through sum to where f stands. It is one goroutine on purpose: the
// line reads and decrypts ahead on its own, which costs about as much as hashing and writing, and
// every further hand-over between goroutines costs more than it gains. It returns how many bytes were
// written. Errors: r's, sum's, Unavailable (r ended early), Invalid (r holds more), Exhausted (disk
// full), or the file system's.
func (s *Store) receive(r io.Reader, size int64, sum io.Writer, f *os.File, room *room) (int64, error) {
	buffer := s.buffers.Get().(*[bufferBytes]byte)
	defer s.buffers.Put(buffer)
	w := writing{disk: s.options.Disk, f: f, room: room}
	for left := size; left > 0; {
		n, readErr := contract.ReadFull(r, buffer[:min(left, bufferBytes)])
		left -= int64(n)
		if _, err := sum.Write(buffer[:n]); err != nil {
			return w.done, err
		}
		if err := w.write(buffer[:n]); err != nil {
			return w.done, err
		}
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			return w.done, errkind.Unavailable.Errorf("content ended after %d of %d bytes", size-left, size)
		}
		if readErr != nil {
			return w.done, readErr
		}
	}
	return w.done, atEnd(r, size)
}

// writing is the file that grows.
type writing struct {
	disk     host.Disk
	f        *os.File
	room     *room
	done     int64
	unsynced int64
}

func (w *writing) write(p []byte) error {
	n, err := w.f.Write(p)
	w.done += int64(n)
	w.unsynced += int64(n)
	w.room.used(int64(n))
	if err == nil && w.unsynced >= syncEveryBytes {
		w.unsynced, err = 0, w.disk.Sync(w.f)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = errkind.Exhausted.Errorf("disk is full after %d bytes: %w", w.done, err)
	}
	return err
}

// atEnd wants r to hold nothing more.
func atEnd(r io.Reader, size int64) error {
	var more [1]byte
	n, err := io.ReadFull(r, more[:])
	if n > 0 {
		return errkind.Invalid.Errorf("content goes on after the %d bytes it should have", size)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
