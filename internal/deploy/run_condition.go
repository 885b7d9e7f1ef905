// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

// Holds works out a run condition such as #{if Canary}true#{/if}: whether what it comes to is true as #{if} has it. A
// name that no variable has makes it untrue: a deployment must not do more because a variable is missing.
func Holds(expression string, values *Values) bool {
	text, missing, err := Expand(expression, values)
	return err == nil && len(missing) == 0 && isTruthy(text)
}
