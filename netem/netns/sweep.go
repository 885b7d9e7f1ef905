// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
)

const (
	// claimsDir holds a locked file for each run that lives.
	claimsDir = "/run/netem"
	claimEnds = ".lock"
	runBytes  = 4
	// maxClaims bounds the tries for a name that nobody has.
	maxClaims = 5
)

// claim is the proof that a run lives: the kernel drops the lock when its process dies.
type claim struct {
	run  string
	file *os.File
}

func (c *claim) prefix() string { return prefix(c.run) }

// prefix begins every name that a run gives.
func prefix(run string) string { return "netem-" + run + "-" }

var ofRun = regexp.MustCompile(`^netem-([0-9a-f]{8})-`)

func claimPath(run string) string { return filepath.Join(claimsDir, run+claimEnds) }

func newClaim() (*claim, error) {
	if err := os.MkdirAll(claimsDir, 0o700); err != nil {
		return nil, fmt.Errorf("claim a run: %w", err)
	}
	for range maxClaims {
		name := make([]byte, runBytes)
		_, _ = rand.Read(name) // it never fails
		c, err := lock(hex.EncodeToString(name), os.O_CREATE|os.O_EXCL)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil || c != nil {
			return c, err
		}
	}
	return nil, fmt.Errorf("claim a run in %s: somebody took %d new files away at once", claimsDir, maxClaims)
}

// lock takes the claim of a run; nil without an error is one that lives.
func lock(run string, flags int) (*claim, error) {
	file, err := os.OpenFile(claimPath(run), os.O_RDWR|syscall.O_CLOEXEC|flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claim a run: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, file.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", file.Name(), err), file.Close())
	}
	held, err := file.Stat()
	there, errThere := os.Stat(file.Name())
	if err != nil || errThere != nil || !os.SameFile(held, there) { // a sweep was faster
		return nil, file.Close()
	}
	return &claim{run: run, file: file}, nil
}

func (c *claim) release() error { return errors.Join(os.Remove(c.file.Name()), c.file.Close()) }

// Sweep removes what runs left whose process is gone.
func Sweep(ctx context.Context) error {
	stale := map[string]bool{}
	for _, dir := range []string{spacesDir, namesDir} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep: %w", err)
		}
		for _, e := range entries {
			if match := ofRun.FindStringSubmatch(e.Name()); match != nil {
				stale[match[1]] = true
			}
		}
	}
	var errs error
	for _, run := range slices.Sorted(maps.Keys(stale)) {
		c, err := lock(run, 0)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = errors.Join(errs, removeRun(ctx, run))
		case err != nil:
			errs = errors.Join(errs, err)
		case c != nil:
			errs = errors.Join(errs, removeRun(ctx, run), c.release())
		}
	}
	return errs
}

// removeRun kills the processes of a run and removes its namespaces and names.
func removeRun(ctx context.Context, run string) error {
	var errs error
	spaces, err := filepath.Glob(filepath.Join(spacesDir, prefix(run)+"*"))
	errs = errors.Join(errs, err)
	for _, path := range spaces {
		errs = errors.Join(errs, killAll(ctx, filepath.Base(path)))
	}
	var lines []string
	for _, path := range spaces {
		lines = append(lines, "netns del "+filepath.Base(path))
	}
	errs = errors.Join(errs, batch(ctx, "remove namespaces", "", lines))
	names, err := filepath.Glob(filepath.Join(namesDir, prefix(run)+"*"))
	errs = errors.Join(errs, err)
	for _, path := range names {
		errs = errors.Join(errs, os.RemoveAll(path))
	}
	return errs
}
