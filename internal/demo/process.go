// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program that runs beside us, in a process group of its own so that Ctrl-C in the terminal reaches only
// us. What it prints is appended to a file.
type Process struct {
	name string
	cmd  *exec.Cmd
	wait sync.WaitGroup
	done chan struct{}
	err  error // set before done is closed
}

// Command is what to start: a program, its arguments, additions to its environment, and its standard input.
type Command struct {
	Path  string
	Args  []string
	Env   []string // NAME=value
	Stdin string
}

// environment is what programs get: enough to find other programs, nothing of ours that could steer them.
func (c Command) environment() []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LANG=C.UTF-8", "TZ=UTC"}, c.Env...)
}

// Start begins a program whose output goes to the end of the file log.
func Start(c Command, log string) (*Process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", filepath.Base(c.Path), err)
	}
	defer file.Close()
	p := &Process{cmd: exec.Command(c.Path, c.Args...), done: make(chan struct{})}
	p.name = fmt.Sprintf("%s (log %s)", filepath.Base(c.Path), filepath.Base(log))
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.environment(), file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.wait.Go(func() {
		p.err = p.cmd.Wait()
		close(p.done)
	})
	return p, nil
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended returns how the program ended, once it has.
func (p *Process) Ended() (ended bool, err error) {
	select {
	case <-p.done:
		return true, p.err
	default:
		return false, nil
	}
}

// Kill ends the program at once, as kill -9 does, and waits until it is gone. What it started lives on.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	p.wait.Wait()
}

// Stop asks the program to end and kills it when it has not within patience, which is an error.
func (p *Process) Stop(patience time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, patience)
	}
}

// Result is how a program ended that was waited for.
type Result struct {
	Code        int
	Out, Err    string
	CommandLine string
}

// Run starts a program and waits for its end. A code other than 0 is no error.
func Run(ctx context.Context, c Command) (Result, error) {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	var out, errOut bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.environment(), strings.NewReader(c.Stdin), &out, &errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := cmd.Run()
	r := Result{
		Code: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errOut.String(),
		CommandLine: filepath.Base(c.Path) + " " + strings.Join(c.Args, " "),
	}
	if _, isExit := errors.AsType[*exec.ExitError](err); isExit && ctx.Err() == nil {
		err = nil
	}
	return r, err
}

// need turns a code other than 0 into an error.
func (r Result) need() error {
	if r.Code == 0 {
		return nil
	}
	return fmt.Errorf("%s ended with %d: %s", r.CommandLine, r.Code, strings.TrimSpace(r.Err))
}

// tail is the last lines of a file.
func tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const enough = 16 << 10
	if info, err := file.Stat(); err == nil && info.Size() > enough {
		if _, err := file.Seek(-enough, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, enough))
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
