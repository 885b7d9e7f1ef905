// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command fairlead-agent runs deployments on a machine for a Fairlead server.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/host"
)

// version is set by the linker.
var version = "dev"

// heapGrowth is by how many percent the heap may grow before garbage is collected, unless GOGC says another
// number. Go's own 100 waits for 4 MiB at least, this for 2 MiB, which is still more than a window of the line.
const heapGrowth = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), daemon.StopSignals(args)...)
	defer stop()
	// An interrupt that does not stop the program must not kill it. An ignored signal would stay
	// ignored in the scripts that the program starts; one that is caught does not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT)
	return daemon.Main(ctx, args, cli.System(), version, host.Real)
}
