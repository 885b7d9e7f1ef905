// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// commandLimit bounds one run of a tool.
	commandLimit = 20 * time.Second
	// maxOutputBytes is how much of a tool's complaint goes into an error.
	maxOutputBytes = 1 << 10
)

// Missing says why networks cannot be built here, "" when they can.
func Missing() string {
	if os.Geteuid() != 0 {
		return "it needs root"
	}
	for _, tool := range []struct{ name, pkg string }{
		{"ip", "iproute2"}, {"nft", "nftables"}, {"conntrack", "conntrack"},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			return "there is no program " + tool.name + ": install the package " + tool.pkg
		}
	}
	if _, err := os.Stat(tunPath); err != nil {
		return "there is no " + tunPath
	}
	return ""
}

// run runs a tool for a purpose, with text as its standard input, and returns what it printed.
func run(ctx context.Context, purpose, text, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &errs
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(errs.String())
		if len(said) > maxOutputBytes {
			said = said[:maxOutputBytes] + "…"
		}
		line := name + " " + strings.Join(args, " ") + blamed(said, text)
		return out.String(), fmt.Errorf("%s: %s: %w: %s", purpose, line, err, said)
	}
	return out.String(), nil
}

var batchLine = regexp.MustCompile(`Command failed -:(\d+)|/dev/stdin:(\d+):`)

// blamed is the line of a batch that a tool complains about.
func blamed(said, text string) string {
	match := batchLine.FindStringSubmatch(said)
	if match == nil {
		return ""
	}
	lines := strings.Split(text, "\n")
	number, err := strconv.Atoi(match[1] + match[2])
	if err != nil || number < 1 || number > len(lines) {
		return ""
	}
	return fmt.Sprintf(" (%q)", lines[number-1])
}

// batch runs `ip` commands, in a namespace unless space is "".
func batch(ctx context.Context, purpose, space string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	args := []string{"-batch", "-"}
	if space != "" {
		args = append([]string{"-n", space}, args...)
	}
	_, err := run(ctx, purpose, strings.Join(lines, "\n")+"\n", "ip", args...)
	return err
}

// rules gives nft a text, in a namespace.
func rules(ctx context.Context, purpose, space, text string) error {
	_, err := run(ctx, purpose, text, "ip", "netns", "exec", space, "nft", "-f", "/dev/stdin")
	return err
}
