// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package delta

import (
	"bufio"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"fairlead/internal/errkind"
)

const (
	copyBytes = 64 << 10
	// streamBytes are read at once from each stream of a block.
	streamBytes = 16 << 10
	// maxPackedBytes is the longest stream: what does not shrink grows by less than this.
	maxPackedBytes = 3 * blockBytes
)

// Source is a content that is read from many places, and its length.
type Source struct {
	io.ReaderAt
	Size int64
}

// Apply writes the new to w, from the old and a delta. It writes size bytes or returns an error.
// Errors: Corrupt (not a delta of this old to size bytes), Canceled, or those of the two and of w.
func Apply(ctx context.Context, w io.Writer, old, delta Source, size int64) error {
	d := &decoder{
		ctx: ctx, w: w, old: old, delta: delta, size: size, buffer: make([]byte, copyBytes), other: make([]byte, copyBytes),
	}
	for i := range d.in {
		d.in[i] = bufio.NewReaderSize(nil, streamBytes)
		d.raw[i] = bufio.NewReaderSize(nil, streamBytes)
		d.inflaters[i] = flate.NewReader(d.in[i])
	}
	if err := d.head(); err != nil {
		return err
	}
	for d.done < size {
		if err := ctx.Err(); err != nil {
			return errkind.Of(err).Errorf("apply a delta after %d bytes: %w", d.done, err)
		}
		if err := d.block(); err != nil {
			return err
		}
	}
	if d.at != delta.Size {
		return corrupt("something follows its end at byte %d", d.at)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return errkind.Corrupt.Errorf("delta is damaged: "+format, args...)
}

type decoder struct {
	ctx        context.Context
	w          io.Writer
	old, delta Source
	size       int64
	at         int64 // next byte of the delta
	done       int64 // bytes of the new that were written
	copied     int64 // end of the last copy in the old
	left       int64 // bytes of the new that the block still brings

	in, raw       [streams]*bufio.Reader // a stream packed, and unpacked
	inflaters     [streams]io.ReadCloser
	buffer, other []byte
}

// number reads one uvarint of the delta itself, of at most most.
func (d *decoder) number(what string, most int64) (int64, error) {
	var b [binary.MaxVarintLen64]byte
	n := int(min(int64(len(b)), max(0, d.delta.Size-d.at)))
	if _, err := d.delta.ReadAt(b[:n], d.at); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	v, used := binary.Uvarint(b[:n])
	if used <= 0 || v > uint64(most) {
		return 0, corrupt("%s at byte %d: want at most %d", what, d.at, most)
	}
	d.at += int64(used)
	return int64(v), nil
}

func (d *decoder) head() error {
	var b [len(magic)]byte
	if _, err := d.delta.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(b[:]) != magic {
		return corrupt("it begins with %q", b[:])
	}
	d.at = int64(len(magic))
	old, err := d.number("length of the old", MaxBytes)
	if err != nil {
		return err
	}
	size, err := d.number("length of the new", MaxBytes)
	if err == nil && (old != d.old.Size || size != d.size) {
		err = corrupt("it makes %d bytes of %d, not %d of %d", size, old, d.size, d.old.Size)
	}
	return err
}

func (d *decoder) block() (err error) {
	if d.left, err = d.number("length of a block", min(blockBytes, d.size-d.done)); err != nil {
		return err
	}
	if d.left == 0 {
		return corrupt("a block of no bytes before byte %d", d.at)
	}
	var lengths [streams]int64
	for i := range lengths {
		if lengths[i], err = d.number("length of a stream", maxPackedBytes); err != nil {
			return err
		}
	}
	for i, n := range lengths {
		if n > d.delta.Size-d.at {
			return corrupt("a stream of %d bytes at byte %d goes beyond its end", n, d.at)
		}
		d.in[i].Reset(io.NewSectionReader(d.delta, d.at, n))
		if err := d.inflaters[i].(flate.Resetter).Reset(d.in[i], nil); err != nil {
			return err
		}
		d.raw[i].Reset(d.inflaters[i])
		d.at += n
	}
	for d.left > 0 {
		if err := d.op(); err != nil {
			return err
		}
	}
	return nil
}

// uvarint reads a number of a stream, of at most most.
func (d *decoder) uvarint(stream int, most int64) (int64, error) {
	v, err := binary.ReadUvarint(d.raw[stream])
	if err != nil {
		return 0, streamFault(err)
	}
	if v > uint64(most) {
		return 0, corrupt("a number of %d where at most %d fits, at byte %d of the new", v, most, d.done)
	}
	return int64(v), nil
}

func streamFault(err error) error {
	if errkind.Of(err) != errkind.Internal {
		return err
	}
	return corrupt("a stream: %w", err)
}

// op carries out one run of plain bytes and the copy behind it.
func (d *decoder) op() error {
	run, err := d.uvarint(opsStream, d.left)
	if err != nil {
		return err
	}
	if err := d.plain(run); err != nil || d.left == 0 {
		return err
	}
	seek, err := binary.ReadVarint(d.raw[opsStream])
	if err != nil {
		return streamFault(err)
	}
	from := d.copied + seek
	if from < 0 || from > d.old.Size {
		return corrupt("a copy from byte %d of %d", from, d.old.Size)
	}
	n, err := d.uvarint(opsStream, min(d.left, d.old.Size-from))
	if err != nil {
		return err
	}
	places, err := d.uvarint(opsStream, n)
	if err != nil {
		return err
	}
	if run == 0 && n == 0 {
		return corrupt("an operation of no bytes at byte %d of the new", d.done)
	}
	d.copied = from + n
	return d.copy(from, n, places)
}

// plain moves n bytes from the delta to the new.
func (d *decoder) plain(n int64) error {
	for n > 0 {
		b := d.buffer[:min(n, copyBytes)]
		if _, err := io.ReadFull(d.raw[plainStream], b); err != nil {
			return streamFault(err)
		}
		if err := d.write(b); err != nil {
			return err
		}
		n -= int64(len(b))
	}
	return nil
}

func (d *decoder) write(b []byte) error {
	_, err := d.w.Write(b)
	d.done += int64(len(b))
	d.left -= int64(len(b))
	return err
}

// place is the next stretch of a copy that differs, counted from the copy's begin.
type place struct{ from, end int64 }

// copy moves n bytes of the old and changes those that differ.
func (d *decoder) copy(from, n, places int64) (err error) {
	next, at := place{n, n}, int64(0)
	if places > 0 {
		if next, err = d.place(0, n); err != nil {
			return err
		}
		places--
	}
	for at < n {
		b := d.buffer[:min(n-at, copyBytes)]
		if _, err := d.old.ReadAt(b, from+at); err != nil {
			return err
		}
		end := at + int64(len(b))
		for next.from < end {
			stop := min(next.end, end)
			if err := d.change(b[next.from-at : stop-at]); err != nil {
				return err
			}
			next.from = stop
			if next.from < next.end {
				break
			}
			if next = (place{n, n}); places > 0 {
				if next, err = d.place(stop, n); err != nil {
					return err
				}
				places--
			}
		}
		if err := d.write(b); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// place reads where the copy of n bytes differs next, after the place that ended at last.
func (d *decoder) place(last, n int64) (place, error) {
	gap, err := d.uvarint(gapsStream, n-last)
	if err != nil {
		return place{}, err
	}
	length, err := d.uvarint(gapsStream, n-last-gap)
	if err == nil && length == 0 {
		err = corrupt("a place of no bytes at byte %d of the new", d.done)
	}
	return place{last + gap, last + gap + length}, err
}

// change adds the next diffs.
func (d *decoder) change(b []byte) error {
	diffs := d.other[:len(b)]
	if _, err := io.ReadFull(d.raw[diffsStream], diffs); err != nil {
		return streamFault(err)
	}
	for i, diff := range diffs {
		b[i] += diff
	}
	return nil
}
