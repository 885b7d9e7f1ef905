// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
)

// Backup is what `backup` shows.
type Backup struct {
	Folder       string    `json:"folder"`
	Installation string    `json:"installation"`
	MadeAt       time.Time `json:"madeAt"`
	Packages     int       `json:"packages"` // contents; several packages may share one
	Artifacts    int       `json:"artifacts"`
	Logs         int       `json:"logs"`
	Bytes        int64     `json:"bytes"`
	// Damaged are the SHA-256 that contents had when they came here, and have no more.
	Damaged []string `json:"damaged,omitempty"`
}

func (m *command) backup() cli.Command {
	return cli.Command{
		Name: "backup", Usage: "FOLDER", Summary: "copy everything the server keeps into a new folder",
		Details: "The server may run meanwhile. The folder gets the database, packages, artifacts, task logs, settings " +
			"and the key that agents know the server by: keep it where only you can read it. Sensitive values in it are " +
			"sealed with the master key, which is not in it: keep that elsewhere (fairlead-server key export). " +
			"A backup is finished when it has " +
			"a " + manifestName + ", which is written last.",
		Flags: m.homeFlag,
		Examples: []string{
			"fairlead-server backup /backup/fairlead-$(date +%F)",
		},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			b, err := m.makeBackup(ctx, std, args[0])
			if err != nil {
				return err
			}
			return std.Show(b, b.text())
		},
	}
}

func (b Backup) text() string {
	text := fmt.Sprintf("%s holds the database, the key, %s, %s and %s: %s\n", b.Folder,
		plural(b.Packages, "package"), plural(b.Artifacts, "artifact"), plural(b.Logs, "task log"), cli.Bytes(b.Bytes))
	for _, sum := range b.Damaged {
		text += "warning: the content of a package or an artifact is damaged in the home; push the package again: SHA-256 " +
			sum + "\n"
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// makeBackup makes the folder and fills it; when that goes wrong, it takes the folder away again.
func (m *command) makeBackup(ctx context.Context, std *cli.IO, folder string) (Backup, error) {
	if err := m.homeFolder().refuseIncomplete(); err != nil {
		return Backup{}, err
	}
	folder, err := newFolder(folder, m.homeFolder())
	if err != nil {
		return Backup{}, err
	}
	progress := std.Progress("backing up")
	defer progress.Done()
	w := &backupWork{
		home: m.homeFolder(), copied: map[string]bool{},
		copies:   copies{folder: folder, disk: m.env(std).Disk, progress: progress},
		manifest: manifest{Format: manifestFormat, Version: m.version, MadeAt: m.env(std).Wall().UTC()},
	}
	if err := w.run(ctx); err != nil {
		return Backup{}, errors.Join(err, os.RemoveAll(folder))
	}
	return Backup{
		Folder: folder, Installation: w.manifest.Installation, MadeAt: w.manifest.MadeAt, Damaged: w.damaged,
		Packages: w.manifest.count(packagesName), Artifacts: w.manifest.count(artifactsName),
		Logs: w.manifest.count(logsName), Bytes: w.manifest.bytes(),
	}, nil
}

// refuseIncomplete refuses a home without a database or a key. Errors: NotFound, Denied.
func (h Home) refuseIncomplete() error {
	for _, name := range []string{databaseName, identityName} {
		if _, err := os.Stat(h.path(name)); errors.Is(err, fs.ErrNotExist) {
			return errkind.Hinted(errkind.NotFound.Errorf("the home %s has no %s: no server has run there", h, name),
				"name the home of the server that is to be backed up: --home FOLDER")
		} else if err != nil {
			return fileFault("look at home", err)
		}
	}
	return nil
}

// newFolder makes the folder. Errors: Conflict (it exists), Invalid (inside the home), NotFound.
func newFolder(folder string, h Home) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", errkind.Invalid.Errorf("back up to %q: %w", folder, err)
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(folder))
	if err != nil {
		return "", errkind.Hinted(fileFault("look for the folder of the backup", err),
			"make the folder it is to lie in first")
	}
	if own, err := filepath.EvalSymlinks(string(h)); err == nil {
		if inside, err := filepath.Rel(own, parent); err == nil && filepath.IsLocal(inside) {
			return "", errkind.Hinted(errkind.Invalid.Errorf("back up to %s: it lies in the server's home", folder),
				"name a folder elsewhere, best on another disk")
		}
	}
	err = os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return "", errkind.Hinted(errkind.Conflict.Errorf("back up to %s: it exists", folder), "name a new folder")
	}
	return folder, fileFault("make the folder of the backup", err)
}

// backupWork is one backup in the making.
type backupWork struct {
	home     Home
	copies   copies
	copied   map[string]bool // packages and artifacts
	damaged  []string
	manifest manifest
}

// run copies in an order that leaves nothing out which the copied database speaks of: packages and
// artifacts that are there before it, the database, what came meanwhile, and the logs, which may
// tell more than the database knows; restore settles that.
func (w *backupWork) run(ctx context.Context) error {
	if err := w.measure(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		w.contents, w.database, w.contents, w.logs, w.rest,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := w.copies.settle(); err != nil {
		return err
	}
	w.manifest.Files = w.copies.files
	if err := w.manifest.save(w.copies.disk, w.copies.folder); err != nil {
		return err
	}
	parent := filepath.Dir(w.copies.folder)
	return fileFault("flush "+parent, w.copies.disk.SyncFolder(parent))
}

// measure adds up what there is to copy, for the progress alone.
func (w *backupWork) measure() error {
	contents, err := w.contentFiles()
	if err != nil {
		return err
	}
	logs, err := w.logFiles()
	if err != nil {
		return err
	}
	for _, file := range append(append(contents, logs...), databaseName) {
		if info, err := os.Stat(w.home.path(file)); err == nil {
			w.copies.total += info.Size()
		}
	}
	return nil
}

// entries are the names in a folder of the home, sorted; none when it is not there.
func (w *backupWork) entries(folder string) ([]fs.DirEntry, error) {
	list, err := os.ReadDir(w.home.path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, fileFault("list "+folder, err)
}

func (w *backupWork) logFiles() (files []string, err error) {
	list, err := w.entries(logsName)
	for _, entry := range list {
		if file := path.Join(logsName, entry.Name()); inBackup(file) {
			files = append(files, file)
		}
	}
	return files, err
}

// contentFiles are packages and artifacts. What is still coming in is left out.
func (w *backupWork) contentFiles() ([]string, error) {
	packages, err := w.summedFiles(packagesName)
	if err != nil {
		return nil, err
	}
	artifacts, err := w.summedFiles(artifactsName)
	return append(packages, artifacts...), err
}

// summedFiles are those of a folder that holds content by its hash.
func (w *backupWork) summedFiles(name string) (files []string, err error) {
	folders, err := w.entries(name)
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		list, err := w.entries(path.Join(name, folder.Name()))
		if err != nil {
			return nil, err
		}
		for _, entry := range list {
			if file := path.Join(name, folder.Name(), entry.Name()); inBackup(file) {
				files = append(files, file)
			}
		}
	}
	return files, nil
}

// contents copies those that were not copied yet. One that is deleted meanwhile is left out.
func (w *backupWork) contents(ctx context.Context) error {
	files, err := w.contentFiles()
	if err != nil {
		return err
	}
	for _, file := range files {
		if w.copied[file] {
			continue
		}
		f, found, err := w.file(ctx, file, whole)
		if err != nil {
			return err
		}
		w.copied[file] = found
		if sum := path.Base(file); found && f.SHA256 != sum {
			w.damaged = append(w.damaged, sum)
		}
	}
	return nil
}

func (w *backupWork) database(ctx context.Context) error {
	shot, err := openSnapshot(ctx, w.home)
	if err != nil {
		return err
	}
	defer shot.Close()
	w.manifest.Installation = shot.installation
	_, err = w.copies.put(ctx, databaseName, shot)
	if errors.Is(err, io.ErrUnexpectedEOF) { // the length was announced
		err = errkind.Hinted(errkind.Unavailable.Errorf("the server broke off the copy of its database: %w", err),
			"look whether the server still runs: fairlead-server status --home %s", w.home)
	}
	return err
}

func (w *backupWork) logs(ctx context.Context) error {
	files, err := w.logFiles()
	for i := 0; err == nil && i < len(files); i++ {
		_, _, err = w.file(ctx, files[i], wholeLines)
	}
	return err
}

// rest copies the key, which must be there, and the settings and the list of revocations, which need not.
func (w *backupWork) rest(ctx context.Context) error {
	if _, found, err := w.file(ctx, identityName, whole); err != nil {
		return err
	} else if !found {
		return errkind.NotFound.Errorf("%s went away from the home %s", identityName, w.home)
	}
	if _, _, err := w.file(ctx, settingsName, whole); err != nil {
		return err
	}
	_, _, err := w.file(ctx, revocationsName, wholeLines)
	return err
}

// file copies one file of the home, as much of it as measure says. It need not be there.
func (w *backupWork) file(
	ctx context.Context,
	file string,
	measure func(*os.File) (int64, error),
) (f manifestFile, found bool, err error) {
	from, err := openRegular(w.home.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	defer from.Close()
	size, err := measure(from)
	if err != nil {
		return f, false, fileFault("measure "+file, err)
	}
	f, err = w.copies.put(ctx, file, io.NewSectionReader(from, 0, size))
	if err == nil && f.Size != size {
		err = errkind.Unavailable.Errorf("%s became shorter while it was copied", file)
	}
	return f, true, err
}

func whole(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// tailBytes is read at once in search of the last end of a line.
const tailBytes = 64 << 10

// wholeLines is the size of a file up to the end of its last whole line.
func wholeLines(file *os.File) (int64, error) {
	end, err := whole(file)
	piece := make([]byte, tailBytes)
	for err == nil && end > 0 {
		start := max(0, end-tailBytes)
		var n int
		if n, err = file.ReadAt(piece[:end-start], start); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(piece[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end, err = start, nil
	}
	return 0, err
}

// taskOf is the id in the name of a log: "logs/ServerTasks-7.log".
func taskOf(file string) string { return strings.TrimSuffix(path.Base(file), ".log") }
