// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
)

// settle opens the copied database, looks for damage in it, and makes the logs agree with it. They
// were copied after the database, so they may tell of tasks it does not know, and of the end of
// tasks that it has at work.
func (w *restoreWork) settle(ctx context.Context) error {
	stage := Home(w.copies.folder)
	db, err := sqlite.Open(ctx, stage.database(), sqlite.Options{})
	if err != nil {
		return err
	}
	var known knownTasks
	if err = db.Check(ctx); err == nil {
		known, err = w.consult(ctx, db)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if info, err := os.Stat(stage.database() + "-wal"); err == nil && info.Size() > 0 {
		return errkind.Internal.Errorf("the restored database kept a write-ahead log after it was closed")
	}
	if err := w.keepRevocations(stage); err != nil {
		return err
	}
	return w.logs(stage, known)
}

// knownTasks are what the database knows of the tasks whose logs the backup holds, by the logs' paths.
type knownTasks struct {
	states map[string]deploy.TaskState // a task that is not known has none
	ended  map[deploy.TaskID]bool      // by the restore
}

// consult compares the database with the manifest, marks it as restored and returns what it knows of
// the logs.
func (w *restoreWork) consult(ctx context.Context, db store.Store) (known knownTasks, err error) {
	held := map[string]bool{}
	for _, f := range w.manifest.Files {
		held[f.Path] = true
	}
	err = db.View(ctx, func(r store.Reader) error {
		installation, err := r.Installation()
		if err != nil {
			return err
		}
		if installation.ID != w.manifest.Installation {
			return damaged("the database is of installation %s: the manifest says %.80q",
				installation.ID, w.manifest.Installation)
		}
		w.result.MasterKey = installation.MasterKey
		if w.result.Missing, err = missing(r, held); err != nil {
			return err
		}
		w.result.MissingArtifacts, err = missingArtifacts(r, held)
		return err
	})
	if err != nil {
		return known, err
	}
	if known.ended, w.result.Revoked, err = w.lost.mark(ctx, db, w.revoked); err != nil {
		return known, err
	}
	w.result.Unfinished = len(known.ended)
	err = db.View(ctx, func(r store.Reader) (err error) {
		known.states, err = w.states(r)
		return err
	})
	return known, err
}

func unfinished() []deploy.TaskState { return append(runningStates(), deploy.TaskQueued) }

// missing lists the packages whose content is not held.
func missing(r store.Reader, held map[string]bool) (names []string, err error) {
	packages, err := r.Packages(store.PackageFilter{})
	for _, p := range packages {
		if len(p.SHA256) < 2 || !held[path.Join(packagesName, p.SHA256[:2], p.SHA256)] {
			names = append(names, p.ID+" "+p.Version)
		}
	}
	return names, err
}

func missingArtifacts(r store.Reader, held map[string]bool) (names []string, err error) {
	artifacts, err := r.Artifacts(store.ArtifactFilter{})
	for _, a := range artifacts {
		if len(a.SHA256) < 2 || !held[path.Join(artifactsName, a.SHA256[:2], a.SHA256)] {
			names = append(names, string(a.ID)+" "+a.Name)
		}
	}
	return names, err
}

func (w *restoreWork) states(r store.Reader) (map[string]deploy.TaskState, error) {
	states := map[string]deploy.TaskState{}
	for _, f := range w.manifest.Files {
		if !strings.HasPrefix(f.Path, logsName+"/") {
			continue
		}
		task, err := r.Task(deploy.TaskID(taskOf(f.Path)))
		if err == nil {
			states[f.Path] = task.State
		} else if errkind.Of(err) != errkind.NotFound {
			return nil, err
		}
	}
	return states, nil
}

// logs drops the logs of tasks that are not known, and gives the mark of the end to those that are
// done. What the logs of those say that the restore ended came after the backup: they end anew.
func (w *restoreWork) logs(stage Home, known knownTasks) error {
	if err := os.MkdirAll(stage.logs(), 0o700); err != nil {
		return fileFault("make the log folder", err)
	}
	folder, err := tasklog.Open(stage.logs(), w.copies.disk, func() time.Time { return w.manifest.MadeAt })
	if err != nil {
		return err
	}
	for _, f := range w.manifest.Files {
		if !strings.HasPrefix(f.Path, logsName+"/") {
			continue
		}
		if _, isKnown := known.states[f.Path]; !isKnown {
			if err := os.Remove(stage.path(f.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fileFault("drop a log", err)
			}
			continue
		}
		w.result.Logs++
		task := deploy.TaskID(taskOf(f.Path))
		marked, err := takeMark(w.copies.disk, stage.path(f.Path), !known.ended[task])
		if err != nil {
			return fileFault("settle "+f.Path, err)
		}
		switch {
		case known.ended[task]:
			err = w.lost.tell(folder, task)
		case !marked:
			err = folder.Finish(task)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endMark is the last line of a log whose task has ended. Source: the form in package tasklog.
const endMark = `{"finished":true}` + "\n"

// takeMark reports whether a log ends with the mark, and cuts it off unless it is to be kept.
func takeMark(disk host.Disk, file string, keep bool) (marked bool, err error) {
	log, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	size, err := whole(log)
	start := size - int64(len(endMark))
	if err != nil || start < 0 {
		return false, err
	}
	tail := make([]byte, len(endMark))
	if _, err := log.ReadAt(tail, start); err != nil {
		return false, err
	}
	marked = bytes.Equal(tail, []byte(endMark))
	if marked && !keep {
		err = errors.Join(log.Truncate(start), disk.Sync(log))
	}
	return marked, err
}
