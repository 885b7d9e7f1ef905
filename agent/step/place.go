// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fairlead/agent/variables"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	applications = variables.ApplicationsFolder
	currentName  = "current"
	// partialStart begins the names of folders on their way in or out, linkStart those of links
	// that are to become current. folderName never makes a name with a dot in front.
	partialStart = ".partial-"
	linkStart    = ".current-"
	// maxFolderName leaves room for a number behind it.
	maxFolderName = 120
	maxRepeats    = 10_000
)

// folderName turns any text into the name of a folder. Letters a-z and A-Z, digits and "_", "-",
// "+" and inner dots stay; every other byte becomes %XX, and so do a leading or trailing dot, the
// first byte of a word in use (current, journal.json) and of a name with a number behind it that
// could be taken for a repeat (1.0_1). A name longer than 120 bytes keeps its first 100 and gets
// "~" and 16 hex digits of its hash. Different texts make different names, and none leads
// anywhere else.
func folderName(text string) string {
	var out strings.Builder
	for i, c := range []byte(text) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '+' ||
			c == '_' || c == '.' && i > 0 && i < len(text)-1
		if i == 0 && (text == currentName || text == journalName || isRepeat(text)) {
			plain = false
		}
		if plain {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	name := out.String()
	if len(name) > maxFolderName {
		sum := sha256.Sum256([]byte(text))
		name = name[:100] + "~" + hex.EncodeToString(sum[:8])
	}
	return name
}

// isRepeat tells whether text ends as the folders of repeated installations do: _ and digits.
func isRepeat(text string) bool {
	at := strings.LastIndexByte(text, '_')
	return at >= 0 && at+1 < len(text) && strings.Trim(text[at+1:], "0123456789") == ""
}

// place is the folder of one package in one environment, held by this step alone.
type place struct {
	disk host.Disk
	apps *os.Root // the applications folder
	rel  string   // "<environment>/<package>"
	root *os.Root
	abs  string
	lock *lock
}

func openPlace(ctx context.Context, o Options, p contract.Package) (*place, error) {
	base := filepath.Join(o.Home, applications)
	if err := os.Mkdir(base, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	apps, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	rel := folderName(p.Environment) + "/" + folderName(p.ID)
	pl := &place{disk: o.Disk, apps: apps, rel: rel, abs: filepath.Join(base, rel)}
	if err = apps.MkdirAll(rel, 0o755); err == nil {
		if pl.root, err = apps.OpenRoot(rel); err == nil {
			pl.lock, err = takeLock(ctx, pl.root, func() {
				fmt.Fprintf(o.Out, "waiting: another step works on %s in %s\n", p.ID, p.Environment)
			})
		}
	}
	if err == nil {
		err = pl.clean()
	}
	if err != nil {
		pl.close()
		return nil, err
	}
	return pl, nil
}

func (p *place) close() {
	if p.lock != nil {
		p.lock.release()
	}
	if p.root != nil {
		p.root.Close()
	}
	p.apps.Close()
}

func (p *place) path(name string) string { return filepath.Join(p.abs, name) }

// clean removes what a step that died left behind. The lock says that none is at work.
func (p *place) clean() error {
	names, err := p.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, partialStart) || strings.HasPrefix(name, linkStart) {
			if err := p.root.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *place) names() ([]string, error) {
	f, err := p.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (p *place) makePartial() (string, *os.Root, error) {
	name := partialName()
	if err := p.root.Mkdir(name, 0o755); err != nil {
		return "", nil, err
	}
	if err := p.root.Chmod(name, 0o755); err != nil {
		return "", nil, err
	}
	root, err := p.root.OpenRoot(name)
	return name, root, err
}

// freeName is the folder for a version: its name, or with _1, _2 … when that is taken.
func (p *place) freeName(version string) (string, error) {
	name := folderName(version)
	for n := range maxRepeats {
		candidate := name
		if n > 0 {
			candidate = fmt.Sprintf("%s_%d", name, n)
		}
		_, err := p.root.Lstat(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			return candidate, nil
		}
		if err != nil {
			return "", err
		}
	}
	err := errkind.Exhausted.Errorf("%s holds %d installations of version %s", p.abs, maxRepeats, version)
	return "", errkind.Hinted(err, "remove old ones, or let the step keep fewer versions")
}

// adopt gives an unpacked folder its name, durably.
func (p *place) adopt(partial, folder string) error {
	if err := p.root.Rename(partial, folder); err != nil {
		return err
	}
	return durable.SyncIn(p.disk, p.root, ".")
}

// current names the installation in use, or "". Errors: Conflict when it is no link of ours.
func (p *place) current() (string, error) {
	info, err := p.root.Lstat(currentName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		err := errkind.Conflict.Errorf("%s is no link", p.path(currentName))
		return "", errkind.Hinted(err, "move it away; the step makes the link itself")
	}
	target, err := p.root.Readlink(currentName)
	return target, err
}

// currentFolder is the name of the installation in use, or "". Errors: Conflict when current leads
// anywhere else.
func (p *place) currentFolder() (string, error) {
	target, err := p.current()
	if err != nil || target == "" {
		return "", err
	}
	name := filepath.Clean(target)
	if filepath.IsAbs(name) && filepath.Dir(name) == p.abs {
		name = filepath.Base(name)
	}
	if name == "." || name == ".." || strings.Contains(name, "/") {
		return "", errkind.Conflict.Errorf("%s leads to %q, which is no installation in its folder",
			p.path(currentName), target)
	}
	return name, nil
}

// setCurrent points current at a folder by one rename; "" removes it.
func (p *place) setCurrent(folder string) error {
	if folder == "" {
		if err := p.root.Remove(currentName); err != nil {
			return err
		}
		return durable.SyncIn(p.disk, p.root, ".")
	}
	link := linkStart + strings.ToLower(rand.Text())
	if err := p.root.Symlink(folder, link); err != nil {
		return err
	}
	if err := p.root.Rename(link, currentName); err != nil {
		return errors.Join(err, p.root.Remove(link))
	}
	return durable.SyncIn(p.disk, p.root, ".")
}
