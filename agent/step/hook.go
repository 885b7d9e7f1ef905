// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"fairlead/agent/variables"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// hookError says that a hook ran and did not end well.
type hookError struct {
	name string
	exit host.Exit
}

func (e *hookError) Error() string {
	if e.exit.Signal != "" {
		return fmt.Sprintf("%s was ended by a signal: %s", e.name, e.exit.Signal)
	}
	return fmt.Sprintf("%s ended with exit code %d", e.name, e.exit.Code)
}

// hook runs one of the package's scripts, if it has it.
func (s *step) hook(ctx context.Context, name string) error {
	info, err := s.place.root.Stat(s.folder + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errkind.Invalid.Errorf("%s in the package is a %s and not a file", name, info.Mode().Type())
	}
	if err != nil {
		return err
	}
	s.say("running %s", name)
	process, err := s.Exec.Start(host.Command{
		Path: "bash", Args: []string{"./" + name}, Dir: s.place.path(s.folder), Env: s.environment(),
		Stdout: s.Out, Stderr: s.Err,
	})
	if err != nil {
		return err
	}
	exit, err := s.wait(ctx, process)
	if ctx.Err() != nil {
		return errkind.Canceled.Errorf("%s: the order was canceled: %w", name, ctx.Err())
	}
	if err == nil && (exit.Code != 0 || exit.Signal != "") {
		err = &hookError{name, exit}
	}
	return err
}

// wait passes the end of ctx on to the hook's group, which is not this process's own.
func (s *step) wait(ctx context.Context, process host.Process) (host.Exit, error) {
	var watch sync.WaitGroup
	ended := make(chan struct{})
	watch.Go(func() {
		select {
		case <-ended:
		case <-ctx.Done():
			if err := s.Exec.Signal(process.ID(), host.Terminate); err != nil {
				s.warn("tell the hook to end: %v", err)
			}
		}
	})
	exit, err := process.Wait()
	close(ended)
	watch.Wait()
	return exit, err
}

// environment is complete: what the shim chose for this order, and where things are.
func (s *step) environment() []string {
	env := []string{
		"FAIRLEAD_CURRENT=" + s.place.path(currentName),
		"FAIRLEAD_INSTALL_DIR=" + s.place.path(s.folder),
		variables.Setting(s.preamble),
	}
	seen := map[string]bool{}
	add := func(name, otherwise string) {
		value := s.Env(name)
		if value == "" {
			value = otherwise
		}
		if value != "" && !seen[name] {
			seen[name] = true
			env = append(env, name+"="+value)
		}
	}
	add("PATH", host.SearchPath)
	add("LANG", "C.UTF-8")
	add("HOME", "/")
	add("USER", "")
	for _, name := range sortedKeys(s.order.Variables) {
		exported, ok := strings.CutPrefix(name, "env:")
		if ok && !seen[exported] && !strings.HasPrefix(exported, "FAIRLEAD_") {
			env = append(env, exported+"="+s.order.Variables[name]) // an empty one is set too
		}
	}
	return env
}
