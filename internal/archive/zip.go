// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

const (
	zipStore   = 0
	zipDeflate = 8
)

// zip walks the directory twice: first everything is checked that can be known without
// unpacking, then the contents are visited. A zip that breaks a rule is refused before its first
// byte is written.
func (w *walk) zip(r io.ReaderAt, size int64, nupkg bool) error {
	d, err := findDirectory(r, size)
	if err != nil {
		return err
	}
	if d.entries > int64(w.limits.Entries) {
		return errkind.Exhausted.Errorf("archive has %d entries: limit is %d", d.entries, w.limits.Entries)
	}
	z := &zipWalk{walk: w, r: r, directory: d.offset, nupkg: nupkg, starts: make([]int64, 0, d.entries)}
	if err := d.each(r, z.check); err != nil {
		return err
	}
	slices.Sort(z.starts)
	return d.each(r, z.open)
}

type zipWalk struct {
	*walk
	r         io.ReaderAt
	directory int64   // offset of the central directory: the end of the last content
	starts    []int64 // offsets of all local headers, sorted after the first pass
	nupkg     bool
	inflater  io.ReadCloser
}

// check is the first pass.
func (z *zipWalk) check(e zipEntry) error {
	z.starts = append(z.starts, e.offset)
	entry, wanted, err := z.entry(e)
	if err != nil || !wanted {
		return err
	}
	switch {
	case e.method != zipStore && e.method != zipDeflate:
		return errkind.Invalid.Errorf("zip entry %.200q is packed by method %d: want store (0) or deflate (8)",
			e.name, e.method)
	case e.method == zipStore && e.packed != e.size:
		return errkind.Corrupt.Errorf("zip entry %.200q is stored with %d bytes and says %d", e.name, e.packed, e.size)
	case entry.Kind != File && e.size > MaxPathBytes:
		return errkind.Invalid.Errorf("zip entry %.200q is a %s of %d bytes", e.name, entry.Kind, e.size)
	}
	return z.admit(&entry)
}

// entry translates a record. Parts that only package tools read, and special files, are not
// wanted.
func (z *zipWalk) entry(e zipEntry) (entry Entry, wanted bool, err error) {
	path := e.name
	if z.nupkg {
		if path == "[Content_Types].xml" || strings.HasPrefix(path, "_rels/") ||
			strings.HasPrefix(path, "package/services/") {
			return entry, false, nil
		}
		if plain, err := url.PathUnescape(path); err == nil {
			path = plain
		}
	}
	entry = Entry{Path: path, Kind: File, Size: e.size}
	switch {
	case strings.HasSuffix(path, "/") || e.mode.IsDir():
		entry.Kind = Folder
	case e.mode&fs.ModeSymlink != 0:
		entry.Kind = Symlink
	case e.mode&fs.ModeIrregular != 0:
		return entry, false, nil
	}
	entry.Mode = plainMode(e.mode, entry.Kind)
	return entry, true, nil
}

// open is the second pass.
func (z *zipWalk) open(e zipEntry) error {
	if err := z.ctx.Err(); err != nil {
		return err
	}
	entry, wanted, err := z.entry(e)
	if err != nil {
		return err
	}
	content, err := z.content(e)
	if err != nil {
		return err
	}
	switch {
	case !wanted:
		if e.mode&fs.ModeIrregular != 0 {
			z.dropped++
		}
		return nil
	case entry.Kind == Folder:
		entry.Path, entry.Size = strings.TrimSuffix(entry.Path, "/"), 0
		if e.size != 0 {
			return errkind.Invalid.Errorf("zip folder %.200q has %d bytes", entry.Path, e.size)
		}
		return z.visit(entry, strings.NewReader(""))
	case entry.Kind == Symlink:
		target, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		entry.Target, entry.Size = string(target), 0
		if err := checkTarget(entry.Path, entry.Target); err != nil {
			return err
		}
		return z.visit(entry, strings.NewReader(""))
	}
	return z.visit(entry, content)
}

// content checks the local header against the directory and returns the unpacked content.
func (z *zipWalk) content(e zipEntry) (io.Reader, error) {
	h := make([]byte, zipLocalBytes+len(e.name))
	if err := readAt(z.r, h, e.offset); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(h, []byte("PK\x03\x04")) || binary.LittleEndian.Uint16(h[8:]) != e.method ||
		int(binary.LittleEndian.Uint16(h[26:])) != len(e.name) || string(h[zipLocalBytes:]) != e.name {
		return nil, errkind.Corrupt.Errorf("zip entry %.200q: what lies at offset %d is not this entry", e.name, e.offset)
	}
	data := e.offset + int64(len(h)) + int64(binary.LittleEndian.Uint16(h[28:]))
	place, _ := slices.BinarySearch(z.starts, e.offset)
	next := z.directory
	if place+1 < len(z.starts) {
		next = z.starts[place+1]
	}
	if next > z.directory || data > next || e.packed > next-data {
		return nil, errkind.Corrupt.Errorf("zip entry %.200q: its %d bytes at %d overlap what begins at %d",
			e.name, e.packed, data, next)
	}
	var content io.Reader = io.NewSectionReader(z.r, data, e.packed)
	if e.method == zipDeflate {
		if z.inflater == nil {
			z.inflater = flate.NewReader(content)
		} else if err := z.inflater.(flate.Resetter).Reset(content, nil); err != nil {
			return nil, err
		}
		content = z.inflater
	}
	return &zipContent{r: content, left: e.size, want: e.crc, name: e.name}, nil
}

// zipContent hands out exactly left bytes and then checks that no more come and that the CRC
// fits.
type zipContent struct {
	r    io.Reader
	left int64
	crc  uint32
	want uint32
	name string
}

func (c *zipContent) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		return 0, c.end()
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	c.left -= int64(n)
	switch {
	case err == nil || err == io.EOF && c.left == 0:
		return n, nil
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return n, errkind.Corrupt.Errorf("zip entry %.200q ends %d bytes early", c.name, c.left)
	}
	return n, c.broken(err)
}

func (c *zipContent) end() error {
	var more [1]byte
	switch n, err := io.ReadFull(c.r, more[:]); {
	case n > 0:
		return errkind.Corrupt.Errorf("zip entry %.200q is longer than it says", c.name)
	case err != io.EOF:
		return c.broken(err)
	case c.crc != c.want:
		return errkind.Corrupt.Errorf("zip entry %.200q: its CRC is %08x and should be %08x", c.name, c.crc, c.want)
	}
	return io.EOF
}

func (c *zipContent) broken(err error) error {
	return errkind.Corrupt.Errorf("zip entry %.200q: unpack: %w", c.name, err)
}
