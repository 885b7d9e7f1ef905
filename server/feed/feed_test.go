// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/server/feed"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type bench struct {
	testing.TB
	store *fakeStore
	dir   string
	feed  *feed.Feed
}

func open(t testing.TB, change func(*feed.Limits)) *bench {
	t.Helper()
	b := &bench{TB: t, store: newFake(), dir: t.TempDir()}
	b.feed = b.reopen(change)
	return b
}

func (b *bench) reopen(change func(*feed.Limits)) *feed.Feed {
	b.Helper()
	limits := feed.DefaultLimits()
	limits.Space = func(string) (int64, int64, error) { return 50 << 30, 100 << 30, nil }
	if change != nil {
		change(&limits)
	}
	f, err := feed.New(b.store, b.dir, host.Fsync{}, func() time.Time { return now }, limits)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// files lists what lies in the feed's folder.
func (b *bench) files() (names []string) {
	b.Helper()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return names
}

func (b *bench) push(name string, content []byte, mode feed.OverwriteMode) (deploy.Package, feed.Result, error) {
	return b.feed.Push(context.Background(), name, bytes.NewReader(content), mode, "ann")
}

func (b *bench) mustPush(name string, content []byte) deploy.Package {
	b.Helper()
	p, _, err := b.push(name, content, feed.FailIfExists)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	file, err := w.Create("index.html")
	if err == nil {
		_, err = io.WriteString(file, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarred(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Name: "index.html", Size: int64(len(text)), Mode: 0o644})
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestPushKeepsContentUnderItsHash(t *testing.T) {
	b := open(t, nil)
	content := zipped(t, "one")
	got, result, err := b.push("Web.App.1.0.0.zip", content, "")
	if err != nil || result != feed.Created {
		t.Fatal(result, err)
	}
	want := deploy.Package{
		ID: "Web.App", Version: "1.0.0", Format: "zip", Size: int64(len(content)), SHA256: sumOf(content), PublishedAt: now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{want.SHA256}, b.files()); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(b.dir, want.SHA256[:2], want.SHA256))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("content has mode %v, %v", info.Mode(), err)
	}
	file, err := b.feed.Open(got)
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || !bytes.Equal(read, content) {
		t.Errorf("content read back differs: %v", err)
	}
	event := b.store.events[0]
	if event.Category != "PackagePushed" || event.User != "ann" || event.Subject != "packages-Web.App.1.0.0" {
		t.Errorf("event %+v", event)
	}
}

func TestF7SameVersionAgain(t *testing.T) {
	for _, c := range []struct {
		mode    feed.OverwriteMode
		content string
		want    feed.Result
		kind    errkind.Kind
	}{
		{feed.FailIfExists, "one", feed.Unchanged, 0},
		{feed.FailIfExists, "two", "", errkind.Conflict},
		{feed.IgnoreIfExists, "one", feed.Unchanged, 0},
		{feed.IgnoreIfExists, "two", feed.Ignored, 0},
		{feed.OverwriteExisting, "one", feed.Unchanged, 0},
		{feed.OverwriteExisting, "two", feed.Replaced, 0},
		{"Sometimes", "two", "", errkind.Invalid},
	} {
		t.Run(fmt.Sprint("F7 ", c.mode, " ", c.content), func(t *testing.T) {
			b := open(t, nil)
			first := b.mustPush("Web.App.1.0.0.zip", zipped(t, "one"))
			p, result, err := b.push("web.app.1.0.0.zip", zipped(t, c.content), c.mode)
			if result != c.want || (err != nil) != (c.want == "") || err != nil && errkind.Of(err) != c.kind {
				t.Fatalf("%q, %v, want %q", result, err, c.want)
			}
			held, err := b.feed.Get(t.Context(), deploy.DefaultSpace, "Web.App", "1.0.0")
			if err != nil {
				t.Fatal(err)
			}
			wantSum, wantEvents := first.SHA256, 1
			if result == feed.Replaced {
				wantSum, wantEvents = sumOf(zipped(t, "two")), 2
			}
			if held.SHA256 != wantSum || result != "" && p.SHA256 != wantSum || held.ID != "Web.App" {
				t.Errorf("holds %+v, answered %+v", held, p)
			}
			if files := b.files(); !slices.Equal(files, []string{wantSum}) || len(b.store.events) != wantEvents {
				t.Errorf("files %v, events %v", files, b.store.events)
			}
		})
	}
}

func TestF8NothingBrokenIsVisible(t *testing.T) {
	content := zipped(t, "one")
	for name, upload := range map[string]feed.Upload{
		"F8 wrong declared hash":      {Content: bytes.NewReader(content), SHA256: sumOf([]byte("other"))},
		"F8 declared hash is no hash": {Content: bytes.NewReader(content), SHA256: "../../x"},
		"F8 wrong declared size":      {Content: bytes.NewReader(content), Size: int64(len(content)) + 1},
		"F8 last chunk missing":       {Content: io.MultiReader(bytes.NewReader(content[:50]), iotest.ErrReader(io.ErrUnexpectedEOF))},
		"F8 zip cut off":              {Content: bytes.NewReader(content[:len(content)-30])},
		"F8 zip of another upload":    {Content: bytes.NewReader(append(content[:60:60], zipped(t, "two")[40:]...))},
		"F8 not a zip":                {Content: strings.NewReader("<html>404</html>")},
		"F8 empty":                    {Content: strings.NewReader("")},
		"F8 zip with a flipped bit":   {Content: bytes.NewReader(flipped(zipped(t, "one"), 42))},
		"F8 tar.gz in a zip name":     {Content: bytes.NewReader(gzipped(t, tarred(t, "x")))},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, nil)
			upload.FileName, upload.By = "Web.App.1.0.0.zip", "ann"
			_, _, err := b.feed.Receive(t.Context(), upload)
			if err == nil || errkind.Of(err) != errkind.Invalid {
				t.Errorf("%v, want Invalid", err)
			}
			if files := b.files(); len(files)+len(b.store.rows)+len(b.store.events) != 0 {
				t.Errorf("left behind: %v %v %v", files, b.store.rows, b.store.events)
			}
		})
	}
}

// flipped is the content with the lowest bit of one byte turned.
func flipped(content []byte, at int) []byte {
	content = bytes.Clone(content)
	content[at] ^= 1
	return content
}

func TestFormatsAreLookedAt(t *testing.T) {
	plain := tarred(t, "x")
	long := gzipped(t, tarred(t, strings.Repeat("0123456789 abc", 50_000)))
	for _, c := range []struct {
		name    string
		content []byte
		fine    bool
	}{
		{"a.1.tar", plain, true},
		{"a.1.tar.gz", gzipped(t, plain), true},
		{"a.1.tgz", gzipped(t, plain), true},
		{"a.1.nupkg", zipped(t, "x"), true},
		{"a.1.tar", plain[:600], false},
		{"a.1.tar.gz", plain, false},
		{"a.1.tar.gz", gzipped(t, []byte("no tar")), false},
		{"a.1.tar.gz", gzipped(t, plain)[:20], false},
		{"a.1.nupkg", plain, false},
		{"a.1.nupkg", flipped(zipped(t, "x"), 42), false},
		{"a.1.tar.gz", long[:len(long)/2], false},
		{"a.1.tar.gz", long[:len(long)-8], false},
		{"a.1.tar.gz", flipped(long, len(long)-8), false}, // the CRC
		{"a.1.tar.gz", gzipped(t, plain[:len(plain)-1024]), false},
		{"a.1.tar.gz", long, true},
	} {
		_, _, err := open(t, nil).push(c.name, c.content, "")
		if (err == nil) != c.fine || err != nil && errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s of %d bytes: %v", c.name, len(c.content), err)
		}
	}
}

func TestF9FullDisk(t *testing.T) {
	untouched := iotest.ErrReader(errors.New("the content was read"))
	for name, free := range map[string]int64{"F9 95 percent": 5 << 30, "F9 64 MiB left": 60 << 20} {
		t.Run(name, func(t *testing.T) {
			b := open(t, func(l *feed.Limits) {
				l.Space = func(string) (int64, int64, error) { return free, 100 << 30, nil }
			})
			_, _, err := b.feed.Push(t.Context(), "a.1.zip", untouched, "", "ann")
			if errkind.Of(err) != errkind.Exhausted || errkind.Hint(err) == "" {
				t.Errorf("%v, want Exhausted with a hint", err)
			}
		})
	}
	t.Run("F9 declared size does not fit", func(t *testing.T) {
		b := open(t, func(l *feed.Limits) {
			l.Space = func(string) (int64, int64, error) { return 6 << 30, 100 << 30, nil }
		})
		_, _, err := b.feed.Receive(t.Context(), feed.Upload{FileName: "a.1.zip", Content: untouched, Size: 2 << 30})
		if errkind.Of(err) != errkind.Exhausted {
			t.Errorf("%v, want Exhausted", err)
		}
	})
	t.Run("F9 fills up on the way", func(t *testing.T) {
		asked := 0
		b := open(t, func(l *feed.Limits) {
			l.Space = func(string) (int64, int64, error) {
				asked++
				return 50<<30 - int64(asked-1)*(50<<30), 100 << 30, nil
			}
		})
		_, _, err := b.feed.Push(t.Context(), "a.1.zip", io.LimitReader(zeros{}, 1<<30), "", "ann")
		if errkind.Of(err) != errkind.Exhausted || asked != 2 || len(b.files()) != 0 {
			t.Errorf("%v after asking %d times, files %v", err, asked, b.files())
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestSizeLimit(t *testing.T) {
	b := open(t, func(l *feed.Limits) { l.MaxBytes = 1 << 20 })
	_, _, err := b.feed.Push(t.Context(), "a.1.zip", zeros{}, "", "ann")
	if errkind.Of(err) != errkind.Exhausted || len(b.files()) != 0 {
		t.Errorf("%v, files %v", err, b.files())
	}
	b.mustPush("a.1.zip", zipped(t, "x"))
	if _, _, err := b.feed.Push(t.Context(), "a.1.zip", zeros{}, feed.IgnoreIfExists, "ann"); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("hash only: %v", err)
	}
}

func TestCanceledPushLeavesNothing(t *testing.T) {
	b := open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	endless := readFunc(func(p []byte) (int, error) {
		if reads++; reads == 5 {
			cancel()
		}
		return zeros{}.Read(p)
	})
	if _, _, err := b.feed.Push(ctx, "a.1.zip", endless, "", "ann"); errkind.Of(err) != errkind.Canceled {
		t.Error(err)
	}
	if files := b.files(); len(files) != 0 {
		t.Error(files)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestRefusedRowLeavesNoContent(t *testing.T) {
	b := open(t, nil)
	kept := b.mustPush("a.1.zip", zipped(t, "one"))
	b.store.refuse = errkind.Unavailable.Errorf("store closed")
	for _, name := range []string{"a.2.zip", "b.1.zip"} {
		if _, _, err := b.push(name, zipped(t, "two"), ""); errkind.Of(err) != errkind.Unavailable {
			t.Error(err)
		}
	}
	if _, _, err := b.push("b.1.zip", zipped(t, "one"), ""); errkind.Of(err) != errkind.Unavailable {
		t.Error(err)
	}
	if files := b.files(); !slices.Equal(files, []string{kept.SHA256}) {
		t.Error(files)
	}
}

func TestVersionsAndLatest(t *testing.T) {
	b := open(t, nil)
	for _, name := range []string{"Web.1.9.0", "web.1.10.0", "Web.1.10.0-rc.1", "Api.2.0", "Worker.1"} {
		b.mustPush(name+".zip", zipped(t, name))
	}
	versions, err := b.feed.Versions(t.Context(), deploy.DefaultSpace, "WEB")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(versions); !slices.Equal(got, []string{"web 1.10.0", "Web 1.10.0-rc.1", "Web 1.9.0"}) {
		t.Error(got)
	}
	for contains, want := range map[string][]string{
		"": {"Api 2.0", "web 1.10.0", "Worker 1"}, "W": {"web 1.10.0", "Worker 1"}, "zzz": nil,
	} {
		latest, err := b.feed.Latest(t.Context(), deploy.DefaultSpace, contains)
		if err != nil || !slices.Equal(names(latest), want) {
			t.Errorf("%q: %v, %v", contains, names(latest), err)
		}
	}
	if _, err := b.feed.Get(t.Context(), deploy.DefaultSpace, "Web", "7"); errkind.Of(err) != errkind.NotFound {
		t.Error(err)
	}
}

func names(packages []deploy.Package) (list []string) {
	for _, p := range packages {
		list = append(list, p.ID+" "+p.Version)
	}
	return list
}

func TestDelete(t *testing.T) {
	b := open(t, nil)
	p := b.mustPush("a.1.zip", zipped(t, "same"))
	b.mustPush("b.1.zip", zipped(t, "same"))
	b.store.release = &deploy.Release{
		ID: "Releases-1", Version: "0.0.7", Packages: []deploy.SelectedPackage{{PackageID: "A", Version: "1"}},
	}
	err := b.feed.Delete(t.Context(), deploy.DefaultSpace, "a", "1", false, "ann")
	if errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "release 0.0.7 of project Shop") {
		t.Errorf("delete of a used package: %v", err)
	}
	if err := b.feed.Delete(t.Context(), deploy.DefaultSpace, "a", "1", true, "ann"); err != nil {
		t.Fatal(err)
	}
	if files := b.files(); !slices.Equal(files, []string{p.SHA256}) {
		t.Errorf("content that b shares: %v", files)
	}
	if err := b.feed.Delete(t.Context(), deploy.DefaultSpace, "b", "1", false, "ann"); err != nil {
		t.Fatal(err)
	}
	if files := b.files(); len(files) != 0 {
		t.Error(files)
	}
	if err := b.feed.Delete(t.Context(), deploy.DefaultSpace, "b", "1", false, "ann"); errkind.Of(err) != errkind.NotFound {
		t.Error(err)
	}
	if last := b.store.events[len(b.store.events)-1]; len(b.store.events) != 4 || last.Category != "PackageDeleted" {
		t.Errorf("events %+v", b.store.events)
	}
}

func TestStartSweepsBrokenUploads(t *testing.T) {
	b := open(t, nil)
	p := b.mustPush("a.1.zip", zipped(t, "x"))
	if err := os.WriteFile(filepath.Join(b.dir, "incoming-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.reopen(nil)
	if files := b.files(); !slices.Equal(files, []string{p.SHA256}) {
		t.Error(files)
	}
}

func TestVerify(t *testing.T) {
	b := open(t, nil)
	fine := b.mustPush("a.1.zip", zipped(t, "1"))
	damaged := b.mustPush("a.2.zip", zipped(t, "2"))
	missing := b.mustPush("a.3.zip", zipped(t, "3"))
	orphan := sumOf([]byte("orphan"))
	path := func(sum string) string { return filepath.Join(b.dir, sum[:2], sum) }
	err := errors.Join(
		os.WriteFile(path(damaged.SHA256), []byte("flipped"), 0o600), os.Remove(path(missing.SHA256)),
		os.MkdirAll(filepath.Dir(path(orphan)), 0o700), os.WriteFile(path(orphan), []byte("orphan"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.feed.Verify(t.Context())
	want := feed.Report{
		Packages: 3, Bytes: fine.Size + 7,
		Missing: []deploy.Package{missing}, Damaged: []deploy.Package{damaged}, Orphans: []string{orphan},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := b.feed.Open(missing); errkind.Of(err) != errkind.Corrupt || errkind.Hint(err) == "" {
		t.Errorf("missing content: %v", err)
	}
	for _, p := range []deploy.Package{damaged, missing} {
		if _, _, err := b.push("a."+p.Version+".zip", zipped(t, p.Version), feed.OverwriteExisting); err != nil {
			t.Error(err)
		}
	}
	if got, err := b.feed.Verify(t.Context()); err != nil || len(got.Missing)+len(got.Damaged) != 0 {
		t.Errorf("after pushing again: %+v, %v", got, err)
	}
}

// TestPushesAndDeletesOfSharedContent lets many pushes and deletes of the same content race; what
// has a row must have its content.
func TestPushesAndDeletesOfSharedContent(t *testing.T) {
	b := open(t, nil)
	content := zipped(t, "shared")
	var group sync.WaitGroup
	for i := range 8 {
		id := fmt.Sprintf("p%d", i)
		group.Go(func() {
			for range 20 {
				if _, _, err := b.push(id+".1.zip", content, ""); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					if err := b.feed.Delete(t.Context(), deploy.DefaultSpace, id, "1", false, "ann"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	report, err := b.feed.Verify(t.Context())
	if err != nil || report.Packages != 4 || len(report.Missing)+len(report.Damaged)+len(report.Orphans) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestWhatNoMachineWouldUnpackIsNamed with its package, and with what to do.
func TestWhatNoMachineWouldUnpackIsNamed(t *testing.T) {
	b := open(t, nil)
	var content bytes.Buffer
	z := zip.NewWriter(&content)
	_, err := z.Create("../a.txt")
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	_, _, err = b.push("web.1.0.zip", content.Bytes(), feed.FailIfExists)
	if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "package web.1.0.zip") || errkind.Hint(err) == "" {
		t.Errorf("%v, hint %q", err, errkind.Hint(err))
	}
}
