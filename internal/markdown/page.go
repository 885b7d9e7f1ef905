// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// MaxPageBytes is the longest text that is read for a page, since it is read whenever somebody looks: 16 KiB.
const MaxPageBytes = 16 << 10

// Page makes HTML that may stand in a page, whoever wrote the text: HTML in it is shown as it was typed, a link leads
// to http, https or mailto or is none, a picture is a link, and nothing has a style or an id. Line breaks stay. What
// hides or reorders text is not its business. False answers texts beyond the limits.
func Page(text string) (result string, ok bool) {
	if len(text) > MaxPageBytes {
		return "", false
	}
	return caught(text, safe())
}

// safe lets nothing through that a browser would act on.
func safe() goldmark.Option {
	tables := extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))
	return goldmark.WithRendererOptions(
		html.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(harmless{}, 100), util.Prioritized(tables, 100)),
	)
}

// harmless renders what could do something in a browser.
type harmless struct{}

// RegisterFuncs takes the rendering over.
func (h harmless) RegisterFuncs(to renderer.NodeRendererFuncRegisterer) {
	to.Register(ast.KindLink, h.link)
	to.Register(ast.KindAutoLink, h.autoLink)
	to.Register(ast.KindImage, h.image)
	to.Register(ast.KindRawHTML, h.rawHTML)
	to.Register(ast.KindHTMLBlock, h.htmlBlock)
	to.Register(ast.KindHeading, h.heading)
}

// mayLead reports whether a link may lead there. What an address begins with is compared as it was typed: no escape
// makes another beginning of these.
func mayLead(address []byte) bool {
	for _, scheme := range []string{"http://", "https://", "mailto:"} {
		if len(address) > len(scheme) && strings.EqualFold(string(address[:len(scheme)]), scheme) {
			return true
		}
	}
	return false
}

// open begins a link. References in a written address are resolved, those in one that stands by itself are not.
func open(w util.BufWriter, address []byte, isWritten bool) {
	_, _ = w.WriteString(`<a rel="noreferrer" href="`) // a failure of the writer comes back from its Flush
	_, _ = w.Write(util.EscapeHTML(util.URLEscape(address, isWritten)))
	_, _ = w.WriteString(`">`)
}

func (harmless) link(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	address := node.(*ast.Link).Destination
	switch {
	case !mayLead(address): // its text stays
	case entering:
		open(w, address, true)
	default:
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func (harmless) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	link := node.(*ast.AutoLink)
	address, label := link.URL(source), util.EscapeHTML(link.Label(source))
	if link.AutoLinkType == ast.AutoLinkEmail && !mayLead(address) {
		address = append([]byte("mailto:"), address...)
	}
	if !mayLead(address) || isInLink(node) {
		_, _ = w.Write(label)
		return ast.WalkContinue, nil
	}
	open(w, address, false)
	_, _ = w.Write(label)
	_, _ = w.WriteString("</a>")
	return ast.WalkContinue, nil
}

func isInLink(node ast.Node) bool {
	for up := node.Parent(); up != nil; up = up.Parent() {
		if up.Kind() == ast.KindLink {
			return true
		}
	}
	return false
}

// image is a link to the picture: the page loads nothing from elsewhere.
func (harmless) image(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	address := node.(*ast.Image).Destination
	isLink := mayLead(address) && !isInLink(node)
	if isLink {
		open(w, address, true)
	}
	text := words(node, source)
	if len(bytes.TrimSpace(text)) == 0 {
		text = address
	}
	_, _ = w.Write(util.EscapeHTML(text))
	if isLink {
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkSkipChildren, nil
}

// words are the texts below a node.
func words(node ast.Node, source []byte) (text []byte) {
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if leaf, is := child.(*ast.Text); is {
			text = append(text, leaf.Segment.Value(source)...)
		} else {
			text = append(text, words(child, source)...)
		}
	}
	return text
}

func (harmless) rawHTML(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	segments := node.(*ast.RawHTML).Segments
	for i := range segments.Len() {
		segment := segments.At(i)
		_, _ = w.Write(util.EscapeHTML(segment.Value(source)))
	}
	return ast.WalkSkipChildren, nil
}

func (harmless) htmlBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := node.(*ast.HTMLBlock)
	var text []byte
	for i := range block.Lines().Len() {
		line := block.Lines().At(i)
		text = append(text, line.Value(source)...)
	}
	if block.HasClosure() {
		text = append(text, block.ClosureLine.Value(source)...)
	}
	text = bytes.ReplaceAll(util.EscapeHTML(bytes.TrimSpace(text)), []byte("\n"), []byte("<br>\n"))
	_, _ = fmt.Fprintf(w, "<p>%s</p>\n", text)
	return ast.WalkSkipChildren, nil
}

// heading is one below those of a page, which has two levels of its own.
func (harmless) heading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	level := min(node.(*ast.Heading).Level+2, 6)
	if entering {
		_, _ = fmt.Fprintf(w, "<h%d>", level)
	} else {
		_, _ = fmt.Fprintf(w, "</h%d>\n", level)
	}
	return ast.WalkContinue, nil
}
