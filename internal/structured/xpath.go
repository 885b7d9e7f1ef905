// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"strconv"
	"strings"
)

// xmlPath is the part of XPath 1.0 that names places in configuration files:
//
//	/a/b  //b  /a/*      children, descendants, any name; a name with its prefix, as the file writes it
//	b[2]                 the second b below its parent
//	b[@k]  b[@k='v']     with an attribute, of a value
//	b[c='v']  b[.='v']   with a child or a text of a value
//	/a/@k  /a/@*         an attribute, at the end
//	/a/text()            the same as /a, at the end
type xmlPath struct {
	steps []xmlStep
	attr  string // of what the steps name, or ""
}

type xmlStep struct {
	isDeep bool // after "//"
	name   string
	tests  []xmlTest
}

// xmlTest is what stands in square brackets.
type xmlTest struct {
	position int    // or 0
	attr     string // or ""
	child    string // or ""; "." for the element itself
	value    string
	hasValue bool
}

func parsePath(text string) (p xmlPath, ok bool) {
	for text != "" {
		if p.attr != "" {
			return p, false
		}
		rest, isDeep := strings.CutPrefix(text, "//")
		if !isDeep {
			if rest, ok = strings.CutPrefix(text, "/"); !ok {
				return p, false
			}
		}
		end := stepEnd(rest)
		step := rest[:end]
		text = rest[end:]
		switch {
		case step == "text()" && text == "" && len(p.steps) > 0 && !isDeep:
			return p, true
		case strings.HasPrefix(step, "@"):
			if p.attr = step[1:]; !isXMLName(p.attr) || isDeep || len(p.steps) == 0 {
				return p, false
			}
		default:
			s, ok := parseStep(step)
			if !ok {
				return p, false
			}
			s.isDeep = isDeep
			p.steps = append(p.steps, s)
		}
	}
	return p, len(p.steps) > 0
}

// stepEnd is where the next slash stands outside of brackets and quotes.
func stepEnd(text string) int {
	quote, depth := byte(0), 0
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '"' || c == '\''):
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '/' && depth == 0:
			return i
		}
	}
	return len(text)
}

func isXMLName(name string) bool {
	return name == "*" || name != "" && !strings.ContainsAny(name, " \t\n/@[]()='\"<>|*,!$+&")
}

func parseStep(text string) (s xmlStep, ok bool) {
	s.name, text, _ = cutAt(text, '[')
	if !isXMLName(s.name) {
		return s, false
	}
	for text != "" {
		inner, rest, ok := cutAt(text[1:], ']')
		if !ok {
			return s, false
		}
		test, ok := parseTest(strings.TrimSpace(inner))
		if !ok {
			return s, false
		}
		s.tests = append(s.tests, test)
		if text = rest[1:]; text != "" && text[0] != '[' {
			return s, false
		}
	}
	return s, true
}

// cutAt cuts before a byte that stands outside of quotes.
func cutAt(text string, at byte) (before, rest string, ok bool) {
	quote := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == at:
			return text[:i], text[i:], true
		case c == '"' || c == '\'':
			quote = c
		}
	}
	return text, "", false
}

func parseTest(text string) (t xmlTest, ok bool) {
	if n, err := strconv.Atoi(text); err == nil {
		t.position = n
		return t, n > 0
	}
	left, right, hasValue := cutAt(text, '=')
	if left, t.hasValue = strings.TrimSpace(left), hasValue; hasValue {
		right = strings.TrimSpace(right[1:])
		if len(right) < 2 || right[0] != right[len(right)-1] || right[0] != '"' && right[0] != '\'' ||
			strings.IndexByte(right[1:len(right)-1], right[0]) >= 0 {
			return t, false
		}
		t.value = right[1 : len(right)-1]
	}
	if name, isAttr := strings.CutPrefix(left, "@"); isAttr {
		t.attr = name
		return t, isXMLName(name)
	}
	if t.child = left; left == "text()" {
		t.child = "."
	}
	return t, isXMLName(t.child) && (t.child != "." || hasValue)
}

// find lists the elements that the steps lead to.
func (p xmlPath) find(document *element) []*element {
	here := []*element{document}
	for _, s := range p.steps {
		if s.isDeep {
			here = deep(here)
		}
		var next []*element
		for _, parent := range here {
			next = append(next, s.below(parent)...)
		}
		here = next
	}
	return here
}

// deep lists elements and all that lie in them, each once.
func deep(from []*element) (all []*element) {
	seen := map[*element]bool{}
	var walk func(e *element)
	walk = func(e *element) {
		if seen[e] {
			return
		}
		seen[e] = true
		all = append(all, e)
		for _, c := range e.children {
			walk(c)
		}
	}
	for _, e := range from {
		walk(e)
	}
	return all
}

func (s xmlStep) below(parent *element) (found []*element) {
	for _, e := range parent.children {
		if s.name == "*" || s.name == e.name {
			found = append(found, e)
		}
	}
	for _, t := range s.tests {
		var kept []*element
		for i, e := range found {
			if t.holds(e, i+1) {
				kept = append(kept, e)
			}
		}
		found = kept
	}
	return found
}

func (t xmlTest) holds(e *element, position int) bool {
	if t.position > 0 {
		return position == t.position
	}
	if t.attr != "" {
		for _, a := range e.attrs {
			if (t.attr == "*" || a.name == t.attr) && (!t.hasValue || a.value == t.value) {
				return true
			}
		}
		return false
	}
	if t.child == "." {
		return string(e.text) == t.value
	}
	for _, c := range e.children {
		if (t.child == "*" || c.name == t.child) && (!t.hasValue || string(c.text) == t.value) {
			return true
		}
	}
	return false
}
