// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"errors"
	"io"
	"reflect"
	"time"
)

// errNotHere is the answer to what only "go test" can do.
var errNotHere = errors.New("not possible outside of go test")

// framework answers what package testing asks of the program that "go test" writes. The method set is
// that of Go 1.26; with another Go version the program does not compile.
type framework struct{}

// seed is one input of a fuzz test, in the shape that package testing has for it.
type seed = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

// ImportPath and ModulePath name the program.
func (framework) ImportPath() string { return "fairlead/sim" }

// ModulePath is the module.
func (framework) ModulePath() string { return "fairlead" }

// MatchString lets every test run.
func (framework) MatchString(_, _ string) (bool, error) { return true, nil }

// SetPanicOnExit0 is for programs that end in the middle of a test.
func (framework) SetPanicOnExit0(bool) {}

// StartCPUProfile and the other profiles belong to "go test".
func (framework) StartCPUProfile(io.Writer) error { return errNotHere }

// StopCPUProfile has nothing to stop.
func (framework) StopCPUProfile() {}

// StartTestLog and StopTestLog are for the test cache.
func (framework) StartTestLog(io.Writer) {}

// StopTestLog has no log.
func (framework) StopTestLog() error { return nil }

// WriteProfileTo has no profile.
func (framework) WriteProfileTo(string, io.Writer, int) error { return errNotHere }

// CoordinateFuzzing and what follows is for fuzz tests.
func (framework) CoordinateFuzzing(
	time.Duration, int64, time.Duration, int64, int, []seed, []reflect.Type, string, string,
) error {
	return errNotHere
}

// RunFuzzWorker has nothing to fuzz.
func (framework) RunFuzzWorker(func(seed) error) error { return errNotHere }

// ReadCorpus has no corpus.
func (framework) ReadCorpus(string, []reflect.Type) ([]seed, error) { return nil, errNotHere }

// CheckCorpus has none to check.
func (framework) CheckCorpus([]any, []reflect.Type) error { return nil }

// ResetCoverage and what follows is for coverage.
func (framework) ResetCoverage() {}

// SnapshotCoverage takes none.
func (framework) SnapshotCoverage() {}

// InitRuntimeCoverage says that there is none.
func (framework) InitRuntimeCoverage() (
	mode string, tearDown func(string, string) (string, error), snapshot func() float64,
) {
	return "", nil, nil
}
