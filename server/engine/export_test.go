// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

// Overlay puts the system's variables on top of the user's.
var Overlay = overlay

// Value is what a deployment gives a variable, or else its own value.
var Value = (*Engine).value

// HealthScript is healthScript.
func HealthScript(body string) string { return healthScript(body) }
