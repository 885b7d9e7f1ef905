// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// defaultTake is the size of a page unless the caller says otherwise. There is no upper limit:
// clients ask for 2147483647 and never for a second page.
const defaultTake = 30

// pageOf reads skip and take. Errors: Invalid.
func (c *call) pageOf() (skip, take int, err error) {
	query := c.query()
	if skip, err = number(query, "skip", 0); err != nil {
		return 0, 0, err
	}
	take, err = number(query, "take", defaultTake)
	return skip, take, err
}

func number(query map[string]string, name string, fallback int) (int, error) {
	text, given := query[name]
	if !given || text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, errkind.Invalid.Errorf("%s is %.40q: want 0 to %d", name, text, math.MaxInt32)
	}
	return int(n), nil
}

// query holds the parameters of the address by lower-case name; the first of each counts.
func (c *call) query() map[string]string {
	values := map[string]string{}
	for name, list := range c.r.URL.Query() {
		if len(list) > 0 {
			values[strings.ToLower(name)] = list[0]
		}
	}
	return values
}

// commaList splits a parameter such as ids=a,b; nil when it is not given.
func commaList(text string, given bool) []string {
	if !given || text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// names reports whether the address narrows the list to what belongs to things that come later, such as tenants:
// nothing does.
func (c *call) names(filters ...string) bool {
	return slices.ContainsFunc(filters, func(name string) bool { return c.query()[name] != "" })
}

// yesOrNo reads a filter that is true, false or not there. Errors: Invalid.
func (c *call) yesOrNo(name string) (yes, no bool, err error) {
	word := c.query()[strings.ToLower(name)]
	yes, no = strings.EqualFold(word, "true"), strings.EqualFold(word, "false")
	if word != "" && !yes && !no {
		err = errkind.Invalid.Errorf("%s is %.40q: want true or false", name, word)
	}
	return yes, no, err
}

// ofSpaces keeps what is in one of the spaces that the address names; what is in none is the installation's, and
// kept unless includeSystem is false.
func ofSpaces[T any](c *call, items []T, spaceOf func(T) deploy.SpaceID) ([]T, error) {
	_, isWithoutSystem, err := c.yesOrNo("includeSystem")
	spaces := commaList(c.query()["spaces"], true)
	return slices.DeleteFunc(items, func(item T) bool {
		if space := spaceOf(item); space != "" {
			return len(spaces) > 0 && !containsFold(spaces, string(space))
		}
		return isWithoutSystem
	}), err
}

// paged answers one page out of all items.
func paged[T, S any](c *call, itemType string, items []T, show func(T) S) error {
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	total := len(items)
	skip = min(skip, total)
	items = items[skip : skip+min(take, total-skip)]
	return envelope(c, itemType, each(items, show), total)
}

// envelope answers a page that was cut already.
func envelope[S any](c *call, itemType string, items []S, total int) error {
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	size := max(take, 1)
	pages := max(total-1, 0)/size + 1
	last := (pages - 1) * size
	links := obj{
		"Self": c.pageLink(skip, take), "Template": c.r.URL.EscapedPath() + "{?skip,take}",
		"Page.All": c.pageLink(0, math.MaxInt32), "Page.Current": c.pageLink(skip, take), "Page.Last": c.pageLink(last, take),
	}
	if take > 0 && take < total-skip {
		links["Page.Next"] = c.pageLink(skip+take, take)
	}
	return c.ok(obj{
		"ItemType": itemType, "TotalResults": total, "ItemsPerPage": take, "NumberOfPages": pages,
		"LastPageNumber": pages - 1, "Items": list(items), "Links": links,
	})
}

// pageLink keeps the filters of the request.
func (c *call) pageLink(skip, take int) string {
	kept := url.Values{}
	for name, values := range c.r.URL.Query() {
		if !strings.EqualFold(name, "skip") && !strings.EqualFold(name, "take") {
			kept[name] = values
		}
	}
	link := c.r.URL.EscapedPath() + "?skip=" + strconv.Itoa(skip) + "&take=" + strconv.Itoa(take)
	if rest := kept.Encode(); rest != "" {
		link += "&" + rest
	}
	return link
}

// chosen keeps the items that ids, name and partialName of the address ask for.
func chosen[T any](c *call, items []T, keys func(T) (id, name string)) []T {
	query := c.query()
	text, given := query["ids"]
	ids := commaList(text, given)
	name, partial := query["name"], strings.ToLower(query["partialname"])
	return slices.DeleteFunc(slices.Clone(items), func(item T) bool {
		id, itemName := keys(item)
		wrongID := ids != nil && !slices.ContainsFunc(ids, func(s string) bool { return strings.EqualFold(s, id) })
		wrongName := name != "" && !strings.EqualFold(name, itemName)
		return wrongID || wrongName || !strings.Contains(strings.ToLower(itemName), partial)
	})
}
