// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync/atomic"

	"fairlead/internal/deploy"
	"fairlead/internal/tasklog"
)

// watchedLog is a task's log that notices warnings and errors, for the mark on the task.
type watchedLog struct {
	*tasklog.Writer
	warned atomic.Bool
}

// Append appends as a Writer does.
func (l *watchedLog) Append(lines ...tasklog.Line) error {
	if !l.warned.Load() && isLoud(lines) {
		l.warned.Store(true)
	}
	return l.Writer.Append(lines...)
}

func isLoud(lines []tasklog.Line) bool {
	for _, line := range lines {
		if line.Category == tasklog.Warning || line.Category == tasklog.Error || line.Category == tasklog.Fatal {
			return true
		}
	}
	return false
}

// lookBackBytes is read at once of a log that an earlier life of the server began.
const lookBackBytes = 1 << 20

// lookBack notices what was written before this life of the server. Errors: the folder's.
func (l *watchedLog) lookBack(folder *tasklog.Folder, task deploy.TaskID) error {
	for offset := int64(0); !l.warned.Load(); {
		lines, next, err := folder.Read(task, offset, lookBackBytes)
		if err != nil || len(lines) == 0 || next <= offset {
			return err
		}
		offset = next
		if isLoud(lines) {
			l.warned.Store(true)
		}
	}
	return nil
}
