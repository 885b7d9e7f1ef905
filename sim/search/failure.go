// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/worker"
)

// Failure is a plan that violates something, as it is written down: the plan's TOML below lines of
// comment that say what was seen.
type Failure struct {
	Plan plan.Plan
	// Violated are the violations, in order of time.
	Violated []check.Violation
	// Digest is that of the run in which they were seen.
	Digest netem.Digest
	// Said is what a process that died left, "" for one that did not.
	Said string
}

const (
	violatedMark = "# violated: "
	digestMark   = "# digest: "
	replayMark   = "# replay: fairlead-sim replay "
	maxViolated  = 5  // violations in a file
	maxSaidLines = 80 // of stacks in a file
)

// failureOf is what came of a plan that went wrong.
func failureOf(p plan.Plan, o worker.Outcome) Failure {
	return Failure{Plan: p, Violated: o.Wrong(), Digest: o.Report.Digest, Said: o.Said}
}

// ReadFailure reads what the comments of a saved failure say; is is false for a file that is none.
func ReadFailure(text []byte, p plan.Plan) (f Failure, is bool) {
	f.Plan = p
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if words, found := strings.CutPrefix(line, violatedMark); found {
			id, what, _ := strings.Cut(words, " ")
			f.Violated, is = append(f.Violated, check.Violation{ID: id, What: what}), true
		}
		if words, found := strings.CutPrefix(line, digestMark); found {
			_, _ = fmt.Sscan(words, &f.Digest.Shape, &f.Digest.Meta, &f.Digest.Content) // what is missing stays empty
		}
	}
	return f, is
}

// Format writes the failure as a file of that path.
func (f Failure) Format(path string) []byte {
	var b bytes.Buffer
	for i, v := range f.Violated {
		if i < maxViolated {
			fmt.Fprintf(&b, "%s%s\n", violatedMark, strings.ReplaceAll(v.String(), "\n", " "))
		}
	}
	if f.Digest.Shape != "" {
		fmt.Fprintf(&b, "%s%s %s %s\n", digestMark, f.Digest.Shape, f.Digest.Meta, f.Digest.Content)
	}
	fmt.Fprintf(&b, "%s%s\n", replayMark, path)
	lines := 0
	for line := range strings.Lines(f.Said) {
		if lines++; lines <= maxSaidLines {
			fmt.Fprintf(&b, "# | %s\n", strings.TrimRight(line, "\n"))
		}
	}
	b.WriteByte('\n')
	b.Write(f.Plan.Format())
	return b.Bytes()
}

// Save writes the failure into a folder and returns the path: S4-0123456789ab.toml. Errors: Denied.
func (f Failure) Save(dir string) (string, error) {
	id := "none"
	if len(f.Violated) > 0 {
		id = f.Violated[0].ID
	}
	path := filepath.Join(dir, id+"-"+f.Plan.Hash()+".toml")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(path, f.Format(path), 0o644)
	}
	if err != nil {
		return "", errkind.Denied.Errorf("keep a plan that went wrong: %w", err)
	}
	return path, nil
}

// Differs says in words where two digests part; "" when they do not.
func Differs(a, b netem.Digest) string {
	switch {
	case a.Shape != b.Shape:
		return "times, kinds or hosts of events (shape)"
	case a.Meta != b.Meta:
		return "offsets or lengths (meta)"
	case a.Content != b.Content:
		return "bytes on the wire alone (content)"
	}
	return ""
}
