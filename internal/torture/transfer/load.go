// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// contentName is the only file of a package.
const contentName = "content"

// load is one package in one version.
type load struct {
	id, version string
	path        string
	size        int64
	sum         string // of the file in it
	delta       bool   // every agent holds a version that differs a little
}

// makeLoads writes two versions of one package: noise, and the same noise with some changes.
func makeLoads(dir string, round int, size int64, seed uint64) (pair [2]load, err error) {
	for i := range pair {
		l := &pair[i]
		*l = load{id: fmt.Sprintf("load%d", round), version: fmt.Sprintf("%d.0.0", i+1), size: size, delta: i == 1}
		l.path = filepath.Join(dir, fmt.Sprintf("%s.%s.tar", l.id, l.version))
		noise := noise(seed, uint64(round))
		if l.delta {
			noise = io.MultiReader(io.LimitReader(noise, size/3), io.LimitReader(rand.NewChaCha8([32]byte{2}), 10_000), noise)
		}
		if l.sum, err = pack(l.path, io.LimitReader(noise, size), size); err != nil {
			return pair, err
		}
	}
	return pair, nil
}

func noise(seed, stream uint64) io.Reader {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%d %d", seed, stream))
	return rand.NewChaCha8(key)
}

func pack(path string, content io.Reader, size int64) (sum string, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	t, h := tar.NewWriter(f), sha256.New()
	if err = t.WriteHeader(&tar.Header{Name: contentName, Mode: 0o644, Size: size}); err == nil {
		_, err = io.Copy(io.MultiWriter(t, h), content)
	}
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, t.Close(), f.Close())
}

// arrived compares what an agent has installed.
func (l load) arrived(ctx context.Context, home string) error {
	path := filepath.Join(home, "applications", environment, l.id, "current", contentName)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != l.sum {
		return fmt.Errorf("%s has the hash %s, want %s", path, got, l.sum)
	}
	return ctx.Err()
}
