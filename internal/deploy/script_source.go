// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

// ScriptFromPackage is the PropScriptSource of a script action that runs a file of its package.
const ScriptFromPackage = "Package"

// What such an action says beside.
const (
	PropScriptFile      = "Octopus.Action.Script.ScriptFileName"   // a path in the package
	PropScriptArguments = "Octopus.Action.Script.ScriptParameters" // words of bash
)
