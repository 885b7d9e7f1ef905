// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonNode is a value inside of a variable that is JSON.
type jsonNode struct {
	kind jsonKind
	// text is what the value expands to: a string's content, a number as it was written, "True" or
	// "False", nothing for null, and the source of an object or an array.
	text  string
	keys  []string // of an object, in the order they were written in
	items []*jsonNode
	// index finds members once somebody has asked for one: as they are written, and folded behind foldedMark.
	index map[string]*jsonNode
}

// foldedMark begins the folded keys of an index. It is in no key that is valid UTF-8.
const foldedMark = "\xff"

type jsonKind int

const (
	jsonScalar jsonKind = iota
	jsonObject
	jsonArray
)

// maxJSONDepth is how deeply arrays and objects may lie in each other.
const maxJSONDepth = 64

// parseJSON reads an object or an array; nil is anything else. As in Octopus, keys need no quotes,
// single quotes do as well, and a comma may stand after the last value.
func parseJSON(text string) *jsonNode {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '{' && text[0] != '[' {
		return nil
	}
	p := &jsonParser{text: text}
	n := p.value(0)
	if p.skip(); n == nil || p.at != len(text) {
		return nil
	}
	return n
}

type jsonParser struct {
	text string
	at   int
}

// skip passes white space and returns the character after it, or 0.
func (p *jsonParser) skip() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *jsonParser) value(depth int) *jsonNode {
	if depth > maxJSONDepth {
		return nil
	}
	switch c := p.skip(); c {
	case '{':
		return p.container(jsonObject, '}', depth)
	case '[':
		return p.container(jsonArray, ']', depth)
	case '"', '\'':
		if text, ok := p.quoted(); ok {
			return &jsonNode{text: text}
		}
		return nil
	}
	switch word := p.word(); word {
	case "true", "false":
		return &jsonNode{text: boolWord(word == "true")}
	case "null":
		return &jsonNode{}
	default:
		if _, err := strconv.ParseFloat(word, 64); err != nil {
			return nil
		}
		return &jsonNode{text: word}
	}
}

// container reads an object or an array up to its end.
func (p *jsonParser) container(kind jsonKind, end byte, depth int) *jsonNode {
	begin, n := p.at, &jsonNode{kind: kind}
	p.at++
	for p.skip() != end {
		if kind == jsonObject {
			key, ok := p.key()
			if !ok || p.skip() != ':' {
				return nil
			}
			p.at++
			n.keys = append(n.keys, key)
		}
		item := p.value(depth + 1)
		if item == nil {
			return nil
		}
		n.items = append(n.items, item)
		switch p.skip() {
		case ',':
			p.at++
		case end:
		default:
			return nil
		}
	}
	p.at++
	n.text = p.text[begin:p.at]
	return n
}

func (p *jsonParser) key() (string, bool) {
	if c := p.skip(); c == '"' || c == '\'' {
		return p.quoted()
	}
	word := p.word()
	return word, word != ""
}

// word takes what may stand without quotes.
func (p *jsonParser) word() string {
	begin := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n{}[]:,\"'", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[begin:p.at]
}

func (p *jsonParser) quoted() (string, bool) {
	mark := p.text[p.at]
	var out strings.Builder
	for p.at++; p.at < len(p.text); {
		switch c := p.text[p.at]; {
		case c == mark:
			p.at++
			return out.String(), true
		case c == '\\':
			if !p.escape(&out) {
				return "", false
			}
		default:
			out.WriteByte(c)
			p.at++
		}
	}
	return "", false
}

// escape takes a backslash and what belongs to it.
func (p *jsonParser) escape(out *strings.Builder) bool {
	if p.at+1 >= len(p.text) {
		return false
	}
	c := p.text[p.at+1]
	p.at += 2
	if c == 'u' {
		return p.codePoint(out)
	}
	if at := strings.IndexByte("bfnrt", c); at >= 0 {
		c = "\b\f\n\r\t"[at]
	}
	out.WriteByte(c)
	return true
}

// codePoint takes four hex digits, and four more when these are half of a pair.
func (p *jsonParser) codePoint(out *strings.Builder) bool {
	first, ok := p.hex()
	if !ok {
		return false
	}
	r := rune(first)
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.text[p.at:], `\u`) {
		p.at += 2
		second, ok := p.hex()
		if !ok {
			return false
		}
		r = utf16.DecodeRune(r, rune(second))
	}
	if !utf8.ValidRune(r) {
		r = utf8.RuneError
	}
	out.WriteRune(r)
	return true
}

func (p *jsonParser) hex() (uint64, bool) {
	const digits = 4
	if p.at+digits > len(p.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[p.at:p.at+digits], 16, 32)
	p.at += digits
	return n, err == nil
}

// walk follows a path like .a[0].b; nil when the value has no such part.
func (n *jsonNode) walk(path string) *jsonNode {
	for path != "" && n != nil {
		var key string
		if inner, indexed := strings.CutPrefix(path, "["); indexed {
			var closed bool
			if key, path, closed = strings.Cut(inner, "]"); !closed {
				return nil
			}
		} else {
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			key, path = path[:end], path[end:]
		}
		n = n.part(key)
	}
	return n
}

// part is a member of an object or an item of an array.
func (n *jsonNode) part(key string) *jsonNode {
	switch n.kind {
	case jsonArray:
		if at, err := strconv.Atoi(key); err == nil && at >= 0 && at < len(n.items) {
			return n.items[at]
		}
	case jsonObject:
		if n.index == nil {
			n.makeIndex()
		}
		if item, ok := n.index[key]; ok {
			return item
		}
		return n.index[foldedMark+foldedKey(key)]
	}
	return nil
}

// makeIndex takes the first of members that have one name, and of those that differ in case.
func (n *jsonNode) makeIndex() {
	n.index = make(map[string]*jsonNode, 2*len(n.keys))
	for i, key := range n.keys {
		for _, name := range []string{key, foldedMark + foldedKey(key)} {
			if _, taken := n.index[name]; !taken {
				n.index[name] = n.items[i]
			}
		}
	}
}

// foldedKey is the same for keys that strings.EqualFold takes for one another.
func foldedKey(key string) string { return strings.ToLower(strings.ToUpper(key)) }
