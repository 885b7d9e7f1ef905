// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// stage runs the package's script and that of the process, in the order of Octopus Deploy: that of the
// process comes first before the deployment, and last from then on.
func (s *step) stage(ctx context.Context, name, body string) error {
	run := []func() error{
		func() error { return s.hook(ctx, name) },
		func() error { return s.processHook(ctx, name, body) },
	}
	if name == hookBefore {
		slices.Reverse(run)
	}
	for _, one := range run {
		if err := one(); err != nil {
			return err
		}
	}
	return nil
}

// processHook runs a script of the process, if there is one.
func (s *step) processHook(ctx context.Context, name, body string) error {
	if body == "" {
		return nil
	}
	path := filepath.Join(s.Dir, "work", name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		return err
	}
	return s.bash(ctx, name+" of the process", s.dir, path)
}

// hook runs one of the package's scripts, if it has it.
func (s *step) hook(ctx context.Context, name string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errkind.Invalid.Errorf("%s in the package is a %s and not a file", name, info.Mode().Type())
	}
	if err != nil {
		return err
	}
	return s.bash(ctx, name, s.dir, "./"+name)
}

// bash runs a script in a folder.
func (s *step) bash(ctx context.Context, name, folder, path string) error {
	s.say("running %s", name)
	process, err := s.Exec.Start(host.Command{
		Path: "bash", Args: []string{path}, Dir: folder, Env: s.environment(),
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
	env := []string{"FAIRLEAD_INSTALL_DIR=" + s.dir, variables.Setting(s.preamble)}
	if s.place != nil {
		env = append(env, "FAIRLEAD_CURRENT="+s.place.path(currentName))
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
			env = append(env, exported+"="+s.shown[name]) // an empty one is set too
		}
	}
	return env
}
