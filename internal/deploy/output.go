// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "strings"

// IsVerbatim reports whether nothing in a variable, or in a part of one, stands for other variables, as a script or a
// person wrote it: what an action has handed over, "Octopus.Action[Build].Output.Version"; what is told of a failure,
// such as the notes of whoever aborts a step; comments of a deployment, notes and custom fields of a release. Else who
// answers a question, deploys, or holds one machine, could read the secrets of the next step.
func IsVerbatim(name string) bool {
	name = strings.ToLower(name)
	if rest, isOfAction := strings.CutPrefix(name, "octopus.action["); isOfAction {
		return strings.Contains(rest, "].output.") || strings.Contains(rest, "].output[")
	}
	if strings.HasPrefix(name, "octopus.step[") {
		return strings.HasSuffix(name, "].status.error")
	}
	switch name {
	case "octopus.deployment.error", "octopus.deployment.errordetail", "octopus.deployment.comments",
		"octopus.release.notes":
		return true
	}
	return strings.HasPrefix(name, "octopus.release.customfields[")
}
