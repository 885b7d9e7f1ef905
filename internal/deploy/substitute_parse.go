// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"

	"fairlead/internal/errkind"
)

// templateNode is one piece of a parsed text. Exactly one field besides source is set; source is
// the text of an expression or of a block's first tag, as it was written.
type templateNode struct {
	source string
	text   string
	value  *valueNode
	choice *choiceNode
	loop   *loopNode
	calc   *calcNode
}

// valueNode is #{name | filter | filter}.
type valueNode struct {
	name    []templateNode // texts and, inside indexes, values; none for #{ | filter}
	filters []filterCall
}

type filterCall struct {
	name string
	args []filterArg
}

// filterArg is a text, or the value of a name.
type filterArg struct {
	text  string
	value *valueNode
}

// choiceNode is an if or an unless: the first arm whose condition holds.
type choiceNode struct {
	arms []choiceArm
	last []templateNode // the else part
}

type choiceArm struct {
	left   valueNode
	negate bool
	// compare is set for == and !=, with a variable or a text on the right.
	compare bool
	right   *valueNode
	literal string
	body    []templateNode
}

// loopNode is #{each item in list}.
type loopNode struct {
	item string
	list valueNode
	body []templateNode
}

// frame is a block that is still open while its text is read.
type frame struct {
	word    string // if, unless or each
	node    templateNode
	outer   []templateNode
	tags    []string         // tags so far, to restore the text of a block that is never closed
	bodies  [][]templateNode // what followed each tag
	hasElse bool
}

// parseTemplate reads text in one pass. Errors: Invalid (blocks nested too deeply).
func parseTemplate(text string) ([]templateNode, error) {
	p := &templateParser{}
	if err := p.read(text); err != nil {
		return nil, err
	}
	return p.finish(), nil
}

func (p *templateParser) read(text string) error {
	for {
		at := strings.Index(text, "#{")
		if at < 0 {
			p.addText(text)
			return nil
		}
		if at > 0 && text[at-1] == '#' {
			p.addText(text[:at-1] + "#{")
			text = text[at+2:]
			continue
		}
		p.addText(text[:at])
		size := expressionSize(text[at:])
		if size == 0 {
			p.misfit(text[at:])
			text = text[at+2:]
			continue
		}
		taken, err := p.addTag(text[at : at+size])
		if err != nil {
			return err
		}
		if !taken { // something else may begin inside of it
			p.misfit(text[at : at+size])
			size = len("#{")
		}
		text = text[at+size:]
	}
}

// expressionSize returns the length of the #{...} that text begins with, or 0.
func expressionSize(text string) int {
	depth, quoted := 0, false
	braces := strings.HasPrefix(text, "#{calc ") // there they stand around names
	for i := 0; i < min(len(text), maxExpressionBytes); i++ {
		switch c := text[i]; {
		case c == '\n' || c == '\r':
			return 0
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '#' && strings.HasPrefix(text[i:], "#{"):
			if depth++; depth > MaxExpandDepth {
				return 0
			}
			i++
		case c == '{' && braces:
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

type templateParser struct {
	nodes []templateNode // of the innermost open block
	open  []*frame
	stray string // the first text from a #{ on that cannot be read; "" when there is none
}

// misfit takes the #{ that text begins with as it is.
func (p *templateParser) misfit(text string) {
	if p.stray == "" {
		p.stray = text
	}
	p.addText("#{")
}

func (p *templateParser) addText(text string) {
	if text != "" {
		p.nodes = append(p.nodes, templateNode{text: text})
	}
}

// addTag takes one #{...}. It is false for what fits nowhere, which is text.
func (p *templateParser) addTag(source string) (taken bool, err error) {
	inner := strings.TrimSpace(source[2 : len(source)-1])
	word, rest, _ := strings.Cut(inner, " ")
	rest = strings.TrimSpace(rest)
	var top *frame
	if len(p.open) > 0 {
		top = p.open[len(p.open)-1]
	}
	switch {
	case (word == "if" || word == "unless" || word == "each") && rest != "":
		return p.openBlock(source, word, rest)
	case word == "elseif" && top != nil && top.word == "if" && !top.hasElse:
		arm, ok := parseCondition(rest)
		if ok {
			top.node.choice.arms = append(top.node.choice.arms, arm)
			p.nextBody(top, source)
		}
		return ok, nil
	case inner == "else" && top != nil && top.word != "each" && !top.hasElse:
		top.hasElse = true
		p.nextBody(top, source)
		return true, nil
	case top != nil && inner == "/"+top.word:
		p.closeBlock(top)
		return true, nil
	case inner == "else" || word == "elseif" || strings.HasPrefix(inner, "/"): // belongs to no block
		return false, nil
	case word == "calc" && rest != "":
		calc, ok := parseCalc(rest)
		if ok {
			p.nodes = append(p.nodes, templateNode{source: source, calc: calc})
		}
		return ok, nil
	}
	value, ok := parseValue(inner)
	if ok {
		p.nodes = append(p.nodes, templateNode{source: source, value: &value})
	}
	return ok, nil
}

func (p *templateParser) openBlock(source, word, rest string) (taken bool, err error) {
	node := templateNode{source: source}
	if word == "each" {
		item, list, found := strings.Cut(rest, " in ")
		value, ok := parseValue(strings.TrimSpace(list))
		if item = strings.TrimSpace(item); !found || !ok || !isPlainName(item) {
			return false, nil
		}
		node.loop = &loopNode{item: item, list: value}
	} else {
		arm, ok := parseCondition(rest)
		if !ok {
			return false, nil
		}
		arm.negate = arm.negate != (word == "unless")
		node.choice = &choiceNode{arms: []choiceArm{arm}}
	}
	if len(p.open) >= MaxExpandDepth {
		return false, errkind.Invalid.Errorf("%.80s: blocks are nested deeper than %d", source, MaxExpandDepth)
	}
	p.open = append(p.open, &frame{word: word, node: node, outer: p.nodes, tags: []string{source}})
	p.nodes = nil
	return true, nil
}

func (p *templateParser) nextBody(top *frame, source string) {
	top.bodies = append(top.bodies, p.nodes)
	top.tags = append(top.tags, source)
	p.nodes = nil
}

func (p *templateParser) closeBlock(top *frame) {
	bodies := append(top.bodies, p.nodes)
	if top.node.loop != nil {
		top.node.loop.body = bodies[0]
	} else {
		for i := range top.node.choice.arms {
			top.node.choice.arms[i].body = bodies[i]
		}
		if top.hasElse {
			top.node.choice.last = bodies[len(bodies)-1]
		}
	}
	p.nodes = append(top.outer, top.node)
	p.open = p.open[:len(p.open)-1]
}

// finish turns blocks that were never closed back into text.
func (p *templateParser) finish() []templateNode {
	for i := len(p.open) - 1; i >= 0; i-- {
		top := p.open[i]
		bodies := append(top.bodies, p.nodes)
		p.nodes = top.outer
		for j, tag := range top.tags {
			p.addText(tag)
			p.nodes = append(p.nodes, bodies[j]...)
		}
	}
	return p.nodes
}

// parseCondition reads what follows if, unless and elseif.
func parseCondition(text string) (arm choiceArm, ok bool) {
	left, operator, right := cutComparison(text)
	if arm.left, ok = parseValue(strings.TrimSpace(left)); !ok || operator == "" {
		return arm, ok
	}
	arm.compare, arm.negate = true, operator == "!="
	right = strings.TrimSpace(right)
	if literal, rest, ok := cutQuoted(right); ok && rest == "" {
		arm.literal = literal
		return arm, true
	}
	value, ok := parseValue(right)
	arm.right = &value
	return arm, ok
}

// cutComparison splits at the first == or != that stands in no text and no inner expression.
func cutComparison(text string) (left, operator, right string) {
	rest := text
	for rest != "" {
		if strings.HasPrefix(rest, "==") || strings.HasPrefix(rest, "!=") {
			return text[:len(text)-len(rest)], rest[:2], rest[2:]
		}
		rest = rest[unitSize(rest):]
	}
	return text, "", ""
}

// unitSize is the length of the quoted text, the inner expression or the character that text
// begins with.
func unitSize(text string) int {
	if _, rest, ok := cutQuoted(text); ok {
		return len(text) - len(rest)
	}
	if strings.HasPrefix(text, "#{") {
		if size := expressionSize(text); size > 0 {
			return size
		}
	}
	return 1
}

// cutQuoted takes a quoted text from the beginning: "text", or \"text\" as inside of a JSON file.
func cutQuoted(text string) (quoted, rest string, ok bool) {
	for _, mark := range []string{`\"`, `"`} {
		if inner, starts := strings.CutPrefix(text, mark); starts {
			return strings.Cut(inner, mark)
		}
	}
	return "", text, false
}

// parseValue reads a name and its filters.
func parseValue(text string) (v valueNode, ok bool) {
	parts := splitPipes(text)
	name := strings.TrimSpace(parts[0])
	switch {
	case name != "":
		if v.name, ok = parseName(name); !ok {
			return v, false
		}
	case len(parts) == 1:
		return v, false
	}
	for _, part := range parts[1:] {
		call, ok := parseFilter(strings.TrimSpace(part))
		if !ok {
			return v, false
		}
		v.filters = append(v.filters, call)
	}
	return v, true
}

// splitPipes splits at each | that stands in no text and no inner expression.
func splitPipes(text string) (parts []string) {
	rest, begin := text, 0
	for rest != "" {
		size := unitSize(rest)
		if rest[0] == '|' {
			at := len(text) - len(rest)
			parts = append(parts, text[begin:at])
			begin = at + 1
		}
		rest = rest[size:]
	}
	return append(parts, text[begin:])
}

// parseFilter reads a filter's name and what it is given.
func parseFilter(text string) (call filterCall, ok bool) {
	call.name, text, _ = strings.Cut(text, " ")
	if !isPlainName(call.name) {
		return call, false
	}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		arg, rest, ok := cutArg(text)
		if !ok {
			return call, false
		}
		call.args = append(call.args, arg)
		text = rest
	}
	return call, true
}

func cutArg(text string) (arg filterArg, rest string, ok bool) {
	if quoted, rest, is := cutQuoted(text); is {
		return filterArg{text: quoted}, rest, true
	}
	if strings.HasPrefix(text, "#{") {
		size := expressionSize(text)
		if size == 0 {
			return arg, text, false
		}
		value, ok := parseValue(strings.TrimSpace(text[2 : size-1]))
		return filterArg{value: &value}, text[size:], ok
	}
	end := strings.IndexAny(text, " \t\"")
	if at := strings.Index(text, "#{"); at > 0 && (end < 0 || at < end) {
		end = at
	}
	if end < 0 {
		end = len(text)
	}
	return filterArg{text: text[:end]}, text[end:], end > 0
}

// parseName splits a name into texts and the expressions inside its indexes.
func parseName(text string) (name []templateNode, ok bool) {
	for text != "" {
		at := strings.Index(text, "#{")
		if at < 0 {
			at = len(text)
		}
		if plain := text[:at]; plain != "" {
			if !isNameText(plain) {
				return nil, false
			}
			name = append(name, templateNode{text: plain})
		}
		if text = text[at:]; text == "" {
			break
		}
		size := expressionSize(text)
		if size == 0 {
			return nil, false
		}
		value, ok := parseValue(strings.TrimSpace(text[2 : size-1]))
		if !ok {
			return nil, false
		}
		name = append(name, templateNode{source: text[:size], value: &value})
		text = text[size:]
	}
	return name, len(name) > 0
}

// isNameText accepts what a name may consist of: anything but the marks of the language.
func isNameText(text string) bool {
	return !strings.ContainsAny(text, "#{}|\"=!$\\") && strings.IndexFunc(text, func(r rune) bool { return r < ' ' }) < 0
}

func isPlainName(text string) bool {
	return text != "" && isNameText(text) && !strings.ContainsAny(text, " []")
}
