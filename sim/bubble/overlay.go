// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/errkind"
)

// A thread of the runtime takes the processor away from a goroutine that has been in one system call, or
// has run, for some real time, and gives it to another. On a machine with other work that happens in the
// middle of a short write as well, so that which goroutine runs first hangs on the machine. Source:
// retake in runtime/proc.go of Go 1.26. There is no setting for it. The change below ends it for a
// process that runs under this package's discipline, and for no other.
const (
	changedFile = "src/runtime/proc.go"
	changedText = "func retake(now int64) uint32 {\n"
	changedTo   = changedText + "\tif debug.asyncpreemptoff != 0 && gomaxprocs == 1 {\n\t\treturn 0\n\t}\n"
)

// Overlay writes a copy of one file of the Go runtime into dir, in which goroutines keep the processor,
// and a list that "go build -overlay" takes; it returns the list's path. also is the path of another list
// to be part of it, or "". root is GOROOT. Errors: Conflict, when the runtime is not the one that is
// known; the file system's.
func Overlay(root, dir, also string) (string, error) {
	var list struct{ Replace map[string]string }
	if also != "" {
		text, err := os.ReadFile(also)
		if err == nil {
			err = json.Unmarshal(text, &list)
		}
		if err != nil {
			return "", errkind.Invalid.Errorf("read the overlay %s: %w", also, err)
		}
	}
	if list.Replace == nil {
		list.Replace = map[string]string{}
	}
	original := filepath.Join(root, filepath.FromSlash(changedFile))
	text, err := os.ReadFile(original)
	if err != nil {
		return "", errkind.NotFound.Errorf("read the Go runtime: %w", err)
	}
	if n := strings.Count(string(text), changedText); n != 1 {
		err := errkind.Conflict.Errorf("%s holds %q %d times, want once", original, changedText, n)
		return "", errkind.Hinted(err, "another version of Go: look for the place again, in sim/bubble/overlay.go")
	}
	changed := filepath.Join(dir, filepath.Base(changedFile))
	path := filepath.Join(dir, "steady.json")
	list.Replace[original] = changed
	encoded, err := json.MarshalIndent(list, "", "\t")
	if err == nil {
		err = os.WriteFile(changed, []byte(strings.Replace(string(text), changedText, changedTo, 1)), 0o600)
	}
	if err == nil {
		err = os.WriteFile(path, encoded, 0o600)
	}
	if err != nil {
		return "", errkind.Internal.Errorf("write an overlay of the Go runtime: %w", err)
	}
	return path, nil
}
