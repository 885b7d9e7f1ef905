// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"net"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/settings"
	"fairlead/internal/trust"
	"fairlead/server/tasks"
)

// Defaults of the two ports: Octopus's own.
const (
	DefaultHTTP = "127.0.0.1:8065"
	DefaultLink = "0.0.0.0:10943"
)

// Settings are the file server.toml. Flags win over the file.
type Settings struct {
	// HTTP is where portal and REST listen. It speaks plain HTTP: put TLS in front of it, or
	// use the agents' port, which serves both with the server's own certificate.
	HTTP string `toml:"http" comment:"portal and REST, host:port; plain HTTP: loopback, or behind a TLS proxy"`
	// Link is where agents call.
	Link string `toml:"link" comment:"where agents call, host:port"`
	// PublicLink is the address that join tokens carry. "" makes it this machine's name with the
	// port of Link.
	PublicLink string `toml:"public_link,omitempty" comment:"how agents reach the link port; goes into join tokens"`
	// TaskLimit is how many tasks run at once, 1 to 1,000.
	TaskLimit int `toml:"task_limit" comment:"how many tasks run at once"`
}

// DefaultSettings is what an empty file means.
func DefaultSettings() Settings {
	return Settings{HTTP: DefaultHTTP, Link: DefaultLink, TaskLimit: tasks.DefaultLimit}
}

// LoadSettings reads server.toml; without the file the defaults hold. Errors: Invalid.
func LoadSettings(path string) (Settings, error) {
	s := DefaultSettings()
	if err := settings.Load(path, &s); err != nil && errkind.Of(err) != errkind.NotFound {
		return s, err
	}
	return s, settings.InFile(path, s.check())
}

func (s Settings) check() error {
	var problems []string
	for _, a := range []struct{ key, address string }{{"http", s.HTTP}, {"link", s.Link}} {
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %q is not host:port", a.key, a.address))
		}
	}
	if s.PublicLink != "" {
		if err := trust.CheckAddress(s.PublicLink); err != nil {
			problems = append(problems, "public_link: "+err.Error())
		}
	}
	if s.TaskLimit < 1 || s.TaskLimit > 1000 {
		problems = append(problems, fmt.Sprintf("task_limit: want 1 to 1000, got %d", s.TaskLimit))
	}
	if len(problems) > 0 {
		return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
	}
	return nil
}

// publicLink is the address that join tokens carry: the setting, or this machine's name with the
// port that agents call.
func (s Settings) publicLink(hostname, listening string) string {
	if s.PublicLink != "" {
		return s.PublicLink
	}
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return listening
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = hostname
	}
	return net.JoinHostPort(host, port)
}
