// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package command is the command line of fairlead-sim.
//
// It carries no plan out itself: plans go to processes of this same program (package worker), and what
// comes back is told to people, or as JSON.
//
//  1. What a command prints on standard output is its result; progress goes to a terminal's standard
//     error alone.
//  2. Exit codes are those of package cli: 0, all is well; 1, a statement is violated, a mutant was not
//     caught, two runs differ; 2, what was asked for cannot be done, as for a plan with a mistake.
//  3. No homes are left behind, also after an interrupt.
//
// program.go is the table of commands. source.go finds plans, crew.go processes, told.go writes
// reports; far.go is the far side. The other files hold one command or a few of a kind.
package command
