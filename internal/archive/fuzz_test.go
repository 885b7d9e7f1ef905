// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/errkind"
)

func FuzzCheckPath(f *testing.F) {
	for _, seed := range []string{"a/b", "../x", "/x", `a\b`, "a/./b", "a.", "C:x", "é"} {
		f.Add(seed)
	}
	base := filepath.Join(string(filepath.Separator), "base", "folder")
	f.Fuzz(func(t *testing.T, path string) {
		if archive.CheckPath(path) != nil {
			return
		}
		if !filepath.IsLocal(path) || filepath.Join(base, path) != base+"/"+path {
			t.Errorf("%q is accepted and is not a plain path", path)
		}
	})
}

func fuzzWalk(f *testing.F, formats ...archive.Format) {
	l := archive.Limits{ArchiveBytes: 1 << 20, Entries: 100, UnpackedBytes: 1 << 20, Ratio: 200, Links: 10}
	for format, raw := range all(f, file("a/b", "some text, some text"), link("c", "a/b"), item{name: "d/", mode: 0o755}) {
		if slices.Contains(formats, format) {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, format := range formats {
			parent := t.TempDir()
			dir := filepath.Join(parent, "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			sum, err := unpack(t, format, raw, dir, l)
			if err != nil && errkind.Of(err) == errkind.Internal && !strings.Contains(err.Error(), "file name too long") {
				t.Errorf("%s: an error without a kind: %v", format, err)
			}
			if sum.Bytes > l.UnpackedBytes || sum.Files+sum.Folders > l.Entries {
				t.Errorf("%s: limits passed: %+v", format, sum)
			}
			if err != nil && len(tree(t, dir)) > 0 {
				t.Errorf("%s: something was left", format)
			}
			if names, _ := os.ReadDir(parent); len(names) != 1 {
				t.Errorf("%s: something escaped: %v", format, names)
			}
		}
	})
}

func FuzzZip(f *testing.F) { fuzzWalk(f, archive.Zip) }

func FuzzTar(f *testing.F) { fuzzWalk(f, archive.Tar, archive.TarGz) }

// BenchmarkUnpackZip measures beside the bare inflate loop of the same content.
func BenchmarkUnpackZip(b *testing.B) {
	body := strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789\n", 20_000)
	var items []item
	for i := range 20 {
		items = append(items, file(fmt.Sprintf("d/f%d", i), body[i:]+fmt.Sprint(i)))
	}
	l := archive.DefaultLimits()
	l.Ratio = 10_000
	raw := makeZip(b, items...)
	b.Run("unpack", func(b *testing.B) {
		b.SetBytes(int64(len(body) * len(items)))
		for b.Loop() {
			if _, err := unpack(b, archive.Zip, raw, b.TempDir(), l); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		var packed bytes.Buffer
		w, _ := flate.NewWriter(&packed, -1)
		io.WriteString(w, body)
		w.Close()
		b.SetBytes(int64(len(body) * len(items)))
		for b.Loop() {
			dir := b.TempDir()
			for i := range items {
				f, _ := os.Create(filepath.Join(dir, fmt.Sprint(i)))
				io.Copy(f, flate.NewReader(bytes.NewReader(packed.Bytes())))
				f.Close()
			}
		}
	})
}
