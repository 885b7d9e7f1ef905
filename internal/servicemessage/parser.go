// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package servicemessage

import (
	"bytes"
	"fmt"
)

const (
	// MaxBytes is the longest message: 2 MiB. What is longer is left out, as Refused, and is text under a
	// name that is not known.
	MaxBytes = 2 << 20
	// maxNameBytes is the longest name of a message or an attribute.
	maxNameBytes = 64
	prefix       = "##octopus["
)

// Sink takes what a Parser finds, in order. The text is valid until the call returns.
type Sink interface {
	Text(p []byte)
	Message(m Message)
}

// Parser takes the messages out of one stream. The zero value is ready.
type Parser struct {
	state state
	held  []byte // bytes that may belong to a message
	name  int    // bytes of the name under way
	begun int    // where in held the name or value under way begins
	quote byte   // that the value under way began with, and ends with
	said  raw
	// isLong says that a message has more than MaxBytes: nothing of it is held any more but its last byte.
	isLong bool

	inLine bool // text of the line under way went to the sink
	eat    bool // a message had the line for itself so far: the line's end belongs to it
}

// state is what the next byte may be.
type state uint8

const (
	outside      state = iota
	inPrefix           // the next byte of the prefix
	inName             // of the message
	betweenAttrs       // a blank or the end
	inAttr             // an attribute's name
	atQuote            // the value's opening quote
	inValue
	afterReturn // a carriage return after a message that has its line for itself
)

// raw is a message as it is written.
type raw struct {
	name  string
	attrs []attr
}

type attr struct{ name, value string }

// Write looks through the next bytes of the stream.
func (p *Parser) Write(in []byte, to Sink) {
	start := 0 // of the text that nothing was decided on but that it is text
	for i := 0; i < len(in); i++ {
		if n := p.skip(in[i:]); n > 0 {
			i += n - 1
			continue
		}
		if p.state == outside && p.plain(in[i]) {
			continue
		}
		if p.state == outside && start < i {
			to.Text(in[start:i])
		}
		if p.step(in[i], to) { // the byte is dealt with
			start = i + 1
		} else { // what was held is text, and the byte is looked at anew
			start = i
			i--
		}
	}
	if p.state == outside && start < len(in) {
		to.Text(in[start:])
	}
}

// Close ends the stream: what was held is text, unless it was too long.
func (p *Parser) Close(to Sink) {
	p.release(to)
	*p = Parser{}
}

// skip is how much of the text is text for certain: up to the next "#".
func (p *Parser) skip(text []byte) int {
	if p.state != outside || p.eat {
		return 0
	}
	n := bytes.IndexByte(text, '#')
	if n < 0 {
		n = len(text)
	}
	if n > 0 {
		p.inLine = text[n-1] != '\n'
	}
	return n
}

// plain takes a byte outside of a message, and reports whether it is text without more ado.
func (p *Parser) plain(c byte) bool {
	if c == '#' || p.eat && (c == '\n' || c == '\r') {
		return false
	}
	p.inLine, p.eat = c != '\n', false
	return true
}

// step takes one byte that belongs to a message, or may. It reports false when what was held, without
// this byte, turned out to be text.
func (p *Parser) step(c byte, to Sink) bool {
	switch p.state {
	case outside:
		return p.enter(c)
	case afterReturn:
		if c != '\n' {
			return p.release(to)
		}
		p.held, p.state, p.eat = p.held[:0], outside, false
		return true
	case inPrefix:
		return p.prefix(c, to)
	}
	next, ok := p.follow(c)
	if !ok || !p.room() {
		return p.release(to)
	}
	p.held = append(p.held, c)
	if next != p.state {
		p.begun, p.name = len(p.held), 0
	}
	p.state = next
	if c == ']' {
		return p.finish(to)
	}
	return true
}

// enter takes a byte that plain did not.
func (p *Parser) enter(c byte) bool {
	switch c {
	case '\n': // of a line that a message had for itself
		p.eat = false
		return true
	case '\r':
		p.state = afterReturn
	default:
		p.state = inPrefix
	}
	p.held = append(p.held[:0], c)
	return true
}

// room makes room for one more byte, unless what is held is too long and under no known name: it may be a
// secret, which nobody has searched for.
func (p *Parser) room() bool {
	if len(p.held) >= MaxBytes {
		if _, p.isLong = read(raw{name: p.said.name}); !p.isLong {
			return false
		}
	}
	if p.isLong {
		p.held, p.begun = p.held[:0], 0
		p.said.attrs = p.said.attrs[max(len(p.said.attrs)-1, 0):]
	}
	return true
}

func (p *Parser) prefix(c byte, to Sink) bool {
	if c != prefix[len(p.held)] {
		if c == '#' && len(p.held) == 2 { // of three, the first is text
			p.text(p.held[:1], to)
			return true
		}
		return p.release(to)
	}
	if p.held = append(p.held, c); len(p.held) == len(prefix) {
		p.state, p.begun, p.name, p.said = inName, len(p.held), 0, raw{}
	}
	return true
}

// follow says which state a byte leads to, inside of a message.
func (p *Parser) follow(c byte) (next state, ok bool) {
	switch p.state {
	case inName:
		if p.named(c) {
			return inName, true
		}
		p.said.name = string(p.held[p.begun:])
		return betweenAttrs, p.name > 0 && (isBlank(c) || c == ']')
	case betweenAttrs:
		if isBlank(c) || c == ']' {
			return betweenAttrs, true
		}
		if isBlank(p.held[len(p.held)-1]) && isLetter(c) {
			p.name = 1
			p.said.attrs = append(p.said.attrs, attr{name: string(c)})
			return inAttr, true
		}
	case inAttr:
		last := &p.said.attrs[len(p.said.attrs)-1]
		if c == '=' {
			return atQuote, true
		}
		last.name += string(c)
		return inAttr, len(last.name) <= maxNameBytes && (isLetter(c) || isDigit(c) || c == '-')
	case atQuote:
		p.quote = c
		return inValue, c == '\'' || c == '"'
	case inValue:
		if c == p.quote {
			p.said.attrs[len(p.said.attrs)-1].value = string(p.held[p.begun:])
			return betweenAttrs, true
		}
		return inValue, isLetter(c) || isDigit(c) || c == '+' || c == '/' || c == '=' || isBlank(c) || c == '\n' || c == '\r'
	}
	return outside, false
}

func (p *Parser) named(c byte) bool {
	if !isLetter(c) && (p.name == 0 || !isDigit(c) && c != '-') {
		return false
	}
	p.name++
	return p.name <= maxNameBytes
}

// finish hands a whole message on, or its text when it is none that is known.
func (p *Parser) finish(to Sink) bool {
	m, ok := read(p.said)
	if p.isLong {
		m = p.tooLong()
	}
	if !ok {
		p.release(to)
		return true
	}
	p.held, p.state, p.said, p.isLong, p.eat = p.held[:0], outside, raw{}, false, !p.inLine
	to.Message(m)
	return true
}

func (p *Parser) tooLong() Message {
	why := fmt.Sprintf("%s: it has more than %d bytes and is left out", p.said.name, MaxBytes)
	return Message{Kind: Refused, Value: why}
}

// release hands on what was held as text, or says that it was too long. It always reports false, see step.
func (p *Parser) release(to Sink) bool {
	switch {
	case p.isLong:
		p.eat = false
		to.Message(p.tooLong())
	case len(p.held) > 0:
		p.text(p.held, to)
	}
	p.held, p.state, p.said, p.isLong = p.held[:0], outside, raw{}, false
	return false
}

// text hands on held bytes. Line breaks among them stand in a value.
func (p *Parser) text(held []byte, to Sink) {
	p.inLine, p.eat = held[len(held)-1] != '\n', false
	to.Text(held)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
