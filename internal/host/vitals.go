// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

func realVitals(folder string) Vitals {
	v := Vitals{
		Load1: firstNumber("/proc/loadavg"), UptimeSeconds: int64(firstNumber("/proc/uptime")),
		MemoryFreeBytes: memoryFree(),
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err == nil {
		size := int64(disk.Bsize)
		v.DiskFreeBytes, v.DiskTotalBytes = int64(disk.Bavail)*size, int64(disk.Blocks)*size
	}
	return v
}

// firstNumber is the first word of a file in /proc, or 0.
func firstNumber(path string) float64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	word, _, _ := strings.Cut(string(text), " ")
	number, _ := strconv.ParseFloat(word, 64)
	return number
}

// memoryFree is MemAvailable of /proc/meminfo. Source: proc(5).
func memoryFree() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
