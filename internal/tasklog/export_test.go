// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

// SetLimit makes logs reach their limit early.
func (f *Folder) SetLimit(bytes int64) { f.limit = bytes }

// Followed is how many logs the folder keeps in memory.
func (f *Folder) Followed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.tails)
}

// MaxStoredLine is the longest line in a file.
const MaxStoredLine = maxStoredLine
