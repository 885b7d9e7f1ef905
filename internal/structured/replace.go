// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"path"
	"strings"
	"unicode/utf8"

	"fairlead/internal/errkind"
)

// Format is how a file is written.
type Format string

// The formats.
const (
	JSON       Format = "JSON"
	YAML       Format = "YAML"
	XML        Format = "XML"
	Properties Format = "properties"
)

const (
	// maxDepth is how deep values may lie in each other.
	maxDepth = 200
	// maxPathBytes is the longest path of a value; no variable has a longer name.
	maxPathBytes = 2048
)

// Variables give the values. Names are found whatever their case.
type Variables interface {
	// Get returns the value of a name.
	Get(name string) (string, bool)
	// Names lists all names, in any order. Only XML asks: its names are not those of places.
	Names() []string
}

// Replaced is a text with its values replaced.
type Replaced struct {
	Text string
	// Names are the variables that were used, in the order of their places, as the file spells them.
	Names []string
	// Unfit are those whose value does not fit its place, which kept its own: with a clause on why.
	Unfit []string
}

// FormatOf tells the format by the file's name, or else by the text's beginning.
func FormatOf(name, text string) Format {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return JSON
	case ".yaml", ".yml":
		return YAML
	case ".xml", ".config":
		return XML
	case ".properties":
		return Properties
	}
	switch text = strings.TrimLeft(strings.TrimPrefix(text, byteOrderMark), " \t\r\n"); {
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return JSON
	case strings.HasPrefix(text, "<"):
		return XML
	}
	return YAML
}

const byteOrderMark = "\ufeff"

// Replace replaces the values of a text. Errors: Invalid (the text is not of the format, or is written
// in a way that is not understood; says where).
func Replace(format Format, text string, variables Variables) (Replaced, error) {
	if !utf8.ValidString(text) {
		return Replaced{}, errkind.Invalid.Errorf("it is not UTF-8")
	}
	c := &changes{text: text, variables: variables}
	start := 0
	if strings.HasPrefix(text, byteOrderMark) {
		start = len(byteOrderMark)
	}
	var err error
	switch format {
	case JSON:
		err = (&jsonText{changes: c, at: start}).document()
	case YAML:
		err = (&yamlText{changes: c, at: start}).stream()
	case XML:
		err = replaceXML(c, start)
	case Properties:
		replaceProperties(c, start)
	default:
		err = errkind.Invalid.Errorf("format %q: want JSON, YAML, XML or properties", format)
	}
	if err != nil {
		return Replaced{}, err
	}
	return Replaced{Text: c.result(), Names: c.names, Unfit: c.unfit}, nil
}

// changes collects what is to be replaced in a text, in the order of places.
type changes struct {
	text      string
	variables Variables
	edits     []edit
	names     []string
	unfit     []string
	isQuiet   bool // somebody only tries: nobody will ask where it is wrong
}

type edit struct {
	from, to int
	with     string
	name     string
}

// nameOf is the name that a variable for a place has, or "" when none can.
func nameOf(path []string) string {
	length := len(path) - 1
	for _, key := range path {
		if length += len(key); length > maxPathBytes {
			return ""
		}
	}
	return strings.Join(path, ":")
}

// put replaces a part of the text. Edits inside of it are dropped: they were found before it.
func (c *changes) put(name string, from, to int, with string) {
	for len(c.edits) > 0 && c.edits[len(c.edits)-1].from >= from {
		c.edits = c.edits[:len(c.edits)-1]
	}
	c.edits = append(c.edits, edit{from, to, with, name})
}

func (c *changes) misfit(name, why string) { c.unfit = append(c.unfit, name+": "+why) }

func (c *changes) result() string {
	var out strings.Builder
	at := 0
	for _, e := range c.edits {
		out.WriteString(c.text[at:e.from])
		out.WriteString(e.with)
		at = e.to
		c.names = append(c.names, e.name)
	}
	out.WriteString(c.text[at:])
	return out.String()
}

var errQuiet = errkind.Invalid.Errorf("it is something else")

// wrong says that the text is not understood at a place.
func (c *changes) wrong(format Format, at int, what string) error {
	if c.isQuiet {
		return errQuiet
	}
	before := c.text[:min(at, len(c.text))]
	line := 1 + strings.Count(before, "\n")
	column := at - strings.LastIndexByte(before, '\n')
	return errkind.Invalid.Errorf("%s, line %d, byte %d: %s", format, line, column, what)
}
