// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// One run is the same as the next only when nothing outside of it decides what runs first: no
// signal preempts a goroutine, and math/rand begins with the same seed in net/http. The runtime
// reads the first at its start alone.
const discipline = "asyncpreemptoff=1,randautoseed=0"

// memory holds the homes where there is such a folder: a sync that takes long lets others run.
const memory = "/dev/shm"

func TestMain(m *testing.M) {
	if now := os.Getenv("GODEBUG"); !strings.Contains(now, discipline) {
		self, err := os.Executable()
		if err == nil {
			_ = os.Setenv("GODEBUG", strings.Trim(now+","+discipline, ","))
			err = syscall.Exec(self, os.Args, os.Environ())
		}
		panic(err)
	}
	if info, err := os.Stat(memory); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		_ = os.Setenv("TMPDIR", memory)
	}
	os.Exit(m.Run())
}

// quietRuntime makes goroutines take turns on one processor and leaves the collection of garbage
// to idle, which runs when every goroutine is blocked. restore ends that.
func quietRuntime() (idle, restore func()) {
	const roundsPerCollection = 1 << 15
	processors, percent := runtime.GOMAXPROCS(1), debug.SetGCPercent(-1)
	rounds := 0
	idle = func() {
		if rounds++; rounds%roundsPerCollection == 0 {
			runtime.GC()
		}
	}
	return idle, func() {
		runtime.GOMAXPROCS(processors)
		debug.SetGCPercent(percent)
	}
}

// wallClock is the real time, also inside a bubble.
func wallClock() time.Time {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now)
	return time.Unix(now.Sec, now.Usec*1000)
}
