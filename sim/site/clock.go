// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"syscall"
	"time"
)

// realTime is the wall clock of whoever waits, also inside a bubble.
func realTime() time.Time {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now)
	return time.Unix(now.Sec, now.Usec*1000)
}
