// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"flag"
	"io"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
)

// flagSet makes the set that a command's Flags fills in.
func flagSet(c Command) *flag.FlagSet {
	fs := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if c.Flags != nil {
		c.Flags(fs)
	}
	return fs
}

// parsed is what a command line holds besides the values that went into the flag set.
type parsed struct {
	help, json bool
	args       []string
}

// parse reads flags and arguments in any order; "--" ends the flags. One dash and two dashes mean the same. The
// result is valid up to the error. Errors: Invalid.
func parse(fs *flag.FlagSet, words []string) (parsed, error) {
	var p parsed
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			p.args = append(p.args, words...)
			break
		}
		if len(word) < 2 || word[0] != '-' {
			p.args = append(p.args, word)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		f := fs.Lookup(name)
		switch {
		case f == nil && (name == "help" || name == "h"):
			p.help = true
			continue
		case f == nil && name == "json":
			p.json = true
			continue
		case f == nil:
			return p, unknownFlag(fs, name)
		case !hasValue && isBool(f):
			value = "true"
		case !hasValue && len(words) == 0:
			return p, errkind.Invalid.Errorf("--%s needs %s", name, wants(f))
		case !hasValue:
			value, words = words[0], words[1:]
		}
		if err := fs.Set(name, value); err != nil {
			return p, errkind.Invalid.Errorf("--%s %q: want %s", name, value, wantsBecause(f, err))
		}
	}
	return p, nil
}

func unknownFlag(fs *flag.FlagSet, name string) error {
	err := errkind.Invalid.Errorf("unknown flag --%s", name)
	candidates := []string{"help", "json"}
	fs.VisitAll(func(f *flag.Flag) { candidates = append(candidates, f.Name) })
	if near := nearest.Of(name, candidates); near != "" {
		return errkind.Hinted(err, "did you mean --%s?", near)
	}
	return err
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// wants says in words what a flag's value looks like.
func wants(f *flag.Flag) string {
	if g, ok := f.Value.(flag.Getter); ok {
		switch g.Get().(type) {
		case int, int64:
			return "a whole number"
		case uint, uint64:
			return "a whole number, not negative"
		case float64:
			return "a number"
		case bool:
			return "true or false"
		case time.Duration:
			return "a duration such as 30s, 5m or 2h"
		}
	}
	name, _ := flag.UnquoteUsage(f)
	if name == "" || name == "string" || name == "value" {
		return "a value"
	}
	return name
}

// wantsBecause adds the reason of a flag with rules of its own; the flag package's own reasons ("parse error") say
// less than wants does.
func wantsBecause(f *flag.Flag, err error) string {
	if g, ok := f.Value.(flag.Getter); ok {
		switch g.Get().(type) {
		case int, int64, uint, uint64, float64, bool, time.Duration:
			return wants(f)
		}
	}
	return wants(f) + ": " + err.Error()
}

// arity reads how many arguments a usage text such as "MACHINE [FILE...]" allows. many is -1 for no upper limit.
func arity(usage string) (least, many int) {
	for _, word := range strings.Fields(usage) {
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if strings.Contains(word, "...") {
			many = -1
		}
		if many >= 0 {
			many++
		}
	}
	return least, many
}

// checkArgs compares arguments with the usage text. Errors: Invalid.
func checkArgs(c Command, args []string) error {
	least, many := arity(c.Usage)
	switch {
	case len(args) < least:
		missing := strings.Fields(c.Usage)[len(args)]
		return errkind.Invalid.Errorf("%s: %s is missing", c.Name, strings.TrimRight(missing, "."))
	case many >= 0 && len(args) > many:
		return errkind.Invalid.Errorf("%s: argument %d is one too many", c.Name, many+1)
	}
	return nil
}
