// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/errkind"

	"github.com/google/go-cmp/cmp"
)

func plain(t *testing.T, format archive.Format, raw []byte) []byte {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Plain(t.Context(), &out, a, archive.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPlainFormUnpacksToTheSameTree holds for every format, and formats with the same entries have
// the same plain form.
func TestPlainFormUnpacksToTheSameTree(t *testing.T) {
	long := strings.Repeat("d/", 60) + strings.Repeat("n", 120)
	items := []item{
		{name: "bin/", mode: fs.ModeDir | 0o755},
		{name: "bin/run", body: strings.Repeat("x", 300_000), mode: 0o755},
		file("empty", ""),
		file("späße/ü.txt", "umlauts"),
		file(long, "a long name"),
		link("bin/latest", "run"),
	}
	var forms [][]byte
	for format, raw := range all(t, items...) {
		made := plain(t, format, raw)
		one, other := t.TempDir(), t.TempDir()
		sum, err := unpack(t, format, raw, one, archive.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		again, err := unpack(t, archive.Tar, made, other, archive.DefaultLimits())
		if err != nil || sum != again {
			t.Errorf("%s: unpacked %+v, its plain form %+v, %v", format, sum, again, err)
		}
		if diff := cmp.Diff(tree(t, one), tree(t, other)); diff != "" {
			t.Errorf("%s: the trees differ:\n%s", format, diff)
		}
		if !bytes.Equal(made, plain(t, archive.Tar, made)) {
			t.Errorf("%s: the plain form of a plain form is another", format)
		}
		forms = append(forms, made)
	}
	for _, form := range forms {
		if !bytes.Equal(form, forms[0]) {
			t.Error("equal entries in different formats have different plain forms")
		}
	}
}

func TestPlainFormKeepsHardLinks(t *testing.T) {
	raw := makeTar(t, file("a", "text"), item{name: "b", target: "a", tarType: tar.TypeLink, mode: 0o644})
	one, other := t.TempDir(), t.TempDir()
	if _, err := unpack(t, archive.Tar, raw, one, archive.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, archive.Tar, plain(t, archive.Tar, raw), other, archive.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, one), tree(t, other)); diff != "" {
		t.Error(diff)
	}
}

func TestPlainFormOfWhatIsRefused(t *testing.T) {
	for format, raw := range all(t, file("../out", "x")) {
		a, err := archive.Open(bytes.NewReader(raw), int64(len(raw)), format)
		if err != nil {
			t.Fatal(err)
		}
		if err := archive.Plain(t.Context(), new(bytes.Buffer), a, archive.DefaultLimits()); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v, want Invalid", format, err)
		}
	}
}
