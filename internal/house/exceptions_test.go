// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

// An exception lets findings of one rule pass in one file, or in a folder (path ends in a slash), as far as their
// text contains what.
type exception struct {
	rule, path, what string
	reason           string
}

var exceptions = []exception{
	{"ambient", "internal/cli/system.go", "os.", "System connects a command line to its process; only main calls it"},
	{"ambient", "internal/link/", "time.Now", "the shell hands the monotonic clock to the pure machine: Step(now, input)"},
	{"ambient", "internal/port/", "time.Now", "the pure limiter of log lines takes the monotonic clock as an argument"},
}
