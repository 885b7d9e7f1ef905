// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"syscall"

	"fairlead/internal/errkind"
)

// IsFull reports whether the disk, or what its owner may use of it, is full.
func IsFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// DiskError says what was tried when the file system refused, and tells a full disk (Exhausted) from a broken one
// (Internal).
func DiskError(what string, err error) error {
	if IsFull(err) {
		return errkind.Hinted(errkind.Exhausted.Errorf("%s: %w", what, err),
			"make room on that disk (old packages, releases, artifacts), or give it more")
	}
	return errkind.Internal.Errorf("%s: %w", what, err)
}
