// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// maxExpandSteps is how many nodes one expansion may visit.
const maxExpandSteps = 10_000_000

// expander carries one expansion out.
type expander struct {
	values   *Values
	scopes   []map[string]string // of the loops around, innermost last; folded names
	within   []string            // values that are being expanded, outermost first; folded names
	parsed   map[string][]templateNode
	missing  map[string]bool
	replaced int
	bytes    int
	steps    int
}

func (x *expander) write(out *strings.Builder, text string) error {
	if x.bytes += len(text); x.bytes > MaxExpandBytes {
		return errkind.Exhausted.Errorf("expansion is longer than %d MiB", MaxExpandBytes>>20)
	}
	out.WriteString(text)
	return nil
}

func (x *expander) run(nodes []templateNode, out *strings.Builder) error {
	for _, n := range nodes {
		if x.steps++; x.steps > maxExpandSteps {
			return errkind.Exhausted.Errorf("expansion takes more than %d steps", maxExpandSteps)
		}
		var err error
		switch {
		case n.choice != nil:
			err = x.choose(n.choice, out)
		case n.loop != nil:
			err = x.repeat(n, out)
		case n.value != nil:
			err = x.fill(n, out)
		default:
			err = x.write(out, n.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) fill(n templateNode, out *strings.Builder) error {
	value, ok, err := x.value(*n.value)
	if err != nil {
		return err
	}
	if !ok {
		x.miss(n)
		return x.write(out, n.source)
	}
	x.count()
	return x.write(out, value)
}

func (x *expander) miss(n templateNode) {
	x.missing[strings.TrimSpace(n.source[2:len(n.source)-1])] = true
}

// count notes a replacement in the text itself.
func (x *expander) count() {
	if len(x.within) == 0 {
		x.replaced++
	}
}

// value evaluates a name and its filters; ok is false when one of them is unknown.
func (x *expander) value(v valueNode) (value string, ok bool, err error) {
	var name strings.Builder
	for _, part := range v.name {
		text := part.text
		if part.value != nil {
			if text, ok, err = x.value(*part.value); err != nil || !ok {
				return "", false, err
			}
		}
		if err := x.write(&name, text); err != nil {
			return "", false, err
		}
	}
	value, ok, err = x.lookup(name.String())
	for _, f := range v.filters {
		if err != nil || !ok {
			return "", false, err
		}
		if value, ok = applyFilter(f, value); ok {
			x.bytes += len(value)
		}
	}
	return value, ok, err
}

// lookup finds a name and expands its value.
func (x *expander) lookup(name string) (string, bool, error) {
	key := strings.ToLower(name)
	for _, scope := range slices.Backward(x.scopes) {
		if value, ok := scope[key]; ok {
			return value, true, nil
		}
	}
	raw, ok := x.values.Get(name)
	if !ok || !strings.Contains(raw, "#{") {
		return raw, ok, nil
	}
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

func (x *expander) choose(c *choiceNode, out *strings.Builder) error {
	x.count()
	for i := range c.arms {
		holds, err := x.holds(&c.arms[i])
		if err != nil {
			return err
		}
		if holds {
			return x.run(c.arms[i].body, out)
		}
	}
	return x.run(c.last, out)
}

// holds evaluates a condition. A missing variable is no fault here: asking is what it is for.
func (x *expander) holds(a *choiceArm) (bool, error) {
	left, ok, err := x.value(a.left)
	if err != nil {
		return false, err
	}
	if !a.compare {
		return (ok && isTruthy(left)) != a.negate, nil
	}
	right := a.literal
	if a.right != nil {
		if right, _, err = x.value(*a.right); err != nil {
			return false, err
		}
	}
	return (left == right) != a.negate, nil
}

func isTruthy(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "no", "false":
		return false
	}
	return true
}

func (x *expander) repeat(n templateNode, out *strings.Builder) error {
	list, ok, err := x.value(n.loop.list)
	if err != nil {
		return err
	}
	x.count()
	if !ok || list == "" {
		return nil
	}
	items := strings.Split(list, ",")
	scope := map[string]string{}
	x.scopes = append(x.scopes, scope)
	defer func() { x.scopes = x.scopes[:len(x.scopes)-1] }()
	for i, item := range items {
		if x.steps++; x.steps > maxExpandSteps {
			return errkind.Exhausted.Errorf("expansion takes more than %d steps", maxExpandSteps)
		}
		scope[strings.ToLower(n.loop.item)] = strings.TrimSpace(item)
		scope["octopus.template.each.index"] = strconv.Itoa(i)
		scope["octopus.template.each.first"] = boolWord(i == 0)
		scope["octopus.template.each.last"] = boolWord(i == len(items)-1)
		if err := x.run(n.loop.body, out); err != nil {
			return err
		}
	}
	return nil
}

func boolWord(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
