// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// mount is one disk: a file system in memory, and faultfs in front of it where there is FUSE.
type mount struct {
	path  string // where programs see it
	below string // the file system in memory
	lives int    // power cuts so far
	tool  string // faultfs, or "" without FUSE

	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// newMount makes a disk of so many MiB and shows it at path.
func newMount(tool, below, path string, megabytes int) (*mount, error) {
	m := &mount{path: path, below: below, tool: tool}
	if err := errors.Join(os.MkdirAll(below, 0o700), os.MkdirAll(path, 0o700)); err != nil {
		return nil, err
	}
	size := fmt.Sprintf("size=%dm,mode=0700", megabytes)
	if err := syscall.Mount("tmpfs", below, "tmpfs", 0, size); err != nil {
		return nil, fmt.Errorf("mount a file system in memory at %s: %w", below, err)
	}
	return m, m.show()
}

// folder is what is shown now.
func (m *mount) folder() string { return filepath.Join(m.below, fmt.Sprintf("life-%d", m.lives)) }

func (m *mount) show() error {
	if err := os.MkdirAll(m.folder(), 0o700); err != nil {
		return err
	}
	if m.tool == "" {
		return syscall.Mount(m.folder(), m.path, "", syscall.MS_BIND, "")
	}
	m.process = exec.Command(m.tool, m.folder(), m.path)
	m.process.Stderr = os.Stderr
	in, err := m.process.StdinPipe()
	if err != nil {
		return err
	}
	out, err := m.process.StdoutPipe()
	if err != nil {
		return err
	}
	m.in, m.out = in, bufio.NewScanner(out)
	if err := m.process.Start(); err != nil {
		return err
	}
	_, err = m.answer()
	return err
}

func (m *mount) answer() (string, error) {
	if !m.out.Scan() {
		return "", fmt.Errorf("faultfs of %s has ended", m.path)
	}
	answer := m.out.Text()
	if rest, ok := strings.CutPrefix(answer, "ok"); ok {
		return strings.TrimSpace(rest), nil
	}
	return "", fmt.Errorf("faultfs of %s: %s", m.path, answer)
}

// tell gives faultfs a command.
func (m *mount) tell(format string, args ...any) error {
	if _, err := fmt.Fprintf(m.in, format+"\n", args...); err != nil {
		return err
	}
	_, err := m.answer()
	return err
}

// count is how many writes and syncs there were.
func (m *mount) count() (writes, syncs int, err error) {
	if _, err := fmt.Fprintln(m.in, "count"); err != nil {
		return 0, 0, err
	}
	answer, err := m.answer()
	if err == nil {
		_, err = fmt.Sscan(answer, &writes, &syncs)
	}
	return writes, syncs, err
}

// cut forgets what was not synced. Nobody may use the disk meanwhile.
func (m *mount) cut() error {
	old := m.folder()
	m.lives++
	err := os.MkdirAll(m.folder(), 0o700)
	if err == nil {
		err = m.tell("cut %s", m.folder())
	}
	if err == nil {
		err = m.hide()
	}
	return errors.Join(err, os.RemoveAll(old), m.show())
}

// hide takes the disk away.
func (m *mount) hide() error {
	if m.process == nil {
		return syscall.Unmount(m.path, syscall.MNT_DETACH)
	}
	err := errors.Join(m.in.Close(), m.process.Wait())
	if err != nil { // somebody uses it still
		err = syscall.Unmount(m.path, syscall.MNT_DETACH)
	}
	return err
}

func (m *mount) close() error {
	return errors.Join(m.hide(), syscall.Unmount(m.below, syscall.MNT_DETACH))
}

// fill takes all the space there is, and gives it back.
func (m *mount) fill() (back func() error, err error) {
	path := filepath.Join(m.below, "filler")
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err = file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("fill %s: %w", m.below, err)
	}
	return func() error { return os.Remove(path) }, file.Close()
}
