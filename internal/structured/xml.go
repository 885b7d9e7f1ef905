// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// element is one element of a document, and where it stands.
type element struct {
	name     string // with its prefix, as written
	attrs    []attribute
	children []*element
	depth    int

	start, inner  int // of the start tag; after it
	innerEnd, end int // of the end tag; after it
	isEmpty       bool
	text          []byte
}

type attribute struct {
	name     string
	value    string
	from, to int // between the quotes
	quote    byte
}

// replaceXML replaces what the paths among the variables name.
func replaceXML(c *changes, at int) error {
	root, err := parseXML(c, at)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(c.variables.Names(), func(name string) bool { return !strings.HasPrefix(name, "/") })
	slices.Sort(names)
	var edits []edit
	for _, name := range names {
		path, ok := parsePath(name)
		if !ok {
			c.misfit(name, "it is no path of the kind that is understood")
			continue
		}
		value, _ := c.variables.Get(name)
		for _, e := range path.find(root) {
			edits = append(edits, c.xmlEdits(name, path, e, value)...)
		}
	}
	slices.SortStableFunc(edits, func(a, b edit) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	end := -1
	for _, e := range edits {
		if e.from >= end { // not inside of one that is replaced, and not again
			c.edits = append(c.edits, e)
			end = max(e.to, e.from+1)
		}
	}
	return nil
}

// xmlEdits writes a value into an element, or into those of its attributes that a path names.
func (c *changes) xmlEdits(name string, path xmlPath, e *element, value string) (edits []edit) {
	if path.attr != "" {
		for _, a := range e.attrs {
			if path.attr == "*" || path.attr == a.name {
				edits = append(edits, edit{a.from, a.to, xmlText(value, a.quote), name})
			}
		}
		return edits
	}
	inside := c.text[e.inner:e.innerEnd]
	switch trimmed := strings.TrimSpace(inside); {
	case len(e.children) > 0 && !isFragment(value):
		c.misfit(name, "the element holds others, and the value is no XML")
		return nil
	case len(e.children) > 0:
	case strings.HasPrefix(trimmed, "<![CDATA[") && !strings.Contains(value, "]]>"):
		value = "<![CDATA[" + value + "]]>"
	default:
		value = xmlText(value, 0)
	}
	if e.isEmpty {
		slash := strings.LastIndexByte(c.text[:e.end], '/')
		return []edit{{slash, e.end, ">" + value + "</" + e.name + ">", name}}
	}
	return []edit{{e.inner, e.innerEnd, value, name}}
}

// isFragment reports whether a value is whole XML: text and elements that end in it.
func isFragment(value string) bool {
	d := xml.NewDecoder(strings.NewReader("<x>" + value + "</x>"))
	for depth, end := 0, int64(len("<x>")+len(value)); ; {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			if depth--; depth == 0 && d.InputOffset() < end { // the value ends what is around it
				return false
			}
		}
	}
}

// xmlText escapes a value for content, or for an attribute in the given quotes. What XML cannot hold
// becomes the replacement character.
func xmlText(value string, quote byte) string {
	var out strings.Builder
	for _, r := range value {
		switch {
		case r == '&':
			out.WriteString("&amp;")
		case r == '<':
			out.WriteString("&lt;")
		case r == '>':
			out.WriteString("&gt;")
		case r == '"' && quote == '"':
			out.WriteString("&quot;")
		case r == '\'' && quote == '\'':
			out.WriteString("&apos;")
		case r == '\n' && quote != 0:
			out.WriteString("&#xA;")
		case r == '\t' && quote != 0:
			out.WriteString("&#x9;")
		case r == '\r':
			out.WriteString("&#xD;")
		case r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF:
			out.WriteRune('\uFFFD')
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// parseXML reads a document; the element that is returned holds its root.
func parseXML(c *changes, at int) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(c.text[at:]))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it was found to be UTF-8
	document := &element{}
	open := []*element{document}
	for {
		start := at + int(d.InputOffset())
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if len(open) > 1 || len(document.children) != 1 {
				return nil, c.wrong(XML, len(c.text), "want one element that is whole")
			}
			return document, nil
		}
		end := at + int(d.InputOffset())
		if err != nil {
			return nil, c.wrong(XML, end, xmlFault(err))
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, c.wrong(XML, start, "it is nested too deep")
			}
			e := &element{start: start, inner: end, innerEnd: end, end: end, depth: len(open)}
			e.readTag(c.text[start:end], token)
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 1 || top.name != rawName(token.Name) {
				return nil, c.wrong(XML, start, "an end tag has no beginning")
			}
			if !top.isEmpty {
				top.innerEnd, top.end = start, end
			}
			open = open[:len(open)-1]
		case xml.CharData:
			top.text = append(top.text, token...)
		}
	}
}

// xmlFault says what is wrong without the text at fault, which may be a part of a secret.
func xmlFault(err error) string {
	syntax, ok := errors.AsType[*xml.SyntaxError](err)
	switch {
	case !ok:
		return "it is not well formed"
	case strings.HasPrefix(syntax.Msg, "invalid character entity"):
		return "an ampersand begins no known entity: write &amp; for one"
	case strings.HasPrefix(syntax.Msg, "invalid XML name"):
		return "a name is none"
	}
	return syntax.Msg
}

func rawName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// readTag finds the places of the attributes in a start tag that was found to be one.
func (e *element) readTag(tag string, token xml.StartElement) {
	e.name, e.isEmpty = rawName(token.Name), strings.HasSuffix(tag, "/>")
	at := 1 + len(e.name)
	for _, a := range token.Attr {
		equals := strings.IndexByte(tag[at:], '=')
		if equals < 0 {
			return
		}
		at += equals + 1
		from := at + strings.IndexAny(tag[at:], `"'`) + 1
		length := strings.IndexByte(tag[from:], tag[from-1])
		if length < 0 {
			return
		}
		e.attrs = append(e.attrs, attribute{
			name: rawName(a.Name), value: a.Value, from: e.start + from, to: e.start + from + length, quote: tag[from-1],
		})
		at = from + length + 1
	}
}
