// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

const (
	// maxSubstituteBytes is the longest file in which variables are replaced: 16 MiB.
	maxSubstituteBytes = 16 << 20
	maxNamesInWarning  = 10
)

// substitute replaces #{...} in the files that the order's patterns name.
func (s *step) substitute(ctx context.Context) error {
	if len(s.pack.SubstituteIn) == 0 {
		return nil
	}
	root, err := s.place.root.OpenRoot(s.folder)
	if err != nil {
		return err
	}
	defer root.Close()
	used := make([]bool, len(s.pack.SubstituteIn))
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil || !d.Type().IsRegular() {
			return err
		}
		wanted := false
		for i, glob := range s.pack.SubstituteIn {
			if matchGlob(glob, name) {
				used[i], wanted = true, true
			}
		}
		if !wanted {
			return nil
		}
		return s.substituteFile(root, name)
	})
	for i, glob := range s.pack.SubstituteIn {
		if err == nil && !used[i] {
			s.warn("no file fits the pattern %q", glob)
		}
	}
	return err
}

func (s *step) substituteFile(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSubstituteBytes+1))
	switch {
	case err != nil:
		return err
	case len(raw) > maxSubstituteBytes:
		s.warn("%s is longer than %d MiB: nothing is substituted in it", name, maxSubstituteBytes>>20)
		return nil
	case bytes.IndexByte(raw, 0) >= 0:
		s.warn("%s is no text: nothing is substituted in it", name)
		return nil
	}
	e, err := deploy.ExpandAll(string(raw), s.values)
	if err != nil {
		return errkind.Of(err).Errorf("substitute in %s: %w", name, err)
	}
	if len(e.Missing) > 0 {
		s.warn("%s: no value for %s", name, shortList(e.Missing))
	}
	s.say("substituted %s in %s", counted(e.Replaced, "value"), name)
	if e.Text == string(raw) {
		return nil
	}
	return replaceFile(root, name, e.Text, info.Mode().Perm())
}

func shortList(names []string) string {
	if len(names) > maxNamesInWarning {
		names = append(names[:maxNamesInWarning:maxNamesInWarning], "…")
	}
	return strings.Join(names, ", ")
}

// replaceFile puts a new file in the old one's place, with its mode. Other names of the old file
// (hard links) keep the old content.
func replaceFile(root *os.Root, name, text string, mode fs.FileMode) error {
	temp := path.Join(path.Dir(name), partialName())
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, root.RemoveAll(temp))
	}
	return nil
}
