// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"

	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// localDatabasePath answers with a copy of the database; for `fairlead-server backup` alone. The
// copy goes over the socket, so that a server which may write nowhere but in its home, or runs as
// another user than the caller, can still be backed up.
const localDatabasePath = "/local/database"

const installationHeader = "Fairlead-Installation"

// maxProblemBytes bounds what is read of an answer that is no copy.
const maxProblemBytes = 64 << 10

// snapshot is a consistent copy of the database that is read once. Its file has no name any more.
type snapshot struct {
	io.ReadCloser
	size         int64
	installation string
}

// copyPath is where the server makes a copy before it sends it.
func (h Home) copyPath() string { return h.path("copy.db") }

// takeSnapshot copies the database by way of a file at path. One at a time may use the path.
// Errors: Exhausted, Denied, and the store's.
func takeSnapshot(ctx context.Context, s store.Store, path string) (snapshot, error) {
	var shot snapshot
	err := s.View(ctx, func(r store.Reader) error {
		installation, err := r.Installation()
		shot.installation = installation.ID
		return err
	})
	if err != nil {
		return shot, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return shot, fileFault("remove an old copy of the database", err)
	}
	if err := s.Backup(ctx, path); err != nil {
		return shot, err
	}
	file, err := os.Open(path)
	if err != nil {
		return shot, fileFault("open the copy of the database", err)
	}
	info, err := file.Stat()
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return shot, errors.Join(fileFault("open the copy of the database", err), file.Close())
	}
	shot.ReadCloser, shot.size = file, info.Size()
	return shot, nil
}

// problem is the answer when there is no copy.
type problem struct{ Kind, Message, Hint string }

// sendDatabase makes the handler of localDatabasePath.
func (d *Daemon) sendDatabase() http.HandlerFunc {
	path := d.options.Home.copyPath()
	_ = os.Remove(path) // left by a server that was killed
	_ = os.Remove(path + ".part")
	gate := make(chan struct{}, 1)
	return func(w http.ResponseWriter, r *http.Request) {
		shot, err := snapshot{}, errkind.Conflict.Errorf("another backup is copying the database")
		select {
		case gate <- struct{}{}:
			shot, err = takeSnapshot(r.Context(), d.store, path)
			<-gate
		default:
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(problem{errkind.Of(err).String(), err.Error(), errkind.Hint(err)})
			return
		}
		defer shot.Close()
		w.Header().Set("Content-Length", strconv.FormatInt(shot.size, 10))
		w.Header().Set(installationHeader, shot.installation)
		_, _ = io.Copy(w, shot) // the length tells the caller of a copy that broke off
	}
}

// openSnapshot copies the database of the home: the running server does it, or this process when
// none runs. Errors: Conflict, Unavailable, and the store's.
func openSnapshot(ctx context.Context, h Home) (snapshot, error) {
	if home.IsTaken(string(h)) {
		return askSnapshot(ctx, h)
	}
	release, err := home.Take(string(h))
	if err != nil {
		return snapshot{}, err
	}
	defer release()
	db, err := sqlite.Open(ctx, h.database(), sqlite.Options{})
	if err != nil {
		return snapshot{}, err
	}
	shot, err := takeSnapshot(ctx, db, h.copyPath())
	if err := db.Close(); err != nil {
		return snapshot{}, errors.Join(err, shot.discard())
	}
	return shot, err
}

func (s snapshot) discard() error {
	if s.ReadCloser == nil {
		return nil
	}
	return s.Close()
}

func askSnapshot(ctx context.Context, h Home) (snapshot, error) {
	web := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAdmin(ctx, h.admin()) },
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+localDatabasePath, nil)
	if err != nil {
		return snapshot{}, errkind.Internal.Errorf("make request: %w", err)
	}
	response, err := web.Do(request)
	if err != nil {
		kind := errkind.Unavailable
		if ctx.Err() != nil {
			kind = errkind.Of(ctx.Err())
		}
		return snapshot{}, kind.Errorf("ask the server for a copy of its database: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return snapshot{response.Body, response.ContentLength, response.Header.Get(installationHeader)}, nil
	}
	defer response.Body.Close()
	var p problem
	if err := json.NewDecoder(io.LimitReader(response.Body, maxProblemBytes)).Decode(&p); err != nil || p.Message == "" {
		return snapshot{}, errkind.Hinted(
			errkind.Unavailable.Errorf("the server answered with status %d, not with its database", response.StatusCode),
			"the running server may be older than this program: restart it with the new one")
	}
	err = errkind.Parse(p.Kind).Errorf("%s", p.Message)
	if p.Hint != "" {
		err = errkind.Hinted(err, "%s", p.Hint)
	}
	return snapshot{}, err
}
