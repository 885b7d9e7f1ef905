// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"fairlead/internal/errkind"
	"fairlead/netem"
)

// Kill ends a life as SIGKILL does: what it wrote so far stays, synced or not, and nothing follows.
// Call it when the machine is at rest, as from netem.World.At, and no two of Kill, PowerOff and
// Shutdown at a time; then Wait.
//
// What a dead process still writes goes to files that nobody looks at: the machine goes on with
// copies. On a machine where others run as well, those are copies of what the dead one had open: a
// shim's ticket folder. An agent has seldom a file open for long, and then one that it would begin
// again.
func (l *Life) Kill() error {
	if l.Killed() {
		return nil
	}
	// The disk first: whoever is fenced wakes up and goes on.
	if err := l.part(); err != nil {
		return errkind.Internal.Errorf("kill %s %d on %s: %w", l.kind, l.number, l.m.name, err)
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.fenceLocked()
	return nil
}

// part gives a life that is about to die files of its own. It copies without the machine's lock,
// which those wait for who ask for the time.
func (l *Life) part() error {
	m := l.m
	m.mu.Lock()
	alone, disk, files := len(m.living) == 1, m.disk, m.files
	m.mu.Unlock()
	if alone {
		return m.copyDisk(disk, files) // and it keeps the disk
	}
	dead := filepath.Join(m.dir, "dead-"+strconv.Itoa(l.number))
	var err error
	if l.ticket != "" {
		err = renew(files, disk, filepath.Join(homeName, "tickets", string(l.ticket)), dead)
	} else {
		err = files.Copy(disk, dead)
	}
	if err != nil {
		return err
	}
	return l.point(dead)
}

// renew moves a folder of a disk to dead and puts a copy in its place, so that files that a dead
// process has open are no longer those of the disk.
func renew(files *Disk, disk, folder, dead string) error {
	live, old := filepath.Join(disk, folder), filepath.Join(dead, folder)
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		return err
	}
	if err := os.Rename(live, old); err != nil {
		return err
	}
	return files.Copy(old, live)
}

// fenceLocked cuts a life off. What it waits for at a crash point goes on.
func (l *Life) fenceLocked() {
	l.once.Do(func() { close(l.dead) })
	delete(l.m.living, l.number)
	l.stop()
}

// point makes the life see another folder in the place of the disk.
func (l *Life) point(folder string) error {
	temp := l.view + "-new"
	if err := os.Symlink(filepath.Base(folder), temp); err != nil {
		return err
	}
	return os.Rename(temp, l.view)
}

// livingLocked lists the machine's lives by number.
func (m *Machine) livingLocked() []*Life {
	list := make([]*Life, 0, len(m.living))
	for _, l := range m.living {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *Life) int { return cmp.Compare(a.number, b.number) })
	return list
}

// copyDisk lets the machine go on with a copy of its disk.
func (m *Machine) copyDisk(disk string, files *Disk) error {
	next := m.nextDisk()
	if err := files.Copy(disk, next); err != nil {
		return err
	}
	files.stands(next)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disk = next
	return nil
}

// nextDisk names a folder that no disk had yet.
func (m *Machine) nextDisk() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disks++
	return filepath.Join(m.dir, "disk-"+strconv.Itoa(m.disks))
}

// PowerOff takes the power away from a machine at rest: all processes are gone without a word to
// anybody, and of what was not synced the disk keeps as much as chance says.
func (m *Machine) PowerOff(w *netem.World) (boot func(), err error) {
	m.mu.Lock()
	m.cuts++
	cut, files := m.cuts, m.files
	m.mu.Unlock()
	next := m.nextDisk()
	left, err := files.PowerLoss(next, func(n uint64) uint64 { return m.Chance("power", cut, n) })
	if err != nil {
		return func() {}, errkind.Internal.Errorf("power cut on %s: %w", m.name, err)
	}
	return m.goDown(w, next, left), nil
}

// Shutdown takes a machine at rest down as an orderly shutdown does at its end: all that was written
// is on the disk, and all processes are gone without a word to anybody.
func (m *Machine) Shutdown(w *netem.World) (boot func(), err error) {
	disk, files := m.Disk()
	next := m.nextDisk()
	left := NewDisk(next)
	if err := errors.Join(files.Copy(disk, next), left.Settle(next)); err != nil {
		return func() {}, errkind.Internal.Errorf("shut %s down: %w", m.name, err)
	}
	return m.goDown(w, next, left), nil
}

// Snapshot keeps the disk of a machine at rest as it is now, as a hypervisor does. Back takes the
// machine, running and at rest, to it: all that came since is gone, and boot starts it from there.
func (m *Machine) Snapshot() (back func(*netem.World) (boot func(), err error), err error) {
	disk, files := m.Disk()
	kept := m.nextDisk()
	if err := files.Copy(disk, kept); err != nil {
		return nil, errkind.Internal.Errorf("take a snapshot of %s: %w", m.name, err)
	}
	return func(w *netem.World) (boot func(), err error) {
		left := NewDisk(kept)
		if err := left.Settle(kept); err != nil {
			return func() {}, errkind.Internal.Errorf("take %s back to its snapshot: %w", m.name, err)
		}
		return m.goDown(w, kept, left), nil
	}, nil
}

// Clone puts a copy of the disk of a machine at rest in the place of another's, on which nothing runs.
func (m *Machine) Clone(to *Machine) error {
	disk, files := m.Disk()
	next := to.nextDisk()
	left := NewDisk(next)
	if err := errors.Join(files.Copy(disk, next), left.Settle(next)); err != nil {
		return errkind.Internal.Errorf("copy the disk of %s to %s: %w", m.name, to.name, err)
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	to.disk, to.files = next, left
	return nil
}

// goDown ends all that runs; boot lets the machine begin again with what its disk has become.
func (m *Machine) goDown(w *netem.World, disk string, files *Disk) (boot func()) {
	m.mu.Lock()
	m.disk, m.files, m.isOff = disk, files, true
	for _, l := range m.livingLocked() {
		l.fenceLocked()
	}
	m.mu.Unlock()
	m.exec.killAll()
	heal := w.Inject(netem.Off{Host: m.net})
	return func() {
		heal()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.isOff, m.boots = false, m.boots+1
		m.booted = m.clock()
	}
}

// Lives lists the lives of a kind that go on, oldest first.
func (m *Machine) Lives(kind string) (lives []*Life) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.livingLocked() {
		if l.kind == kind {
			lives = append(lives, l)
		}
	}
	return lives
}
