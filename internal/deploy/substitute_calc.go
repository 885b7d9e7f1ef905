// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"math"
	"strconv"
	"strings"
)

// calcNode is a part of #{calc …}: a number, a variable, or two parts and what is done with them.
//
// A name may contain - and /, so "B-2" is one name, and "B - 2" and "{B}-2" are differences.
// Numbers are float64; % takes whole ones. What has no answer (a name without a number, a division
// by zero) leaves the expression as it is.
type calcNode struct {
	operator    byte // 0 for a number or a value
	number      float64
	value       *valueNode
	left, right *calcNode
}

// calcParser reads from the front of text.
type calcParser struct {
	text  string
	depth int
}

func parseCalc(text string) (*calcNode, bool) {
	p := &calcParser{text: text}
	n := p.sum()
	p.skip()
	return n, n != nil && p.text == ""
}

func (p *calcParser) skip() { p.text = strings.TrimLeft(p.text, " \t") }

// next takes one of the given characters.
func (p *calcParser) next(any string) (c byte, ok bool) {
	p.skip()
	if p.text == "" || strings.IndexByte(any, p.text[0]) < 0 {
		return 0, false
	}
	c, p.text = p.text[0], p.text[1:]
	return c, true
}

func (p *calcParser) sum() *calcNode { return p.chain("+-", p.product) }

func (p *calcParser) product() *calcNode { return p.chain("*/%", p.operand) }

// chain reads parts with operators of one rank between them, from left to right.
func (p *calcParser) chain(operators string, part func() *calcNode) *calcNode {
	n := part()
	for n != nil {
		operator, ok := p.next(operators)
		if !ok {
			break
		}
		right := part()
		if right == nil {
			return nil
		}
		n = &calcNode{operator: operator, left: n, right: right}
	}
	return n
}

func (p *calcParser) operand() *calcNode {
	if _, ok := p.next("("); ok {
		if p.depth++; p.depth > MaxExpandDepth {
			return nil
		}
		n := p.sum()
		p.depth--
		if _, ok := p.next(")"); !ok {
			return nil
		}
		return n
	}
	if _, ok := p.next("{"); ok {
		name, rest, found := strings.Cut(p.text, "}")
		p.text = rest
		return calcName(name, found)
	}
	if size := numberSize(p.text); size > 0 {
		number, err := strconv.ParseFloat(p.text[:size], 64)
		p.text = p.text[size:]
		if err != nil {
			return nil
		}
		return &calcNode{number: number}
	}
	end := strings.IndexAny(p.text, "+*%(){} \t")
	if end < 0 {
		end = len(p.text)
	}
	name := p.text[:end]
	p.text = p.text[end:]
	return calcName(name, true)
}

func calcName(name string, ok bool) *calcNode {
	value, is := parseValue(strings.TrimSpace(name))
	if !ok || !is {
		return nil
	}
	return &calcNode{value: &value}
}

// numberSize is the length of the decimal number that text begins with.
func numberSize(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		return len(text)
	}
	return end
}

// calculate evaluates; ok is false when there is no answer.
func (x *expander) calculate(n *calcNode) (result float64, ok bool, err error) {
	switch {
	case n.value != nil:
		text, ok, err := x.value(*n.value)
		if err != nil || !ok {
			return 0, false, err
		}
		number, bad := strconv.ParseFloat(strings.TrimSpace(text), 64)
		return number, bad == nil, nil
	case n.operator == 0:
		return n.number, true, nil
	}
	left, ok, err := x.calculate(n.left)
	if err != nil || !ok {
		return 0, false, err
	}
	right, ok, err := x.calculate(n.right)
	if err != nil || !ok {
		return 0, false, err
	}
	result, ok = operate(n.operator, left, right)
	return result, ok && !math.IsInf(result, 0) && !math.IsNaN(result), nil
}

func operate(operator byte, left, right float64) (result float64, ok bool) {
	switch operator {
	case '+':
		return left + right, true
	case '-':
		return left - right, true
	case '*':
		return left * right, true
	case '/':
		return left / right, right != 0
	}
	whole := left == math.Trunc(left) && right == math.Trunc(right)
	return math.Mod(left, right), whole && right != 0
}

// numberText writes a number as briefly as it can be read back.
func numberText(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
