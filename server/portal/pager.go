// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"maps"
	"net/url"
	"strconv"

	"fairlead/internal/errkind"
)

// maxPage bounds what a page number may be.
const maxPage = 1_000_000

// pager leads through a long list.
type pager struct {
	Number int // from 1
	More   bool
	query  url.Values
}

// Older and Newer are the addresses of the pages beside this one; "" at the ends.
func (p pager) Older() string { return p.link(p.Number+1, p.More) }

// Newer see Older.
func (p pager) Newer() string { return p.link(p.Number-1, p.Number > 1) }

func (p pager) link(number int, exists bool) string {
	if !exists {
		return ""
	}
	query := maps.Clone(p.query)
	query.Set("page", strconv.Itoa(number))
	return "?" + query.Encode()
}

// pageNumber reads ?page=. Errors: Invalid.
func pageNumber(v *visit) (int, error) {
	text := v.FormValue("page")
	if text == "" {
		return 1, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > maxPage {
		return 0, errkind.Invalid.Errorf("page %.20q: want a number from 1 to %d", text, maxPage)
	}
	return number, nil
}
