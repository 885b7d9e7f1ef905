// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

// Holds works out a run condition such as #{if Canary}true#{/if}: what it came to, and whether that is
// true as #{if} has it. A name that no variable has makes it untrue: a deployment must not do more
// because a variable is missing.
func Holds(expression string, values *Values) (holds bool, text string) {
	text, missing, err := Expand(expression, values)
	switch {
	case err != nil:
		return false, err.Error()
	case len(missing) > 0:
		return false, text
	}
	return isTruthy(text), text
}
