// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command fairlead-sim runs the real server and the real agents on simulated sites. It is built with
// -ldflags "-X testing.testBinary=1": package bubble says why.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"fairlead/internal/cli"
	"fairlead/sim/command"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := command.Main(ctx, os.Args[1:], cli.System(), version)
	stop()
	os.Exit(code)
}
