// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// MaxResultBytes is the longest Result in JSON: 8 MiB.
	MaxResultBytes = 8 << 20
	// MaxOutputs is how many output variables one ticket may set.
	MaxOutputs = 2_000
	// MaxArtifacts is how many files one ticket may hand over.
	MaxArtifacts = 100
	// MaxArtifactBytes is what they have together: 1 GiB.
	MaxArtifactBytes = 1 << 30
)

// ResultInfo names a ticket's Result. It stands in the verdict, which is written after the Result is
// durable: who has the verdict can have the Result, as often as he asks, until the ticket is forgotten.
type ResultInfo struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex, of the Result's JSON
}

// Result is what a ticket's scripts have said by service messages, beside their output.
type Result struct {
	// Outputs are the output variables, by name (whose case does not matter); of several values of
	// one name it is the last.
	Outputs []Output `json:"outputs,omitempty"`
	// Artifacts are the files, in the order they were named. ScriptArtifact reads them by index.
	Artifacts []Artifact `json:"artifacts,omitempty"`
}

// Output is one output variable.
type Output struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// IsSensitive is set where the script says so, and where the value holds a sensitive one.
	IsSensitive bool `json:"is_sensitive,omitempty"`
}

// Artifact is a file that a script handed over, as it was when the script ended.
type Artifact struct {
	Name   string `json:"name"` // 1 to 255 bytes, for people: no path
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// ArtifactArgs asks for one of a ticket's artifacts.
type ArtifactArgs struct {
	Ticket TicketID `json:"ticket"`
	Index  int      `json:"index"` // into Result.Artifacts
	// Offset is how much of it is there already. An agent older than this member refuses the call.
	Offset int64 `json:"offset,omitempty"`
}

// ParseResult reads a Result strictly. Errors: Corrupt.
func ParseResult(raw []byte) (Result, error) {
	var r Result
	if len(raw) > MaxResultBytes {
		return r, errkind.Corrupt.Errorf("a result of %d bytes: limit is %d", len(raw), MaxResultBytes)
	}
	return r, Decode(raw, &r)
}

// check refuses what a reader could not keep. Errors: Corrupt.
func (r *Result) check() error {
	if len(r.Outputs) > MaxOutputs || len(r.Artifacts) > MaxArtifacts {
		return errkind.Corrupt.Errorf("a result of %d outputs and %d artifacts: want at most %d and %d",
			len(r.Outputs), len(r.Artifacts), MaxOutputs, MaxArtifacts)
	}
	for i, o := range r.Outputs {
		if o.Name == "" || i > 0 && strings.ToLower(o.Name) <= strings.ToLower(r.Outputs[i-1].Name) {
			return errkind.Corrupt.Errorf("output %d has the name %.80q: want one that follows the last", i, o.Name)
		}
	}
	for i, a := range r.Artifacts {
		if a.Name == "" || a.Name == "." || a.Name == ".." || len(a.Name) > 255 || strings.ContainsAny(a.Name, "/\\") ||
			a.Size < 0 || a.Size > MaxArtifactBytes {
			return errkind.Corrupt.Errorf("artifact %d, %.80q, has %d bytes: want a name without a path and 0 to %d bytes",
				i, a.Name, a.Size, MaxArtifactBytes)
		}
	}
	return nil
}

func (i *ResultInfo) check(ticket TicketID) error {
	if i != nil && (i.Bytes <= 0 || i.Bytes > MaxResultBytes || len(i.SHA256) != 64) {
		return errkind.Corrupt.Errorf("ticket %s: its result has %d bytes and the hash %.80q: want 1 to %d and 64 hex digits",
			ticket, i.Bytes, i.SHA256, MaxResultBytes)
	}
	return nil
}

// ProgressText is the text of a record of LevelProgress: "42 copying files". Percent is 0 to 100.
func ProgressText(percent int, message string) string {
	return strconv.Itoa(percent) + " " + message
}

// ParseProgress reads it back.
func ParseProgress(text string) (percent int, message string, ok bool) {
	number, message, ok := strings.Cut(text, " ")
	percent, err := strconv.Atoi(number)
	return percent, message, ok && err == nil && percent >= 0 && percent <= 100
}
