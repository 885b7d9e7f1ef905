// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/errkind"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestF1PathEscapes(t *testing.T) {
	bad := map[string]string{
		"absolute path": "/etc/passwd", "dots": "..", "step up": "../x", "hidden step up": "a/../../b",
		"inner step up": "a/../b", "backslash": `a\..\b`, "drive letter": "C:/x", "drive relative": "c:x",
		"newline": "a\nb", "escape": "a\x1b[2J", "trailing dot": "a./b", "dot": "a/./b", "empty component": "a//b",
		"long component": strings.Repeat("n", 256), "long path": strings.Repeat("abc/", 256) + "x",
		"deep path": strings.Repeat("a/", 128) + "x", "not UTF-8": "a\xffb",
	}
	for name, path := range bad {
		t.Run("F1 "+name, func(t *testing.T) {
			if err := archive.CheckPath(path); !errors.Is(err, errkind.Invalid) {
				t.Errorf("CheckPath(%q) = %v, want Invalid", path, err)
			}
			refuse(t, errkind.Invalid, "", all(t, file("first", "1"), file(path, "x")), archive.DefaultLimits())
		})
	}
	t.Run("F1 NUL", func(t *testing.T) {
		if err := archive.CheckPath("a\x00b"); !errors.Is(err, errkind.Invalid) {
			t.Errorf("got %v, want Invalid", err)
		}
		refuse(t, errkind.Invalid, "control", map[archive.Format][]byte{archive.Zip: makeZip(t, file("a\x00b", "x"))}, archive.DefaultLimits())
	})
	t.Run("F1 trailing slash", func(t *testing.T) {
		if err := archive.CheckPath("a/"); !errors.Is(err, errkind.Invalid) {
			t.Errorf("got %v, want Invalid", err)
		}
	})
	t.Run("F1 nupkg escape", func(t *testing.T) {
		raw := makeZip(t, file("a/%2e%2e/%2e%2e/x", "x"))
		refuse(t, errkind.Invalid, "dots", map[archive.Format][]byte{archive.Nupkg: raw}, archive.DefaultLimits())
	})
	for _, good := range []string{"a", "a/b.c", ".hidden", "...x", "Foo::Bar.3", "é/ü", strings.Repeat("n", 255)} {
		if err := archive.CheckPath(good); err != nil {
			t.Errorf("CheckPath(%q) = %v", good, err)
		}
	}
}

func TestF3Links(t *testing.T) {
	l := archive.DefaultLimits()
	for name, items := range map[string][]item{
		"absolute target":           {link("a", "/etc")},
		"target above":              {link("a", "..")},
		"target above from folder":  {link("d/a", "../../x")},
		"step up after a link":      {link("a/b/L", "../.."), link("a/b/M", "L/../../x")},
		"target with backslash":     {link("a", `..\x`)},
		"empty target":              {link("a", "")},
		"file through link":         {file("d/x", "1"), link("a", "d"), file("a/y", "2")},
		"link onto folder of files": {file("a/y", "2"), link("a", "d")},
		"file over link":            {link("a", "b"), file("a", "2")},
	} {
		t.Run("F3 "+name, func(t *testing.T) { refuse(t, errkind.Invalid, "", all(t, items...), l) })
	}
	for name, target := range map[string]string{
		"absolute": "/etc/passwd", "above": "../x", "later": "later", "itself": "h", "folder": "d", "link": "s",
	} {
		t.Run("F3 hard link "+name, func(t *testing.T) {
			raw := makeTar(t, file("d/x", "1"), link("s", "d/x"), item{name: "h", target: target, tarType: tar.TypeLink}, file("later", "3"))
			refuse(t, errkind.Invalid, "hard link", map[archive.Format][]byte{archive.Tar: raw}, l)
		})
	}
	t.Run("F3 good links", func(t *testing.T) {
		items := []item{file("d/x", "1"), link("a", "d/x"), link("d/e/up", "../x"), link("top", "."), link("d/later", "../logs/now")}
		for format, raw := range all(t, items...) {
			dir := t.TempDir()
			sum, err := unpack(t, format, raw, dir, l)
			if err != nil || sum.Links != 4 {
				t.Errorf("%s: %+v, %v", format, sum, err)
			}
			if got, _ := os.ReadFile(filepath.Join(dir, "d/e/up")); string(got) != "1" {
				t.Errorf("%s: link reads %q", format, got)
			}
		}
	})
	t.Run("F3 swap during extraction", func(t *testing.T) {
		dir, outside := t.TempDir(), t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		raw := makeTar(t, file("d/1", "1"), file("e/2", "2"), file("d/3", "3"))
		a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), archive.Tar)
		if err != nil {
			t.Fatal(err)
		}
		_, err = archive.Unpack(context.Background(), a, root, l, func(s archive.Summary) {
			if s.Files == 2 { // an attacker swaps the folder for a link
				os.RemoveAll(filepath.Join(dir, "d"))
				os.Symlink(outside, filepath.Join(dir, "d"))
			}
		})
		if err == nil {
			t.Error("the swapped folder was accepted")
		}
		if left, _ := os.ReadDir(outside); len(left) > 0 {
			t.Errorf("%v was written outside", left)
		}
	})
	t.Run("F3 too many links", func(t *testing.T) {
		l := l
		l.Links = 1
		refuse(t, errkind.Exhausted, "more than 1 links", all(t, link("a", "x"), link("b", "x")), l)
	})
}

func TestF4Modes(t *testing.T) {
	items := []item{
		{name: "setuid", body: "x", mode: 0o777 | fs.ModeSetuid},
		{name: "world", body: "x", mode: 0o666},
		{name: "none", body: "x"},
		{name: "open/", mode: 0o777},
		{name: "open/run", body: "x", mode: 0o700},
	}
	want := map[string]string{
		"setuid": "-rwxr-xr-x x", "world": "-rw-r--r-- x", "none": "-rw-r--r-- x", "open": "drwxr-xr-x", "open/run": "-rwxr-xr-x x",
	}
	for format, raw := range all(t, items...) {
		dir := t.TempDir()
		if _, err := unpack(t, format, raw, dir, archive.DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	for name, kind := range map[string]byte{"device": tar.TypeChar, "block device": tar.TypeBlock, "FIFO": tar.TypeFifo} {
		t.Run("F4 "+name, func(t *testing.T) {
			dir := t.TempDir()
			sum, err := unpack(t, archive.Tar, makeTar(t, item{name: "d", tarType: kind}, file("f", "x")), dir, archive.DefaultLimits())
			if err != nil || sum.Dropped != 1 || len(tree(t, dir)) != 1 {
				t.Errorf("got %+v, %v, %v: want the file alone", sum, err, tree(t, dir))
			}
		})
	}
}

func TestF5Bombs(t *testing.T) {
	l := archive.DefaultLimits()
	blank := strings.Repeat("\x00", 8<<20)
	t.Run("F5 ratio", func(t *testing.T) {
		archives := all(t, file("zeros", blank))
		delete(archives, archive.Tar) // not packed, so no ratio
		refuse(t, errkind.Exhausted, "unpacks to more than", archives, l)
	})
	t.Run("F5 size", func(t *testing.T) {
		l := l
		l.UnpackedBytes = 100
		refuse(t, errkind.Exhausted, "more than 100 bytes", all(t, file("a", strings.Repeat("a", 60)), file("b", strings.Repeat("b", 60))), l)
	})
	t.Run("F5 entries", func(t *testing.T) {
		l := l
		l.Entries = 10
		var items []item
		for i := range 6 {
			items = append(items, file(fmt.Sprintf("d%d/f", i), "")) // 12 with their folders
		}
		refuse(t, errkind.Exhausted, "more than 10 entries", all(t, items...), l)
	})
	t.Run("F5 million entries in the directory", func(t *testing.T) {
		raw := makeZip(t, file("a", "x"))
		raw[len(raw)-14], raw[len(raw)-13], raw[len(raw)-12], raw[len(raw)-11] = 0xfe, 0xff, 0xfe, 0xff
		refuse(t, errkind.Corrupt, "directory", map[archive.Format][]byte{archive.Zip: raw}, l)
	})
	t.Run("F5 archive too long", func(t *testing.T) {
		l := l
		l.ArchiveBytes = 10
		refuse(t, errkind.Exhausted, "limit is 10", all(t, file("a", "x")), l)
	})
	t.Run("F5 tar sparse bomb", func(t *testing.T) {
		refuse(t, errkind.Exhausted, "unpacks to more than", map[archive.Format][]byte{archive.Tar: sparseTar(t, "1099511627776")}, l)
	})
	t.Run("F5 headers without end", func(t *testing.T) {
		var items []item
		for range 2000 {
			items = append(items, item{name: "fifo", tarType: tar.TypeFifo})
		}
		raw := append(makeTar(t, items...), make([]byte, 64<<20)...)
		refuse(t, errkind.Exhausted, "goes on", map[archive.Format][]byte{archive.TarGz: gz(t, raw)}, l)
	})
	t.Run("F5 overlapping entries", func(t *testing.T) {
		refuse(t, errkind.Corrupt, "overlap", map[archive.Format][]byte{archive.Zip: overlappingZip(t)}, l)
	})
	t.Run("F5 zip64 lies", func(t *testing.T) { zip64Lies(t, l) })
	t.Run("F5 longer than it says", func(t *testing.T) {
		raw := makeZip(t, file("a", strings.Repeat("abc", 100)))
		at := bytes.Index(raw, []byte("PK\x01\x02"))
		raw[at+24], raw[at+25] = 5, 0
		refuse(t, errkind.Corrupt, "longer than it says", map[archive.Format][]byte{archive.Zip: raw}, l)
	})
}

// sparseTar says in PAX records that a file of few bytes has size bytes.
func sparseTar(t *testing.T, size string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	record := func(key, value string) string {
		n := len(key) + len(value) + 5
		return fmt.Sprintf("%d %s=%s\n", n, key, value)
	}
	records := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.realsize", size)
	body := "0\n" + strings.Repeat("\x00", 510)
	raw := func(typ byte, name, body string) {
		h := make([]byte, 512)
		copy(h, name)
		copy(h[100:], "0000644\x000000000\x000000000\x00")
		copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00", len(body), 0))
		copy(h[148:], "        ")
		h[156] = typ
		copy(h[257:], "ustar\x0000")
		sum := 0
		for _, b := range h {
			sum += int(b)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		out.Write(h)
		out.WriteString(body)
		out.Write(make([]byte, (512-len(body)%512)%512))
	}
	raw('x', "pax", records)
	raw('0', "bomb", body)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// overlappingZip lets two directory records share the bytes of one local entry.
func overlappingZip(t *testing.T) []byte {
	raw := makeZip(t, file("aaaa", strings.Repeat("x", 1000)), file("bbbb", strings.Repeat("x", 1000)))
	second := bytes.LastIndex(raw, []byte("PK\x01\x02"))
	copy(raw[second+42:], []byte{0, 0, 0, 0}) // the offset of the first
	copy(raw[second+46:], "aaab")
	first := bytes.Index(raw, []byte("PK\x01\x02"))
	copy(raw[first+46:], "aaaa")
	return raw
}

func zip64Lies(t *testing.T, l archive.Limits) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	h := &zip.FileHeader{Name: "a", Method: zip.Deflate, UncompressedSize64: 1 << 40, CompressedSize64: 10}
	f, err := w.CreateRaw(h)
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("0123456789"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	refuse(t, errkind.Exhausted, "unpacks to more than", map[archive.Format][]byte{archive.Zip: out.Bytes()}, l)
	t.Run("F5 zip64 end records", func(t *testing.T) {
		plain := makeZip(t, file("a", "some text"))
		for name, entries := range map[string]uint64{"that agree": 1, "that disagree": 2} {
			raw := withZip64End(plain, entries)
			_, err := unpack(t, archive.Zip, raw, t.TempDir(), l)
			if (err == nil) != (entries == 1) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	for name, at := range map[string]int{"packed size": 20, "offset": 42} {
		raw := makeZip(t, file("a", "some text"))
		record := bytes.Index(raw, []byte("PK\x01\x02"))
		copy(raw[record+at:], []byte{0xff, 0xff, 0xff, 0xff})
		t.Run("F5 zip64 "+name, func(t *testing.T) {
			refuse(t, errkind.Corrupt, "zip64", map[archive.Format][]byte{archive.Zip: raw}, l)
		})
	}
}

// withZip64End puts the zip64 end record and its locator in front of the end record.
func withZip64End(plain []byte, entries uint64) []byte {
	cut := len(plain) - 22
	end := plain[cut:]
	raw := append([]byte{}, plain[:cut]...)
	raw = append(raw, "PK\x06\x06\x2c\x00\x00\x00\x00\x00\x00\x00\x2d\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	raw = binary.LittleEndian.AppendUint64(raw, entries)
	raw = binary.LittleEndian.AppendUint64(raw, entries)
	raw = binary.LittleEndian.AppendUint64(raw, uint64(binary.LittleEndian.Uint32(end[12:])))
	raw = binary.LittleEndian.AppendUint64(raw, uint64(binary.LittleEndian.Uint32(end[16:])))
	raw = append(raw, "PK\x06\x07\x00\x00\x00\x00"...)
	raw = binary.LittleEndian.AppendUint64(raw, uint64(cut))
	raw = append(raw, 1, 0, 0, 0)
	return append(raw, end...)
}

func TestF6Clashes(t *testing.T) {
	for name, items := range map[string][]item{
		"same name":            {file("a", "1"), file("a", "2")},
		"case only":            {file("a", "1"), file("A", "2")},
		"case only beyond K":   {file("k", "1"), file("\u212a", "2")},
		"folders case only":    {file("Dir/a", "1"), file("dir/b", "2")},
		"file then folder":     {file("a", "1"), file("a/b", "2")},
		"folder then file":     {file("a/b", "1"), file("a", "2")},
		"folder entry as file": {{name: "a/", mode: 0o755}, file("a", "2")},
		"same folder":          {{name: "a/", mode: 0o755}, {name: "a/", mode: 0o755}},
	} {
		t.Run("F6 "+name, func(t *testing.T) {
			refuse(t, errkind.Invalid, "", all(t, items...), archive.DefaultLimits())
		})
	}
	for format, raw := range all(t, file("d/x", "1"), item{name: "d/", mode: 0o755}) {
		if _, err := unpack(t, format, raw, t.TempDir(), archive.DefaultLimits()); err != nil {
			t.Errorf("%s: a folder's entry after its file: %v", format, err)
		}
	}
}

func TestBrokenArchives(t *testing.T) {
	for format, raw := range all(t, file("a", strings.Repeat("hello ", 200)), file("b", "x")) {
		for _, cut := range []int{0, 1, len(raw) / 3, len(raw) / 2, len(raw) - 1} {
			if format == archive.Tar && cut == len(raw)-1 {
				continue // only the last blank byte is missing
			}
			dir := t.TempDir()
			if _, err := unpack(t, format, raw[:cut], dir, archive.DefaultLimits()); err == nil {
				t.Errorf("%s cut at %d was accepted", format, cut)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%s cut at %d left %v", format, cut, left)
			}
		}
	}
	raw := makeZip(t, file("a", "hello"))
	at := bytes.Index(raw, []byte("PK\x01\x02"))
	raw[at+16] ^= 1
	refuse(t, errkind.Corrupt, "CRC", map[archive.Format][]byte{archive.Zip: raw}, archive.DefaultLimits())
	packed := gz(t, makeTar(t, file("a", "hello")))
	packed[len(packed)-6] ^= 1
	refuse(t, errkind.Corrupt, "checksum", map[archive.Format][]byte{archive.TarGz: packed}, archive.DefaultLimits())
}

func TestUnpackNeedsAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, archive.Zip, makeZip(t, file("a", "x")), dir, archive.DefaultLimits()); !errors.Is(err, errkind.Conflict) {
		t.Errorf("got %v, want Conflict", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mine")); err != nil {
		t.Error("the folder's own file was removed")
	}
}

func TestUnpackStopsWhenCanceled(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	raw := makeZip(t, file("a", "x"), file("b", "x"))
	a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), archive.Zip)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = archive.Unpack(ctx, a, root, archive.DefaultLimits(), func(archive.Summary) { cancel() })
	if !errors.Is(err, context.Canceled) || len(tree(t, dir)) > 0 {
		t.Errorf("got %v and %v, want Canceled and nothing", err, tree(t, dir))
	}
}

func TestNupkgLeavesToolsPartsOut(t *testing.T) {
	dir := t.TempDir()
	raw := makeZip(t, file("_rels/.rels", "x"), file("[Content_Types].xml", "x"), file("package/services/metadata/a.psmdcp", "x"),
		file("My.nuspec", "n"), file("content/my%20file.txt", "f"))
	if _, err := unpack(t, archive.Nupkg, raw, dir, archive.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(func(yield func(string) bool) {
		for name := range tree(t, dir) {
			yield(name)
		}
	})
	if diff := cmp.Diff([]string{"My.nuspec", "content", "content/my file.txt"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDetect(t *testing.T) {
	archives := all(t, file("a", "x"))
	for _, c := range []struct {
		name  string
		first []byte
		want  archive.Format
	}{
		{"Web.1.0.zip", archives[archive.Zip], archive.Zip},
		{"Web.1.0.NUPKG", archives[archive.Zip], archive.Nupkg},
		{"Web.1.0.tar.gz", archives[archive.TarGz], archive.TarGz},
		{"Web.1.0.tgz", archives[archive.TarGz], archive.TarGz},
		{"Web.1.0.tar", archives[archive.Tar], archive.Tar},
		{"unnamed", archives[archive.Tar], archive.Tar},
		{"Web.zip", archives[archive.Tar], ""},
		{"Web.tar.gz", archives[archive.Zip], ""},
		{"Web.exe", []byte("MZ"), ""},
		{"", nil, ""},
	} {
		got, err := archive.Detect(c.name, c.first)
		if got != c.want || (c.want == "") != errors.Is(err, errkind.Invalid) {
			t.Errorf("Detect(%q) = %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestSum(t *testing.T) {
	sum, size, err := archive.Sum(context.Background(), strings.NewReader("abc"))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; sum != want || size != 3 || err != nil {
		t.Errorf("got %s, %d, %v", sum, size, err)
	}
	for _, bad := range []string{"", sum[1:], strings.ToUpper(sum), "../" + sum[3:]} {
		if err := archive.CheckSum(bad); !errors.Is(err, errkind.Invalid) {
			t.Errorf("CheckSum(%q) = %v, want Invalid", bad, err)
		}
	}
}

// TestRoundTrip packs any tree in all formats, twice, and unpacks it.
func TestRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9 é'$]{0,6}`)
	rapid.Check(t, func(r *rapid.T) {
		source := t.TempDir()
		for range rapid.IntRange(0, 6).Draw(r, "files") {
			dir := filepath.Join(source, filepath.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3).Draw(r, "dir")...))
			if os.MkdirAll(dir, 0o755) != nil {
				continue
			}
			path := filepath.Join(dir, "f-"+name.Draw(r, "name"))
			if rapid.IntRange(0, 3).Draw(r, "link") == 0 {
				os.Symlink(name.Draw(r, "target"), path) // a name that is taken stays a file
				continue
			}
			mode := rapid.SampledFrom([]fs.FileMode{0o644, 0o755}).Draw(r, "mode")
			if err := os.WriteFile(path, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(r, "body"), mode); err != nil {
				continue // a link is in the way
			}
		}
		want := tree(t, source)
		for _, format := range []archive.Format{archive.Zip, archive.Tar, archive.TarGz} {
			var one, two bytes.Buffer
			for _, out := range []*bytes.Buffer{&one, &two} {
				if err := archive.Create(context.Background(), out, format, os.DirFS(source)); err != nil {
					r.Fatal(err)
				}
			}
			if !bytes.Equal(one.Bytes(), two.Bytes()) {
				r.Fatalf("%s: two archives of one tree differ", format)
			}
			dir := t.TempDir()
			if _, err := unpack(t, format, one.Bytes(), dir, archive.DefaultLimits()); err != nil {
				r.Fatal(err)
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				r.Fatalf("%s (-want +got):\n%s", format, diff)
			}
		}
	})
}
