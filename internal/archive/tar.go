// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// tarEntryBytes is what headers, padding and long names of one entry may add to the stream.
	tarEntryBytes = 8 << 10
	// tarSlackBytes is what the end of the stream and global headers may add.
	tarSlackBytes = 4 << 20
)

func (w *walk) tarGz(r io.Reader) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return tarFault(err)
	}
	return w.tar(z)
}

// tar walks the stream once, so what comes before a fault has been visited.
func (w *walk) tar(r io.Reader) error {
	raw := &rawLimit{ctx: w.ctx, r: r, walk: w}
	t := tar.NewReader(raw)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return raw.drain()
		}
		if err != nil {
			return tarFault(err)
		}
		raw.entries++
		if err := w.tarEntry(h, &tarContent{t, h.Name}); err != nil {
			return err
		}
	}
}

func (w *walk) tarEntry(h *tar.Header, content io.Reader) error {
	path := strings.TrimPrefix(h.Name, "./")
	if path == "" || path == "." { // the folder that was packed
		return nil
	}
	e := Entry{Path: path, Kind: File, Size: h.Size}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		if strings.HasSuffix(path, "/") {
			e.Kind = Folder
		}
	case tar.TypeDir:
		e.Kind = Folder
	case tar.TypeSymlink:
		e.Kind, e.Target = Symlink, h.Linkname
	case tar.TypeLink:
		e.Kind, e.Target = Hardlink, strings.TrimPrefix(h.Linkname, "./")
	case tar.TypeXGlobalHeader:
		return nil
	default:
		w.dropped++
		return w.ctx.Err()
	}
	if e.Kind != File {
		e.Size, content = 0, strings.NewReader("")
	}
	e.Mode = plainMode(fs.FileMode(h.Mode), e.Kind)
	if err := w.admit(&e); err != nil {
		return err
	}
	if err := w.checkTarLink(e); err != nil {
		return err
	}
	return w.visit(e, content)
}

func (w *walk) checkTarLink(e Entry) error {
	switch e.Kind {
	case Symlink:
		return checkTarget(e.Path, e.Target)
	case Hardlink:
		kind, known := w.index.kind(e.Target)
		if !known || kind != File && kind != Hardlink || e.Target == e.Path {
			return errkind.Invalid.Errorf("hard link %.200q points at %.200q, which is no file that came before it",
				e.Path, e.Target)
		}
	}
	return nil
}

// rawLimit ends the stream when it holds more than its entries explain: the limits on contents
// alone would let a stream of headers go on for ever.
type rawLimit struct {
	ctx     context.Context
	r       io.Reader
	walk    *walk
	entries int64
	read    int64
	blank   int64 // zero bytes at the end of what was read so far
}

// tarBlockBytes of zeros end a tar stream. archive/tar takes a stream that is cut off between
// two entries for a whole one.
const tarBlockBytes = 512

func (l *rawLimit) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	most := l.walk.meter.used + tarSlackBytes + tarEntryBytes*min(l.entries, int64(2*l.walk.limits.Entries))
	if l.read >= most {
		return 0, errkind.Exhausted.Errorf("tar stream goes on after %d bytes with %d entries of %d bytes",
			l.read, l.entries, l.walk.meter.used)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), most-l.read)])
	l.read += int64(n)
	text := len(bytes.TrimRight(p[:n], "\x00"))
	if text > 0 {
		l.blank = 0
	}
	l.blank += int64(n - text)
	return n, err
}

// drain reads the blank rest, which also makes gzip check its CRC.
func (l *rawLimit) drain() error {
	if l.blank < tarBlockBytes {
		return errkind.Corrupt.Errorf("tar stream is cut off after %d bytes", l.read)
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.Read(buffer)
		for _, b := range buffer[:n] {
			if b != 0 {
				return errkind.Corrupt.Errorf("tar stream: something follows its end")
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return tarFault(err)
		}
	}
}

type tarContent struct {
	r    *tar.Reader
	name string
}

func (c *tarContent) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		err = tarFault(err)
	}
	return n, err
}

// tarFault gives the decoders' own errors a kind and leaves those that have one.
func tarFault(err error) error {
	if errkind.Of(err) != errkind.Internal { // ctx ended, or one of our own
		return err
	}
	if _, fromDisk := errors.AsType[*fs.PathError](err); fromDisk {
		return err
	}
	return errkind.Corrupt.Errorf("read tar stream: %w", err)
}
