// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables

import (
	"maps"
	"path/filepath"
	"strings"
)

// ApplicationsFolder is the folder in an agent's home that packages are installed in.
const ApplicationsFolder = "applications"

// ApplicationsPath is the variable with the path of that folder.
const ApplicationsPath = "Octopus.Tentacle.Agent.ApplicationDirectoryPath"

// Here are the variables of an order on the machine of an agent with this home: with what the agent alone knows,
// whatever the order says of it.
func Here(home string, vars map[string]string) map[string]string {
	all := make(map[string]string, len(vars)+1)
	maps.Copy(all, vars)
	maps.DeleteFunc(all, func(name, _ string) bool { return strings.EqualFold(name, ApplicationsPath) })
	all[ApplicationsPath] = filepath.Join(home, ApplicationsFolder)
	return all
}
