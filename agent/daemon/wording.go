// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"os"
	"strings"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// line is a command line for the same home, for hints.
func (m *command) line(std *cli.IO, words string) string {
	if m.homeFolder() == DefaultHome(std.Env, os.Geteuid()) {
		return Program + " " + words
	}
	return Program + " " + words + " --home " + string(m.homeFolder())
}

// refuseSecret keeps join tokens out of command lines, where every user of the host reads them.
func refuseSecret(word string) error {
	_, value, _ := strings.Cut(word, "=")
	if !strings.HasPrefix(word, trust.TokenPrefix) && !strings.HasPrefix(value, trust.TokenPrefix) {
		return nil
	}
	return errkind.Hinted(errkind.Invalid.Errorf("a join token stands on the command line, where other users can read it"),
		"pass it as FAIRLEAD_TOKEN, in a file (--token-file FILE) or on standard input; whoever saw this one can join with "+
			"it, so better make a new one: fairlead-server token create")
}
