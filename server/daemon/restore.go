// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/trust"
)

// Restored is what `restore` shows.
type Restored struct {
	Home         string    `json:"home"`
	Installation string    `json:"installation"`
	MadeAt       time.Time `json:"madeAt"` // of the backup
	Version      string    `json:"version"`
	Pin          trust.Pin `json:"pin"`
	Packages     int       `json:"packages"` // contents; several packages may share one
	Artifacts    int       `json:"artifacts"`
	Logs         int       `json:"logs"`
	Bytes        int64     `json:"bytes"`
	// Missing are packages, "id version", and MissingArtifacts "id name", whose content the backup does not hold.
	Missing          []string `json:"missing,omitempty"`
	MissingArtifacts []string `json:"missingArtifacts,omitempty"`
	// Revoked is what the list of revocations took back: "machine web-2". Listed says that there was one.
	Revoked []string `json:"revoked,omitempty"`
	Listed  bool     `json:"listed"`
	// MasterKey is the key that the sensitive values are sealed with, which the backup does not hold; ""
	// when there are none.
	MasterKey string `json:"masterKey,omitempty"`
	// Unfinished counts tasks that were queued or at work: they are ended.
	Unfinished int `json:"unfinished"`
}

func (m *command) restore() cli.Command {
	var list string
	return cli.Command{
		Name: "restore", Usage: "FOLDER", Summary: "make a server's home from a backup",
		Details: "The whole backup is verified before anything is written. The home must not hold a server yet. Run it as " +
			"the user the server runs as. What happened after the backup is lost. Keys, users and machines that were " +
			"revoked since are valid again unless --revocations names the list in the old home. Join tokens that were not " +
			"used end. Tasks that had not ended then are ended, as nobody knows how they went on. The server starts in safe " +
			"mode and deploys nothing until fairlead-server accept-restore.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			f.StringVar(&list, "revocations", "",
				"the old home's `file` of that name: what was revoked after the backup stays so")
		},
		Examples: []string{
			"fairlead-server restore /backup/fairlead-2026-11-22 --home /var/lib/fairlead-server",
			"fairlead-server restore /backup/fairlead-2026-11-22 --revocations /var/lib/fairlead-server.damaged/revocations",
		},
		Run: func(ctx context.Context, std *cli.IO, args []string) error {
			r, err := m.restoreHome(ctx, std, args[0], list)
			if err != nil {
				return err
			}
			return std.Show(r, r.text())
		},
	}
}

func (r Restored) text() string {
	text := fmt.Sprintf("restored %s as of %s: the database, the key, %s, %s and %s: %s\n", r.Home,
		r.MadeAt.Format("2006-01-02 15:04:05 MST"), plural(r.Packages, "package"), plural(r.Artifacts, "artifact"),
		plural(r.Logs, "task log"), cli.Bytes(r.Bytes))
	for _, name := range r.Missing {
		text += "warning: the backup does not hold the content of package " + name + "; push it again\n"
	}
	for _, name := range r.MissingArtifacts {
		text += "warning: the backup does not hold the content of " + name + "\n"
	}
	for _, what := range r.Revoked {
		text += "revoked after the backup, and so again: " + what + "\n"
	}
	if !r.Listed {
		text += "warning: no list of revocations was named, so keys, users and machines that were revoked after the backup " +
			"are valid again. If the old home still has the file " + revocationsName + ", restore again with --revocations; " +
			"else revoke them by hand before you accept\n"
	}
	if r.Unfinished > 0 {
		text += fmt.Sprintf("warning: tasks that had not ended then: %d; they are ended as failed, and nothing of them "+
			"is done again\n", r.Unfinished)
	}
	if r.MasterKey != "" {
		text += "warning: sensitive values are sealed with the master key " + r.MasterKey + ", which no backup holds: " +
			"bring it before the start: fairlead-server key import --home " + r.Home + " < COPY\n"
	}
	return text + "The key is the same, " + r.Pin.String() + ", so machines come back by themselves.\n" +
		"Start it with: fairlead-server run --home " + r.Home + "\n" +
		"It is in safe mode: look at machines and results, then: fairlead-server accept-restore --home " + r.Home + "\n"
}

// restoreHome verifies, then copies into a folder beside the places, then moves all into place.
func (m *command) restoreHome(ctx context.Context, std *cli.IO, folder, revoked string) (Restored, error) {
	h, env := m.homeFolder(), m.env(std)
	disk := env.Disk
	if err := h.refuseUsed(); err != nil {
		return Restored{}, err
	}
	list, err := loadManifest(folder)
	if err != nil {
		return Restored{}, err
	}
	var known []revocation
	if revoked != "" {
		if known, err = readRevocations(revoked, list.Installation); err != nil {
			return Restored{}, err
		}
	}
	verifying := std.Progress("verifying the backup")
	err = list.verify(ctx, folder, func(done int64) { verifying.Set(done, list.bytes()) })
	verifying.Done()
	if err != nil {
		return Restored{}, err
	}
	if err := home.Make(disk, string(h)); err != nil {
		return Restored{}, err
	}
	release, err := home.Take(string(h))
	if err != nil {
		return Restored{}, err
	}
	defer release()
	if err := h.refuseHeld(); err != nil {
		return Restored{}, err
	}
	copying := std.Progress("restoring")
	defer copying.Done()
	w := &restoreWork{
		from: folder, home: h, manifest: list, revoked: known, lost: lostTime{backup: list.MadeAt, now: env.Wall()},
		copies: copies{folder: h.path(stageName), disk: disk, progress: copying, total: list.bytes()},
	}
	err = w.run(ctx)
	w.result.Listed = revoked != ""
	return w.result, errors.Join(err, os.RemoveAll(w.copies.folder))
}

// refuseUsed refuses a home that a server runs in or has run in; it changes nothing.
func (h Home) refuseUsed() error {
	if home.IsTaken(string(h)) {
		return errkind.Hinted(errkind.Conflict.Errorf("home %s is in use by a program that runs", h),
			"stop that server and move its home away, or name another home: --home FOLDER")
	}
	return h.refuseHeld()
}

// refuseHeld refuses a home that holds anything a restore would write. Errors: Conflict.
func (h Home) refuseHeld() error {
	for _, name := range append(restoredNames(), databaseName+"-wal") {
		_, err := os.Lstat(h.path(name))
		if err == nil {
			return errkind.Hinted(errkind.Conflict.Errorf("home %s holds %s already", h, name),
				"move it away: mv %s %s.old", h, h)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fileFault("look at home", err)
		}
	}
	return nil
}

// restoredNames are what lies in a restored home, in the order in which they come to their places:
// the database is last, as the home holds a server from then on.
func restoredNames() []string {
	return []string{packagesName, logsName, artifactsName, settingsName, revocationsName, identityName, databaseName}
}

// stageName is the folder in the home that a restore fills first. One that was killed leaves it
// behind, and the next removes it.
const stageName = "restoring"

// restoreWork is one restore in the making.
type restoreWork struct {
	from     string
	home     Home
	manifest manifest
	lost     lostTime
	revoked  []revocation
	copies   copies
	result   Restored
}

func (w *restoreWork) run(ctx context.Context) error {
	stage := Home(w.copies.folder)
	if err := os.RemoveAll(string(stage)); err != nil {
		return fileFault("remove what an earlier restore left", err)
	}
	if err := w.copy(ctx); err != nil {
		return err
	}
	id, err := trust.LoadIdentity(stage.identity())
	if err != nil {
		return err
	}
	w.result = Restored{
		Home: string(w.home), Installation: w.manifest.Installation, MadeAt: w.manifest.MadeAt, Version: w.manifest.Version,
		Pin: id.Pin, Packages: w.manifest.count(packagesName), Artifacts: w.manifest.count(artifactsName),
		Bytes: w.manifest.bytes(),
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	if err := w.copies.settle(); err != nil {
		return err
	}
	return w.move()
}

// copy takes the files over, each as the manifest has it, though it was verified before.
func (w *restoreWork) copy(ctx context.Context) error {
	for _, want := range w.manifest.Files {
		file, err := openRegular(filepath.Join(w.from, want.Path))
		if err != nil {
			return err
		}
		got, err := w.copies.put(ctx, want.Path, file)
		_ = file.Close() // read only
		if err != nil {
			return err
		}
		if err := want.compare(got); err != nil {
			return err
		}
	}
	return nil
}

func (w *restoreWork) move() error {
	for _, name := range restoredNames() {
		err := os.Rename(filepath.Join(w.copies.folder, name), w.home.path(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileFault("move to its place", err)
		}
	}
	return fileFault("flush "+string(w.home), w.copies.disk.SyncFolder(string(w.home)))
}
