// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package markdown makes HTML of Markdown, for the filters Markdown and MarkdownToHtml of #{...} and for pages.
//
// It reads CommonMark with tables, links that stand as they are, and the emphasis of Octopus's filter: ~~deleted~~,
// ~sub~, ^sup^, ++inserted++ and ==marked==. Filter makes nothing safe: HTML in the text stays HTML, as in Octopus, and
// whoever shows the result to people decides what to do about that. Page makes what may be shown.
//
//  1. What is made of a text depends on the text alone, and ends in two line breaks, as Octopus's does.
//  2. A text longer than MaxBytes, nested deeper than MaxNesting or with tables of more than MaxCells is
//     refused, before time or memory grow with the square of it.
//  3. Whatever the text is, nothing panics.
//  4. Of what Page makes, no browser runs or loads anything, whatever the text is; a click on a link follows it.
//
// Filter and Page may be called concurrently. filter.go is the way in, page.go that for pages, table.go counts cells
// before there are any, emphasis.go reads the marks that CommonMark lacks.
package markdown
