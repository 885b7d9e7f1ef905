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
	return s.eachFile(ctx, s.pack.SubstituteIn, s.substituteFile)
}

// eachFile visits the installation's files that fit patterns.
func (s *step) eachFile(ctx context.Context, globs []string, visit func(root *os.Root, name string) error) error {
	if len(globs) == 0 {
		return nil
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	used := make([]bool, len(globs))
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil || !d.Type().IsRegular() {
			return err
		}
		wanted := false
		for i, glob := range globs {
			if matchGlob(glob, name) {
				used[i], wanted = true, true
			}
		}
		if !wanted {
			return nil
		}
		return visit(root, name)
	})
	for i, glob := range globs {
		if err == nil && !used[i] {
			s.warn("no file fits the pattern %q", glob)
		}
	}
	return err
}

func (s *step) substituteFile(root *os.Root, name string) error {
	text, mode, err := s.readText(root, name)
	if text == "" || err != nil {
		return err
	}
	e, err := deploy.ExpandAll(text, s.values)
	if err != nil {
		return errkind.Of(err).Errorf("substitute in %s: %w", name, err)
	}
	if missing := deploy.Speakable(e.Missing, s.order.Sensitive, s.order.Variables); len(missing) > 0 {
		s.warn("%s: no value for %s", name, shortList(missing))
	}
	s.say("substituted %s in %s", counted(e.Replaced, "value"), name)
	if e.Text == text {
		return nil
	}
	return replaceFile(root, name, e.Text, mode)
}

// readText reads a file in which values are to be replaced. Of one that is too long or no text it says
// so and returns "".
func (s *step) readText(root *os.Root, name string) (text string, mode fs.FileMode, err error) {
	f, err := root.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSubstituteBytes+1))
	switch {
	case err != nil:
		return "", 0, err
	case len(raw) > maxSubstituteBytes:
		s.warn("%s is longer than %d MiB: nothing is substituted in it", name, maxSubstituteBytes>>20)
		return "", 0, nil
	case bytes.IndexByte(raw, 0) >= 0:
		s.warn("%s is no text: nothing is substituted in it", name)
		return "", 0, nil
	}
	return string(raw), info.Mode().Perm(), nil
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
