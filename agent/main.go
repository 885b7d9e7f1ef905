// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command fairlead-agent runs deployments on a machine for a Fairlead server.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/host"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := daemon.Main(ctx, os.Args[1:], cli.System(), version, host.Real)
	stop()
	os.Exit(code)
}
