// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command run shows Fairlead's main story in a terminal: `make demo`. With KEEP=1 in the environment it leaves
// everything running until Ctrl-C.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"fairlead/internal/cli"
	"fairlead/internal/demo"
	"fairlead/internal/errkind"
)

// lastLines is how much of each program's log is shown after a failure.
const lastLines = 12

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	std := cli.System()
	err := show(ctx, &std, os.Getenv("KEEP") != "")
	stop()
	if err != nil {
		fmt.Fprintf(std.Err, "\ndemo: %v\n", err)
		os.Exit(cli.ExitCode(err))
	}
}

// show plays the story in a new folder. The folder stays when the story fails.
func show(ctx context.Context, std *cli.IO, keep bool) error {
	root, err := demo.FindRoot(".")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fairlead-demo-")
	if err != nil {
		return err
	}
	programs, err := demo.FindPrograms(ctx, root, filepath.Join(dir, "bin"))
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	site, err := demo.NewSite(dir, programs, &demo.Ports{})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	screen := demo.NewScreen(std)
	screen.Headline("Fairlead", "One server, two agents, one package in two versions. Everything lies in "+dir+".")
	story := demo.NewStory(site, screen)
	switch err := story.Tell(ctx); {
	case ctx.Err() != nil:
		err := errkind.Canceled.Errorf("interrupted; stopped everything and removed %s", dir)
		return errors.Join(err, site.Close(ctx, false))
	case err != nil:
		words := site.LastWords(lastLines)
		err = errors.Join(err, site.Close(ctx, true))
		return fmt.Errorf("%w\n\nThe folder is kept: %s\nWhat the programs said last:\n%s", err, dir, words)
	}
	story.Summary(keep)
	if keep {
		fmt.Fprintf(std.Out, "\nEverything goes on running. Ctrl-C (or kill %d) stops it and removes %s.\n", os.Getpid(), dir)
		<-ctx.Done()
		fmt.Fprintln(std.Out, "\nStopping …")
	}
	return site.Close(ctx, false)
}
