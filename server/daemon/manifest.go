// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"fairlead/internal/archive"
	"fairlead/internal/cli"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	manifestName   = "manifest.json"
	manifestFormat = "fairlead-backup/1"
	// maxManifestBytes has room for some 1.5 million files.
	maxManifestBytes = 256 << 20
)

// The names in a home that a backup holds; with "/" on every system, as a manifest writes them.
const (
	databaseName = "fairlead.db"
	identityName = "identity.pem"
	settingsName = "server.toml"
	packagesName = "packages"
	// artifactsName holds the content of files that scripts handed over.
	artifactsName = "artifacts"
	logsName      = "logs"
	// revocationsName is the list that a restore applies; see revocations.go.
	revocationsName = "revocations"
)

// masterKeyName is in no backup: who finds one cannot open what is sealed in it.
const masterKeyName = "master.key"

const hintOtherBackup = "use another backup; nothing was restored and nothing was changed"

// manifest says what a finished backup holds. It is written last, so a backup without one was not
// finished. It finds damage; it does not stop somebody who can rewrite the backup and it alike.
type manifest struct {
	Format       string         `json:"format"`
	Version      string         `json:"version"` // of the program that made the backup
	MadeAt       time.Time      `json:"madeAt"`  // when the backup began
	Installation string         `json:"installation"`
	Files        []manifestFile `json:"files"` // by path, each once
}

// manifestFile is one file: its path below the folder, its bytes, and their SHA-256 in hex.
type manifestFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// save writes the manifest durably. Errors: Exhausted, Denied.
func (m manifest) save(disk host.Disk, folder string) error {
	slices.SortFunc(m.Files, func(a, b manifestFile) int { return strings.Compare(a.Path, b.Path) })
	text, err := json.Marshal(m)
	if err != nil {
		return errkind.Internal.Errorf("encode the manifest: %w", err)
	}
	if len(text) >= maxManifestBytes {
		return errkind.Exhausted.Errorf("the manifest of %d files has more than %s",
			len(m.Files), cli.Bytes(maxManifestBytes))
	}
	return durable.Replace(disk, filepath.Join(folder, manifestName), append(text, '\n'))
}

// loadManifest reads and checks the manifest of a backup. Errors: NotFound (no such folder),
// Corrupt, Invalid (made by a newer version), Denied.
func loadManifest(folder string) (m manifest, err error) {
	if _, err := os.Stat(folder); err != nil {
		return m, errkind.Hinted(fileFault("look for the backup", err), "name the folder that fairlead-server backup made")
	}
	file, err := os.Open(filepath.Join(folder, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, errkind.Hinted(
			errkind.Corrupt.Errorf("%s has no %s: it is no backup, or one that was not finished", folder, manifestName),
			hintOtherBackup)
	}
	if err != nil {
		return m, fileFault("open the manifest", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifestBytes))
	if err != nil {
		return m, fileFault("read the manifest", err)
	}
	if m, err = parseManifest(text); err != nil {
		return m, err
	}
	return m, m.check()
}

func parseManifest(text []byte) (m manifest, err error) {
	var head struct{ Format string }
	if json.Unmarshal(text, &head) == nil && head.Format != manifestFormat {
		return m, errkind.Hinted(
			errkind.Invalid.Errorf("the manifest has format %.40q: want %q", head.Format, manifestFormat),
			"restore with the version of fairlead-server that made the backup")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, damaged("the manifest cannot be read: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return m, damaged("the manifest goes on after its end")
	}
	return m, nil
}

func damaged(format string, args ...any) error {
	return errkind.Hinted(errkind.Corrupt.Errorf(format, args...), hintOtherBackup)
}

// check looks at what the manifest says, not at the files. Errors: Corrupt.
func (m manifest) check() error {
	seen := map[string]bool{}
	for _, f := range m.Files {
		switch {
		case !filepath.IsLocal(f.Path) || path.Clean(f.Path) != f.Path:
			return damaged("the manifest names %.200q, which is no path inside the backup", f.Path)
		case !inBackup(f.Path):
			return damaged("the manifest names %.200q, which no server's home holds", f.Path)
		case seen[f.Path]:
			return damaged("the manifest names %s twice", f.Path)
		case f.Size < 0 || archive.CheckSum(f.SHA256) != nil:
			return damaged("the manifest gives %s %d bytes and SHA-256 %.80q", f.Path, f.Size, f.SHA256)
		}
		seen[f.Path] = true
	}
	for _, name := range []string{databaseName, identityName} {
		if !seen[name] {
			return damaged("the manifest does not name %s", name)
		}
	}
	return nil
}

var logName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*\.log$`)

// inBackup reports whether a backup may hold the path: the manifest of a stranger can place
// nothing else into a home.
func inBackup(file string) bool {
	parts := strings.Split(file, "/")
	switch {
	case len(parts) == 1:
		return slices.Contains([]string{databaseName, identityName, settingsName, revocationsName}, file)
	case len(parts) == 2 && parts[0] == logsName:
		return logName.MatchString(parts[1])
	case len(parts) == 3 && (parts[0] == packagesName || parts[0] == artifactsName):
		return archive.CheckSum(parts[2]) == nil && parts[1] == parts[2][:2]
	}
	return false
}

func (m manifest) bytes() (total int64) {
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// count returns how many files lie in a folder of the backup.
func (m manifest) count(folder string) (n int) {
	for _, f := range m.Files {
		if strings.HasPrefix(f.Path, folder+"/") {
			n++
		}
	}
	return n
}

// verify reads every file of the backup and changes nothing. Errors: Corrupt (a file is missing,
// altered, or not named by the manifest), Canceled, Denied.
func (m manifest) verify(ctx context.Context, folder string, tell func(done int64)) error {
	if err := m.refuseExtra(folder); err != nil {
		return err
	}
	done := int64(0)
	for _, want := range m.Files {
		file, err := openRegular(filepath.Join(folder, want.Path))
		if errors.Is(err, fs.ErrNotExist) {
			return damaged("%s is missing from the backup", want.Path)
		}
		if err != nil {
			return err
		}
		got, err := transfer(ctx, io.Discard, file, func(n int64) { tell(done + n) })
		_ = file.Close() // read only
		if err != nil {
			return err
		}
		if err := want.compare(got); err != nil {
			return err
		}
		done += got.Size
	}
	return nil
}

func (want manifestFile) compare(got manifestFile) error {
	switch {
	case got.Size != want.Size:
		return damaged("%s has %d bytes in the backup: the manifest says %d", want.Path, got.Size, want.Size)
	case got.SHA256 != want.SHA256:
		return damaged("%s was altered: its SHA-256 is %s, the manifest says %s", want.Path, got.SHA256, want.SHA256)
	}
	return nil
}

func (m manifest) refuseExtra(folder string) error {
	named := map[string]bool{manifestName: true}
	for _, f := range m.Files {
		named[f.Path] = true
	}
	return fs.WalkDir(os.DirFS(folder), ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fileFault("look through the backup", err)
		case entry.IsDir():
			return nil
		case !named[file]:
			return damaged("the backup holds %.200q, which the manifest does not name", file)
		case !entry.Type().IsRegular():
			return damaged("%s is no plain file in the backup", file)
		}
		return nil
	})
}
