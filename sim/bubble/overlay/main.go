// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command overlay writes, into a folder, the list for "go build -overlay" with which simulations are the
// same on a busy machine: GOROOT and the folder are its arguments. Package bubble says why.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"fairlead/sim/bubble"
)

func main() {
	const arguments = 3
	if len(os.Args) != arguments {
		fmt.Fprintln(os.Stderr, "usage: overlay GOROOT FOLDER")
		os.Exit(2)
	}
	dir, err := filepath.Abs(os.Args[2])
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		_, err = bubble.Overlay(os.Args[1], dir, "")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "overlay: %v\n", err)
		os.Exit(1)
	}
}
