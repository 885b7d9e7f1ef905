// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"sort"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
)

// Command is one row of a program's table.
type Command struct {
	// Name is what is typed: one word, or two for a group ("token create").
	Name    string
	Summary string // one line, lower case, no full stop
	// Usage names the arguments, flags left out: "MACHINE [FILE...]". Upper case stands for a value, brackets for
	// optional, dots for repeated. Main checks the count by it.
	Usage string
	// Details are paragraphs for the command's own help; may be empty.
	Details string
	// Examples are whole command lines; a line that begins with # explains the next.
	Examples []string
	// Hidden commands are for the program itself and stay out of help.
	Hidden bool
	// Flags adds the command's flags; nil means none. --help and --json are there already; a command without a
	// result to print may ignore IO.JSON.
	Flags func(*flag.FlagSet)
	// Run does the work. Its error is printed by Main and decides the exit code.
	Run func(ctx context.Context, std *IO, args []string) error
}

// Program is a name and a table of commands. "help", "version" and --version need no row.
type Program struct {
	Name     string
	Version  string
	Summary  string // one sentence
	Examples []string
	Commands []Command
	// Refuse looks at a word of the command line before anything else does, for what may not stand there, such as a
	// secret; nil refuses none. Its error must not hold the word.
	Refuse func(word string) error
}

// Main runs one command line (args without the program's name) and returns the exit code.
func (p Program) Main(ctx context.Context, args []string, std IO) int {
	err := p.run(ctx, args, &std)
	if err != nil {
		p.report(&std, err)
	}
	return ExitCode(err)
}

func (p Program) run(ctx context.Context, words []string, std *IO) error {
	for len(words) > 0 && words[0] == "--json" {
		std.JSON = true
		words = words[1:]
	}
	for _, word := range words {
		if p.Refuse == nil {
			break
		}
		if err := p.Refuse(word); err != nil {
			return err
		}
	}
	if len(words) == 0 {
		return p.hint(errkind.Invalid.Errorf("no command given"), "")
	}
	switch words[0] {
	case "help", "-h", "-help", "--help":
		return p.help(std, words[1:])
	case "-version", "--version":
		return p.version(std)
	}
	c, rest, err := p.find(words)
	if err != nil {
		return err
	}
	fs := flagSet(c)
	line, err := parse(fs, rest)
	std.JSON = std.JSON || line.json
	switch {
	case line.help:
		return p.commandHelp(std, c)
	case err != nil:
		return p.hint(err, c.Name)
	}
	if err := checkArgs(c, line.args); err != nil {
		return p.hint(err, c.Name)
	}
	return c.Run(ctx, std, line.args)
}

// find returns the command with the longest name that words begin with, and the words after it.
func (p Program) find(words []string) (Command, []string, error) {
	table := p.table()
	if len(words) > 1 {
		for _, c := range table {
			if c.Name == words[0]+" "+words[1] {
				return c, words[2:], nil
			}
		}
	}
	for _, c := range table {
		if c.Name == words[0] {
			return c, words[1:], nil
		}
	}
	return Command{}, nil, p.unknown(words)
}

// table is the program's commands and the built-in ones it does not replace.
func (p Program) table() []Command {
	for _, c := range p.Commands {
		if c.Name == "version" {
			return p.Commands
		}
	}
	version := Command{
		Name: "version", Summary: "print the version",
		Run: func(_ context.Context, std *IO, _ []string) error { return p.version(std) },
	}
	return append(p.Commands[:len(p.Commands):len(p.Commands)], version)
}

func (p Program) version(std *IO) error {
	facts := map[string]string{
		"program": p.Name, "version": p.Version,
		"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
	return std.Show(facts, fmt.Sprintf("%s %s (%s, %s)\n", p.Name, p.Version, facts["platform"], facts["go"]))
}

func (p Program) unknown(words []string) error {
	if group := p.group(words[0]); len(group) > 0 {
		if len(words) == 1 || strings.HasPrefix(words[1], "-") {
			err := errkind.Invalid.Errorf("%q needs a second word", words[0])
			return errkind.Hinted(err, "%s %s %s", p.Name, words[0], strings.Join(group, " | "))
		}
		err := errkind.Invalid.Errorf("unknown command %q", words[0]+" "+words[1])
		if near := nearest.Of(words[1], group); near != "" {
			return errkind.Hinted(err, "did you mean %q?", words[0]+" "+near)
		}
		return errkind.Hinted(err, "%s %s %s", p.Name, words[0], strings.Join(group, " | "))
	}
	err := errkind.Invalid.Errorf("unknown command %q", words[0])
	var names []string
	for _, c := range p.table() {
		if !c.Hidden {
			first, _, _ := strings.Cut(c.Name, " ")
			names = append(names, first)
		}
	}
	if near := nearest.Of(words[0], append(names, "help")); near != "" {
		return errkind.Hinted(err, "did you mean %q?", near)
	}
	return p.hint(err, "")
}

// group lists the second words of the commands whose first word is name.
func (p Program) group(name string) []string {
	var seconds []string
	for _, c := range p.Commands {
		if second, ok := strings.CutPrefix(c.Name, name+" "); ok && !c.Hidden {
			seconds = append(seconds, second)
		}
	}
	sort.Strings(seconds)
	return seconds
}

// hint points at help unless err has a hint that is nearer.
func (p Program) hint(err error, command string) error {
	if errkind.Hint(err) != "" {
		return err
	}
	return errkind.Hinted(err, "%s", strings.TrimSpace(p.Name+" help "+command))
}
