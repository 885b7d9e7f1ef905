// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"fairlead/internal/errkind"
)

// Backup implements store.Store. The copy holds what was committed when it began, is compact and
// opens like any store; it has its name only when it is whole. Errors: Conflict (path exists),
// Exhausted (no space), Denied.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return errkind.Hinted(errkind.Conflict.Errorf("back up to %s: the file exists already", path), "name a new file")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fault("back up", err)
	}
	c, err := s.spare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fault("back up", c.close())) }()
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // for its permissions
	if err != nil {
		return fault("back up", err)
	}
	if err = f.Close(); err == nil {
		_, err = c.sql.ExecContext(ctx, "VACUUM INTO ?", part)
	}
	if err == nil {
		err = settleFile(part, path)
	}
	if err != nil {
		err = errors.Join(fault("back up to "+path, err), os.Remove(part))
	}
	return err
}
