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
	{"ambient", "internal/link/", "time.Now: ", "the shell hands the monotonic clock to the pure machine: Step(now, input)"},
	{"ambient", "internal/port/", "time.Now: ", "the pure limiter of log lines takes the monotonic clock as an argument"},
	{"ambient", "agent/script/", "time.Now: ", "the shells of a ticket's life and of the supervision hand them the monotonic clock"},
	{"ambient", "agent/script/shim.go", "context.Background", "the bell lives until stop, which may be after the shim's ctx"},
	{"ambient", "internal/store/sqlite/", "Sync()", "SQLite makes its own files durable, past every seam; so does what copies them"},
	{"ambient", "internal/store/sqlite/", "context.Background", "an interrupted statement would end the transaction of a whole group"},
	{"ambient", "server/daemon/admin.go", "net.", "the socket lies in the home folder and is for commands on this machine only"},
	{"ambient", "server/daemon/metrics.go", "context.Background", "a collector is asked without a context"},
	{"ambient", "internal/redial/", "time.Now: ", "the shell hands the monotonic clock to the pure waits"},
	{"sleeps", "server/engine/", "", "the fake machine and the rig sleep in virtual time: they run inside bubbles only"},
	{"error-words", "server/api/guard.go", "You must be logged in", "the sentence is Octopus's; clients look for it"},
	{"sleeps", "internal/link/pipe_test.go", "", "the slow pipe sleeps in virtual time: session_test.go uses it inside bubbles only"},
}
