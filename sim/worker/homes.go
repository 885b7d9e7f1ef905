// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fairlead/internal/errkind"
)

const (
	// memory holds the homes where there is such a folder: what is written there is there at once, and
	// whoever waits for a disk lets others run.
	memory = "/dev/shm"
	// maxFolders bounds the folders of simulations on one machine.
	maxFolders = 10_000
)

// MakeHomes makes a folder for homes, in memory where there is some. All have paths of one length, as
// programs may tell them. Errors: Exhausted, Internal.
func MakeHomes() (string, error) {
	below := os.TempDir()
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		below = memory
	}
	for n := range maxFolders {
		dir := filepath.Join(below, fmt.Sprintf("fairlead-sims-%04d", n))
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", errkind.Internal.Errorf("make a folder for homes: %w", err)
		}
	}
	return "", errkind.Hinted(
		errkind.Exhausted.Errorf("make a folder for homes: %d are there already below %s", maxFolders, below),
		"remove %s", filepath.Join(below, "fairlead-sims-*"))
}
