// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
)

// TestPlainFormInstallsLikeThePackage has only the plain form of a package, as after a patch.
func TestPlainFormInstallsLikeThePackage(t *testing.T) {
	for _, format := range []archive.Format{archive.Tar, archive.TarGz, archive.Zip} {
		s := newSite(t)
		p := s.pack("1.0", format, files{"index.html": "hello", "bin/start.run": "#!/bin/sh"})
		s.makePlain(p)
		if code := s.run(p, nil); code != 0 {
			t.Fatalf("%s: code %d: %s", format, code, s.err.String())
		}
		text, err := os.ReadFile(s.app("current", "index.html"))
		info, statErr := os.Stat(s.app("current", "bin", "start.run"))
		if err = errors.Join(err, statErr); err != nil || string(text) != "hello" || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: installed %q, %v, %v", format, text, info.Mode(), err)
		}
	}
}

// makePlain leaves the plain form in place of the package.
func (s *site) makePlain(p contract.Package) {
	s.t.Helper()
	path := filepath.Join(s.home, "blobs", p.SHA256)
	raw, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := archive.Open(bytes.NewReader(raw), p.Size, archive.Format(p.Format))
	if err != nil {
		s.t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := archive.Plain(s.t.Context(), &plain, a, archive.DefaultLimits()); err != nil {
		s.t.Fatal(err)
	}
	sum, size, err := archive.Sum(s.t.Context(), strings.NewReader(plain.String()))
	err = errors.Join(err, os.Remove(path),
		os.WriteFile(filepath.Join(s.home, "blobs", sum), plain.Bytes(), 0o600),
		os.WriteFile(path+".plain", fmt.Appendf(nil, "%s %d\n", sum, size), 0o600))
	if err != nil {
		s.t.Fatal(err)
	}
}
