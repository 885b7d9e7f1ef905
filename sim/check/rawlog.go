// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import "strings"

// logLine is one line of a task's log.
type logLine struct {
	category string // "Info", "Wait"
	node     string // "1/Machines-3", "" for the task itself
	text     string
}

// The columns of a log as REST serves it as text: time, two spaces, category, space, node, space, text.
const (
	categoryAt   = len("2006-01-02T15:04:05Z  ")
	categoryWide = 9
	nodeWide     = 16
)

// parseLog reads a log as REST serves it as text. What is no line of one is left out.
func parseLog(text string) (lines []logLine) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		nodeAt := categoryAt + categoryWide + 1
		if len(line) < nodeAt+nodeWide+1 {
			continue
		}
		one := logLine{category: strings.TrimSpace(line[categoryAt : nodeAt-1])}
		rest := line[nodeAt:]
		if !strings.HasPrefix(rest, " ") {
			one.node, _, _ = strings.Cut(rest, " ")
		}
		one.text = rest[min(len(rest), max(len(one.node), nodeWide)+1):]
		lines = append(lines, one)
	}
	return lines
}
