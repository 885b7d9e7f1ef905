// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"time"

	"fairlead/sim/report"
)

// maxLineBytes bounds a line between the processes: 8 MiB. A plan has 1 MiB at most.
const maxLineBytes = 8 << 20

// Files are what a run leaves behind, each a path or "" for none.
type Files struct {
	Trace   string `json:"trace,omitempty"`   // JSON lines
	Capture string `json:"capture,omitempty"` // pcapng
	Log     string `json:"log,omitempty"`     // what the programs said
}

// Order asks for one run. It travels as a JSON line on standard input.
type Order struct {
	Number int    `json:"number"`
	Plan   string `json:"plan"` // TOML
	Homes  string `json:"homes"`
	Files
}

// Reply tells how far a run has come, or its end; the first of a process, with number 0, that it is there.
// It travels as a JSON line on standard output.
type Reply struct {
	Number int `json:"number"`
	// At is how much of the run's own time has passed, as long as there is no Report.
	At     time.Duration  `json:"at,omitempty"`
	Report *report.Report `json:"report,omitempty"`
}
