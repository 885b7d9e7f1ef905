// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"

	"fairlead/internal/errkind"
)

// The parts of a zip file (APPNOTE.TXT 6.3.10), little-endian throughout. archive/zip keeps
// every directory entry in memory and accepts entries that share bytes; this reader streams the
// directory and accepts one reading of the file only.
const (
	zipEndBytes       = 22 // PK 5 6
	zipEnd64Bytes     = 56 // PK 6 6
	zipLocator64Bytes = 20 // PK 6 7
	zipCentralBytes   = 46 // PK 1 2
	zipLocalBytes     = 30 // PK 3 4
	zipCommentBytes   = 1<<16 - 1
)

// zipDirectory says where the central directory lies.
type zipDirectory struct{ offset, size, entries int64 }

// findDirectory reads the end records.
func findDirectory(r io.ReaderAt, size int64) (zipDirectory, error) {
	tail := make([]byte, min(size, zipEndBytes+zipCommentBytes))
	if err := readAt(r, tail, size-int64(len(tail))); err != nil {
		return zipDirectory{}, err
	}
	at := len(tail) - zipEndBytes
	for ; at >= 0; at-- {
		if bytes.HasPrefix(tail[at:], []byte("PK\x05\x06")) &&
			at+zipEndBytes+int(binary.LittleEndian.Uint16(tail[at+20:])) == len(tail) {
			break
		}
	}
	if at < 0 {
		return zipDirectory{}, errkind.Corrupt.Errorf("zip of %d bytes has no end record: it is cut off or no zip", size)
	}
	end, endAt := tail[at:], size-int64(len(tail))+int64(at)
	d := zipDirectory{
		entries: int64(binary.LittleEndian.Uint16(end[10:])),
		size:    int64(binary.LittleEndian.Uint32(end[12:])),
		offset:  int64(binary.LittleEndian.Uint32(end[16:])),
	}
	here := int64(binary.LittleEndian.Uint16(end[8:]))
	if binary.LittleEndian.Uint32(end[4:]) != 0 || here != d.entries {
		return zipDirectory{}, errkind.Invalid.Errorf("zip is one part of several: join them first")
	}
	return findDirectory64(r, endAt, d)
}

// findDirectory64 follows the zip64 locator in front of the end record, which some makers write
// even when the short numbers suffice. Without a locator the short numbers are meant as they are;
// with one, those that are not at their maximum must agree.
func findDirectory64(r io.ReaderAt, endAt int64, short zipDirectory) (zipDirectory, error) {
	locator := make([]byte, zipLocator64Bytes)
	if endAt < zipLocator64Bytes || readAt(r, locator, endAt-zipLocator64Bytes) != nil ||
		!bytes.HasPrefix(locator, []byte("PK\x06\x07")) {
		return short, short.checkPlace(endAt)
	}
	at := int64(binary.LittleEndian.Uint64(locator[8:]))
	end := make([]byte, zipEnd64Bytes)
	if at < 0 || at > endAt-zipLocator64Bytes-zipEnd64Bytes || readAt(r, end, at) != nil ||
		!bytes.HasPrefix(end, []byte("PK\x06\x06")) {
		return zipDirectory{}, errkind.Corrupt.Errorf("zip64 end record: offset %d is not one", at)
	}
	d := zipDirectory{
		entries: int64(binary.LittleEndian.Uint64(end[32:])),
		size:    int64(binary.LittleEndian.Uint64(end[40:])),
		offset:  int64(binary.LittleEndian.Uint64(end[48:])),
	}
	if binary.LittleEndian.Uint64(end[24:]) != uint64(d.entries) || binary.LittleEndian.Uint64(end[16:]) != 0 {
		return zipDirectory{}, errkind.Invalid.Errorf("zip is one part of several: join them first")
	}
	if short.entries != 0xffff && short.entries != d.entries || short.size != 0xffffffff && short.size != d.size ||
		short.offset != 0xffffffff && short.offset != d.offset {
		return zipDirectory{}, errkind.Corrupt.Errorf("zip has two end records that disagree: %+v and %+v", short, d)
	}
	return d, d.checkPlace(at)
}

// checkPlace wants the directory to end where the first end record begins.
func (d zipDirectory) checkPlace(end int64) error {
	if d.offset < 0 || d.size < 0 || d.entries < 0 || d.offset > end || d.size != end-d.offset ||
		d.entries > d.size/zipCentralBytes {
		return errkind.Corrupt.Errorf("zip directory of %d entries, %d bytes at %d does not end at its end record at %d",
			d.entries, d.size, d.offset, end)
	}
	return nil
}

// zipEntry is one record of the central directory.
type zipEntry struct {
	name         string
	method       uint16
	crc          uint32
	packed, size int64
	offset       int64 // of the local header
	mode         fs.FileMode
}

// each reads the directory once from front to back. The bytes must be used up exactly.
func (d zipDirectory) each(r io.ReaderAt, visit func(zipEntry) error) error {
	in := bufio.NewReaderSize(io.NewSectionReader(r, d.offset, d.size), 64<<10)
	left := d.size
	for range d.entries {
		entry, used, err := readCentral(in)
		if err != nil {
			return err
		}
		if left -= used; left < 0 {
			break
		}
		if err := visit(entry); err != nil {
			return err
		}
	}
	if left != 0 {
		return errkind.Corrupt.Errorf("zip directory: %d bytes are no entries", left)
	}
	return nil
}

func readCentral(in *bufio.Reader) (e zipEntry, used int64, err error) {
	var h [zipCentralBytes]byte
	if _, err := io.ReadFull(in, h[:]); err != nil || !bytes.HasPrefix(h[:], []byte("PK\x01\x02")) {
		return e, 0, errkind.Corrupt.Errorf("zip directory: entry header % x is not one", h[:4])
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(h[at:])) }
	u32 := func(at int) int64 { return int64(binary.LittleEndian.Uint32(h[at:])) }
	rest := make([]byte, u16(28)+u16(30)+u16(32))
	if _, err := io.ReadFull(in, rest); err != nil {
		return e, 0, errkind.Corrupt.Errorf("zip directory: it ends inside an entry")
	}
	e = zipEntry{
		name: string(rest[:u16(28)]), method: uint16(u16(10)), crc: uint32(u32(16)),
		packed: u32(20), size: u32(24), offset: u32(42), mode: zipMode(byte(u16(4)>>8), uint32(u32(38))),
	}
	if err := e.extend(rest[u16(28) : u16(28)+u16(30)]); err != nil {
		return e, 0, err
	}
	// Bits 0, 6 and 13 are encryption, 5 is a patch.
	if flags := u16(8); flags&(1<<0|1<<5|1<<6|1<<13) != 0 {
		return e, 0, errkind.Invalid.Errorf("zip entry %.200q is encrypted or a patch (flags %#x)", e.name, flags)
	}
	if u16(34) != 0 || e.packed < 0 || e.size < 0 || e.offset < 0 {
		return e, 0, errkind.Corrupt.Errorf("zip entry %.200q: impossible sizes", e.name)
	}
	return e, int64(zipCentralBytes + len(rest)), nil
}

// extend takes the numbers that did not fit in 32 bits from the zip64 extra field (id 1), which
// holds only those, in this order.
func (e *zipEntry) extend(extra []byte) error {
	wants := []*int64{}
	for _, field := range []*int64{&e.size, &e.packed, &e.offset} {
		if *field == 0xffffffff {
			wants = append(wants, field)
		}
	}
	for len(wants) > 0 && len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		if id == 1 {
			if size < 8*len(wants) {
				break
			}
			for i, field := range wants {
				*field = int64(binary.LittleEndian.Uint64(extra[8*i:]))
			}
			return nil
		}
		extra = extra[size:]
	}
	if len(wants) > 0 {
		return errkind.Corrupt.Errorf("zip entry %.200q: its zip64 sizes are missing", e.name)
	}
	return nil
}

// zipMode reads the mode that makers on Unix (3) and macOS (19) store; others store none.
func zipMode(maker byte, attributes uint32) fs.FileMode {
	if maker != 3 && maker != 19 {
		return 0
	}
	unix := attributes >> 16
	mode := fs.FileMode(unix & 0o777)
	switch unix & 0o170000 {
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0, 0o100000:
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// readAt fills p. Errors: Corrupt when the file is shorter, or the reader's.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return errkind.Corrupt.Errorf("archive ends at %d: wanted %d bytes at %d", offset+int64(n), len(p), offset)
	}
	return err
}
