// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"

	"fairlead/internal/errkind"
)

// Holds works out a run condition such as #{if Canary}true#{/if}: whether what it comes to is true as #{if} has it. A
// name that no variable has makes it untrue: a deployment must not do more because a variable is missing.
func Holds(expression string, values *Values) bool {
	text, missing, err := Expand(expression, values)
	return err == nil && len(missing) == 0 && isTruthy(text)
}

// CheckCondition looks whether a run condition can be read: what cannot stays text, and text is true, so that the
// step would run everywhere. Names need no value yet; filters must be there. Errors: Invalid.
func CheckCondition(expression string) error {
	p := &templateParser{}
	if err := p.read(expression); err != nil {
		return err
	}
	switch {
	case p.stray != "" && expressionSize(p.stray) == 0:
		return errkind.Invalid.Errorf("no } ends what begins at %.80q: end it on the same line, within %d bytes",
			p.stray, maxExpressionBytes)
	case p.stray != "":
		return errkind.Invalid.Errorf(
			"%.80q cannot be read, or ends a block that is not open: want #{if Name}…#{/if}, or ##{ for a plain #{",
			p.stray[:expressionSize(p.stray)])
	case len(p.open) > 0:
		top := p.open[len(p.open)-1]
		return errkind.Invalid.Errorf("the block %.80q is not closed: end it with #{/%s}", top.tags[0], top.word)
	}
	if name := strangeFilter(p.nodes); name != "" {
		return errkind.Invalid.Errorf("there is no filter %.80q: want one of Octopus's, as ToLower, Trim or Contains", name)
	}
	return nil
}

// strangeFilter returns the first filter in nodes that the server does not have, "" when there is none.
func strangeFilter(nodes []templateNode) string {
	for _, n := range nodes {
		var strange string
		switch {
		case n.value != nil:
			strange = strangeFilterOf(n.value)
		case n.loop != nil:
			if strange = strangeFilterOf(&n.loop.list); strange == "" {
				strange = strangeFilter(n.loop.body)
			}
		case n.choice != nil:
			strange = strangeFilterIn(n.choice)
		}
		if strange != "" {
			return strange
		}
	}
	return ""
}

func strangeFilterIn(c *choiceNode) string {
	for i := range c.arms {
		arm := &c.arms[i]
		strange := strangeFilterOf(&arm.left)
		if strange == "" && arm.right != nil {
			strange = strangeFilterOf(arm.right)
		}
		if strange == "" {
			strange = strangeFilter(arm.body)
		}
		if strange != "" {
			return strange
		}
	}
	return strangeFilter(c.last)
}

// strangeFilterOf looks at the filters of a value, and at those in its indexes and arguments.
func strangeFilterOf(value *valueNode) string {
	for _, f := range value.filters {
		if !hasFilter(strings.ToLower(f.name)) {
			return f.name
		}
		for _, arg := range f.args {
			if arg.value == nil {
				continue
			}
			if strange := strangeFilterOf(arg.value); strange != "" {
				return strange
			}
		}
	}
	return strangeFilter(value.name)
}
