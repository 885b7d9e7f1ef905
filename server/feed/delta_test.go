// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/delta"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/feed"
)

// noise does not shrink.
func noise(seed byte, size int) string {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return string(b)
}

func plainOf(t testing.TB, raw []byte, format archive.Format) []byte {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), format)
	var plain bytes.Buffer
	if err == nil {
		err = archive.Plain(t.Context(), &plain, a, archive.DefaultLimits())
	}
	if err != nil {
		t.Fatal(err)
	}
	return plain.Bytes()
}

func (b *bench) delta(p, base deploy.Package) (feed.Delta, bool) {
	b.Helper()
	d, worth, err := b.feed.Delta(b.Context(), p, base)
	if err != nil {
		b.Fatal(err)
	}
	return d, worth
}

func TestDeltaLeadsFromOneVersionToTheNext(t *testing.T) {
	b := open(t, nil)
	text := noise(1, 600_000)
	one, two := zipped(t, text), tarred(t, text+"more")
	p1, p2 := b.mustPush("Web.1.0.0.zip", one), b.mustPush("Web.2.0.0.tar", two)
	var group sync.WaitGroup
	for range 4 { // many machines ask at once
		group.Go(func() { b.delta(p2, p1) })
	}
	group.Wait()
	d, worth := b.delta(p2, p1)
	if !worth || d.Patch.Delta.Size > 2000 || d.Patch.BaseFormat != "zip" || d.Patch.Package.SHA256 != p2.SHA256 {
		t.Fatalf("delta %+v, worth %v", d.Patch, worth)
	}
	file, err := b.feed.OpenDelta(d)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	old, fresh := plainOf(t, one, archive.Zip), plainOf(t, two, archive.Tar)
	var got bytes.Buffer
	err = errors.Join(err, delta.Apply(t.Context(), &got,
		delta.Source{ReaderAt: bytes.NewReader(old), Size: int64(len(old))},
		delta.Source{ReaderAt: bytes.NewReader(raw), Size: int64(len(raw))}, d.Patch.Plain.Size))
	if err != nil || !bytes.Equal(got.Bytes(), fresh) {
		t.Errorf("the delta makes something else: %v", err)
	}
	if sums, err := b.feed.DeltaSums(t.Context(), d); err != nil || sums.Check(d.Patch.Delta) != nil {
		t.Errorf("its sums: %v", err)
	}
	if left := slices.DeleteFunc(b.files(), func(n string) bool { return !strings.HasPrefix(n, "incoming-") }); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestDeltaIsMadeOnce takes the packages' content away: only what was kept can answer.
func TestDeltaIsMadeOnce(t *testing.T) {
	b := open(t, nil)
	text := noise(1, 600_000)
	p1, p2 := b.mustPush("Web.1.0.0.zip", zipped(t, text)), b.mustPush("Web.2.0.0.zip", zipped(t, text+"more"))
	p3 := b.mustPush("Web.3.0.0.zip", zipped(t, noise(2, 600_000)))
	if _, worth := b.delta(p3, p1); worth {
		t.Error("a delta between strangers is worth it")
	}
	first, _ := b.delta(p2, p1)
	for _, p := range []deploy.Package{p1, p2, p3} {
		if err := os.Remove(filepath.Join(b.dir, p.SHA256[:2], p.SHA256)); err != nil {
			t.Fatal(err)
		}
	}
	b.feed = b.reopen(nil)
	if again, worth := b.delta(p2, p1); !worth || again.Patch != first.Patch {
		t.Errorf("asked again: %+v, want %+v", again.Patch, first.Patch)
	}
	if _, worth := b.delta(p3, p1); worth {
		t.Error("asked again, a delta between strangers is worth it")
	}
	if _, _, err := b.feed.Delta(t.Context(), p3, p2); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("without contents: %v, want Corrupt", err)
	}
}

func TestDeltasGoWithTheirPackages(t *testing.T) {
	b := open(t, nil)
	text := noise(1, 600_000)
	p1, p2 := b.mustPush("Web.1.0.0.zip", zipped(t, text)), b.mustPush("Web.2.0.0.zip", zipped(t, text+"more"))
	b.delta(p2, p1)
	b.delta(p1, p2)
	if _, err := b.feed.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.feed.Delete(t.Context(), deploy.DefaultSpace, p1.ID, p1.Version, false, "ann"); err != nil {
		t.Fatal(err)
	}
	if files := b.files(); len(files) != 1 {
		t.Errorf("left %q, want the content of 2.0.0 alone", files)
	}
}

// TestAFullDiskIsNotRemembered: the delta is made once there is room.
func TestAFullDiskIsNotRemembered(t *testing.T) {
	full := false
	b := open(t, func(l *feed.Limits) {
		l.Space = func(string) (int64, int64, error) {
			if full {
				return 1, 100 << 30, nil
			}
			return 50 << 30, 100 << 30, nil
		}
	})
	text := noise(1, 400_000)
	p1, p2 := b.mustPush("Web.1.0.0.zip", zipped(t, text)), b.mustPush("Web.2.0.0.zip", zipped(t, text+"more"))
	full = true
	if _, _, err := b.feed.Delta(t.Context(), p2, p1); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("on a full disk: %v, want Exhausted", err)
	}
	full = false
	if _, worth := b.delta(p2, p1); !worth {
		t.Error("with room again it is not worth it")
	}
}

func TestBases(t *testing.T) {
	b := open(t, nil)
	text := noise(1, 300_000)
	b.mustPush("Web.1.9.0.zip", zipped(t, text+"9"))
	p := b.mustPush("Web.1.10.0.zip", zipped(t, text+"10"))
	b.mustPush("Web.2.0.0.zip", zipped(t, text+"20"))
	b.mustPush("Web.2.0.1.zip", zipped(t, text+"20"))
	b.mustPush("Other.1.0.0.zip", zipped(t, text))
	small := b.mustPush("Small.1.0.0.zip", zipped(t, "x"))
	b.mustPush("Small.2.0.0.zip", zipped(t, "y"))
	bases, err := b.feed.Bases(t.Context(), p)
	var versions []string
	for _, base := range bases {
		versions = append(versions, base.Version)
	}
	if err != nil || !slices.Equal(versions, []string{"2.0.1", "1.9.0"}) {
		t.Errorf("bases %q, %v", versions, err)
	}
	if bases, err := b.feed.Bases(t.Context(), small); err != nil || len(bases) > 0 {
		t.Errorf("a small package has bases %v, %v", bases, err)
	}
}

func TestRunningSums(t *testing.T) {
	b := open(t, nil)
	p := b.mustPush("Web.1.0.0.zip", zipped(t, noise(1, 9<<20)))
	content := contract.BlobArgs{SHA256: p.SHA256, Size: p.Size}
	path := filepath.Join(b.dir, p.SHA256[:2], p.SHA256)
	for _, damage := range []func() error{
		func() error { return nil },
		func() error { return os.WriteFile(path+".sums", []byte("nonsense"), 0o600) },
		func() error { return os.Remove(path + ".sums") },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if sums, err := b.feed.Sums(t.Context(), p); err != nil || len(sums) != 3*32 || sums.Check(content) != nil {
			t.Errorf("%d bytes of sums, %v", len(sums), err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[5<<20]++
	if err := errors.Join(os.WriteFile(path, raw, 0o600), os.Remove(path+".sums")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.feed.Sums(t.Context(), p); errkind.Of(err) != errkind.Corrupt || errkind.Hint(err) == "" {
		t.Errorf("sums of damaged content: %v, want Corrupt with a hint", err)
	}
}
