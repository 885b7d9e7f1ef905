// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/contract"
	"fairlead/internal/host"
	"fairlead/internal/trust"
)

const (
	// lowDiskPercent is where a report begins to warn.
	lowDiskPercent = 10
	// warnCertificate is how long before its end a report begins to warn of a certificate.
	warnCertificate = 30 * 24 * time.Hour
	// shellAnswerBytes bounds what is kept of what bash says of itself.
	shellAnswerBytes = 4 << 10
)

// health reports on the machine as it is now. What cannot be read is left out, not guessed.
func (d *Daemon) health(context.Context, contract.Nothing) (contract.HealthReport, error) {
	now := d.env.Vitals(string(d.home))
	r := contract.HealthReport{
		Running: d.scripts.Running(), Warnings: []string{},
		DiskFreeBytes: now.DiskFreeBytes, DiskTotalBytes: now.DiskTotalBytes, MemoryFreeBytes: now.MemoryFreeBytes,
		Load1: now.Load1, UptimeSeconds: now.UptimeSeconds,
	}
	r.StorageFailed = d.storageFailed()
	r.Shell, r.ShellVersion = findShell(d.env.Exec)
	r.Warnings = append(r.Warnings, d.warnings(r, d.env.Wall())...)
	return r, nil
}

// storageFailed says in a sentence that the disk failed, and what to do; "" while it has not.
func (d *Daemon) storageFailed() string {
	failure := d.disk.Err()
	if failure == nil {
		return ""
	}
	return fmt.Sprintf("Storage failed: the disk of the agent's home met %v. "+
		"The agent starts nothing; make the disk sound, then restart the agent.", failure)
}

func (d *Daemon) warnings(r contract.HealthReport, now time.Time) (list []string) {
	if r.DiskTotalBytes > 0 && r.DiskFreeBytes*100 < r.DiskTotalBytes*lowDiskPercent {
		list = append(list, fmt.Sprintf("The disk that holds the agent's home is almost full: %s of %s are free.",
			cli.Bytes(r.DiskFreeBytes), cli.Bytes(r.DiskTotalBytes)))
	}
	if end := d.identity.NotAfter(); end.Sub(now) < warnCertificate {
		list = append(list, fmt.Sprintf("The agent's certificate ends on %s and is not renewed by itself; the server "+
			"takes it for %d days more. Before then delete the machine at the server, delete identity.pem in the agent's "+
			"home, and let it join with a new token.", end.UTC().Format(time.DateOnly), trust.RestrictedDays))
	}
	return list
}

// findShell asks the bash that scripts run with where it lies and which version it is.
func findShell(exec host.Exec) (path, version string) {
	var out head
	process, err := exec.Start(host.Command{
		Path: "bash", Args: []string{"-c", `echo "$BASH"; echo "$BASH_VERSION"`}, Dir: "/",
		Env: []string{"PATH=" + host.SearchPath}, Stdout: &out,
	})
	if err != nil {
		return "", ""
	}
	if exit, err := process.Wait(); err != nil || exit != (host.Exit{}) {
		return "", ""
	}
	path, version, _ = strings.Cut(strings.TrimSpace(string(out.text)), "\n")
	return path, version
}

// head keeps the first shellAnswerBytes that are written to it.
type head struct{ text []byte }

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), shellAnswerBytes-len(h.text))]...)
	return len(p), nil
}
