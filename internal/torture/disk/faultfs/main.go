// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Command faultfs shows a folder as a file system whose disk fails on command: no space at the n-th
// write, EIO at the n-th sync, or a power cut that forgets what was not synced.
//
//	faultfs FOLDER MOUNTPOINT
//
// It reads one command a line and answers each with one line, "ok" or "error …". The end of its input
// ends it and takes the file system away. It needs root and /dev/fuse.
//
//	full N    the N-th write from now finds no space, and all after it
//	eio N     the N-th sync from now fails with EIO, and all after it
//	sound     neither any more
//	count     answers "ok WRITES SYNCS", as many as there were so far
//	cut TO    builds in the folder TO what a power cut would leave now
//
// main.go is the command line, node.go the file system, fault.go what fails, durable.go what would be
// left.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faultfs:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("want a folder and a mount point, got %q", args)
	}
	d, err := newDisk(args[0])
	if err != nil {
		return err
	}
	root := d.root()
	server, err := fs.Mount(args[1], root, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, FsName: "faultfs", Name: "faultfs",
	}})
	if err != nil {
		return fmt.Errorf("mount %s: %w", args[1], err)
	}
	fmt.Fprintln(out, "ok")
	for lines := bufio.NewScanner(in); lines.Scan(); {
		answer, err := d.obey(strings.Fields(lines.Text()))
		if err != nil {
			answer = "error " + err.Error()
		}
		fmt.Fprintln(out, answer)
	}
	return server.Unmount()
}

// obey carries one command out.
func (d *disk) obey(words []string) (answer string, err error) {
	if len(words) == 0 {
		return "", fmt.Errorf("no command")
	}
	n, to := 0, ""
	if len(words) == 2 {
		to = words[1]
		n, _ = strconv.Atoi(to) // 0, which no command takes, for what is no number
	}
	switch word := words[0]; {
	case word == "full" && n > 0:
		d.faults.arm(n, 0)
	case word == "eio" && n > 0:
		d.faults.arm(0, n)
	case word == "sound":
		d.faults.arm(0, 0)
	case word == "count":
		writes, syncs := d.faults.count()
		return fmt.Sprintf("ok %d %d", writes, syncs), nil
	case word == "cut" && to != "":
		return "ok", d.cut(to)
	default:
		return "", fmt.Errorf("%q is no command", words)
	}
	return "ok", nil
}
