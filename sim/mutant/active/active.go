// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build mutant

// Package active says which mutant a program built with mutants is. Package mutant weaves its calls
// into the product's sources for such a build; no other build has it.
package active

import "os"

// Variable names the mutant in the environment; "" is the product as it is.
const Variable = "FAIRLEAD_MUTANT"

// Is reports whether this process is the mutant of that name. The environment is set before the
// program starts and never after.
func Is(name string) bool { return os.Getenv(Variable) == name }
