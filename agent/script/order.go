// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

const (
	maxTaskBytes      = 255
	maxNameBytes      = 1 << 10
	maxLockNameBytes  = 255
	maxGraceMS        = 600_000
	maxTimeoutMS      = int64(30*24*time.Hour) / int64(time.Millisecond)
	maxVariableCount  = 20_000
	maxPackageIDBytes = 255
)

// ParseOrder reads an order strictly. Errors: Corrupt (not such a document), Exhausted (too
// long), Invalid (a value out of its range; names it).
func ParseOrder(raw []byte) (contract.Order, error) {
	var order contract.Order
	if len(raw) > contract.MaxOrderBytes {
		return order, errkind.Exhausted.Errorf("order has %d bytes: limit is %d", len(raw), contract.MaxOrderBytes)
	}
	if err := contract.Decode(raw, &order); err != nil {
		return order, err
	}
	return order, checkOrder(&order)
}

func checkOrder(o *contract.Order) error {
	if _, err := contract.ParseTicketID(string(o.Ticket)); err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return errkind.Invalid.Errorf("order "+string(o.Ticket)+": "+format, args...)
	}
	switch {
	case o.Task == "" || len(o.Task) > maxTaskBytes || strings.ContainsFunc(o.Task, isControl):
		return bad("task %.80q: want 1 to %d bytes without control characters", o.Task, maxTaskBytes)
	case o.Epoch < 0:
		return bad("epoch %d: want 0 or more", o.Epoch)
	case len(o.Name) > maxNameBytes:
		return bad("name has %d bytes: limit is %d", len(o.Name), maxNameBytes)
	case (o.Script == nil) == (o.Package == nil):
		return bad("want exactly one of script and package")
	case o.TimeoutMS < 0 || o.TimeoutMS > maxTimeoutMS:
		return bad("timeout_ms %d: want 0 to %d", o.TimeoutMS, maxTimeoutMS)
	case o.GraceMS < 0 || o.GraceMS > maxGraceMS:
		return bad("grace_ms %d: want 0 to %d", o.GraceMS, maxGraceMS)
	case len(o.Variables) > maxVariableCount:
		return bad("%d variables: limit is %d", len(o.Variables), maxVariableCount)
	}
	if err := checkIsolation(o.Isolation); err != nil {
		return bad("%w", err)
	}
	if o.Script != nil && o.Script.Interpreter != "bash" && o.Script.Interpreter != "sh" {
		return bad("interpreter %.80q: want bash or sh", o.Script.Interpreter)
	}
	if o.Package != nil {
		if err := checkPackage(o.Package); err != nil {
			return bad("%w", err)
		}
	}
	if _, err := secretsOf(o, nil); err != nil {
		return errkind.Of(err).Errorf("order %s: %w", o.Ticket, err)
	}
	_, err := exported(o.Variables)
	return err
}

func isControl(r rune) bool { return r < ' ' || r == 0x7F }

func checkIsolation(i contract.Isolation) error {
	switch i.Level {
	case contract.IsolationNone, contract.IsolationFull:
		if i.Name == "" {
			return nil
		}
		return errkind.Invalid.Errorf("isolation %q takes no name, not %.80q", i.Level, i.Name)
	case contract.IsolationNamed:
		if i.Name != "" && len(i.Name) <= maxLockNameBytes {
			return nil
		}
		return errkind.Invalid.Errorf("isolation name has %d bytes: want 1 to %d", len(i.Name), maxLockNameBytes)
	}
	return errkind.Invalid.Errorf("isolation %.80q: want none, full or named", i.Level)
}

// checkPackage looks at what this package depends on; package step knows the rest.
func checkPackage(p *contract.Package) error {
	hash, err := hex.DecodeString(p.SHA256)
	switch {
	case err != nil || len(hash) != 32 || p.SHA256 != strings.ToLower(p.SHA256):
		return errkind.Invalid.Errorf("package hash %.80q: want 64 lower hex digits", p.SHA256)
	case p.ID == "" || len(p.ID) > maxPackageIDBytes:
		return errkind.Invalid.Errorf("package id %.80q: want 1 to %d bytes", p.ID, maxPackageIDBytes)
	case p.Size < 0 || p.Keep < 0:
		return errkind.Invalid.Errorf("package %.80q: size %d, keep %d: want 0 or more", p.ID, p.Size, p.Keep)
	case !slices.Contains([]string{"zip", "tar.gz", "tar", "nupkg"}, p.Format):
		return errkind.Invalid.Errorf("package format %.80q: want zip, tar.gz, tar or nupkg", p.Format)
	}
	return nil
}
