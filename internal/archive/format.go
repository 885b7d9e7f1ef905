// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strings"

	"fairlead/internal/errkind"
)

// Format is an archive's kind.
type Format string

// The formats. Nupkg is a zip whose names are percent-encoded and which holds parts that only
// package tools read; those are left out.
const (
	Zip   Format = "zip"
	Nupkg Format = "nupkg"
	Tar   Format = "tar"
	TarGz Format = "tar.gz"
)

// ParseFormat accepts the four words. Errors: Invalid.
func ParseFormat(word string) (Format, error) {
	switch f := Format(word); f {
	case Zip, Nupkg, Tar, TarGz:
		return f, nil
	}
	return "", errkind.Invalid.Errorf("archive format %.40q: want zip, nupkg, tar or tar.gz", word)
}

// suffixes in the order they are tried.
var suffixes = []struct {
	suffix string
	format Format
}{
	{".nupkg", Nupkg},
	{".zip", Zip},
	{".jar", Zip},
	{".war", Zip},
	{".tar.gz", TarGz},
	{".tgz", TarGz},
	{".tar", Tar},
}

// Extension returns the end of a file's name that says its format (".tar.gz"), or "".
func Extension(name string) string {
	for _, s := range suffixes {
		if len(name) > len(s.suffix) && strings.EqualFold(name[len(name)-len(s.suffix):], s.suffix) {
			return name[len(name)-len(s.suffix):]
		}
	}
	return ""
}

// DetectBytes is how many first bytes Detect wants to see.
const DetectBytes = 512

// Detect tells the format by the first bytes (DetectBytes, or the whole file if shorter); the
// name decides between zip and nupkg, and must not say another format. Errors: Invalid.
func Detect(name string, first []byte) (Format, error) {
	var named Format
	if extension := strings.ToLower(Extension(name)); extension != "" {
		for _, s := range suffixes {
			if s.suffix == extension {
				named = s.format
			}
		}
	}
	var found Format
	switch {
	case bytes.HasPrefix(first, []byte("PK\x03\x04")), bytes.HasPrefix(first, []byte("PK\x05\x06")):
		found = Zip
	case bytes.HasPrefix(first, []byte{0x1f, 0x8b, 8}):
		found = TarGz
	case len(first) >= 512 && bytes.Equal(first[257:262], []byte("ustar")):
		found = Tar
	default:
		return "", errkind.Hinted(errkind.Invalid.Errorf("file %.200q is no archive that is known here", name),
			"pack it as zip, nupkg, tar or tar.gz")
	}
	if found == Zip && named == Nupkg {
		found = Nupkg
	}
	if named != "" && named != found {
		return "", errkind.Invalid.Errorf("file %.200q holds %s, not what its name says", name, found)
	}
	return found, nil
}

// Kind is what an entry makes.
type Kind uint8

// The kinds. Devices, FIFOs and sockets have none: they are left out and counted.
const (
	File Kind = iota + 1
	Folder
	Symlink
	Hardlink
)

// String is the kind's word in messages.
func (k Kind) String() string {
	return [...]string{"special file", "file", "folder", "link", "hard link"}[k]
}

// Entry is one checked entry.
type Entry struct {
	Path string
	Kind Kind
	Mode fs.FileMode // 0755 or 0644
	Size int64       // of a File
	// Target is where a Symlink points, relative to its folder, or the earlier file of a Hardlink.
	Target string
}

// Archive is an open archive.
type Archive struct {
	r      io.ReaderAt
	size   int64
	format Format
}

// Open makes an Archive of the first size bytes of r, which must not change. It reads nothing.
// Errors: Invalid.
func Open(r io.ReaderAt, size int64, format Format) (*Archive, error) {
	if _, err := ParseFormat(string(format)); err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, errkind.Invalid.Errorf("archive has %d bytes", size)
	}
	return &Archive{r: r, size: size, format: format}, nil
}

// Walk calls visit for each entry in the archive's order, with a file's content, which visit
// need not read. The content is checked (size, and CRC where there is one) when it is read to
// its end; Walk returns the first error. dropped counts special files that were left out.
// Errors: visit's; Invalid (a path, link or clash), Corrupt, Exhausted (a limit), Canceled.
func (a *Archive) Walk(ctx context.Context, l Limits, visit func(Entry, io.Reader) error) (dropped int, err error) {
	if err := l.check(); err != nil {
		return 0, err
	}
	if a.size > l.ArchiveBytes {
		return 0, errkind.Exhausted.Errorf("archive has %d bytes: limit is %d", a.size, l.ArchiveBytes)
	}
	w := &walk{
		ctx: ctx, limits: l, visit: visit, index: newIndex(l.Entries),
		meter: meter{budget: l.budget(a.size), size: a.size},
	}
	switch a.format {
	case Zip, Nupkg:
		err = w.zip(a.r, a.size, a.format == Nupkg)
	case Tar:
		err = w.tar(io.NewSectionReader(a.r, 0, a.size))
	case TarGz:
		err = w.tarGz(io.NewSectionReader(a.r, 0, a.size))
	}
	return w.dropped, err
}

// List returns all entries without reading contents more than the format forces it to.
func (a *Archive) List(ctx context.Context, l Limits) ([]Entry, error) {
	var entries []Entry
	_, err := a.Walk(ctx, l, func(e Entry, _ io.Reader) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// walk is one run over an archive.
type walk struct {
	ctx     context.Context
	limits  Limits
	visit   func(Entry, io.Reader) error
	index   *index
	meter   meter
	links   int
	dropped int
}

// admit checks an entry against everything that came before it. Its path may still end in the
// slash of a folder.
func (w *walk) admit(e *Entry) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if e.Kind == Folder {
		e.Path = strings.TrimSuffix(e.Path, "/")
	}
	if err := CheckPath(e.Path); err != nil {
		return err
	}
	if err := w.index.add(e.Path, e.Kind); err != nil {
		return err
	}
	switch e.Kind {
	case File:
		return w.meter.take(e.Size)
	case Symlink:
		if w.links++; w.links > w.limits.Links {
			return errkind.Exhausted.Errorf("archive has more than %d links, at %.200q", w.limits.Links, e.Path)
		}
	}
	return nil
}

// plainMode keeps the executable bit alone.
func plainMode(mode fs.FileMode, kind Kind) fs.FileMode {
	if kind == Folder || mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}
