// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// What went wrong is said once, with the name that the caller knows.
func TestErrorsNameTheFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "file")
	for name, err := range map[string]error{
		"replace": durable.Replace(host.Fsync{}, path, nil),
		"create":  durable.Create(host.Fsync{}, path, nil),
		"swap":    durable.Swap(path, nil),
	} {
		want := "write " + path + ": no such file or directory"
		if err == nil || err.Error() != want || errkind.Of(err) != errkind.NotFound {
			t.Errorf("%s: %v of kind %v, want %s", name, err, errkind.Of(err), want)
		}
	}
	disk, sound := refusing{&fs.PathError{Op: "sync", Path: "/other", Err: fs.ErrInvalid}}, filepath.Join(t.TempDir(), "file")
	if err := durable.Replace(disk, sound, nil); err == nil || !strings.Contains(err.Error(), "/other") {
		t.Errorf("another file: %v, want its name too", err)
	}
}
