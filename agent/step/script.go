// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"fairlead/internal/errkind"
)

// runScript unpacks the package into the ticket's own folder, which goes with the ticket, and runs one of
// its scripts there.
func (s *step) runScript(ctx context.Context) error {
	packed, done, err := s.openPackage()
	if err != nil {
		return err
	}
	defer done()
	s.dir = filepath.Join(s.Dir, "work", "package")
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	sum, err := s.unpackInto(ctx, packed, root)
	if err != nil {
		return err
	}
	s.say("unpacked %s %s: %s, %s", s.pack.ID, s.pack.Version, counted(sum.Files, "file"), sizeWord(sum.Bytes))
	if err := s.prepareHooks(); err != nil {
		return err
	}
	if err := errors.Join(s.substitute(ctx), s.configure(ctx)); err != nil {
		return err
	}
	info, err := root.Stat(s.pack.Run.Path)
	if err == nil && !info.Mode().IsRegular() {
		err = errkind.Invalid.Errorf("%s in the package is a %s and not a file", s.pack.Run.Path, info.Mode().Type())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errkind.NotFound.Errorf("package %s %s holds no file %s", s.pack.ID, s.pack.Version, s.pack.Run.Path)
		err = errkind.Hinted(err, "the script's path starts at the package's top folder, and its case matters")
	}
	if err != nil {
		return err
	}
	return s.call(ctx)
}

// call runs the script in its own folder. Arguments go by a file: others on the machine can read those of a process.
func (s *step) call(ctx context.Context) error {
	name := s.pack.Run.Path
	folder, script := filepath.Join(s.dir, path.Dir(name)), "./"+path.Base(name)
	if strings.TrimSpace(s.pack.Run.Arguments) == "" {
		return s.bash(ctx, name, folder, script)
	}
	quoted := "'" + strings.ReplaceAll(script, "'", `'\''`) + "'"
	// BASH_ARGV0 is $0 from bash 5.0 on.
	body := "set -- " + s.pack.Run.Arguments + "\nBASH_ARGV0=" + quoted + "\n. " + quoted + "\n"
	wrapper := filepath.Join(s.Dir, "work", "call.sh")
	if err := os.WriteFile(wrapper, []byte(body), 0o600); err != nil {
		return err
	}
	return s.bash(ctx, name, folder, wrapper)
}
