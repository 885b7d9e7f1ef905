// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "strings"

// IsOutput reports whether a variable, or a part of one, is what an action has handed over:
// "Octopus.Action[Build].Output.Version". A script or a person wrote it, so nothing in it stands for other variables:
// else who answers a question, or holds one machine, could read the secrets of the next step.
func IsOutput(name string) bool {
	rest, isOfAction := strings.CutPrefix(strings.ToLower(name), "octopus.action[")
	return isOfAction && (strings.Contains(rest, "].output.") || strings.Contains(rest, "].output["))
}
