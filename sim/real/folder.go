// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
)

// folderStart begins the name of each run's folder; the number of the process follows.
const folderStart = "fairlead-real-"

// makeFolder makes the folder of a run below dir, and removes those of processes that are gone. What
// ran there went with its namespaces.
func makeFolder(dir string) (string, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	stale, err := filepath.Glob(filepath.Join(dir, folderStart+"*"))
	for _, path := range stale {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), folderStart), "-")
		pid, convErr := strconv.Atoi(number)
		if convErr == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	made, makeErr := os.MkdirTemp(dir, fmt.Sprintf("%s%d-", folderStart, os.Getpid()))
	if err = errors.Join(err, makeErr); err != nil {
		return "", errkind.Internal.Errorf("make a folder for the run: %w", err)
	}
	return made, nil
}
