// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/host"
)

// shellVersion is what the simulated bash calls itself.
const shellVersion = "5.2.0(1)-simulated"

// lineDelay is what a script takes to say a line, so that whoever reads it has settled before it
// goes on.
const lineDelay = 300 * time.Microsecond

// runScript carries out a script of one command a line:
//
//	echo WORDS      to standard output, or to standard error with >&2 at the end
//	sleep SECONDS   a decimal number; ends early with TERM unless "trap '' TERM" came before
//	exit CODE
//	trap '' TERM
//
// Lines that begin with # are comments. Anything else ends it with code 127, as in a shell that
// finds no such command.
func runScript(one *process, c host.Command) host.Exit {
	if len(c.Args) == 2 && c.Args[0] == "-c" {
		known := strings.NewReplacer("$BASH_VERSION", shellVersion, "$BASH", "/usr/bin/bash", "; ", "\n")
		return runLines(one, c, known.Replace(c.Args[1]))
	}
	if len(c.Args) != 1 {
		return complain(c, "only a script is known here")
	}
	body, err := os.ReadFile(c.Args[0])
	if err != nil {
		return complain(c, err.Error())
	}
	return runLines(one, c, string(body))
}

func complain(c host.Command, what string) host.Exit {
	say(c.Stderr, c.Path+": "+what)
	return host.Exit{Code: 127}
}

func say(w io.Writer, text string) {
	if w != nil {
		_, _ = io.WriteString(w, text+"\n")
	}
}

func wait(ended context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ended.Done():
	}
}

func runLines(one *process, c host.Command, body string) host.Exit {
	deaf := false
	for line := range strings.Lines(body) {
		if _, rest, found := strings.Cut(line, "; . "); found && strings.HasPrefix(line, "command -v shopt") {
			_, line, _ = strings.Cut(rest, "; ") // the agent's own first words in a plain sh
		}
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		ended := one.term
		if deaf {
			ended = one.kill
		}
		switch word {
		case "", "#":
		case "echo":
			if text, loud := strings.CutSuffix(rest, " >&2"); loud {
				say(c.Stderr, strings.Trim(text, "'\""))
			} else {
				say(c.Stdout, strings.Trim(rest, "'\""))
			}
			wait(ended, lineDelay)
		case "sleep":
			seconds, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				return complain(c, "sleep: invalid time interval "+rest)
			}
			wait(ended, time.Duration(seconds*float64(time.Second)))
		case "trap":
			deaf = true
		case "exit":
			code, _ := strconv.Atoi(rest)
			return host.Exit{Code: code}
		default:
			if !strings.HasPrefix(word, "#") {
				return complain(c, word+": command not found")
			}
		}
		if ended.Err() != nil {
			return host.Exit{Code: -1, Signal: "terminated"}
		}
	}
	return host.Exit{}
}
