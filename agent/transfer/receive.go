// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"errors"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"fairlead/internal/errkind"
)

const (
	bufferBytes = 256 << 10
	// buffersInFlight is how many buffers one transfer has: one at each stage and one between.
	buffersInFlight = 4
)

// chunk is a part of a buffer that goes from stage to stage.
type chunk struct {
	buffer *[bufferBytes]byte
	n      int
}

// receive moves size bytes from r to the end of f and through h. Reading (which decrypts),
// hashing and writing run at the same time, each in its own goroutine and in order; there is no
// select, so the outcome does not depend on scheduling. It returns how many bytes were written,
// and always waits for all stages. Errors: r's, Unavailable (r ended early), Invalid (r holds
// more), Exhausted (disk full), or the file system's.
func (s *Store) receive(r io.Reader, size int64, h hash.Hash, f *os.File, room *room) (int64, error) {
	free := make(chan *[bufferBytes]byte, buffersInFlight)
	arrived := make(chan chunk, buffersInFlight)
	hashed := make(chan chunk, buffersInFlight)
	for range buffersInFlight {
		free <- s.buffers.Get().(*[bufferBytes]byte)
	}
	var stages sync.WaitGroup
	stages.Go(func() {
		defer close(hashed)
		for c := range arrived {
			h.Write(c.buffer[:c.n])
			hashed <- c
		}
	})
	var stop atomic.Bool
	var written int64
	var writeErr error
	stages.Go(func() {
		for c := range hashed {
			if writeErr == nil {
				var n int
				n, writeErr = f.Write(c.buffer[:c.n])
				written += int64(n)
				room.used(int64(n))
				stop.Store(writeErr != nil)
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
	if errors.Is(writeErr, syscall.ENOSPC) || errors.Is(writeErr, syscall.EDQUOT) {
		writeErr = errkind.Exhausted.Errorf("disk is full after %d bytes: %w", written, writeErr)
	}
	return written, errors.Join(writeErr, readErr)
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

// rehash reads the first size bytes of f through h, to continue a transfer.
func (s *Store) rehash(f *os.File, size int64, h hash.Hash) error {
	buffer := s.buffers.Get().(*[bufferBytes]byte)
	defer s.buffers.Put(buffer)
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{io.LimitReader(f, size)}, buffer[:])
	if err == nil && n != size {
		err = errkind.Conflict.Errorf("part of %d bytes became %d bytes long", size, n)
	}
	return err
}
