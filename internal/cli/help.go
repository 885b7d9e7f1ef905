// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"flag"
	"fmt"
	"strings"
	"unicode/utf8"
)

const maxHelpColumns = 100

// help answers "help", "help COMMAND" and "help GROUP".
func (p Program) help(std *IO, words []string) error {
	if len(words) == 0 {
		return p.programHelp(std, "")
	}
	if len(words) == 1 && len(p.group(words[0])) > 0 {
		return p.programHelp(std, words[0])
	}
	c, _, err := p.find(words)
	if err != nil {
		return err
	}
	return p.commandHelp(std, c)
}

// programHelp lists the commands, or those of one group.
func (p Program) programHelp(std *IO, group string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", p.Name, p.Summary)
	fmt.Fprintf(&b, "Usage:\n  %s COMMAND [flags] [arguments]\n\nCommands:\n", p.Name)
	var rows [][2]string
	for _, c := range p.table() {
		if !c.Hidden && (group == "" || strings.HasPrefix(c.Name, group+" ")) {
			rows = append(rows, [2]string{c.Name, c.Summary})
		}
	}
	writeRows(&b, rows, helpColumns(std))
	if group == "" {
		writeExamples(&b, p.Examples)
	}
	fmt.Fprintf(&b, "\nFlags of every command:\n")
	writeRows(&b, [][2]string{
		{"--help", "explain a command; also: " + p.Name + " help COMMAND"},
		{"--json", "print the result, or the error, as JSON"},
	}, helpColumns(std))
	fmt.Fprintf(&b, "\n%s", exitHelp())
	_, err := std.Out.Write([]byte(b.String()))
	return err
}

func (p Program) commandHelp(std *IO, c Command) error {
	var b strings.Builder
	fs := flagSet(c)
	fmt.Fprintf(&b, "%s %s: %s\n\nUsage:\n  %s %s", p.Name, c.Name, c.Summary, p.Name, c.Name)
	var rows [][2]string
	fs.VisitAll(func(f *flag.Flag) { rows = append(rows, flagRow(f)) })
	if len(rows) > 0 {
		b.WriteString(" [flags]")
	}
	if c.Usage != "" {
		b.WriteString(" " + c.Usage)
	}
	b.WriteString("\n")
	if c.Details != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap(c.Details, 0, helpColumns(std)))
	}
	if len(rows) > 0 {
		b.WriteString("\nFlags:\n")
		writeRows(&b, rows, helpColumns(std))
	}
	writeExamples(&b, c.Examples)
	_, err := std.Out.Write([]byte(b.String()))
	return err
}

func flagRow(f *flag.Flag) [2]string {
	name, usage := flag.UnquoteUsage(f)
	left := "--" + f.Name
	if name != "" {
		left += " " + strings.ToUpper(name)
	}
	switch f.DefValue {
	case "", "0", "false", "0s":
	default:
		usage += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	return [2]string{left, usage}
}

func writeExamples(b *strings.Builder, examples []string) {
	if len(examples) == 0 {
		return
	}
	b.WriteString("\nExamples:\n")
	for _, line := range examples {
		b.WriteString("  " + line + "\n")
	}
}

// writeRows writes names and texts in two columns; the texts are wrapped.
func writeRows(b *strings.Builder, rows [][2]string, columns int) {
	const maxLeft = 28
	left := 0
	for _, row := range rows {
		if n := utf8.RuneCountInString(row[0]); n <= maxLeft {
			left = max(left, n)
		}
	}
	indent := left + 4
	for _, row := range rows {
		text := wrap(row[1], indent, columns)
		if utf8.RuneCountInString(row[0]) > left {
			fmt.Fprintf(b, "  %s\n%*s%s\n", row[0], indent, "", text)
			continue
		}
		fmt.Fprintf(b, "  %-*s  %s\n", left, row[0], text)
	}
}

// wrap breaks text at spaces so that no line passes columns; lines after the first are indented. Paragraphs keep.
func wrap(text string, indent, columns int) string {
	pad := "\n" + strings.Repeat(" ", indent)
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteString(pad)
		}
		at := indent
		for j, word := range strings.Fields(line) {
			n := utf8.RuneCountInString(word)
			switch {
			case j == 0:
			case at+1+n > columns:
				b.WriteString(pad)
				at = indent
			default:
				b.WriteString(" ")
				at++
			}
			b.WriteString(word)
			at += n
		}
	}
	return b.String()
}

func helpColumns(std *IO) int {
	if std.Columns == 0 {
		return maxHelpColumns
	}
	return min(std.Columns, maxHelpColumns)
}
