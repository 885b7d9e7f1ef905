// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"os"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/sim/worker"
)

// Main runs one command line, without the program's name, and returns the exit code. more are commands
// beside ours. ctx ends what takes long.
func Main(ctx context.Context, args []string, std cli.IO, version string, more ...cli.Command) int {
	d := desk{far: worker.Command{Args: []string{farCommand}}}
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0] // a program that was removed while it runs cannot start itself anyway
	}
	d.far.Path = self
	return d.program(version, more).Main(ctx, args, std)
}

// desk is what the commands share.
type desk struct {
	far worker.Command // starts the far side
}

func (d desk) program(version string, more []cli.Command) cli.Program {
	return cli.Program{
		Name: "fairlead-sim", Version: version,
		Summary: "runs the real server and the real agents on a network that is made of tables, in virtual time.",
		Examples: []string{
			"# what does a NAT that forgets do to a ward's agents?",
			"fairlead-sim run ward-nat-forgets",
			"# your own site, with a time line to look at",
			"fairlead-sim run site.toml --view site.html",
			"# look for trouble for ten minutes",
			"fairlead-sim search --budget 10m",
		},
		Commands: append([]cli.Command{
			d.run(), list(), d.check(), d.search(), d.campaign(), d.shrink(), d.replay(), diff(), view(),
			presets(), faults(), statements(), d.mutants(), d.determinism(), d.sweep(), d.bench(), far(),
		}, more...),
	}
}

// violated is the error of a command whose runs found something.
func violated(format string, args ...any) error { return errkind.Internal.Errorf(format, args...) }
