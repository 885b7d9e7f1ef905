// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"bytes"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// boundedTables reads the tables of one text. Short rows are filled up with cells, so that a wide head above many rows
// of two bytes would make a table of gigabytes.
type boundedTables struct {
	cells int
	over  bool // there would have been more than MaxCells
}

// Extend puts tables into md, which is to read one text only.
func (b *boundedTables) Extend(md goldmark.Markdown) {
	md.Parser().AddOptions(
		parser.WithParagraphTransformers(util.Prioritized(b, 200)),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
	md.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(extension.NewTableHTMLRenderer(), 500)))
}

// Transform makes a table of a paragraph that is one, unless that has too many cells.
func (b *boundedTables) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines := node.Lines()
	bars := 0
	for i := range lines.Len() {
		line := lines.At(i)
		bars = max(bars, bytes.Count(line.Value(reader.Source()), []byte("|")))
	}
	if bars == 0 {
		return
	}
	if b.cells += (bars + 1) * lines.Len(); b.cells > MaxCells {
		b.over = true
		return
	}
	extension.NewTableParagraphTransformer().Transform(node, reader, pc)
}
