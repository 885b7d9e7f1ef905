// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"flag"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"fairlead/internal/errkind"
)

const (
	// maxSaid bounds what is kept of the framework's words: 64 KiB.
	maxSaid = 64 << 10
	// heapEmergency is where the runtime collects garbage in the middle of a run after all: 3 GiB.
	heapEmergency = 3 << 30
)

// Main runs f as the one test of this process, under the discipline that makes runs repeatable, and
// returns f's error. It may start the program anew, so that it must be called before anything else is
// done. Errors: Invalid, when the program was not linked for it.
func Main(f func(t *testing.T) error) error {
	if !testing.Testing() {
		err := errkind.Invalid.Errorf("this program was built without what simulations need")
		return errkind.Hinted(err, "build it with make sim, or with go build -ldflags \"-X testing.testBinary=1\"")
	}
	if err := again(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapEmergency)
	err := errkind.Internal.Errorf("the test framework did not run anything")
	said, ok := quietly(func() int {
		return testing.MainStart(framework{}, []testing.InternalTest{{
			Name: "sim", F: func(t *testing.T) { err = f(t) },
		}}, nil, nil, nil).Run()
	})
	if err == nil && !ok {
		return errkind.Internal.Errorf("a run broke off: %s", said)
	}
	return err
}

// quietly runs the framework and returns what it printed. ok is false when it found something wrong.
func quietly(run func() int) (said string, ok bool) {
	out := os.Stdout
	read, write, err := os.Pipe()
	if err != nil {
		return err.Error(), false
	}
	os.Stdout = write
	defer func() { os.Stdout = out }()
	var listening sync.WaitGroup
	listening.Go(func() {
		first, _ := io.ReadAll(io.LimitReader(read, maxSaid))
		said = string(first)
		_, _ = io.Copy(io.Discard, read) // the framework must not wait for a reader
	})
	// The framework reads its flags, and not the program's.
	if !flag.Parsed() {
		testing.Init()
		_ = flag.CommandLine.Parse([]string{"-test.timeout=0"}) // a flag that there is
	}
	code := run()
	_ = write.Close()
	listening.Wait()
	_ = read.Close()
	return said, code == 0
}
