// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package cli is the command line that both programs share: a table of commands, help, flags, error reports,
// tables and progress.
//
// It does not read settings, make a context or catch signals; programs do.
//
//  1. An error is printed once, on Err, as "program: message" and "  hint: …", and decides the exit code (ExitCodes).
//  2. Out carries results only, so a pipe never sees a hint, a progress line or a colour.
//  3. Text from elsewhere is stripped of control characters before it reaches a terminal.
//  4. Nothing is kept in package variables: two programs can run in one process.
//
// A Program, a Command and an IO belong to one call of Main. Progress and Table are for one goroutine.
//
// program.go finds and runs the command, flags.go reads its flags and arguments, help.go writes help, exit.go maps
// kinds of error to exit codes, output.go prints results and colours, table.go lays columns out, progress.go shows
// long work, log.go makes the program's log, system.go connects a real process.
package cli
