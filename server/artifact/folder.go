// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
)

// Limits bound what is taken in. Take DefaultLimits and change what differs.
type Limits struct {
	MaxBytes     int64 // of one artifact
	QuotaBytes   int64 // of all artifacts together
	FullPercent  int   // of the disk: at this share of used space nothing more is taken
	MinFreeBytes int64 // likewise, below this much free space
	Fetches      int   // at the same time; further ones wait
}

// DefaultLimits are 1 GiB an artifact (what an agent hands over), 20 GiB together, a disk 95 % full or 64 MiB
// free, 8 fetches.
func DefaultLimits() Limits {
	return Limits{
		MaxBytes: contract.MaxArtifactBytes, QuotaBytes: 20 << 30, FullPercent: 95, MinFreeBytes: 64 << 20, Fetches: 8,
	}
}

// Deps is what a folder works with. All fields must be set.
type Deps struct {
	Store  store.Store
	Dir    string
	Disk   host.Disk
	Vitals func(folder string) host.Vitals
	Limits Limits
}

// Folder keeps content. Make one with New.
type Folder struct {
	Deps
	gate    chan struct{} // one place: taken while content is placed, held or removed
	fetches chan struct{} // one place for each fetch at work

	mu   sync.Mutex
	held map[string]int // contents without a row yet, and by how many they are held
	busy map[string]int // keys that are being fetched
}

// New opens the folder, which it makes (0700) if it is missing. Errors: Invalid (limits), Internal, Exhausted.
func New(d Deps) (*Folder, error) {
	l := d.Limits
	if l.MaxBytes <= 0 || l.QuotaBytes <= 0 || l.FullPercent <= 0 || l.FullPercent > 100 || l.MinFreeBytes < 0 ||
		l.Fetches <= 0 {
		return nil, errkind.Invalid.Errorf("artifact limits: every one must be set")
	}
	if err := durable.MakeFolder(d.Disk, d.Dir); err != nil {
		return nil, errkind.Of(err).Errorf("make the artifact folder: %w", err)
	}
	return &Folder{
		Deps: d, gate: make(chan struct{}, 1), fetches: make(chan struct{}, l.Fetches),
		held: map[string]int{}, busy: map[string]int{},
	}, nil
}

// path is where content lies.
func (f *Folder) path(sha256 string) string { return filepath.Join(f.Dir, sha256[:2], sha256) }

// Open opens an artifact's content. Errors: Corrupt (it is gone, or has another size), Internal.
func (f *Folder) Open(a deploy.Artifact) (io.ReadSeekCloser, error) {
	if err := archive.CheckSum(a.SHA256); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.path(a.SHA256), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errkind.Corrupt.Errorf("artifact %s: its content is missing from %s", a.ID, f.Dir)
	}
	if err != nil {
		return nil, errkind.Internal.Errorf("open artifact %s: %w", a.ID, err)
	}
	if info, err := file.Stat(); err != nil || info.Size() != a.Size {
		return nil, errors.Join(err, file.Close(),
			errkind.Corrupt.Errorf("artifact %s: its content has not the %d bytes that it had", a.ID, a.Size))
	}
	return file, nil
}

// enter takes a place and returns what gives it back. Errors: Canceled, Timeout.
func enter(ctx context.Context, places chan struct{}) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, errkind.Of(err).Errorf("wait for a place among the artifacts: %w", err)
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, errkind.Of(ctx.Err()).Errorf("wait for a place among the artifacts: %w", ctx.Err())
	}
}
