// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"flag"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// Main runs one command line of the server and returns the exit code.
func Main(ctx context.Context, args []string, std cli.IO, version string, real func(*slog.Logger) host.Env) int {
	m := &command{version: version, real: real, home: string(DefaultHome(std.Env, os.Geteuid()))}
	return cli.Program{
		Name: Program, Version: version,
		Summary: "deploys to machines whose agents hold a line to it",
		Examples: []string{
			"# start with a home folder, a portal on loopback and a port for agents",
			"fairlead-server run --home /srv/fairlead --http 127.0.0.1:8065 --link 0.0.0.0:10943",
			"# let a machine join, and make a key for REST and the portal",
			"fairlead-server environment create Production",
			"fairlead-server token create --environment Production --tag web",
			"fairlead-server admin api-key --purpose CI",
		},
		Commands: append([]cli.Command{
			m.run(), m.status(), m.createEnvironment(), m.enableMachine(), m.createToken(), m.apiKey(), m.backup(), m.restore(),
			m.acceptRestore(),
		}, m.keyCommands()...),
	}.Main(ctx, args, std)
}

// command holds what the rows of the table share during one call.
type command struct {
	version string
	real    func(*slog.Logger) host.Env
	home    string
	space   string // id or name; of the commands that look into one
	verbose bool
}

func (m *command) homeFlag(f *flag.FlagSet) {
	f.StringVar(&m.home, "home", m.home, "the server's `folder`; FAIRLEAD_SERVER_HOME sets it too")
}

func (m *command) homeFolder() Home {
	if path, err := filepath.Abs(m.home); err == nil {
		return Home(path)
	}
	return Home(m.home)
}

// env is the real machine.
func (m *command) env(std *cli.IO) host.Env { return m.real(std.Logger(m.verbose)) }

func (m *command) options(std *cli.IO) (Options, error) {
	s, err := LoadSettings(m.homeFolder().settings())
	return Options{Home: m.homeFolder(), Settings: s, Version: m.version, MasterKey: std.Env(MasterKeyVariable)}, err
}

func (m *command) run() cli.Command {
	var http, link, public string
	return cli.Command{
		Name: "run", Summary: "run the server",
		Details: "Everything the server keeps lies in its home: database, packages, logs, key. It runs until it is told to " +
			"stop (SIGTERM or Ctrl-C); deployments that run meanwhile go on when it runs again.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			f.StringVar(&http, "http", "", "`address` of portal and REST (default "+DefaultHTTP+")")
			f.StringVar(&link, "link", "", "`address` that agents call (default "+DefaultLink+")")
			f.StringVar(&public, "public-link", "", "`host:port` at which agents reach it; goes into join tokens")
			f.BoolVar(&m.verbose, "verbose", false, "log every retry and call")
		},
		Examples: []string{
			"fairlead-server run",
			"fairlead-server run --home /srv/fairlead --http 127.0.0.1:8065 --link 0.0.0.0:10943",
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			o, err := m.options(std)
			if err != nil {
				return err
			}
			override(&o.Settings.HTTP, http)
			override(&o.Settings.Link, link)
			override(&o.Settings.PublicLink, public)
			env := m.env(std)
			d, err := New(ctx, o, env)
			if err != nil {
				return err
			}
			if err = d.Run(ctx); err == nil { // else the error says it
				env.Log.Info("server stopped")
			}
			return err
		},
	}
}

func override(setting *string, flag string) {
	if flag != "" {
		*setting = flag
	}
}

// ask runs f with a caller for the home.
func (m *command) ask(ctx context.Context, std *cli.IO, f func(*caller) error) error {
	o, err := m.options(std)
	if err != nil {
		return err
	}
	c, err := newCaller(ctx, o, m.env(std))
	if err != nil {
		return err
	}
	defer c.close()
	return f(c)
}

// words is a flag that may come several times.
type words []string

func (w *words) String() string { return "" }

// Set appends one value.
func (w *words) Set(text string) error {
	*w = append(*w, text)
	return nil
}

func (m *command) spaceFlag(f *flag.FlagSet) {
	f.StringVar(&m.space, "space", string(deploy.DefaultSpace), "the `space` it is in, by id or name")
}

// inSpace is the address of what is in the space that the flag names.
func (m *command) inSpace(path ...string) string {
	address := "/api/spaces/" + url.PathEscape(m.space)
	for _, segment := range path {
		address += "/" + url.PathEscape(segment)
	}
	return address
}

func (m *command) createEnvironment() cli.Command {
	var description string
	return cli.Command{
		Name: "environment create", Usage: "NAME", Summary: "make an environment, a stage that releases go to",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			m.spaceFlag(f)
			f.StringVar(&description, "description", "", "a `sentence` about it")
		},
		Examples: []string{"fairlead-server environment create Production"},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			return m.ask(ctx, std, func(c *caller) error {
				var reply struct{ Id, Name string }
				request := struct{ Name, Description string }{args[0], description}
				if err := c.call(ctx, "POST", m.inSpace("environments"), request, &reply); err != nil {
					return err
				}
				return std.Show(reply, reply.Name+" is "+reply.Id+"\n")
			})
		},
	}
}

// hintEnvironment says what the first environment that there is not may be meant to be, or how to make it, in a space
// that there is.
func (m *command) hintEnvironment(ctx context.Context, c *caller, names []string, err error) error {
	if none := c.call(ctx, "GET", m.inSpace(), nil, nil); none != nil {
		return err
	}
	where := ""
	if m.space != string(deploy.DefaultSpace) {
		where = " --space " + strconv.Quote(m.space)
	}
	for _, name := range names {
		missing := c.call(ctx, "GET", m.inSpace("environments", name), nil, nil)
		if errkind.Of(missing) != errkind.NotFound {
			continue
		}
		if hint := errkind.Hint(missing); hint != "" {
			return errkind.Hinted(err, "%s", hint)
		}
		return errkind.Hinted(err, "make the environment with: fairlead-server environment create %q%s", name, where)
	}
	return err
}

// enableMachine takes back what a quarantine, or a person, did.
func (m *command) enableMachine() cli.Command {
	return cli.Command{
		Name: "machine enable", Usage: "NAME", Summary: "let a disabled machine work again, such as one that was cloned",
		Details: "A machine is disabled when two agents are alive with its key. Remove the copy's home first, " +
			"or it happens again.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			m.spaceFlag(f)
		},
		Examples: []string{"fairlead-server machine enable web-1"},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			return m.ask(ctx, std, func(c *caller) error {
				path := m.inSpace("machines", args[0])
				machine := map[string]any{}
				if err := c.call(ctx, "GET", path, nil, &machine); err != nil {
					return err
				}
				machine["IsDisabled"] = false
				if err := c.call(ctx, "PUT", path, machine, nil); err != nil {
					return err
				}
				return std.Show(map[string]string{"enabled": args[0]}, args[0]+" is enabled\n")
			})
		},
	}
}

func (m *command) createToken() cli.Command {
	var environments, tags words
	var machine string
	var lifetime time.Duration
	return cli.Command{
		Name: "token create", Summary: "make a token that lets one machine join",
		Details: "Prints the token once. It works for one machine, for an hour unless --lifetime says otherwise, " +
			"and carries " +
			"the server's address and pin. Bring it to the machine as FAIRLEAD_TOKEN or in a file.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			m.spaceFlag(f)
			f.Var(
				&environments,
				"environment",
				"`name` of an environment the machine will be in; may come several times",
			)
			f.Var(&tags, "tag", "target `tag` of the machine; may come several times")
			f.StringVar(&machine, "machine", "", "the only machine `name` that may join with it")
			f.DurationVar(&lifetime, "lifetime", time.Hour, "how `long` it can be used, such as 15m or 24h")
		},
		Examples: []string{
			"fairlead-server token create --environment Production --tag web",
			"fairlead-server token create --environment Test --tag web --tag db --machine test-1 --lifetime 24h",
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			if lifetime < time.Second || lifetime > catalog.MaxTokenLifetime {
				return errkind.Hinted(
					errkind.Invalid.Errorf("--lifetime %s: want 1s to %.0fh (30 days)", lifetime, catalog.MaxTokenLifetime.Hours()),
					"a token is used once, and soon: leave the flag out for an hour")
			}
			return m.ask(ctx, std, func(c *caller) error {
				request := struct {
					Environments, Tags []string
					Machine            string
					ExpiresInSeconds   int64
				}{environments, tags, machine, int64(lifetime.Seconds())}
				var reply struct{ Token string }
				err := c.call(ctx, "POST", m.inSpace("jointokens"), request, &reply)
				if err != nil {
					return m.hintEnvironment(ctx, c, environments, err)
				}
				return std.Show(reply, reply.Token+"\n")
			})
		},
	}
}

func (m *command) apiKey() cli.Command {
	var purpose string
	return cli.Command{
		Name: "admin api-key", Summary: "make an API key of the administrator",
		Details: "Prints the key once. It opens REST (header X-Octopus-ApiKey) and the portal.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			f.StringVar(&purpose, "purpose", "command line", "what the key is `for`, shown in lists")
		},
		Examples: []string{"fairlead-server admin api-key --purpose CI"},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			return m.ask(ctx, std, func(c *caller) error {
				var reply struct{ ApiKey string }
				path := "/api/users/" + string(identity.AdministratorID) + "/apikeys"
				if err := c.call(ctx, "POST", path, struct{ Purpose string }{purpose}, &reply); err != nil {
					return err
				}
				return std.Show(reply, reply.ApiKey+"\n")
			})
		},
	}
}
