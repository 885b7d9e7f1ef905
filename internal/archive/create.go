// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"fairlead/internal/errkind"
)

// Create writes an archive of tree to w. Entries are sorted, modes are 0644 or 0755, times are
// 1980-01-01 and owners are absent, so equal trees give equal bytes. Links are kept as they are.
// A tree that Walk would refuse (a name, a link that leaves it) is refused here. Errors: Invalid,
// Canceled, or those of the tree and of w.
func Create(ctx context.Context, w io.Writer, format Format, tree fs.FS) error {
	var p packer
	var closers []io.Closer
	switch format {
	case Zip, Nupkg:
		z := zip.NewWriter(w)
		p, closers = zipPacker{z}, []io.Closer{z}
	case TarGz:
		z := gzip.NewWriter(w)
		t := tar.NewWriter(z)
		p, closers = tarPacker{t}, []io.Closer{t, z}
	case Tar:
		t := tar.NewWriter(w)
		p, closers = tarPacker{t}, []io.Closer{t}
	default:
		_, err := ParseFormat(string(format))
		return err
	}
	if err := pack(ctx, p, tree); err != nil {
		return err
	}
	for _, c := range closers {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// packer begins one entry; a file's content is written to what it returns.
type packer interface {
	begin(e Entry) (io.Writer, error)
}

func pack(ctx context.Context, p packer, tree fs.FS) error {
	seen := newIndex(DefaultLimits().Entries)
	buffer := make([]byte, copyBufferBytes)
	return fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil || path == "." {
			return err
		}
		e, err := entryOf(tree, path, d)
		if err != nil {
			return err
		}
		if err := seen.add(e.Path, e.Kind); err != nil {
			return err
		}
		w, err := p.begin(e)
		if err != nil || e.Kind != File {
			return err
		}
		return packFile(w, tree, e, buffer)
	})
}

func entryOf(tree fs.FS, path string, d fs.DirEntry) (Entry, error) {
	if err := CheckPath(path); err != nil {
		return Entry{}, err
	}
	info, err := d.Info()
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Path: path, Kind: File}
	switch {
	case info.IsDir():
		e.Kind = Folder
	case info.Mode()&fs.ModeSymlink != 0:
		e.Kind = Symlink
		if e.Target, err = fs.ReadLink(tree, path); err != nil {
			return Entry{}, err
		}
		if err := checkTarget(path, e.Target); err != nil {
			return Entry{}, err
		}
	case info.Mode().IsRegular():
		e.Size = info.Size()
	default:
		return Entry{}, errkind.Invalid.Errorf("path %.200q is a %s, which no package can bring", path, info.Mode().Type())
	}
	e.Mode = plainMode(info.Mode(), e.Kind)
	return e, nil
}

func packFile(w io.Writer, tree fs.FS, e Entry, buffer []byte) error {
	f, err := tree.Open(e.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, buffer)
	if err == nil && n != e.Size {
		return errkind.Conflict.Errorf("file %.200q changed from %d to %d bytes while it was packed", e.Path, e.Size, n)
	}
	return err
}

// packedAt is the time of every entry: the first one that a zip can hold.
func packedAt() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

type zipPacker struct{ *zip.Writer }

func (p zipPacker) begin(e Entry) (io.Writer, error) {
	h := &zip.FileHeader{Name: e.Path, Method: zip.Deflate, Modified: packedAt()}
	switch e.Kind {
	case Folder:
		h.Name, h.Method = e.Path+"/", zip.Store
		h.SetMode(fs.ModeDir | e.Mode)
	case Symlink:
		h.Method = zip.Store
		h.SetMode(fs.ModeSymlink | 0o777)
	default:
		h.SetMode(e.Mode)
	}
	w, err := p.CreateHeader(h)
	if err == nil && e.Kind == Symlink {
		_, err = io.WriteString(w, e.Target)
	}
	return w, err
}

type tarPacker struct{ *tar.Writer }

func (p tarPacker) begin(e Entry) (io.Writer, error) {
	h := &tar.Header{Name: e.Path, Mode: int64(e.Mode), Size: e.Size, ModTime: packedAt(), Typeflag: tar.TypeReg}
	switch e.Kind {
	case Folder:
		h.Name, h.Typeflag = e.Path+"/", tar.TypeDir
	case Symlink:
		h.Linkname, h.Typeflag, h.Mode = e.Target, tar.TypeSymlink, 0o777
	case Hardlink:
		h.Linkname, h.Typeflag = e.Target, tar.TypeLink
	}
	return p.Writer, p.WriteHeader(h)
}
