// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	// maxLogBytes is the size at which a log stops taking lines from tickets; a line in it says so.
	maxLogBytes = 1 << 30
	// reserveBytes are kept beyond it for what the server says itself.
	reserveBytes = 16 << 20
	maxTaskBytes = 80
)

// Folder holds the logs of all tasks.
type Folder struct {
	dir   string
	disk  host.Disk
	wall  func() time.Time
	limit int64 // maxLogBytes; tests have less
	// MakeRoom is asked for space when a line found none, and reports whether it made some: then the
	// write is tried once more. Set it before the first Writer; nil makes none.
	MakeRoom func() bool

	mu    sync.Mutex
	tails map[deploy.TaskID]*tail // those that have a writer or a follower
}

// tail is what followers of one log wait on. Folder.mu guards it.
type tail struct {
	users   int
	writing bool
	removed bool
	end     int64         // what followers may read up to, while writing
	changed chan struct{} // closed when anything above changes
}

func (t *tail) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// Open opens the folder, making it if need be. wall dates lines that have no time.
func Open(dir string, disk host.Disk, wall func() time.Time) (*Folder, error) {
	if err := durable.MakeFolder(disk, dir); err != nil {
		return nil, fault("open log folder", err)
	}
	return &Folder{dir: dir, disk: disk, wall: wall, limit: maxLogBytes, tails: map[deploy.TaskID]*tail{}}, nil
}

// path is the file of a task. Errors: Invalid for an id that is no plain name.
func (f *Folder) path(task deploy.TaskID) (string, error) {
	if len(task) == 0 || len(task) > maxTaskBytes {
		return "", errkind.Invalid.Errorf("task id %.100q: want 1 to %d bytes", task, maxTaskBytes)
	}
	for i, c := range []byte(task) {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (c != '-' || i == 0) {
			return "", errkind.Invalid.Errorf("task id %q: byte %d is no letter, digit or inner dash", task, i)
		}
	}
	return filepath.Join(f.dir, string(task)+".log"), nil
}

// use returns the tail of a task, to be given back with leave.
func (f *Folder) use(task deploy.TaskID) *tail {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tails[task]
	if t == nil {
		t = &tail{changed: make(chan struct{})}
		f.tails[task] = t
	}
	t.users++
	return t
}

func (f *Folder) leave(task deploy.TaskID, t *tail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.users--
	if t.users == 0 && f.tails[task] == t {
		delete(f.tails, task)
	}
}

// Finish writes the mark that a log is complete, if it is not there. For logs whose writer died
// between the end of the task and the mark.
func (f *Folder) Finish(task deploy.TaskID) error {
	w, err := f.Writer(task)
	if errors.Is(err, errFinished) {
		return nil
	}
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Finish()
}

// Remove deletes a log. Its followers end with NotFound. Errors: Conflict while it is written to,
// NotFound.
func (f *Folder) Remove(task deploy.TaskID) error {
	path, err := f.path(task)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tails[task]
	if t != nil && t.writing {
		return errkind.Conflict.Errorf("remove the log of task %s: it is being written", task)
	}
	if err := os.Remove(path); err != nil {
		return fault("remove the log of task "+string(task), err)
	}
	if t != nil {
		t.removed = true
		t.wake()
		delete(f.tails, task)
	}
	return nil
}

// Tasks are those that there is a log of, by name. Files with other names are nobody's here.
func (f *Folder) Tasks() ([]deploy.TaskID, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fault("list the logs of tasks", err)
	}
	var all []deploy.TaskID
	for _, e := range entries {
		id, isLog := strings.CutSuffix(e.Name(), ".log")
		if _, err := f.path(deploy.TaskID(id)); isLog && err == nil && e.Type().IsRegular() {
			all = append(all, deploy.TaskID(id))
		}
	}
	return all, nil
}

// fault gives an error of the file system its kind.
func fault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case durable.IsFull(err):
		return errkind.Hinted(errkind.Exhausted.Errorf("%s: %w", doing, err),
			"free some space on the disk that holds the server's home")
	case errors.Is(err, fs.ErrPermission):
		return errkind.Denied.Errorf("%s: %w", doing, err)
	case errors.Is(err, fs.ErrNotExist):
		return errkind.NotFound.Errorf("%s: %w", doing, err)
	}
	return errkind.Of(err).Errorf("%s: %w", doing, err)
}
