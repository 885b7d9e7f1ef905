// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"unicode/utf8"
)

// Column is one column of a Table.
type Column struct {
	Title string
	Right bool // numbers
	// Keep never shortens the column: names that will be typed again.
	Keep bool
}

// Table lays rows out in columns. On a terminal the longest shortenable columns give way until the rows fit; in a
// pipe everything is whole.
type Table struct {
	Columns []Column
	rows    [][]string
}

const (
	columnGap      = 2
	minShortColumn = 8
)

// Add appends a row. Missing cells are empty, cells beyond the columns are dropped.
func (t *Table) Add(cells ...string) {
	row := make([]string, len(t.Columns))
	for i := range row {
		if i < len(cells) {
			row[i] = Printable(cells[i])
		}
	}
	t.rows = append(t.rows, row)
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Text is the table with its titles, each line ended by a newline; std tells the width and whether to colour.
func (t *Table) Text(std *IO) string {
	widths := t.widths()
	if std.Columns > 0 {
		t.fit(widths, std.Columns)
	}
	var b strings.Builder
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = c.Title
	}
	b.WriteString(std.Paint(Bold, t.line(titles, widths)) + "\n")
	for _, row := range t.rows {
		b.WriteString(t.line(row, widths) + "\n")
	}
	return b.String()
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = utf8.RuneCountInString(c.Title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	return widths
}

// fit takes columns from the widest column that may give, one at a time, until the line fits or nothing can give.
func (t *Table) fit(widths []int, columns int) {
	total := -columnGap
	for _, w := range widths {
		total += w + columnGap
	}
	for ; total > columns; total-- {
		widest := -1
		for i, c := range t.Columns {
			if !c.Keep && widths[i] > minShortColumn && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", columnGap))
		}
		cell = shorten(cell, widths[i])
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.Columns[i].Right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func shorten(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	runes := []rune(text)
	return string(runes[:columns-1]) + "…"
}
