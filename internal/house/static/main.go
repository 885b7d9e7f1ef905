// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command static checks released programs: each is an ELF file without an interpreter, shared libraries or debug
// tables, and the agent keeps to its size budget. Usage: static FILE...
//
// It does not run the programs, so it checks those of other architectures too.
package main

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxAgentBytes is the agent's size budget: 9 MB.
const maxAgentBytes = 9 << 20

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "static: no files given")
		os.Exit(2)
	}
	code := 0
	for _, path := range os.Args[1:] {
		summary, err := check(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "static: %s: %v\n", path, err)
			code = 1
			continue
		}
		fmt.Println(summary)
	}
	os.Exit(code)
}

func check(path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("it asks for a dynamic loader: build with CGO_ENABLED=0")
		}
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		return "", fmt.Errorf("it needs %v: build with CGO_ENABLED=0", libraries)
	}
	if f.Section(".debug_info") != nil {
		return "", fmt.Errorf("it carries debug tables: build with -ldflags '-s -w'")
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(filepath.Base(path), "fairlead-agent") && info.Size() > maxAgentBytes {
		return "", fmt.Errorf("the agent has %d bytes, its budget is %d: see what was linked with go list -deps ./agent",
			info.Size(), maxAgentBytes)
	}
	return fmt.Sprintf("%-48s static, %s, %.1f MB", path, f.Machine, float64(info.Size())/(1<<20)), nil
}
