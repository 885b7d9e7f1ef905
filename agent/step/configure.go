// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/structured"
)

// configure replaces values in the configuration files that the order's patterns name.
func (s *step) configure(ctx context.Context) error {
	return s.eachFile(ctx, s.pack.ConfigureIn, s.configureFile)
}

func (s *step) configureFile(root *os.Root, name string) error {
	text, mode, err := s.readText(root, name)
	if text == "" || err != nil {
		return err
	}
	format := structured.FormatOf(name, text)
	settings := &settings{step: s}
	replaced, err := structured.Replace(format, text, settings)
	if err != nil {
		return errkind.Hinted(errkind.Of(err).Errorf("replace values in %s: %w", name, err),
			"write the file so that it is understood, or use #{…} in it and substitution in files")
	}
	if settings.err != nil {
		return errkind.Of(settings.err).Errorf("replace values in %s: %w", name, settings.err)
	}
	for _, unfit := range replaced.Unfit {
		s.warn("%s: %s", name, unfit)
	}
	if len(replaced.Names) == 0 {
		s.say("no variable is named like a value in %s (%s)", name, format)
		return nil
	}
	s.say("replaced %s in %s (%s): %s", counted(len(replaced.Names), "value"), name, format, shortList(replaced.Names))
	return replaceFile(root, name, replaced.Text, mode)
}

// settings are the order's variables as the values of configuration files.
type settings struct {
	*step
	err error // of the first value that could not be expanded
}

// Get returns a variable's value, expanded. The system's own are no settings.
func (s *settings) Get(name string) (string, bool) {
	raw, ok := s.values.Get(name)
	if !ok || isSystem(name) {
		return "", false
	}
	value, _, err := deploy.Expand(raw, s.values)
	if err != nil && s.err == nil {
		s.err = err
	}
	return value, true
}

// Names lists the order's variables.
func (s *settings) Names() []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(s.order.Variables)), isSystem)
}

func isSystem(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "octopus.") || strings.HasPrefix(lower, "fairlead.") ||
		strings.HasPrefix(lower, "env:")
}
