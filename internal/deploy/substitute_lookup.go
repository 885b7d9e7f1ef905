// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// lookup finds a name and expands its value: a loop's own names first, then variables, then parts
// of variables that are JSON.
func (x *expander) lookup(name string) (string, bool, error) {
	for _, scope := range slices.Backward(x.scopes) {
		if value, ok := scope.helper(name); ok {
			return value, true, nil
		}
		if rest, ok := scope.rest(name); ok {
			return x.ofItem(scope.item, rest)
		}
	}
	return x.variable(name)
}

// variable finds a name outside of loops.
func (x *expander) variable(name string) (string, bool, error) {
	if raw, ok := x.values.Get(name); ok {
		return x.expand(name, raw)
	}
	if strings.Contains(name, "[*]") {
		if exact, ok := x.values.matching(name); ok {
			return x.variable(exact)
		}
		return "", false, nil
	}
	for at := len(name) - 1; at > 0; at-- {
		if name[at] != '.' && name[at] != '[' {
			continue
		}
		root, isExpanded, err := x.jsonOf(name[:at])
		if err != nil {
			return "", false, err
		}
		if root != nil {
			part := root.walk(name[at:])
			if isExpanded {
				return part.asText(), true, nil
			}
			return x.expand(name, part.asText())
		}
	}
	return "", false, nil
}

// expand is a variable's value with what it refers to put in, unless somebody's words are meant as they are.
func (x *expander) expand(name, raw string) (string, bool, error) {
	if !strings.Contains(raw, "#{") || IsVerbatim(name) {
		return raw, true, nil
	}
	key := strings.ToLower(name)
	if at := slices.Index(x.within, key); at >= 0 {
		return "", false, errkind.Invalid.Errorf("variable %.80q refers to itself: %s", name,
			strings.Join(append(slices.Clone(x.within[at:]), key), " -> "))
	}
	if len(x.within) >= MaxExpandDepth {
		return "", false, errkind.Invalid.Errorf("variable %.80q: values refer to values deeper than %d",
			name, MaxExpandDepth)
	}
	nodes, known := x.parsed[raw]
	if !known {
		var err error
		if nodes, err = parseTemplate(raw); err != nil {
			return "", false, err
		}
		x.parsed[raw] = nodes
	}
	x.within = append(x.within, key)
	scopes := x.scopes
	x.scopes = nil // a value does not see the loop that happens to use it
	var out strings.Builder
	err := x.run(nodes, &out)
	x.within, x.scopes = x.within[:len(x.within)-1], scopes
	return out.String(), err == nil, err
}

// jsonOf is a variable as JSON, or nil. One that is JSON only once it is expanded is expanded, and its parts are not
// to be expanded again.
func (x *expander) jsonOf(name string) (n *jsonNode, isExpanded bool, err error) {
	raw, ok := x.values.Get(name)
	if !ok {
		return nil, false, nil
	}
	if n := x.parse(raw); n != nil || !strings.Contains(raw, "#{") {
		return n, false, nil
	}
	if slices.Contains(x.within, strings.ToLower(name)) {
		return nil, false, nil // what it stands for is being found out just now
	}
	text, ok, err := x.expand(name, raw)
	if err != nil || !ok {
		return nil, false, err
	}
	return x.parse(text), true, nil
}

// parse reads JSON, each text once.
func (x *expander) parse(text string) *jsonNode {
	n, known := x.json[text]
	if !known {
		x.steps += len(text) / maxExpressionBytes
		n = parseJSON(text)
		x.json[text] = n
	}
	return n
}

// asText is a part of a JSON value; one that is not there is empty.
func (n *jsonNode) asText() string {
	if n == nil {
		return ""
	}
	return n.text
}

// loopScope is one loop's names while its body is expanded.
type loopScope struct {
	name  string
	item  loopItem
	index int
	last  bool
}

// loopItem is what a loop's name stands for: a text, an index of a set of variables, or JSON.
type loopItem struct {
	text   string    // a part of a list with commas, an index, or a key
	prefix string    // "Endpoint[A]", when the loop goes over variables
	json   *jsonNode // when it goes over JSON
	pair   bool      // json is an object's member, with .Key and .Value
}

// helper returns the value of one of the names that each loop has.
func (s loopScope) helper(name string) (string, bool) {
	const prefix = "octopus.template.each."
	if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
		return "", false
	}
	switch strings.ToLower(name[len(prefix):]) {
	case "index":
		return strconv.Itoa(s.index), true
	case "first":
		return boolWord(s.index == 0), true
	case "last":
		return boolWord(s.last), true
	}
	return "", false
}

// rest is what follows the loop's name in a longer one.
func (s loopScope) rest(name string) (string, bool) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	return name[end:], strings.EqualFold(name[:end], s.name)
}

// ofItem is the value of a loop's name with rest behind it. JSON was expanded before there were items of it.
func (x *expander) ofItem(item loopItem, rest string) (string, bool, error) {
	switch {
	case item.prefix != "":
		value, ok, err := x.variable(item.prefix + rest)
		if !ok && err == nil && rest == "" {
			return item.text, true, nil
		}
		return value, ok, err
	case item.json == nil, item.pair && rest == "":
		return item.text, rest == "", nil
	case !item.pair:
		return item.json.walk(rest).asText(), true, nil
	case strings.EqualFold(rest, ".Key"), strings.EqualFold(rest, "[Key]"):
		return item.text, true, nil
	}
	const value = ".Value"
	if len(rest) < len(value) || !strings.EqualFold(rest[:len(value)], value) {
		return "", false, nil
	}
	return item.json.walk(rest[len(value):]).asText(), true, nil
}

// repeat expands a loop's body for each item.
func (x *expander) repeat(n templateNode, out *strings.Builder) error {
	items, err := x.items(n.loop.list)
	if err != nil {
		return err
	}
	x.count()
	x.scopes = append(x.scopes, loopScope{name: n.loop.item})
	defer func() { x.scopes = x.scopes[:len(x.scopes)-1] }()
	for i, item := range items {
		if x.steps++; x.steps > maxExpandSteps {
			return errkind.Exhausted.Errorf("expansion takes more than %d steps", maxExpandSteps)
		}
		x.scopes[len(x.scopes)-1] = loopScope{name: n.loop.item, item: item, index: i, last: i == len(items)-1}
		if err := x.run(n.loop.body, out); err != nil {
			return err
		}
	}
	return nil
}

// items lists what a loop goes over. A set of variables comes before a value of the same name.
func (x *expander) items(list valueNode) ([]loopItem, error) {
	if len(list.filters) == 0 && len(list.name) > 0 {
		name, ok, err := x.name(list)
		if err != nil || !ok {
			return nil, err
		}
		if items := x.indexed(name); len(items) > 0 {
			return items, nil
		}
	}
	value, ok, err := x.value(list)
	if err != nil || !ok || value == "" {
		return nil, err
	}
	if n := x.parse(value); n != nil {
		return n.loopItems(), nil
	}
	parts := strings.Split(value, ",")
	items := make([]loopItem, len(parts))
	for i, part := range parts {
		items[i] = loopItem{text: strings.TrimSpace(part)}
	}
	return items, nil
}

func (n *jsonNode) loopItems() []loopItem {
	items := make([]loopItem, len(n.items))
	for i, item := range n.items {
		if items[i] = (loopItem{text: item.text, json: item}); n.kind == jsonObject {
			items[i].text, items[i].pair = n.keys[i], true
		}
	}
	return items
}

// indexed lists the indexes that variables have behind a name: numbers first and in order, then
// the others in theirs.
func (x *expander) indexed(name string) (items []loopItem) {
	for _, scope := range slices.Backward(x.scopes) {
		if rest, ok := scope.rest(name); ok {
			if scope.item.prefix == "" {
				return nil
			}
			name = scope.item.prefix + rest
			break
		}
	}
	x.steps += len(x.values.exact)
	for _, key := range x.values.indexes(name) {
		items = append(items, loopItem{text: key, prefix: name + "[" + key + "]"})
	}
	return items
}

// indexes lists the indexes of variables behind a name, each once.
func (v *Values) indexes(name string) []string {
	prefix := strings.ToLower(name) + "["
	found := map[string]string{} // folded to the first spelling
	for _, exact := range v.names {
		if len(exact) <= len(prefix) || !strings.EqualFold(exact[:len(prefix)], prefix) {
			continue
		}
		if key, _, closed := strings.Cut(exact[len(prefix):], "]"); closed {
			if _, known := found[strings.ToLower(key)]; !known {
				found[strings.ToLower(key)] = key
			}
		}
	}
	keys := slices.Collect(maps.Values(found))
	slices.SortFunc(keys, compareIndexes)
	return keys
}

func compareIndexes(a, b string) int {
	na, badA := strconv.Atoi(a)
	nb, badB := strconv.Atoi(b)
	switch {
	case badA == nil && badB == nil:
		return cmp.Or(cmp.Compare(na, nb), strings.Compare(a, b))
	case badA == nil:
		return -1
	case badB == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// matching is the first variable whose name fits a pattern with [*] in it.
func (v *Values) matching(pattern string) (string, bool) {
	parts := strings.Split(pattern, "[*]")
	for _, name := range v.names {
		if fits(name, parts) {
			return name, true
		}
	}
	return "", false
}

// fits reports whether a name is parts with one index between each two.
func fits(name string, parts []string) bool {
	for i, part := range parts {
		if len(name) < len(part) || !strings.EqualFold(name[:len(part)], part) {
			return false
		}
		if name = name[len(part):]; i == len(parts)-1 {
			break
		}
		inner, indexed := strings.CutPrefix(name, "[")
		_, rest, closed := strings.Cut(inner, "]")
		if !indexed || !closed {
			return false
		}
		name = rest
	}
	return name == ""
}
