// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/agent/script"
	"fairlead/agent/step"
	"fairlead/internal/cli"
	"fairlead/internal/host"
)

// The words that the agent starts itself with; people have no use for them.
const (
	shimWord = "shim"
	stepWord = "step"
)

// Main runs one command line of the agent and returns the exit code.
func Main(ctx context.Context, args []string, std cli.IO, version string, real func(*slog.Logger) host.Env) int {
	m := &command{version: version, real: real, home: string(DefaultHome(std.Env, os.Geteuid()))}
	if len(args) == 2 && args[0] == shimWord {
		return m.runShim(ctx, &std, args[1])
	}
	if len(args) == 2 && args[0] == stepWord {
		return m.runStep(ctx, &std, args[1])
	}
	return cli.Program{
		Name: Program, Version: version,
		Summary: "runs deployments on this machine for a Fairlead server, over one outbound line",
		Examples: []string{
			"# join a server with a token it made, then keep the line",
			"FAIRLEAD_TOKEN=fl1_… fairlead-agent join",
			"fairlead-agent run",
			"# see whether the line is up, and why not",
			"fairlead-agent status",
			"# walk the way to the server and name the box that is in it",
			"fairlead-agent doctor",
		},
		Commands: []cli.Command{
			m.join(), m.run(), m.listen(), m.showStatus(), m.doctor(),
		},
		Refuse: refuseSecret,
	}.Main(ctx, args, std)
}

// StopSignals are the signals that end ctx for this command line. A shim and its step end when
// their order is canceled, not because somebody types Ctrl-C at a terminal.
func StopSignals(args []string) []os.Signal {
	if len(args) == 2 && (args[0] == shimWord || args[0] == stepWord) {
		return []os.Signal{syscall.SIGTERM}
	}
	return []os.Signal{syscall.SIGTERM, syscall.SIGINT}
}

// command holds what the rows of the table share during one call.
type command struct {
	version string
	real    func(*slog.Logger) host.Env
	home    string
	verbose bool
}

func (m *command) homeFlag(f *flag.FlagSet) {
	f.StringVar(&m.home, "home", m.home, "the agent's `folder`; FAIRLEAD_AGENT_HOME sets it too")
}

func (m *command) homeFolder() Home {
	if path, err := filepath.Abs(m.home); err == nil {
		return Home(path)
	}
	return Home(m.home)
}

func (m *command) logFlags(f *flag.FlagSet) {
	f.BoolVar(&m.verbose, "verbose", false, "log every call and retry")
}

// env is the real machine.
func (m *command) env(std *cli.IO) host.Env { return m.real(std.Logger(m.verbose)) }

func (m *command) run() cli.Command {
	return cli.Command{
		Name: "run", Summary: "keep the line to the server and carry out what it asks",
		Details: "Runs until it is told to stop (SIGTERM or Ctrl-C). " +
			"Scripts that run meanwhile go on and are taken up again.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			m.logFlags(f)
		},
		Examples: []string{"fairlead-agent run", "fairlead-agent run --home /srv/agent --verbose"},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			settings, err := LoadSettings(m.homeFolder().settings())
			if err != nil {
				return err
			}
			return m.start(ctx, std, settings)
		},
	}
}

func (m *command) start(ctx context.Context, std *cli.IO, settings Settings) error {
	env := m.env(std)
	daemon, err := New(Options{Home: m.homeFolder(), Settings: settings, Version: m.version}, env)
	if err != nil {
		return err
	}
	env.Log.Info("agent starts", "name", settings.Name, "mode", string(settings.Mode), "version", m.version,
		"home", string(m.homeFolder()), "pin", daemon.identity.Pin.Short())
	err = daemon.Run(ctx)
	env.Log.Info("agent stopped", "name", settings.Name)
	return err
}

// runShim carries one ticket out; the agent starts it, nobody else needs it.
func (m *command) runShim(ctx context.Context, std *cli.IO, folder string) int {
	env := m.env(std)
	var err error
	if folder == script.FromInput {
		folder, err = awaitTicket(ctx, std)
	}
	if err == nil && folder != "" {
		err = script.RunShim(
			ctx,
			folder,
			script.ShimEnv{Exec: env.Exec, Bells: env.Bells, Disk: env.Disk, Wall: env.Wall, Point: env.Point},
		)
	}
	if err != nil {
		env.Log.Error("shim ended", "folder", folder, "err", err)
	}
	return cli.ExitCode(err)
}

// awaitTicket is the wait of a spare shim; "" when there is nothing to do. Its folder becomes the ticket's,
// as that of every shim. One that was told to end meanwhile ends before it has begun.
func awaitTicket(ctx context.Context, std *cli.IO) (folder string, err error) {
	folder, err = script.AwaitTicket(std.In)
	if folder == "" || err != nil || ctx.Err() != nil {
		return "", err
	}
	return folder, host.MoveTo(folder)
}

// runStep is the child of the shim that installs a package. Its exit code is the step's.
func (m *command) runStep(ctx context.Context, std *cli.IO, folder string) int {
	env := m.env(std)
	return step.Run(ctx, step.Options{
		Home: filepath.Dir(filepath.Dir(folder)), Dir: folder, Out: std.Out, Err: std.Err,
		Exec: env.Exec, Disk: env.Disk, Wall: env.Wall, Point: env.Point, Env: std.Env,
	})
}
