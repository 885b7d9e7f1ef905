// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/internal/archive"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// bufferBytes is read at once, spaceEveryBytes how often the disk is asked for its room.
const (
	bufferBytes     = 256 << 10
	spaceEveryBytes = 64 << 20
)

// incomingPrefix begins the name of a file that is being written.
const incomingPrefix = "incoming-"

// Incoming is content on its way in.
type Incoming struct {
	// Key names the try to go on with: lower-case letters, digits and dashes, the same for the same artifact
	// and never for two at once.
	Key    string
	Size   int64
	SHA256 string // hex
}

// Read opens the content at its source from an offset on.
type Read func(ctx context.Context, offset int64) (io.ReadCloser, error)

// Fetch brings content here, from where an earlier try ended. It is durable and held when Fetch returns nil:
// release it once its row is committed, or will not be. Errors: Exhausted (no space), Corrupt (another content
// came: the next try begins anew), Internal, Canceled, and those of read.
func (f *Folder) Fetch(ctx context.Context, in Incoming, read Read) (release func(), err error) {
	if err := archive.CheckSum(in.SHA256); err != nil {
		return nil, errkind.Corrupt.Errorf("fetch an artifact: %w", err)
	}
	leave, err := enter(ctx, f.fetches)
	if err != nil {
		return nil, err
	}
	defer leave()
	f.mark(f.busy, in.Key, 1)
	defer f.mark(f.busy, in.Key, -1)
	if release, err = f.hold(ctx, in, nil); release != nil || err != nil {
		return release, err
	}
	p, err := f.begin(in)
	if err != nil {
		return nil, err
	}
	defer p.file.Close()
	if err := p.complete(ctx, read); err != nil {
		return nil, err
	}
	return f.hold(ctx, in, p)
}

// hold places what was fetched, if anything, and holds the content. Nil is returned when it is not there.
func (f *Folder) hold(ctx context.Context, in Incoming, fetched *partial) (release func(), err error) {
	leave, err := enter(ctx, f.gate)
	if err != nil {
		return nil, err
	}
	defer leave()
	if fetched != nil {
		if err := f.place(fetched.file.Name(), in.SHA256); err != nil {
			return nil, err
		}
	} else if info, err := os.Lstat(f.path(in.SHA256)); err != nil || !info.Mode().IsRegular() || info.Size() != in.Size {
		return nil, nil
	}
	f.mark(f.held, in.SHA256, 1)
	return func() { f.mark(f.held, in.SHA256, -1) }, nil
}

func (f *Folder) mark(in map[string]int, what string, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in[what] += by; in[what] == 0 {
		delete(in, what)
	}
}

// place moves a flushed file to where its content belongs, over an equal one if there is any.
func (f *Folder) place(from, sum string) error {
	to := f.path(sum)
	folder := filepath.Dir(to)
	err := os.Mkdir(folder, 0o700)
	if err == nil {
		err = f.Disk.SyncFolder(f.Dir)
	} else if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err == nil {
		err = os.Rename(from, to)
	}
	if err == nil {
		err = f.Disk.SyncFolder(folder)
	}
	if err != nil {
		return durable.DiskError("move an artifact to its place", err)
	}
	return nil
}

// partial is content that has come in part.
type partial struct {
	folder *Folder
	in     Incoming
	file   *os.File
	sum    hash.Hash
	size   int64 // what lies there and was hashed
}

// begin opens what an earlier try has left, and hashes it.
func (f *Folder) begin(in Incoming) (*partial, error) {
	name := filepath.Join(f.Dir, incomingPrefix+in.Key)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, durable.DiskError("make a file for an artifact", err)
	}
	p := &partial{folder: f, in: in, file: file, sum: sha256.New()}
	if p.size, err = io.CopyBuffer(p.sum, io.LimitReader(file, in.Size+1), make([]byte, bufferBytes)); err != nil {
		return nil, errors.Join(durable.DiskError("read an artifact that has come in part", err), file.Close())
	}
	if p.size > in.Size {
		if err := p.restart(); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return p, nil
}

// restart forgets what has come.
func (p *partial) restart() error {
	p.size = 0
	p.sum.Reset()
	_, err := p.file.Seek(0, io.SeekStart)
	if err = errors.Join(err, p.file.Truncate(0)); err != nil {
		return durable.DiskError("begin an artifact anew", err)
	}
	return nil
}

// complete fetches what is missing, checks the whole and makes it durable.
func (p *partial) complete(ctx context.Context, read Read) error {
	if p.size < p.in.Size {
		if err := p.folder.room(p.in.Size - p.size); err != nil {
			return err
		}
		if err := p.fetch(ctx, read); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(p.sum.Sum(nil)); got != p.in.SHA256 {
		return errors.Join(p.restart(), errkind.Corrupt.Errorf(
			"an artifact came as %d bytes with the SHA-256 %s, announced was %s", p.in.Size, got, p.in.SHA256))
	}
	if err := p.folder.Disk.Sync(p.file); err != nil {
		return durable.DiskError("flush an artifact", err)
	}
	return nil
}

func (p *partial) fetch(ctx context.Context, read Read) error {
	from, err := read(ctx, p.size)
	if kind := errkind.Of(err); err != nil && p.size > 0 && (kind == errkind.Corrupt || kind == errkind.Invalid) {
		if err := p.restart(); err != nil { // a source that knows no offset
			return err
		}
		from, err = read(ctx, 0)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	buffer := make([]byte, bufferBytes)
	for looked := p.size; p.size < p.in.Size; {
		n, err := from.Read(buffer[:min(bufferBytes, p.in.Size-p.size)])
		if _, werr := p.file.Write(buffer[:n]); werr != nil {
			return durable.DiskError("write an artifact", werr)
		}
		_, _ = p.sum.Write(buffer[:n]) // never fails
		p.size += int64(n)
		if p.size-looked >= spaceEveryBytes {
			looked = p.size
			if err := p.folder.room(p.in.Size - p.size); err != nil {
				return err
			}
		}
		if err != nil && p.size < p.in.Size {
			return errkind.Unavailable.Errorf("an artifact broke off after %d of %d bytes: %w", p.size, p.in.Size, err)
		}
	}
	return nil
}
