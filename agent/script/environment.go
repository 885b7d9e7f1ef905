// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// ExportPrefix marks a variable that the script also finds in its environment: "env:HTTP_PROXY"
// becomes HTTP_PROXY. Other variables reach it through get_octopusvariable alone.
const ExportPrefix = "env:"

const (
	// The kernel refuses one entry above 128 KiB and all of them above a quarter of the stack.
	maxExportBytes    = 64 << 10
	maxAllExportBytes = 512 << 10
)

// exported picks the variables that go into the environment and returns their entries, sorted.
// Errors: Invalid (a name that is not [A-Za-z_][A-Za-z0-9_]*, or one that a loader or a shell
// obeys), Exhausted (too long).
func exported(variables map[string]string) ([]string, error) {
	var entries []string
	total := 0
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		name, ok := strings.CutPrefix(key, ExportPrefix)
		if !ok {
			continue
		}
		value := variables[key]
		total += len(name) + len(value) + 2
		switch {
		case !environmentName(name):
			return nil, errkind.Invalid.Errorf("variable %.80q: %.80q is no name for the environment: "+
				"want letters, digits and _", key, name)
		case reserved(name):
			return nil, errkind.Invalid.Errorf("variable %.80q: %s changes which programs run and cannot be set", key, name)
		case strings.ContainsRune(value, 0):
			return nil, errkind.Invalid.Errorf("variable %.80q holds a NUL byte", key)
		case len(value) > maxExportBytes || total > maxAllExportBytes:
			return nil, errkind.Exhausted.Errorf("variable %.80q: the environment takes %d bytes a value and %d in all",
				key, maxExportBytes, maxAllExportBytes)
		}
		entries = append(entries, name+"="+value)
	}
	return entries, nil
}

func environmentName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// reserved names steer the dynamic loader, the C library or the shell before the script's first line.
// Source: ld.so(8), bash(1) section "Shell Variables", glibc's list of unsecure variables without
// those that only choose a place (TMPDIR, TZDIR) or a resolver's habits.
func reserved(name string) bool {
	for _, prefix := range []string{"LD_", "DYLD_", "BASH_FUNC_", "MALLOC_", "FAIRLEAD_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "PATH", "IFS", "ENV", "BASH_ENV", "BASHOPTS", "SHELLOPTS", "BASH_LOADABLES_PATH", "BASH_XTRACEFD",
		"POSIXLY_CORRECT", "CDPATH", "GLOBIGNORE", "PROMPT_COMMAND", "PS4",
		"GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCPATH", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF":
		return true
	}
	return false
}

// environment is everything the script's process gets: four fixed entries and the exported
// variables. An exported HOME, USER or LANG takes the fixed one's place.
func environment(variables map[string]string) ([]string, error) {
	entries, err := exported(variables)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, entry := range baseEnvironment() {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := variables[ExportPrefix+name]; !replaced {
			all = append(all, entry)
		}
	}
	return append(all, entries...), nil
}

// baseEnvironment describes the user that this process runs as.
func baseEnvironment() []string {
	home, name := "/", ""
	if u, err := user.LookupId(itoa(os.Getuid())); err == nil {
		home, name = u.HomeDir, u.Username
	}
	return []string{"HOME=" + home, "LANG=C.UTF-8", "PATH=" + host.SearchPath, "USER=" + name}
}
