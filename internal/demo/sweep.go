// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sweepPatience lies between SIGTERM and SIGKILL.
const sweepPatience = 2 * time.Second

// Sweep ends every process that works in the folder dir or names it in its arguments: shims, scripts and web servers
// that outlive the agents by design. The folder's name is unique, so nobody else's process is meant.
func Sweep(ctx context.Context, dir string) error {
	signal(within(dir), syscall.SIGTERM)
	err := Await(ctx, sweepPatience, "the end of processes in "+dir, func(context.Context) (bool, error) {
		return len(within(dir)) == 0, nil
	})
	if err == nil {
		return nil
	}
	signal(within(dir), syscall.SIGKILL)
	return Await(context.WithoutCancel(ctx), sweepPatience, "the end of killed processes in "+dir,
		func(context.Context) (bool, error) { return len(within(dir)) == 0, nil })
}

func signal(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s) // it may have ended meanwhile
	}
}

// within lists the processes of a folder, without ourselves.
func within(dir string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process that is gone, or is somebody else's, has nothing to read.
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		argv, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		named := slices.ContainsFunc(strings.Split(string(argv), "\x00"), func(s string) bool { return below(s, dir) })
		if named || below(strings.TrimSuffix(cwd, " (deleted)"), dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// remove deletes a folder; a file that a dying process still wrote is tried for again.
func remove(ctx context.Context, dir string) error {
	return Await(ctx, sweepPatience, "the end of "+dir, func(context.Context) (bool, error) {
		err := os.RemoveAll(dir)
		if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return err == nil, err
	})
}
