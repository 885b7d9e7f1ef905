// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command fairlead-server deploys to machines whose agents hold a line to it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules name time zones, and a small host knows none

	"fairlead/internal/cli"
	"fairlead/internal/host"
	"fairlead/server/daemon"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := daemon.Main(ctx, os.Args[1:], cli.System(), version, host.Real)
	stop()
	os.Exit(code)
}
