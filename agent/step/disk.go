// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"errors"
	"os"

	"fairlead/internal/host"
)

// syncAll makes everything durable that was written to the folder's file system.
func syncAll(disk host.Disk, folder *os.Root) error {
	f, err := folder.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(disk.SyncAll(f), f.Close())
}
