// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/errkind"
)

const (
	// minFileBytes is one page of the smallest size, less than any whole database.
	minFileBytes = 512
	// quickCheckLimit bounds the look for damage at each opening: after a clean end, when only the disk
	// itself can have done any, and after another. Check has no limit.
	quickCheckLimit        = 2 * time.Second
	uncleanQuickCheckLimit = 10 * time.Second
	// maxFindings is how many kinds of damage an error names.
	maxFindings = 3
)

// Open opens the database at path, or makes a new one there, and brings its schema up to date.
// The folder must exist. It looks for damage first, for a bounded time. Errors: Conflict (in use
// by another process), Corrupt (damaged, with a hint), Invalid (made by a newer or another
// program), Denied, Exhausted (disk full).
func Open(ctx context.Context, path string, options Options) (*Store, error) {
	if err := canceled(ctx); err != nil {
		return nil, err
	}
	held, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: path, point: options.Point, lock: held,
		readers: make(chan *conn, readConnections), calls: make(chan *call),
		closing: make(chan struct{}), down: make(chan struct{}),
	}
	if s.point == nil {
		s.point = func(string) {}
	}
	if s.room = options.MakeRoom; s.room == nil {
		s.room = func() bool { return false }
	}
	if s.alarm = options.Alarm; s.alarm == nil {
		s.alarm = func() {}
	}
	if err := s.open(ctx); err != nil {
		s.abandon()
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s.work.Go(s.write)
	s.point("store.opened")
	return s, nil
}

// cacheKiB is how many KiB of pages each connection keeps at most: what the dashboard of a large site looks at.
const cacheKiB = 16 << 10

func (s *Store) open(ctx context.Context) error {
	if err := s.ensureFile(); err != nil {
		return err
	}
	var err error
	if s.db, err = sql.Open("sqlite", source(s.path)); err != nil {
		return fault("open", err)
	}
	s.db.SetMaxOpenConns(readConnections + 2) // and the writer, and one for Check or Backup
	s.db.SetMaxIdleConns(readConnections + 2)
	if s.writer, err = connect(s.db); err != nil {
		return err
	}
	if err := prepare(ctx, s.writer); err != nil {
		return err
	}
	for range readConnections {
		c, err := connect(s.db)
		if err != nil {
			return err
		}
		s.readers <- c
		if _, err := c.exec("PRAGMA query_only(1)"); err != nil {
			return fault("open for reading", err)
		}
	}
	return nil
}

// prepare makes a database ready for use and marks it as in use.
func prepare(ctx context.Context, c *conn) error {
	if err := lookForDamage(ctx, c); err != nil {
		return err
	}
	if err := migrate(c); err != nil {
		return err
	}
	return markClean(c, false)
}

func markClean(c *conn, isClean bool) error {
	_, err := c.exec("UPDATE home SET is_clean = ?", isClean)
	return fault("mark the database", err)
}

// lookForDamage checks pages and indexes, as far as the time goes.
func lookForDamage(ctx context.Context, c *conn) error {
	r := &reader{c: c}
	clean, err := list(r, "read the mark of the last end", count, "SELECT is_clean FROM home ORDER BY id")
	if err != nil {
		return missingTable(err)
	}
	limit := uncleanQuickCheckLimit
	if len(clean) == 1 && clean[0] == 1 {
		limit = quickCheckLimit
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = look(limited, c, "PRAGMA quick_check(3)")
	if limited.Err() != nil && ctx.Err() == nil { // nothing was found in the time there is
		return nil
	}
	return err
}

// missingTable says that a sound SQLite file is not one of ours.
func missingTable(err error) error {
	if errkind.Of(err) != errkind.Internal {
		return err
	}
	return errkind.Hinted(errkind.Corrupt.Errorf("the file is not a database of this program: %w", err), restoreHint)
}

// source names the file and what every connection to it must be set to.
func source(path string) string {
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS), "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)",
		fmt.Sprintf("cache_size(%d)", -cacheKiB),
		"trusted_schema(0)", "cell_size_check(1)", "temp_store(memory)",
		fmt.Sprintf("journal_size_limit(%d)", walLimitBytes),
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode()
}

func connect(db *sql.DB) (*conn, error) {
	c, err := db.Conn(context.Background())
	if err != nil {
		return nil, fault("connect", err)
	}
	return &conn{sql: c, statements: map[string]*sql.Stmt{}}, nil
}

// ensureFile makes a whole database under another name first, so that a file which is too short
// for one is damage.
func (s *Store) ensureFile() error {
	info, err := os.Stat(s.path)
	switch {
	case err == nil && info.Size() < minFileBytes:
		return errkind.Hinted(errkind.Corrupt.Errorf("the database has only %d bytes", info.Size()), restoreHint)
	case err == nil:
		return s.whole(info.Size())
	case !errors.Is(err, fs.ErrNotExist):
		return fault("look for the database", err)
	}
	if _, err := os.Stat(s.path + "-wal"); err == nil {
		return errkind.Hinted(errkind.Corrupt.Errorf("the database is gone, its write-ahead log %s-wal is there", s.path),
			restoreHint)
	}
	return create(s.path)
}

// whole compares the size of the file with the number of pages in its header. While there is a
// write-ahead log the pages may still lie there. Source: sqlite.org/fileformat2.html 1.3.
func (s *Store) whole(size int64) error {
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > 0 {
		return nil
	}
	f, err := os.Open(s.path)
	if err != nil {
		return fault("read the database", err)
	}
	defer f.Close()
	head := make([]byte, 100)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fault("read the database", err)
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 1 << 16
	}
	if want := page * int64(binary.BigEndian.Uint32(head[28:])); size < want {
		return errkind.Hinted(errkind.Corrupt.Errorf("the database has only %d bytes of %d", size, want), restoreHint)
	}
	return nil
}

func create(path string) error {
	fresh := path + ".new"
	for _, leftover := range []string{fresh, fresh + "-wal", fresh + "-shm"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault("remove a leftover", err)
		}
	}
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault("create", err)
	}
	if err := f.Close(); err != nil {
		return fault("create", err)
	}
	if err := lay(fresh); err != nil {
		return err
	}
	return settleFile(fresh, path)
}

// lay writes the schema into an empty file.
func lay(path string) error {
	db, c, err := openOne(path)
	if err != nil {
		return err
	}
	err = migrate(c)
	return errors.Join(err, c.close(), db.Close())
}

// openOne opens a file with one connection.
func openOne(path string) (*sql.DB, *conn, error) {
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, nil, fault("open", err)
	}
	c, err := connect(db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, c, nil
}

// settleFile gives a finished file its name for good.
func settleFile(from, to string) error {
	if err := syncFile(from); err != nil {
		return fault("store "+from, err)
	}
	if err := os.Rename(from, to); err != nil {
		return fault("store "+to, err)
	}
	return fault("store "+to, syncFile(filepath.Dir(to)))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close implements store.Store. It leaves a database that needs no repair.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	close(s.closing)
	s.work.Wait()
	readers := make([]*conn, 0, readConnections)
	for range readConnections {
		readers = append(readers, <-s.readers)
	}
	var errs []error
	for _, c := range readers {
		errs = append(errs, c.close())
	}
	if s.Err() == nil {
		errs = append(errs, markClean(s.writer, true))
	}
	errs = append(errs, s.writer.close(), s.db.Close(), s.lock.release())
	return fault("close the store", errors.Join(errs...))
}

// abandon frees what a store that never opened holds. What it meets is less than what stopped it.
func (s *Store) abandon() {
	for {
		select {
		case c := <-s.readers:
			_ = c.close()
			continue
		default:
		}
		break
	}
	if s.writer != nil {
		_ = s.writer.close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	_ = s.lock.release()
}
