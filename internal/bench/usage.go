// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryOf reads VmRSS and RssAnon of a process.
func memoryOf(pid int) (u usage, err error) {
	fields, err := statusOf(pid)
	if err != nil {
		return u, err
	}
	u.RSSBytes, u.AnonBytes = fields["VmRSS"]<<10, fields["RssAnon"]<<10
	if u.RSSBytes == 0 {
		return u, fmt.Errorf("process %d has no VmRSS", pid)
	}
	return u, nil
}

// statusOf reads the numbers of /proc/<pid>/status; sizes are in KiB.
func statusOf(pid int) (map[string]int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fields := map[string]int64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		words := strings.Fields(value)
		if len(words) == 0 {
			continue
		}
		if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
			fields[name] = n
		}
	}
	return fields, lines.Err()
}

// threadTimes sums, over the threads of a process, the time on a CPU and how often one was given.
func threadTimes(pid int) (cpu time.Duration, turns int64, err error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(paths) == 0 {
		return 0, 0, fmt.Errorf("process %d has no schedstat: %w", pid, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, 0, err
		}
		var ran, waited, slices int64
		if _, err := fmt.Sscan(string(text), &ran, &waited, &slices); err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", path, err)
		}
		cpu += time.Duration(ran)
		turns += slices
	}
	return cpu, turns, nil
}

// loadAverage is the first number of /proc/loadavg.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return load
}
