// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/errkind"
)

// item is one entry as a hostile maker would write it.
type item struct {
	name, body, target string
	mode               fs.FileMode
	tarType            byte
}

func file(name, body string) item { return item{name: name, body: body, mode: 0o644} }

func link(name, target string) item {
	return item{name: name, target: target, mode: fs.ModeSymlink | 0o777}
}

func makeTar(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, i := range items {
		h := &tar.Header{
			Name: i.name, Mode: int64(i.mode.Perm()), Size: int64(len(i.body)), Typeflag: tar.TypeReg, Linkname: i.target,
			Uid: 0, Format: tar.FormatPAX,
		}
		if i.mode&fs.ModeSetuid != 0 {
			h.Mode |= 0o4000
		}
		switch {
		case i.tarType != 0:
			h.Typeflag = i.tarType
		case i.mode&fs.ModeSymlink != 0:
			h.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(i.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatalf("%q: %v", i.name, err)
		}
		if _, err := io.WriteString(w, i.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gz(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func makeZip(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		h.SetMode(i.mode)
		if strings.HasSuffix(i.name, "/") {
			h.SetMode(i.mode | fs.ModeDir)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(i.name, "/") {
			if _, err := io.WriteString(f, i.body+i.target); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// all makes the same archive in every format.
func all(t testing.TB, items ...item) map[archive.Format][]byte {
	raw := makeTar(t, items...)
	return map[archive.Format][]byte{archive.Tar: raw, archive.TarGz: gz(t, raw), archive.Zip: makeZip(t, items...)}
}

func unpack(t testing.TB, format archive.Format, raw []byte, dir string, l archive.Limits) (archive.Summary, error) {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), format)
	if err != nil {
		return archive.Summary{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return archive.Unpack(context.Background(), a, root, l, nil)
}

// refuse wants every format to be refused with the kind and text, and to leave nothing.
func refuse(t *testing.T, kind errkind.Kind, text string, archives map[archive.Format][]byte, l archive.Limits) {
	t.Helper()
	for format, raw := range archives {
		dir := t.TempDir()
		_, err := unpack(t, format, raw, dir, l)
		if !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want a %s error with %q", format, err, kind, text)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %v was left behind", format, left)
		}
	}
}

// tree describes a folder: path to mode and content.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		out[name] = info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			body, err := os.ReadFile(path)
			out[name] += " " + string(body)
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			out[name] += " -> " + target
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
