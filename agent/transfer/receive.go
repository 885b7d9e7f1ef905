// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	bufferBytes = 64 << 10
	// buffersInFlight is how many buffers one transfer has: one at each stage and one between.
	buffersInFlight = 4
	// syncEveryBytes is how much may lie in memory only: what a power cut takes of a long transfer.
	syncEveryBytes = 64 << 20
)

// chunk is a part of a buffer that goes from stage to stage.
type chunk struct {
	buffer *[bufferBytes]byte
	n      int
}

// receive moves size bytes from r to where f stands and through sum. Reading (which decrypts),
// hashing and writing run at the same time, each in its own goroutine and in order; there is no
// select, so the outcome does not depend on scheduling. It returns how many bytes were written,
// and always waits for all stages. Errors: r's, sum's, Unavailable (r ended early), Invalid (r holds
// more), Exhausted (disk full), or the file system's.
func (s *Store) receive(r io.Reader, size int64, sum io.Writer, f *os.File, room *room) (int64, error) {
	free := make(chan *[bufferBytes]byte, buffersInFlight)
	arrived := make(chan chunk, buffersInFlight)
	hashed := make(chan chunk, buffersInFlight)
	for range buffersInFlight {
		free <- s.buffers.Get().(*[bufferBytes]byte)
	}
	var stages sync.WaitGroup
	var stop atomic.Bool
	var sumErr error
	stages.Go(func() {
		defer close(hashed)
		for c := range arrived {
			if sumErr == nil {
				if _, sumErr = sum.Write(c.buffer[:c.n]); sumErr != nil {
					stop.Store(true)
				}
			}
			if sumErr != nil {
				c.n = 0
			}
			hashed <- c
		}
	})
	w := writing{disk: s.options.Disk, f: f, room: room}
	stages.Go(func() {
		for c := range hashed {
			if w.err == nil && !w.write(c.buffer[:c.n]) {
				stop.Store(true)
			}
			free <- c.buffer
		}
	})
	readErr := s.read(r, size, free, arrived, &stop)
	close(arrived)
	stages.Wait()
	for range buffersInFlight {
		s.buffers.Put(<-free)
	}
	return w.done, errors.Join(w.err, sumErr, readErr)
}

// writing is the last stage.
type writing struct {
	disk     host.Disk
	f        *os.File
	room     *room
	done     int64
	unsynced int64
	err      error
}

func (w *writing) write(p []byte) bool {
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
	w.err = err
	return err == nil
}

// read is the first stage. It ends early when a later stage failed.
func (s *Store) read(
	r io.Reader, size int64, free <-chan *[bufferBytes]byte, arrived chan<- chunk, stop *atomic.Bool,
) error {
	for left := size; left > 0; {
		buffer := <-free
		if stop.Load() {
			arrived <- chunk{buffer, 0}
			return nil
		}
		n, err := io.ReadFull(r, buffer[:min(left, bufferBytes)])
		arrived <- chunk{buffer, n}
		left -= int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errkind.Unavailable.Errorf("content ended after %d of %d bytes", size-left, size)
		}
		if err != nil {
			return err
		}
	}
	return atEnd(r, size)
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
