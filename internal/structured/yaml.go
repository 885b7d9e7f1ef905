// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"strconv"
	"strings"
)

// yamlText reads the part of YAML 1.2 that configuration files are written in: block and flow mappings
// and sequences, all kinds of scalars, anchors, tags, several documents. Refused are explicit keys
// ("? "), collections as keys, tabs as indentation, and nodes beside a document's "---".
type yamlText struct {
	*changes
	at   int // the next byte
	path []string
	done int // the end of the last node, before blanks and comments
}

func (y *yamlText) wrong(what string) error { return y.changes.wrong(YAML, y.at, what) }

func (y *yamlText) stream() error {
	for {
		column, err := y.content()
		if err != nil {
			return err
		}
		switch {
		case y.at == len(y.text):
			return nil
		case y.isMark("---"), y.isMark("..."):
			y.at += 3
			if y.blanks(); !y.atLineEnd() {
				return y.wrong("something stands beside the mark of a document")
			}
		case y.text[y.at] == '%' && column == 0:
			y.at = lineEnd(y.text, y.at)
		default:
			if err := y.node(column, column-1); err != nil {
				return err
			}
			if _, err = y.content(); err != nil {
				return err
			}
			if y.at < len(y.text) && !y.isMark("---") && !y.isMark("...") {
				return y.wrong("it does not belong to what stands before it")
			}
		}
	}
}

// isMark reports whether a line of its own begins here that separates documents.
func (y *yamlText) isMark(mark string) bool {
	rest := y.text[y.at:]
	return (y.at == 0 || y.text[y.at-1] == '\n' || strings.HasSuffix(y.text[:y.at], byteOrderMark)) &&
		strings.HasPrefix(rest, mark) && (len(rest) == 3 || isSpace(rest[3]))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (y *yamlText) blanks() { y.at = skipAny(y.text, y.at, " \t") }

// atLineEnd reports whether nothing but a comment is left of the line.
func (y *yamlText) atLineEnd() bool {
	rest := y.text[y.at:]
	return rest == "" || rest[0] == '\n' || strings.HasPrefix(rest, "\r\n") ||
		rest[0] == '#' && (y.at == 0 || isSpace(y.text[y.at-1]))
}

// content goes on to the next byte that is neither blank nor comment, and returns its column.
func (y *yamlText) content() (column int, err error) {
	for y.at < len(y.text) {
		if y.blanks(); !y.atLineEnd() {
			begin := strings.LastIndexByte(y.text[:y.at], '\n') + 1
			if begin == 0 && strings.HasPrefix(y.text, byteOrderMark) {
				begin = len(byteOrderMark)
			}
			if strings.IndexByte(y.text[begin:y.at], '\t') >= 0 && strings.TrimLeft(y.text[begin:y.at], " \t") == "" {
				return 0, y.wrong("a tab indents the line")
			}
			return y.at - begin, nil
		}
		y.at = min(lineEnd(y.text, y.at), len(y.text))
		y.at = skipAny(y.text, y.at, "\r\n")
	}
	return -1, nil
}

// node reads a node that begins here, at a column, whose continuation lines are deeper than parent.
func (y *yamlText) node(column, parent int) error {
	if len(y.path) > maxDepth {
		return y.wrong("it is nested too deep")
	}
	start := y.at
	switch {
	case y.isEntry():
		return y.whole(start, func() error { return y.sequence(column) })
	case y.isNext("?"):
		return y.wrong("a key is written with a question mark")
	}
	if isKey, err := y.isKey(); err != nil {
		return err
	} else if isKey {
		return y.whole(start, func() error { return y.mapping(column) })
	}
	return y.inline(parent)
}

// isEntry reports whether an entry of a block sequence begins here.
func (y *yamlText) isEntry() bool { return y.isNext("-") }

func (y *yamlText) isNext(mark string) bool {
	rest := y.text[y.at:]
	return strings.HasPrefix(rest, mark) && (len(rest) == 1 || isSpace(rest[1]))
}

// whole reads a collection, and replaces it if there is a variable for it.
func (y *yamlText) whole(start int, read func() error) error {
	if err := read(); err != nil {
		return err
	}
	name := nameOf(y.path)
	value, ok := y.variables.Get(name)
	if !ok || name == "" {
		return nil
	}
	if word := strings.TrimSpace(value); isJSONTree(word) && !strings.Contains(word, "\n") {
		if c := y.text[start]; c != '{' && c != '[' { // a block may begin where its key does, a bracket not
			word = " " + word
		}
		y.put(name, start, y.done, word)
	} else {
		y.misfit(name, "the value is neither an object nor an array in JSON on one line")
	}
	return nil
}

func (y *yamlText) sequence(column int) error {
	for index := 0; ; index++ {
		y.at++
		y.done = y.at
		y.path = append(y.path, strconv.Itoa(index))
		err := y.under(column, column)
		y.path = y.path[:len(y.path)-1]
		if err != nil {
			return err
		}
		next, err := y.content()
		if err != nil || next < column || next == column && !y.isEntry() || y.isDocumentEnd() {
			return err
		}
		if next > column {
			return y.wrong("it is indented deeper than the entries of its sequence")
		}
	}
}

func (y *yamlText) isDocumentEnd() bool {
	return y.at == len(y.text) || y.isMark("---") || y.isMark("...")
}

func (y *yamlText) mapping(column int) error {
	for {
		key, err := y.key()
		if err != nil {
			return err
		}
		y.path = append(y.path, key)
		err = y.under(column, column-1)
		y.path = y.path[:len(y.path)-1]
		if err != nil {
			return err
		}
		next, err := y.content()
		if err != nil || next < column || y.isDocumentEnd() {
			return err
		}
		if isKey, err := y.isKey(); err != nil || !isKey || next > column {
			if next == column && y.isEntry() {
				return nil // an entry of the sequence around: "- a: 1"
			}
			return y.wrong("want a key of the mapping around it")
		}
	}
}

// under reads what stands behind a dash or a key's colon. A sequence below a key may begin at the key's
// own column, so at entryColumn + 1.
func (y *yamlText) under(column, entryColumn int) error {
	mark := y.at
	hasProperties, err := y.properties()
	if err != nil {
		return err
	}
	if !y.atLineEnd() {
		if y.text[mark-1] == '-' && !hasProperties { // compact: "- a: 1"
			begin := strings.LastIndexByte(y.text[:y.at], '\n') + 1
			return y.node(y.at-begin, column)
		}
		return y.inline(column)
	}
	end := y.at
	next, err := y.content()
	if err != nil {
		return err
	}
	isBelow := next > column || next == entryColumn+1 && y.isEntry()
	if y.isDocumentEnd() || !isBelow {
		y.at = end
		return y.absent(mark, hasProperties)
	}
	if _, err := y.properties(); err != nil {
		return err
	}
	if y.atLineEnd() {
		return y.wrong("an anchor or a tag stands alone")
	}
	return y.node(next, column)
}

// absent is a value that is not there: null.
func (y *yamlText) absent(mark int, hasProperties bool) error {
	y.done = mark
	name := nameOf(y.path)
	value, ok := y.variables.Get(name)
	switch {
	case !ok || name == "":
	case hasProperties:
		y.misfit(name, "it has an anchor or a tag and no value")
	default:
		with := plainValue("", value)
		if with != "" {
			with = " " + with
		}
		y.put(name, mark, mark, with)
	}
	return nil
}

// properties skips blanks, an anchor and a tag.
func (y *yamlText) properties() (found bool, err error) {
	for {
		y.blanks()
		if y.at == len(y.text) || y.text[y.at] != '&' && y.text[y.at] != '!' {
			return found, nil
		}
		if found = true; strings.HasPrefix(y.text[y.at:], "!<") {
			return false, y.wrong("a tag is written out")
		}
		for y.at < len(y.text) && !isSpace(y.text[y.at]) {
			if strings.IndexByte(",[]{}", y.text[y.at]) >= 0 {
				return false, y.wrong("an anchor or a tag ends in a bracket or a comma")
			}
			y.at++
		}
	}
}

// isKey reports whether a key and its colon begin here. It does not move.
func (y *yamlText) isKey() (bool, error) {
	probe := *y
	probe.changes = &changes{text: y.text}
	if c := y.text[y.at]; c == '[' || c == '{' {
		if err := probe.skipFlow(); err != nil {
			return false, err
		}
		if probe.blanks(); probe.isNext(":") {
			return false, y.wrong("a collection is a key")
		}
		return false, nil
	}
	probe.isQuiet = true
	_, err := probe.key()
	return err == nil, nil
}

// key reads a key and its colon. An alias is a key, too.
func (y *yamlText) key() (string, error) {
	start := y.at
	if _, err := y.properties(); err != nil {
		return "", err
	}
	var key string
	if c := y.text[min(y.at, len(y.text)-1)]; y.at < len(y.text) && (c == '"' || c == '\'') {
		from := y.at
		if err := y.quoted(); err != nil {
			return "", err
		}
		if strings.IndexByte(y.text[from:y.at], '\n') >= 0 {
			return "", y.wrong("a key has several lines")
		}
		key = quotedText(y.text[from:y.at])
		y.blanks()
	} else {
		from := y.at
		for ; !y.atLineEnd() && !y.isNext(":"); y.at++ {
			if y.at == from && strings.IndexByte("[]{},#|>%@`", y.text[y.at]) >= 0 {
				return "", y.wrong("want a key")
			}
		}
		key = strings.TrimRight(y.text[from:y.at], " \t")
		if key == "" || strings.HasPrefix(key, "? ") {
			return "", y.wrong("want a key")
		}
	}
	if !y.isNext(":") {
		return "", y.changes.wrong(YAML, start, "want a key and a colon")
	}
	y.at++
	return key, nil
}
