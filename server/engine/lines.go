// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/tasklog"
)

// node is the place of a machine's lines in the task's tree: "2/Machines-1".
func node(step deploy.PlannedStep, machine deploy.MachineID) string {
	return strconv.Itoa(step.Number) + "/" + string(machine)
}

// lines turns records into log lines. The end of each record goes along, so that the log itself
// knows how much of the ticket it holds.
func lines(node string, ticket contract.TicketID, records []contract.Record) []tasklog.Line {
	out := make([]tasklog.Line, len(records))
	for i, r := range records {
		text := string(r.Text)
		if percent, message, ok := contract.ParseProgress(text); ok && r.Level() == contract.LevelProgress {
			text = strings.TrimSpace(strconv.Itoa(percent) + " % " + message)
		}
		out[i] = tasklog.Line{
			At: time.UnixMilli(r.WallMS), Category: category(r), Node: node, Text: text,
			More: r.Flags&contract.FlagMore != 0, Ticket: ticket, TicketEnd: r.End(),
		}
	}
	return out
}

// category follows what users of Octopus expect: what a script writes to stderr is an error line
// and does not fail the step. A script may say itself how loud it is.
func category(r contract.Record) tasklog.Category {
	switch r.Level() {
	case contract.LevelDefault:
	case contract.LevelVerbose, contract.LevelProgress:
		return tasklog.Verbose
	case contract.LevelHighlight:
		return tasklog.Highlight
	case contract.LevelWait:
		return tasklog.Wait
	case contract.LevelWarning:
		return tasklog.Warning
	case contract.LevelError:
		return tasklog.Error
	}
	switch r.Source {
	case contract.Stderr:
		return tasklog.Error
	case contract.Agent:
		return tasklog.Verbose
	case contract.Stdout:
	}
	return tasklog.Info
}

// loudness is how loud to say a verdict.
func loudness(v contract.Verdict) tasklog.Category {
	switch {
	case v.Outcome == contract.Succeeded && v.Reason == "":
		return tasklog.Verbose
	case v.Outcome == contract.Canceled:
		return tasklog.Warning
	}
	return tasklog.Error
}

// size says a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d bytes", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
