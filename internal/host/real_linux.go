// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fairlead/internal/errkind"
)

const (
	defaultDrainWait = 2 * time.Second
	// maxSignalRounds bounds the hunt for members that are born while a group is being ended.
	maxSignalRounds = 5
)

// realExec starts processes with os/exec and knows them by /proc.
type realExec struct {
	self, bootID string
	broken       error // why processes cannot be told apart here
}

func newRealExec() *realExec {
	boot, bootErr := bootID()
	self, selfErr := os.Executable()
	err := errors.Join(bootErr, selfErr, closeInherited())
	return &realExec{self: strings.TrimSuffix(self, " (deleted)"), bootID: boot, broken: err}
}

// closeInherited keeps descriptors of whoever started this program from going further down.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return errkind.Internal.Errorf("list open descriptors: %w", err)
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Current is the id of the running program itself. Errors: Internal (no /proc).
func Current() (ProcessID, error) {
	boot, err := bootID()
	if err != nil {
		return ProcessID{}, err
	}
	stat, ok := readStat(os.Getpid())
	if !ok {
		return ProcessID{}, errkind.Internal.Errorf("read /proc/self/stat: not there")
	}
	return ProcessID{Pid: os.Getpid(), Start: stat.start, BootID: boot}, nil
}

func (e *realExec) Self() string { return e.self }

type realProcess struct {
	cmd *exec.Cmd
	id  ProcessID
}

func (e *realExec) Start(c Command) (Process, error) {
	p, err := e.start(c)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (e *realExec) start(c Command) (*realProcess, error) {
	if e.broken != nil {
		err := errkind.Internal.Errorf("start %q: %w", c.Path, e.broken)
		return nil, errkind.Hinted(err, "mount /proc")
	}
	path, err := lookPath(c.Path, c.Env)
	if err != nil {
		return nil, err
	}
	drain := c.DrainWait
	if drain <= 0 {
		drain = defaultDrainWait
	}
	cmd, err := launch(c, path, drain)
	if err != nil && c.Cgroup != "" && cgroupRefused(err) {
		c.Cgroup = ""
		cmd, err = launch(c, path, drain)
	}
	if err != nil {
		return nil, startError(path, err)
	}
	stat, _ := readStat(cmd.Process.Pid) // there until Wait: at worst as a zombie
	return &realProcess{cmd: cmd, id: ProcessID{Pid: cmd.Process.Pid, Start: stat.start, BootID: e.bootID}}, nil
}

// launch starts the program at path, in its control group if it has one.
func launch(c Command, path string, drain time.Duration) (*exec.Cmd, error) {
	cmd := &exec.Cmd{
		Path: path, Args: append([]string{path}, c.Args...), Dir: c.Dir,
		Env:   append([]string{}, c.Env...), // not nil: nil would inherit
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
		WaitDelay:   drain,
		SysProcAttr: &syscall.SysProcAttr{Setsid: c.Detached, Setpgid: !c.Detached},
	}
	if c.Cgroup != "" {
		done, err := enterCgroup(c.Cgroup, cmd.SysProcAttr)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	return cmd, cmd.Start()
}

func startError(path string, err error) error {
	kind := errkind.Internal
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = errkind.NotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOEXEC):
		kind = errkind.Denied
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EMFILE),
		errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.E2BIG):
		kind = errkind.Exhausted
	}
	return kind.Errorf("start %q: %w", path, err)
}

// lookPath finds a bare name in the PATH of env, as the started program itself would.
func lookPath(name string, env []string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	if name == "" || strings.ContainsRune(name, '/') {
		return "", errkind.Invalid.Errorf("start %q: want an absolute path or a bare name", name)
	}
	path := ""
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value
		}
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) {
			continue // never a program of the current folder
		}
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", errkind.NotFound.Errorf("start %q: no such program in PATH %q", name, path)
}

func (p *realProcess) ID() ProcessID { return p.id }

func (p *realProcess) Wait() (Exit, error) {
	err := p.cmd.Wait()
	state := p.cmd.ProcessState
	if state == nil {
		return Exit{}, errkind.Internal.Errorf("wait for process %d: %w", p.id.Pid, err)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Exit{Code: -1, Signal: status.Signal().String()}, nil
	}
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended && !errors.Is(err, exec.ErrWaitDelay) {
		return Exit{Code: state.ExitCode()}, errkind.Internal.Errorf("read the output of process %d: %w", p.id.Pid, err)
	}
	return Exit{Code: state.ExitCode()}, nil
}

func (e *realExec) Alive(id ProcessID) bool {
	if id.Pid <= 0 || id.BootID != e.bootID {
		return false
	}
	text, err := os.ReadFile(statPath(id.Pid))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH)
	}
	stat, ok := parseStat(string(text))
	return ok && stat.start == id.Start && stat.runs()
}

// GroupAlive reports whether any process of the group or session that id leads still runs; the
// leader itself may be gone.
func (e *realExec) GroupAlive(id ProcessID) bool { return len(e.members(id)) > 0 }

// GroupMembers lists these processes.
func (e *realExec) GroupMembers(id ProcessID) []int { return e.members(id) }

func (e *realExec) Signal(id ProcessID, sig Signal) error {
	number := syscall.SIGTERM
	switch sig {
	case Terminate:
	case Kill:
		number = syscall.SIGKILL
	default:
		return errkind.Invalid.Errorf("signal %d to process %d: no such signal", sig, id.Pid)
	}
	told := map[int]bool{}
	for range maxSignalRounds {
		fresh := slices.DeleteFunc(e.members(id), func(pid int) bool { return told[pid] })
		if len(fresh) == 0 {
			return nil
		}
		// The group first, in one go; then those of the session that made groups of their own.
		_ = syscall.Kill(-id.Pid, number)
		for _, pid := range fresh {
			told[pid] = true
			if stat, ok := readStat(pid); ok && stat.group == id.Pid {
				continue
			}
			if err := syscall.Kill(pid, number); err != nil && !errors.Is(err, syscall.ESRCH) {
				return errkind.Denied.Errorf("signal %v to process %d: %w", number, pid, err)
			}
		}
	}
	return nil
}

// members lists the processes of the group and of the session that id leads. The kernel gives a
// pid away again only when no group and no session bears its number: a stranger with the leader's
// pid therefore means that everybody is gone.
func (e *realExec) members(id ProcessID) []int {
	if id.Pid <= 1 || id.BootID != e.bootID {
		return nil
	}
	if leader, ok := readStat(id.Pid); ok && leader.start != id.Start {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat, ok := readStat(pid); ok && stat.runs() && (stat.group == id.Pid || stat.session == id.Pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// procStat is what /proc/<pid>/stat says that matters here.
// Source: proc_pid_stat(5), fields 3, 5, 6 and 22.
type procStat struct {
	state          byte
	group, session int
	start          string
}

// runs is false for a process that ended and waits for its parent.
func (s procStat) runs() bool { return s.state != 'Z' && s.state != 'X' && s.state != 'x' }

func statPath(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/stat" }

func readStat(pid int) (procStat, bool) {
	text, err := os.ReadFile(statPath(pid))
	if err != nil {
		return procStat{}, false
	}
	return parseStat(string(text))
}

// parseStat begins after the last parenthesis: the program's name may hold any byte.
func parseStat(text string) (procStat, bool) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return procStat{}, false
	}
	group, groupErr := strconv.Atoi(fields[2])
	session, sessionErr := strconv.Atoi(fields[3])
	if groupErr != nil || sessionErr != nil {
		return procStat{}, false
	}
	return procStat{state: fields[0][0], group: group, session: session, start: fields[19]}, true
}
