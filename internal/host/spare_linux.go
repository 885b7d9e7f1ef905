// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"io/fs"
	"os"

	"fairlead/internal/errkind"
)

// maxTellBytes is what a pipe takes whole or not at all. Source: pipe(7), PIPE_BUF.
const maxTellBytes = 4096

// Spares is what an Exec also is on a machine where a program can be started before it is known what
// for: its start takes longer than most of what it does then.
type Spares interface {
	// StartSpare starts a program that waits for a word on its standard input; c.Stdin is nil. When this
	// program ends in whatever way, the input ends without a word. Errors: those of Exec.Start.
	StartSpare(c Command) (Spare, error)
}

// Spare is a process that waits for its word.
type Spare interface {
	Process
	// Tell gives it the word, of at most 4,096 bytes, and ends its input. It never blocks. After an error
	// nothing was told. Errors: Invalid (too long), Unavailable (it has ended, or was told already).
	Tell(word string) error
	// Dismiss kills it and returns when it has ended. It is called at most once, instead of Tell or after
	// an error of it.
	Dismiss()
}

// MoveTo makes folder the program's own, which tells people what a program that was started as a spare is busy
// with. Errors: NotFound, Internal.
func MoveTo(folder string) error {
	err := os.Chdir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return errkind.NotFound.Errorf("move to folder: %w", err)
	}
	if err != nil {
		return errkind.Internal.Errorf("move to folder: %w", err)
	}
	return nil
}

// realSpare is a process with a pipe to its standard input.
type realSpare struct {
	*realProcess
	input *os.File
}

// StartSpare implements Spares.
func (e *realExec) StartSpare(c Command) (Spare, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, startError(c.Path, err)
	}
	c.Stdin = read
	p, err := e.start(c)
	_ = read.Close() // the process has its own
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &realSpare{realProcess: p, input: write}, nil
}

func (s *realSpare) Tell(word string) error {
	if len(word) > maxTellBytes {
		return errkind.Invalid.Errorf("tell process %d %d bytes: want at most %d", s.id.Pid, len(word), maxTellBytes)
	}
	_, err := s.input.WriteString(word)
	if err != nil {
		return errkind.Unavailable.Errorf("tell process %d: %w", s.id.Pid, err)
	}
	_ = s.input.Close()
	return nil
}

func (s *realSpare) Dismiss() {
	_ = s.input.Close()
	_ = s.cmd.Process.Kill() // it has no children, and its number is its own until Wait
	_ = s.cmd.Wait()
}
