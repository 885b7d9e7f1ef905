// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package host is the seam between the programs and the machine they run on.
//
// Both daemons are made by daemon.New(settings, env) and reach the network, other processes, the
// wall clock, randomness and the log only through Env, so that the simulator can start the very
// same code. Files are not behind the seam, only what makes them durable is: each program keeps to
// one home folder, and the simulator gives it a folder of its own. Durations use package time
// directly: inside the simulator it is virtual already.
//
// The determinism contract that every user of Env keeps:
//
//  1. One goroutine writes to a connection.
//  2. Nobody waits (network, channel, process, sleep) while holding a mutex.
//  3. No select has two cases that one event can make ready where the choice matters.
//  4. Map keys whose order can escape are sorted.
//  5. Every background goroutine has an owner that waits for it.
//  6. Periodic work starts at a phase drawn from Env.Rand.
//
// real.go, real_linux.go and Fsync in disk.go are the implementation customers run.
package host

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// Env is everything a daemon may ask of its machine. All fields but KeyLog must be set.
type Env struct {
	Net   Network
	Exec  Exec
	Bells Bells
	Disk  Disk
	// Facts describes the machine. The answer may change from call to call.
	Facts func() Facts
	// Vitals says how the machine is right now, and the disk that holds folder.
	Vitals func(folder string) Vitals
	// Wall is the wall clock. It is for display, certificate dates and token expiry only;
	// durations and deadlines use package time.
	Wall func() time.Time
	Log  *slog.Logger
	// Rand returns a new generator for one purpose ("line.backoff", "health.phase"). The caller
	// owns it; it is not safe for concurrent use. Keys and secrets use crypto/rand instead.
	Rand func(purpose string) *rand.Rand
	// Point marks a named crash point ("script.claimed"). It does nothing outside tests.
	Point func(name string)
	// KeyLog gets the secrets of this program's TLS connections (NSS key log format), so that a
	// capture of simulated traffic can be read; nil for nobody. Real never sets it, and no setting,
	// flag or environment variable does.
	KeyLog io.Writer
}

// Network opens and accepts connections. net.Dialer, net.ListenConfig and net.Resolver fit.
type Network interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Facts describes the machine to the people who look after it.
type Facts struct {
	Hostname     string
	OS           string // "linux"
	Distribution string // "Debian GNU/Linux 12 (bookworm)", or "" when not known
	Arch         string // "amd64", "arm64", "arm"
	// BootID changes with every boot of the kernel; a process id is only meaningful within one.
	BootID string
}

// Vitals says how a machine is at one moment. What cannot be read is zero.
type Vitals struct {
	Load1                         float64 // runnable processes, mean of a minute
	UptimeSeconds                 int64
	MemoryFreeBytes               int64 // that can be had without swapping
	DiskFreeBytes, DiskTotalBytes int64 // free for this user
}

// Exec starts processes and says whether one still lives.
type Exec interface {
	// Start starts a process and returns at once. Errors: NotFound (no such program), Denied,
	// Exhausted (process or memory limit), Internal.
	Start(c Command) (Process, error)
	// Alive reports whether the process that id names still runs. One of which nothing can be learned, for
	// want of a descriptor or of memory, counts as alive: its script would be given up and its processes killed.
	Alive(id ProcessID) bool
	// Signal sends sig to the whole process group (or session) that id leads. A process that is
	// gone already is no error.
	Signal(id ProcessID, sig Signal) error
	// Self is the path of the running program, to be started again with other arguments.
	Self() string
}

// SearchPath is the PATH of every script, hook and shell that the agent starts: the same on all
// machines, whatever the agent's own is.
const SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Signal is what can be sent to a process group.
type Signal uint8

// The signals in use.
const (
	Terminate Signal = iota + 1 // SIGTERM
	Kill                        // SIGKILL
)

// Command describes a process to start. There is no shell in between.
type Command struct {
	Path string   // absolute, or a name to be found in the PATH of Env
	Args []string // without the program's own name
	Dir  string
	Env  []string // complete: nothing is inherited
	// Stdin is nil for /dev/null.
	Stdin io.Reader
	// Stdout and Stderr are nil for /dev/null. Writes come from one goroutine each.
	Stdout, Stderr io.Writer
	// Detached processes lead a session of their own and outlive the program that started them.
	// Others lead a process group of their own.
	Detached bool
	// Cgroup is the folder of the control group to start in, as Cgroups returned it; "" for ours. A
	// kernel that refuses it starts the process in ours.
	Cgroup string
	// DrainWait is how long Wait goes on reading output after the process ended while some
	// descendant still holds the pipe. Zero means 2 s.
	DrainWait time.Duration
}

// ProcessID names one process for ever: the kernel reuses Pid, but not with the same start time
// in the same boot.
type ProcessID struct {
	Pid    int    `json:"pid"`
	Start  string `json:"start"` // kernel start time, clock ticks since boot
	BootID string `json:"boot_id"`
}

// Process is a process that was started here.
type Process interface {
	ID() ProcessID
	// Wait blocks until the process has ended and its output was read.
	Wait() (Exit, error)
}

// Exit says how a process ended.
type Exit struct {
	Code   int    // exit code, or -1 when it ended by a signal
	Signal string // "killed", "terminated" … or "" when it exited
}

// Bells wake a process on the same machine when something in a shared folder has changed. A ring
// is a hint: it may be lost or come twice, so whoever waits also looks by himself now and then.
type Bells interface {
	// Open makes the bell at path. One process may hold it; a stale one is replaced.
	Open(path string) (Bell, error)
	// Ring rings the bell at path with a word of at most 255 bytes. It never blocks; nobody
	// listening is no error.
	Ring(path, word string)
}

// Bell is the waiting side.
type Bell interface {
	// Wait blocks until a ring, the end of ctx, or Close (net.ErrClosed).
	Wait(ctx context.Context) (word string, err error)
	Close() error
}
