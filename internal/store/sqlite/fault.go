// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"fairlead/internal/errkind"
)

const restoreHint = "stop the server and restore the last backup with fairlead-server restore"

// primaryCode is the part of a result code that names the class of the error.
const primaryCode = 0xff

// code is the driver's result code of err, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// fault translates an error of the driver or of the file system, once. An error that has a kind
// keeps it.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, kinded := errors.AsType[errkind.Kind](err); kinded {
		return err
	}
	switch code(err) & primaryCode {
	case 0:
		return fileFault(doing, err)
	case codes.SQLITE_CONSTRAINT:
		return errkind.Conflict.Errorf("%s: %s: %w", doing, constraint(code(err)), err)
	case codes.SQLITE_FULL:
		return noSpace(doing, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return errkind.Hinted(errkind.Corrupt.Errorf("%s: the database is damaged: %w", doing, err), restoreHint)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return errkind.Hinted(errkind.Unavailable.Errorf("%s: another process holds the database: %w", doing, err),
			"close the program that has the database file open")
	case codes.SQLITE_INTERRUPT:
		return errkind.Canceled.Errorf("%s: %w", doing, err)
	case codes.SQLITE_READONLY, codes.SQLITE_PERM, codes.SQLITE_CANTOPEN, codes.SQLITE_AUTH:
		return errkind.Denied.Errorf("%s: %w", doing, err)
	}
	return errkind.Internal.Errorf("%s: %w", doing, err)
}

func fileFault(doing string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return noSpace(doing, err)
	case errors.Is(err, fs.ErrPermission):
		return errkind.Denied.Errorf("%s: %w", doing, err)
	case errors.Is(err, fs.ErrNotExist):
		return errkind.NotFound.Errorf("%s: %w", doing, err)
	}
	return errkind.Of(err).Errorf("%s: %w", doing, err)
}

// isFull reports whether a transaction ended because the disk had no space.
func isFull(err error) bool { return code(err)&primaryCode == codes.SQLITE_FULL }

func noSpace(doing string, err error) error {
	return errkind.Hinted(errkind.Exhausted.Errorf("%s: no space left: %w", doing, err),
		"free some space on the disk that holds the server's home")
}

func constraint(extended int) string {
	switch extended {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_ROWID:
		return "the key is taken"
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return "it refers to something that does not exist"
	}
	return "a rule of the schema is broken"
}

// A transaction ends by itself after these errors, so nothing more may be done in it.
func endsTransaction(err error) bool {
	switch code(err) & primaryCode {
	case codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_NOMEM, codes.SQLITE_INTERRUPT,
		codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB, codes.SQLITE_BUSY, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// endsStore reports whether err leaves what is on disk in doubt. A failed fsync may have dropped
// the pages it was to write, so trying again can report a success that is none.
// Source: security.md 3.1 (PostgreSQL 2018) and 3.10.
func endsStore(err error) bool {
	switch code(err) & primaryCode {
	case codes.SQLITE_IOERR, codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN:
		return true
	}
	return false
}
