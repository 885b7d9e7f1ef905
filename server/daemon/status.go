// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"strings"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/trust"
)

// Status is what `status` shows.
type Status struct {
	Home    string    `json:"home"`
	Running bool      `json:"running"`
	Pin     trust.Pin `json:"pin"`
	HTTP    string    `json:"http"`
	Link    string    `json:"link"`
	// Machines and Online count machines, and those whose line is up; only while running.
	Machines int `json:"machines"`
	Online   int `json:"online"`
	// Warning is what the running server cannot do now.
	Warning string `json:"warning,omitempty"`
}

func (m *command) status() cli.Command {
	return cli.Command{
		Name: "status", Summary: "tell whether the server runs, with its pin",
		Details: "Exits with 0 when it runs, with 5 when it does not.",
		Flags:   m.homeFlag,
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			s, err := m.look(ctx, std)
			if err != nil {
				return err
			}
			if err := std.Show(s, s.text(std)); err != nil {
				return err
			}
			if !s.Running {
				return errkind.Hinted(
					errkind.Unavailable.Errorf("the server does not run"),
					"start it: fairlead-server run --home %s",
					s.Home,
				)
			}
			return nil
		},
	}
}

func (m *command) look(ctx context.Context, std *cli.IO) (Status, error) {
	o, err := m.options(std)
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Home:    string(o.Home),
		Running: home.IsTaken(string(o.Home)),
		HTTP:    o.Settings.HTTP,
		Link:    o.Settings.Link,
	}
	id, err := trust.LoadIdentity(o.Home.identity())
	if errkind.Of(err) == errkind.NotFound && err != nil {
		return s, errkind.Hinted(errkind.NotFound.Errorf("no server has run in %s", s.Home),
			"name the server's home with --home, or start one there first: fairlead-server run --home %s", s.Home)
	}
	if err != nil {
		return s, err
	}
	s.Pin = id.Pin
	if !s.Running {
		return s, nil
	}
	return s, m.ask(ctx, std, func(c *caller) error {
		var reply localStatus
		err := c.call(ctx, "GET", localStatusPath, nil, &reply)
		s.HTTP, s.Link, s.Machines, s.Online, s.Warning = reply.HTTP, reply.Link, reply.Machines, reply.Online, reply.Notice
		return err
	})
}

func (s Status) text(std *cli.IO) string {
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-9s %s\n", name, value) }
	row("home", s.Home)
	row("pin", s.Pin.String())
	if s.Running {
		row("server", std.Paint(cli.Green, "running"))
		row("portal", "http://"+s.HTTP+"/app")
		row("agents", s.Link)
		row("machines", fmt.Sprintf("%d, of which %d are on line", s.Machines, s.Online))
		if s.Warning != "" {
			row("warning", std.Paint(cli.Yellow, s.Warning))
		}
	} else {
		row("server", std.Paint(cli.Red, "not running"))
	}
	return b.String()
}
