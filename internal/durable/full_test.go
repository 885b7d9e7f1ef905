// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

func TestDiskErrorTellsFullFromBroken(t *testing.T) {
	for cause, want := range map[error]errkind.Kind{
		syscall.ENOSPC: errkind.Exhausted, syscall.EDQUOT: errkind.Exhausted, syscall.EIO: errkind.Internal,
	} {
		err := durable.DiskError("write a package", &fs.PathError{Op: "write", Path: "/x", Err: cause})
		if errkind.Of(err) != want || !errors.Is(err, cause) || (errkind.Hint(err) != "") != (want == errkind.Exhausted) {
			t.Errorf("%v: %v of kind %v, hint %q", cause, err, errkind.Of(err), errkind.Hint(err))
		}
	}
}
