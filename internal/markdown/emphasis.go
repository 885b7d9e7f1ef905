// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"slices"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// mark is one kind of emphasis and its tag.
type mark struct{ text, tag string }

// marks are the emphasis that Octopus's filter knows and CommonMark does not. The levels 1 and 2 are CommonMark's own;
// the first of these has the level firstLevel.
func marks() []mark {
	return []mark{{"~~", "del"}, {"~", "sub"}, {"^", "sup"}, {"++", "ins"}, {"==", "mark"}}
}

const firstLevel = 3

// emphasis is the extension, its parser and its renderer.
type emphasis struct{}

// Extend puts the marks into md.
func (e emphasis) Extend(md goldmark.Markdown) {
	md.Parser().AddOptions(parser.WithInlineParsers(util.Prioritized(e, 500)))
	md.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(e, 500)))
}

// Trigger lists what a mark begins with.
func (emphasis) Trigger() []byte { return []byte("~^+=") }

// Parse reads one mark.
func (emphasis) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	node := parser.ScanDelimiter(line, before, 1, markPair{})
	if node == nil || before == rune(line[0]) {
		return nil
	}
	at := slices.IndexFunc(marks(), func(m mark) bool { return m.text == string(line[:node.OriginalLength]) })
	if at < 0 {
		return nil
	}
	node.Processor = markPair{level: firstLevel + at}
	node.Segment = segment.WithStop(segment.Start + node.OriginalLength)
	block.Advance(node.OriginalLength)
	pc.PushDelimiter(node)
	return node
}

// markPair makes a node of two equal marks.
type markPair struct{ level int }

// IsDelimiter reports whether a mark begins with c.
func (markPair) IsDelimiter(c byte) bool { return c == '~' || c == '^' || c == '+' || c == '=' }

// CanOpenCloser reports whether two marks are equal.
func (markPair) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char && opener.OriginalLength == closer.OriginalLength
}

// OnMatch makes the node.
func (p markPair) OnMatch(int) ast.Node { return ast.NewEmphasis(p.level) }

// RegisterFuncs takes the rendering of emphasis over.
func (e emphasis) RegisterFuncs(to renderer.NodeRendererFuncRegisterer) {
	to.Register(ast.KindEmphasis, e.render)
}

func (emphasis) render(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	tag := "em"
	switch level := n.(*ast.Emphasis).Level; {
	case level >= firstLevel:
		tag = marks()[level-firstLevel].tag
	case level == 2:
		tag = "strong"
	}
	open := "<"
	if !entering {
		open = "</"
	}
	_, err := w.WriteString(open + tag + ">")
	return ast.WalkContinue, err
}
