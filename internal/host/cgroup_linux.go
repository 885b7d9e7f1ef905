// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
)

// Cgroups is what an Exec also is on a machine with control groups of version 2: a process cannot
// leave its group, whatever sessions it makes. Source: cgroups(7), section "Cgroups v2".
type Cgroups interface {
	// MakeCgroup makes the group called name below this program's own, or finds it there, and
	// returns its folder. All programs of one group share the names. It is "" where this program
	// may not make groups, or the kernel cannot kill one.
	MakeCgroup(name string) (folder string)
	// CgroupMembers lists the processes that run in a group that MakeCgroup returned.
	CgroupMembers(folder string) []int
	// SignalCgroup sends sig to all of them.
	SignalCgroup(folder string, sig Signal) error
	// RemoveCgroup takes an empty group away. One with processes in it stays.
	RemoveCgroup(folder string)
	// SweepCgroups takes all empty groups away that MakeCgroup made, also in earlier lives.
	SweepCgroups()
}

// cgroupParent is the folder of all groups that the programs make, below that of the program.
const cgroupParent = "fairlead-scripts"

// MakeCgroup implements Cgroups.
func (e *realExec) MakeCgroup(name string) string {
	own := ownCgroup()
	if own == "" || name == "" || strings.ContainsAny(name, "/\n") || name[0] == '.' {
		return ""
	}
	folder := filepath.Join(own, cgroupParent, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(folder, "cgroup.kill")); err != nil { // Linux before 5.14
		e.RemoveCgroup(folder)
		return ""
	}
	return folder
}

// ownCgroup is the folder of this program's group, "" for none.
func ownCgroup() string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	return findCgroup(string(mounts), string(groups))
}

// findCgroup reads /proc/self/mountinfo and /proc/self/cgroup. A script of an agent that was itself
// started in a script's group is in a group of the agent's parent, not below its own.
// Source: proc_pid_mountinfo(5), cgroups(7).
func findCgroup(mounts, groups string) string {
	path, ok := "", false
	for line := range strings.Lines(groups) {
		if path, ok = strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			break
		}
	}
	if before, _, nested := strings.Cut(path, "/"+cgroupParent); nested {
		path = before
	}
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kind) == 0 || kind[0] != "cgroup2" {
			continue
		}
		root, mount := fields[3], fields[4]
		below, inside := strings.CutPrefix(path, strings.TrimSuffix(root, "/"))
		if !inside || strings.Contains(path, "/..") {
			return "" // our group is not to be seen from here
		}
		return filepath.Join(mount, below)
	}
	return ""
}

// CgroupMembers implements Cgroups. A process that ended and waits for its parent is not listed.
func (e *realExec) CgroupMembers(folder string) (pids []int) {
	text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return nil
	}
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// SignalCgroup implements Cgroups.
func (e *realExec) SignalCgroup(folder string, sig Signal) error {
	if sig == Kill {
		// In one go: also whoever is born meanwhile.
		err := os.WriteFile(filepath.Join(folder, "cgroup.kill"), []byte("1"), 0)
		gone := errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV) // before it was opened, or after
		if err != nil && !gone {
			return errkind.Denied.Errorf("kill the processes in %s: %w", folder, err)
		}
		return nil
	}
	for _, pid := range e.CgroupMembers(folder) {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return errkind.Denied.Errorf("signal process %d in %s: %w", pid, folder, err)
		}
	}
	return nil
}

// RemoveCgroup implements Cgroups.
func (e *realExec) RemoveCgroup(folder string) { _ = syscall.Rmdir(folder) }

// SweepCgroups implements Cgroups. A group that is about to be entered may be swept: then the process
// starts outside of it.
func (e *realExec) SweepCgroups() {
	own := ownCgroup()
	if own == "" {
		return
	}
	parent := filepath.Join(own, cgroupParent)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() {
			e.RemoveCgroup(filepath.Join(parent, entry.Name()))
		}
	}
}

// enterCgroup makes attributes start a process in a control group, and returns what is to be done after.
// The kernel puts it there before its first instruction.
func enterCgroup(folder string, attributes *syscall.SysProcAttr) (done func(), err error) {
	fd, err := syscall.Open(folder, oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	attributes.UseCgroupFD, attributes.CgroupFD = true, fd
	return func() { _ = syscall.Close(fd) }, nil
}

// cgroupRefused tells an error of clone3(2) about the group, or about the call itself, which some
// sandboxes forbid. Nothing was started then.
func cgroupRefused(err error) bool {
	for _, one := range []error{
		syscall.ENOENT, syscall.ENOSYS, syscall.EINVAL, syscall.EPERM, syscall.EACCES, syscall.EBUSY, syscall.ENODEV,
		syscall.EOPNOTSUPP,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}
