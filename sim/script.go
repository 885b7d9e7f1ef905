// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/host"
	"fairlead/sim/history"
)

// shellVersion is what the simulated bash calls itself.
const shellVersion = "5.2.0(1)-simulated"

// lineDelay is what a script takes to say a line, so that whoever reads it has settled before it
// goes on.
const lineDelay = 300 * time.Microsecond

// timerSlack is how late a process may be woken. Source: prctl(2), PR_SET_TIMERSLACK: 50 µs. It also
// keeps what a script does out of the instants in which its agent looks: with two causes in one
// instant, which comes first is nobody's choice.
const timerSlack = 50 * time.Microsecond

// runScript carries out a script of one command a line:
//
//	echo WORDS      to standard output, or to standard error with >&2 at the end; $$ is the process
//	sleep SECONDS   a decimal number; ends early with TERM unless "trap '' TERM" came before
//	exit CODE
//	give NAME KB    writes a file of that size and hands it over
//	set_octopusvariable NAME VALUE
//	stumble NAME    fails with code 3 the first time that this name comes on this machine
//	reboot          restarts the machine, which ends the script before it can say so
//	trap '' TERM
//	for i in $(seq 1 N); do COMMAND; COMMAND; done    with $i in the commands
//
// Lines that begin with # are comments. Anything else ends it with code 127, as in a shell that
// finds no such command.
func (m *Machine) runScript(one *process, c host.Command) host.Exit {
	if len(c.Args) == 2 && c.Args[0] == "-c" {
		known := strings.NewReplacer("$BASH_VERSION", shellVersion, "$BASH", "/usr/bin/bash", "; ", "\n")
		return m.runLines(one, c, known.Replace(c.Args[1]))
	}
	if len(c.Args) != 1 {
		return complain(c, "only a script is known here")
	}
	path := c.Args[0]
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return complain(c, err.Error())
	}
	return m.runLines(one, c, string(body))
}

// restart has the machine restarted and waits for that, which no script outlives.
func (m *Machine) restart(one *process, c host.Command) host.Exit {
	m.mu.Lock()
	reboot := m.reboot
	m.mu.Unlock()
	if reboot == nil {
		return complain(c, "reboot: command not found")
	}
	reboot(one.ticket)
	<-one.term.Done()
	return host.Exit{Code: -1, Signal: "terminated"}
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

// says writes a line and has it recorded.
func (m *Machine) says(one *process, c host.Command, text string) {
	if one.ticket != "" {
		m.o.Record(history.Event{Kind: history.Said, Who: m.name, Ticket: one.ticket, Text: text, N: one.id.Pid})
	}
	say(c.Stdout, text)
}

func wait(ended context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ended.Done():
	}
}

// maxRounds bounds a loop of a script.
const maxRounds = 1_000_000

// unrolled yields the lines of a script with its loops carried out. A loop that is not understood
// comes as it is.
func unrolled(body string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(body) {
			rest, isLoop := strings.CutPrefix(strings.TrimSpace(line), "for i in $(seq 1 ")
			count, commands, hasBody := strings.Cut(rest, "); do ")
			rounds, err := strconv.Atoi(count)
			commands, isWhole := strings.CutSuffix(commands, "; done")
			if !isLoop || !hasBody || !isWhole || err != nil || rounds > maxRounds {
				if !yield(line) {
					return
				}
				continue
			}
			for i := range rounds {
				for command := range strings.SplitSeq(strings.ReplaceAll(commands, "$i", strconv.Itoa(i+1)), "; ") {
					if !yield(command) {
						return
					}
				}
			}
		}
	}
}

// slack is how late a process is woken from its nth wait.
func (m *Machine) slack(one *process, n uint64) time.Duration {
	return 1 + time.Duration(m.Chance("slack", uint64(one.id.Pid), n)%uint64(timerSlack))
}

func (m *Machine) runLines(one *process, c host.Command, body string) host.Exit {
	deaf, n := false, uint64(0)
	for line := range unrolled(body) {
		if _, rest, found := strings.Cut(line, "; . "); found && strings.HasPrefix(line, "command -v shopt") {
			_, line, _ = strings.Cut(rest, "; ") // the agent's own first words in a plain sh
		}
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		n++
		ended := one.term
		if deaf {
			ended = one.kill
		}
		switch word {
		case "", "#":
		case "echo":
			rest = strings.ReplaceAll(rest, "$$", strconv.Itoa(one.id.Pid))
			if text, loud := strings.CutSuffix(rest, " >&2"); loud {
				say(c.Stderr, strings.Trim(text, "'\""))
			} else {
				m.says(one, c, strings.Trim(rest, "'\""))
			}
			wait(ended, lineDelay+m.slack(one, n))
		case "sleep":
			seconds, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				return complain(c, "sleep: invalid time interval "+rest)
			}
			wait(ended, time.Duration(seconds*float64(time.Second))+m.slack(one, n))
		case "give":
			if err := m.give(one, c, rest); err != nil {
				return complain(c, err.Error())
			}
			wait(ended, lineDelay+m.slack(one, n))
		case "set_octopusvariable":
			m.set(one, c, rest)
			wait(ended, lineDelay+m.slack(one, n))
		case "stumble":
			if fell, err := m.stumble(rest); err != nil {
				return complain(c, err.Error())
			} else if fell {
				return host.Exit{Code: stumbled}
			}
		case "reboot":
			return m.restart(one, c)
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
