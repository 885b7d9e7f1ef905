// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/delta"
	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

const (
	deltasFolder = "deltas"
	deltaEnd     = ".delta"
	// smallBytes: a package below this is sent as it is, 256 KiB.
	smallBytes = 256 << 10
	// worthPercent: a delta of more than this share of the package is not worth it.
	worthPercent = 80
	// maxDeltas and maxDeltasBytes are kept; the oldest go first.
	maxDeltas      = 512
	maxDeltasBytes = 4 << 30
)

// Delta leads from one package to another.
type Delta struct {
	// Patch is what the agent is asked to do.
	Patch contract.BlobPatchArgs
	path  string
}

// Bases lists the packages that a delta to p may start from: the other versions of it, the highest
// first, as many as an agent takes in one question. A small package has none.
func (f *Feed) Bases(ctx context.Context, p deploy.Package) ([]deploy.Package, error) {
	if p.Size < smallBytes {
		return nil, nil
	}
	versions, err := f.Versions(ctx, p.Space, p.ID)
	seen := map[string]bool{p.SHA256: true}
	versions = slices.DeleteFunc(versions, func(v deploy.Package) bool {
		again := seen[v.SHA256]
		seen[v.SHA256] = true
		return again
	})
	return versions[:min(len(versions), contract.MaxWhich)], err
}

// Delta returns the delta from base to p, which is made once and kept. worth is false when the
// package itself is about as short. Errors: Corrupt (a content is gone or damaged), Exhausted,
// Canceled, Internal.
func (f *Feed) Delta(ctx context.Context, p, base deploy.Package) (d Delta, worth bool, err error) {
	leave, err := enter(ctx, f.makes)
	if err != nil {
		return d, false, err
	}
	defer leave()
	path := filepath.Join(f.dir, deltasFolder, p.SHA256+"-"+base.SHA256)
	if d, known := readDelta(path); known {
		return d, d.Patch.Delta.SHA256 != "", nil
	}
	if err := durable.MakeFolder(f.disk, filepath.Dir(path)); err != nil {
		return d, false, err
	}
	d, err = f.makeDelta(ctx, path, p, base)
	if errkind.Of(err) == errkind.Exhausted && !durable.IsFull(err) {
		d, err = Delta{path: path}, nil // not worth it: that is remembered as well
	}
	if err != nil {
		return d, false, errkind.Of(err).Errorf("make the delta of package %s from %s to %s: %w",
			p.ID, base.Version, p.Version, err)
	}
	text, err := json.Marshal(d.Patch)
	if err == nil {
		err = durable.Replace(f.disk, path, text)
	}
	f.pruneDeltas(path)
	return d, err == nil && d.Patch.Delta.SHA256 != "", err
}

// readDelta finds a delta that was made before, or that it was not worth it.
func readDelta(path string) (d Delta, known bool) {
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &d.Patch) != nil {
		return d, false
	}
	d.path = path
	if d.Patch.Delta.SHA256 == "" {
		return d, true
	}
	info, err := os.Stat(path + deltaEnd)
	return d, err == nil && info.Size() == d.Patch.Delta.Size
}

// makeDelta unpacks both packages beside each other, for as long as it takes.
func (f *Feed) makeDelta(ctx context.Context, path string, p, base deploy.Package) (d Delta, err error) {
	fresh, err := f.expand(ctx, p)
	if err != nil {
		return d, err
	}
	defer fresh.close()
	old, err := f.expand(ctx, base)
	if err != nil {
		return d, err
	}
	defer old.close()
	in, err := f.spoolFrom(func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, bufferBytes)
		err := delta.Make(ctx, buffered, old.bytes, fresh.bytes, p.Size/100*worthPercent)
		return errors.Join(err, buffered.Flush())
	})
	if err != nil {
		return d, err
	}
	defer in.discard()
	if err := os.Rename(in.file.Name(), path+deltaEnd); err != nil {
		return d, durable.DiskError("move a delta to its place", err)
	}
	keepSums(path+deltaEnd, in.hash.Sums())
	return Delta{path: path, Patch: contract.BlobPatchArgs{
		Package: contract.BlobArgs{SHA256: p.SHA256, Size: p.Size}, Plain: fresh.content,
		Base: contract.BlobArgs{SHA256: base.SHA256, Size: base.Size}, BaseFormat: base.Format, BasePlain: old.content,
		Delta: contract.BlobArgs{SHA256: in.sum(), Size: in.size},
	}}, f.syncFolder(filepath.Dir(path))
}

// expanded is the plain form of a package in memory that the file system may take back.
type expanded struct {
	content contract.BlobArgs
	bytes   []byte
}

func (e expanded) close() {
	if len(e.bytes) > 0 {
		_ = syscall.Munmap(e.bytes) // it was mapped
	}
}

// expand makes the plain form of a package.
func (f *Feed) expand(ctx context.Context, p deploy.Package) (e expanded, err error) {
	packed, err := os.Open(f.path(p.SHA256))
	if err != nil {
		return e, errkind.Corrupt.Errorf("open package %s %s: %w", p.ID, p.Version, err)
	}
	defer packed.Close()
	a, err := archive.Open(packed, p.Size, archive.Format(p.Format))
	if err != nil {
		return e, err
	}
	in, err := f.spoolFrom(func(w io.Writer) error { return archive.Plain(ctx, w, a, archive.DefaultLimits()) })
	if err != nil {
		return e, err
	}
	defer in.discard()
	e.content = contract.BlobArgs{SHA256: in.sum(), Size: in.size}
	e.bytes, err = syscall.Mmap(int(in.file.Fd()), 0, int(in.size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return e, errkind.Exhausted.Errorf("map the %d bytes of package %s %s: %w", in.size, p.ID, p.Version, err)
	}
	return e, nil
}

// spoolFrom writes what fill writes to a new file. The caller removes it.
func (f *Feed) spoolFrom(fill func(io.Writer) error) (*intake, error) {
	if err := f.room(0); err != nil {
		return nil, errors.Join(err, syscall.ENOSPC)
	}
	in, err := f.newIntake()
	if err != nil {
		return nil, err
	}
	if err = fill(in); err == nil {
		err = f.disk.Sync(in.file)
	}
	if err != nil {
		in.discard()
		return nil, err
	}
	return in, nil
}

// Write takes the next bytes of what the server makes itself.
func (in *intake) Write(piece []byte) (int, error) {
	before := in.size / spaceEveryBytes
	if in.size += int64(len(piece)); in.size > delta.MaxBytes {
		return 0, errkind.Exhausted.Errorf("unpacked it has more than %d bytes", delta.MaxBytes)
	}
	if in.size/spaceEveryBytes > before {
		if err := in.feed.room(0); err != nil {
			return 0, errors.Join(err, syscall.ENOSPC)
		}
	}
	return len(piece), in.take(piece)
}

// OpenDelta opens a delta. Errors: Corrupt (it is gone).
func (f *Feed) OpenDelta(d Delta) (io.ReadSeekCloser, error) {
	file, err := os.Open(d.path + deltaEnd)
	if err != nil {
		return nil, errkind.Corrupt.Errorf("open a delta: %w", err)
	}
	return file, nil
}

// DeltaSums returns the running sums of a delta.
func (f *Feed) DeltaSums(ctx context.Context, d Delta) (contract.RunningSums, error) {
	file, err := f.OpenDelta(d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only
	return sumsOf(ctx, d.path+deltaEnd, d.Patch.Delta, file)
}

// keptDelta is a delta in its folder.
type keptDelta struct {
	path string
	info fs.FileInfo
	size int64
}

// pruneDeltas removes the oldest deltas beyond the limits, never the one at spare. What cannot be
// removed now is tried again with the next delta.
func (f *Feed) pruneDeltas(spare string) {
	kept := f.deltas("")
	slices.SortFunc(kept, func(a, b keptDelta) int {
		return cmp.Or(b.info.ModTime().Compare(a.info.ModTime()), strings.Compare(a.path, b.path))
	})
	total := int64(0)
	for i, k := range kept {
		total += k.size
		if k.path != spare && (i >= maxDeltas || total > maxDeltasBytes) {
			removeDelta(k.path)
		}
	}
}

// deltas lists what is kept, of all packages or of the content with this hash.
func (f *Feed) deltas(sum string) (kept []keptDelta) {
	entries, _ := os.ReadDir(filepath.Join(f.dir, deltasFolder)) // no folder, no deltas
	for _, e := range entries {
		if filepath.Ext(e.Name()) != "" || !strings.Contains(e.Name(), sum) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		k := keptDelta{path: filepath.Join(f.dir, deltasFolder, e.Name()), info: info}
		if d, err := os.Stat(k.path + deltaEnd); err == nil {
			k.size = d.Size()
		}
		kept = append(kept, k)
	}
	return kept
}

func removeDelta(path string) {
	for _, name := range []string{path, path + deltaEnd, path + deltaEnd + sumsEnd} {
		_ = os.Remove(name) // most have no sums; what stays is harmless
	}
}
