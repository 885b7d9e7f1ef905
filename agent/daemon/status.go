// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/trust"
)

// pinList is a flag that may come several times.
type pinList []trust.Pin

func (p *pinList) String() string {
	var texts []string
	for _, pin := range *p {
		texts = append(texts, pin.String())
	}
	return strings.Join(texts, " ")
}

// Set parses one pin.
func (p *pinList) Set(text string) error {
	pin, err := trust.ParsePin(text)
	*p = append(*p, pin)
	return err
}

// listen is `run` for an agent that never joined: the operator gives the server's pin by hand and
// adds the machine at the server with the pin that is printed here.
func (m *command) listen() cli.Command {
	settings := Settings{Mode: trust.ModeListening, Listen: DefaultListen}
	return cli.Command{
		Name: "listen", Summary: "wait for a server whose pin is given by hand",
		Details: "For sites where no token can be brought to the machine. Prints this machine's pin; add the machine " +
			"at the " +
			"server with that pin and this machine's address. The settings are kept, so that `run` does the same later.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			m.logFlags(f)
			f.StringVar(&settings.Listen, "listen", DefaultListen, "`address` to listen on")
			f.StringVar(&settings.Name, "name", "", "a `name` for this machine")
			f.Var((*pinList)(&settings.Trust), "trust", "`pin` of the server; may come several times")
		},
		Examples: []string{
			"fairlead-agent listen --trust 1f0c…",
			"fairlead-agent listen --listen 10.0.0.5:10933 --trust 1f0c…",
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			if len(settings.Trust) == 0 {
				return errkind.Hinted(errkind.Invalid.Errorf("no server pin was given"),
					"fairlead-server status prints the pin of the server; pass it with --trust")
			}
			settings, identity, err := m.prepareListening(std, settings)
			if err != nil {
				return err
			}
			fmt.Fprintf(
				std.Out,
				"This machine's pin is %s\nAdd it at the server as a listening machine with this pin: "+
					"octopus deployment-target listening-tentacle create, or POST /api/Spaces-1/machines\n",
				identity.Pin,
			)
			return m.start(ctx, std, settings)
		},
	}
}

// prepareListening writes what `run` will find. Errors: Invalid, before anything is written.
func (m *command) prepareListening(std *cli.IO, s Settings) (Settings, trust.Identity, error) {
	h, env := m.homeFolder(), m.env(std)
	var err error
	if s.Name, err = machineName(s.Name, env); err != nil {
		return s, trust.Identity{}, err
	}
	if s, err = s.renew(h.settings()); err != nil {
		return s, trust.Identity{}, err
	}
	release, err := h.take(env.Disk)
	if err != nil {
		return s, trust.Identity{}, err
	}
	defer release()
	identity, err := loadOrMakeIdentity(env, h, s.Name)
	if err != nil {
		return s, identity, err
	}
	return s, identity, s.Save(env.Disk, h.settings())
}

func (m *command) showStatus() cli.Command {
	return cli.Command{
		Name: "status", Summary: "tell whether the line is up, and why not",
		Details: "Exits with 0 when the agent runs and its line is up, with 5 when it is not.",
		Flags:   m.homeFlag,
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			h := m.homeFolder()
			if _, err := LoadSettings(h.settings()); err != nil {
				return err
			}
			state, err := readState(h.state())
			if errkind.Of(err) == errkind.NotFound && err != nil {
				return errkind.Hinted(
					errkind.Unavailable.Errorf("the agent in %s has never run", h),
					"start it: %s", m.line(std, "run"),
				)
			}
			if err != nil {
				return err
			}
			runs := home.IsTaken(string(h))
			if err := std.Show(struct {
				State
				Running bool `json:"running"`
			}{state, runs}, state.text(std, runs)); err != nil {
				return err
			}
			return m.verdict(std, state, runs)
		},
	}
}

func (m *command) verdict(std *cli.IO, s State, runs bool) error {
	switch {
	case !runs:
		return errkind.Hinted(errkind.Unavailable.Errorf("the agent does not run"), "start it: %s", m.line(std, "run"))
	case !s.Connected && s.Trouble != "":
		return errkind.Hinted(errkind.Unavailable.Errorf("the line is down: %s", s.Trouble), "%s", s.Hint)
	case !s.Connected:
		return errkind.Hinted(errkind.Unavailable.Errorf("the line is not up yet"),
			"ask again in a few seconds; what is in the way, if anything: %s", m.line(std, "doctor"))
	}
	return nil
}

// text is the state for people.
func (s State) text(std *cli.IO, runs bool) string {
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, value)
		}
	}
	row("machine", s.Name)
	row("mode", string(s.Mode))
	row("pin", s.Pin.String())
	row("version", s.Version)
	row("server", s.Server)
	row("proxy", s.Proxy)
	row("listening", s.Listening)
	switch {
	case !runs:
		row("agent", std.Paint(cli.Red, "not running"))
	case s.Connected:
		row("agent", "running since "+s.StartedAt.Local().Format(time.DateTime))
		row("line", std.Paint(cli.Green, "up")+" since "+s.Since.Local().Format(time.DateTime)+" with "+s.Remote)
		row("peer", strings.TrimSpace("fairlead-server "+s.ServerVersion)) // no version before its first answer
	default:
		row("agent", "running since "+s.StartedAt.Local().Format(time.DateTime))
		line := std.Paint(cli.Red, "down")
		if s.Cause != "" {
			line += " (" + string(s.Cause) + ")"
		}
		row("line", line)
		if !s.NextTryAt.IsZero() {
			row("next try", s.NextTryAt.Local().Format(time.TimeOnly))
		}
	}
	return b.String()
}
