// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"

	"fairlead/internal/errkind"
)

// maxExpandSteps is how many nodes one expansion may visit.
const maxExpandSteps = 10_000_000

// expander carries one expansion out.
type expander struct {
	values   *Values
	scopes   []loopScope // of the loops around, innermost last
	within   []string    // values that are being expanded, outermost first; folded names
	parsed   map[string][]templateNode
	json     map[string]*jsonNode // by text; nil for what is none
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
		case n.calc != nil:
			err = x.compute(n, out)
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

// compute writes the result of a calculation, or the expression when there is none.
func (x *expander) compute(n templateNode, out *strings.Builder) error {
	result, ok, err := x.calculate(n.calc)
	if err != nil {
		return err
	}
	if !ok {
		x.miss(n)
		return x.write(out, n.source)
	}
	x.count()
	return x.write(out, numberText(result))
}

// value evaluates a name and its filters; ok is false when one of them is unknown.
func (x *expander) value(v valueNode) (value string, ok bool, err error) {
	if len(v.name) > 0 {
		name, known, err := x.name(v)
		if err != nil || !known {
			return "", false, err
		}
		if value, ok, err = x.lookup(name); err != nil || !ok {
			return "", false, err
		}
	}
	return x.filtered(v, value)
}

// filtered runs the filters from left to right.
func (x *expander) filtered(v valueNode, value string) (string, bool, error) {
	for i, f := range v.filters {
		args, ok, err := x.args(f.args)
		if err != nil || !ok {
			return "", false, err
		}
		call := filterInput{value: value, args: args, now: x.values.now, absent: i == 0 && len(v.name) == 0}
		if value, ok = x.values.filter(f.name, call); !ok {
			return "", false, nil
		}
		if x.bytes += len(value); x.bytes > MaxExpandBytes {
			return "", false, errkind.Exhausted.Errorf("expansion is longer than %d MiB", MaxExpandBytes>>20)
		}
	}
	return value, true, nil
}

func (x *expander) args(list []filterArg) (args []string, ok bool, err error) {
	for _, a := range list {
		text := a.text
		if a.value != nil {
			if text, ok, err = x.value(*a.value); err != nil || !ok {
				return nil, false, err
			}
		}
		args = append(args, text)
	}
	return args, true, nil
}

// name puts a name together; ok is false when an index has no value.
func (x *expander) name(v valueNode) (name string, ok bool, err error) {
	var out strings.Builder
	for _, part := range v.name {
		text := part.text
		if part.value != nil {
			if text, ok, err = x.value(*part.value); err != nil || !ok {
				return "", false, err
			}
		}
		if err := x.write(&out, text); err != nil {
			return "", false, err
		}
	}
	return out.String(), true, nil
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

func boolWord(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
