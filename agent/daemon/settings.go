// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/trust"
)

// DefaultListen is where a listening agent waits for its server: Octopus's port for that.
const DefaultListen = "0.0.0.0:10933"

// Settings are the file agent.toml. `join` and `listen` write it; people may edit it.
type Settings struct {
	// Name is what the server calls this machine; it was agreed on when joining.
	Name string `toml:"name" comment:"what the server calls this machine"`
	// Mode is "polling" (the agent dials) or "listening" (the server dials).
	Mode trust.JoinMode `toml:"mode" comment:"polling: this agent dials the server; listening: the server dials it"`
	// Server is the server's address for agents, host:port; for a polling agent.
	Server string `toml:"server,omitempty" comment:"where the server listens for agents, host:port"`
	// Listen is the address to listen on, host:port; for a listening agent.
	Listen string `toml:"listen,omitempty" comment:"where this agent listens for the server, host:port"`
	// Trust lists server pins that were given by hand; a joined agent has them in trust.json.
	Trust []trust.Pin `toml:"trust,omitempty" comment:"pins of the server, when they were given by hand"`
}

// ParseSettings reads agent.toml. Unknown keys are errors that name the nearest one. Errors:
// Invalid, with every problem in one message.
func ParseSettings(text []byte) (Settings, error) {
	var s Settings
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, explainTOML(err)
	}
	return s, s.check()
}

func explainTOML(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var problems []string
		for _, e := range strict.Errors {
			key := strings.Join(e.Key(), ".")
			problem := "unknown key " + key
			if near := cli.Nearest(key, keys()); near != "" {
				problem += " (did you mean " + near + "?)"
			}
			problems = append(problems, problem)
		}
		return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return errkind.Invalid.Errorf("line %d, column %d: %s", row, column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return errkind.Invalid.Errorf("%w", err)
}

func keys() (names []string) {
	for field := range reflect.TypeFor[Settings]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		names = append(names, name)
	}
	return names
}

func (s Settings) check() error {
	var problems []string
	note := func(key string, err error) {
		if err != nil {
			problems = append(problems, key+": "+err.Error())
		}
	}
	switch s.Mode {
	case trust.ModePolling:
		note("server", trust.CheckAddress(s.Server))
	case trust.ModeListening:
		note("listen", trust.CheckAddress(s.Listen))
	default:
		problems = append(problems, `mode: want "polling" or "listening", got "`+string(s.Mode)+`"`)
	}
	if s.Name != "" {
		note("name", trust.CheckMachineName(s.Name))
	}
	if len(problems) > 0 {
		return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
	}
	return nil
}

// LoadSettings reads the file of a home. Errors: NotFound, Invalid.
func LoadSettings(path string) (Settings, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Settings{}, errkind.Hinted(errkind.NotFound.Errorf("read %s: there is no such file", path),
			"this agent has not joined a server yet: FAIRLEAD_TOKEN=… fairlead-agent join")
	}
	if err != nil {
		return Settings{}, errkind.Denied.Errorf("read settings: %w", err)
	}
	s, err := ParseSettings(text)
	if err != nil {
		return s, errkind.Hinted(errkind.Invalid.Errorf("settings in %s: %w", path, err), "correct the file and start again")
	}
	return s, nil
}

// Save writes the file whole or not at all.
func (s Settings) Save(path string) error {
	if err := s.check(); err != nil {
		return err
	}
	text, err := toml.Marshal(s)
	if err != nil {
		return errkind.Internal.Errorf("encode settings: %w", err)
	}
	return home.WriteFile(path, text)
}
