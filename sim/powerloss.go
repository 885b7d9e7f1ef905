// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sectorBytes is what a disk writes whole or not at all.
const sectorBytes = 512

// unknownMode is what a file comes back with that was removed and never synced: that of most files here.
const unknownMode fs.FileMode = 0o600

// loss is one power cut: what was durable, what lay there, and what becomes of the two.
type loss struct {
	disk   *Disk
	chance func(n uint64) uint64 // nil: what was not synced is lost
	paths  map[inode]string      // where files and folders lie that still have a name
	now    map[inode]names       // folders as they are
	kept   map[inode]names       // and as they will be
	image  *image
}

// PowerLoss builds at to, which must not exist, what a power cut leaves of the disk, and returns
// the disk that it is then: all that lies there is durable. The old disk stays as it was.
//
// What was synced is there. What was not is there whole, or not at all, or of a file's content
// some sectors: chance gets a number that stands for the question and returns a number whose bits
// decide, as a hash of it and a seed does; without it all is lost. A rename is undone or not, but
// with both its names, also when it replaced a file. What was removed may be back. Two folders that
// were synced at different times may both show a name, or neither, as POSIX allows.
func (d *Disk) PowerLoss(to string, chance func(n uint64) uint64) (*Disk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &loss{disk: d, chance: chance, paths: map[inode]string{}, now: map[inode]names{}, image: newImage()}
	root, err := inodeAt(d.root)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(d.root)
	if err != nil {
		return nil, err
	}
	if err := l.look(root, d.root); err != nil {
		return nil, err
	}
	l.decide(l.units(l.addresses(root)))
	if err := l.placeFolder(entry{id: root, mode: info.Mode()}, to, "."); err != nil {
		return nil, err
	}
	next := NewDisk(to)
	return next, next.Settle(to)
}

// look takes in the tree below a folder.
func (l *loss) look(id inode, path string) error {
	list, err := namesIn(path)
	if err != nil {
		return err
	}
	l.paths[id], l.now[id] = path, list
	for name, e := range list {
		at := filepath.Join(path, name)
		if e.mode.IsDir() {
			if err := l.look(e.id, at); err != nil {
				return err
			}
		} else if first, known := l.paths[e.id]; !known || at < first {
			l.paths[e.id] = at
		}
	}
	return nil
}

// address is a name in a folder.
type address struct {
	folder inode
	name   string
}

// addresses lists the names that are other than they were when their folder was synced, by path.
func (l *loss) addresses(root inode) map[address]string {
	out, seen := map[address]string{}, map[inode]bool{}
	var visit func(id inode, path string)
	visit = func(id inode, path string) {
		if seen[id] {
			return
		}
		seen[id] = true
		was, is := l.disk.folders[id], l.now[id]
		for _, list := range []names{was, is} {
			for _, name := range list.sorted() {
				at := filepath.Join(path, name)
				if was[name].id != is[name].id && !alwaysDurable(name) {
					out[address{id, name}] = at
				}
				if list[name].mode.IsDir() {
					visit(list[name].id, at)
				}
			}
		}
	}
	visit(root, ".")
	return out
}

// unit is what a power cut leaves all of or nothing of: names that one rename changed.
type unit []address

// units puts together names that one file or folder left and came to.
func (l *loss) units(changed map[address]string) map[string]unit {
	parent := map[any]any{}
	var find func(any) any
	find = func(x any) any {
		up, ok := parent[x]
		if !ok || up == x {
			return x
		}
		parent[x] = find(up)
		return parent[x]
	}
	for a := range changed {
		for _, list := range []names{l.disk.folders[a.folder], l.now[a.folder]} {
			if e, ok := list[a.name]; ok {
				parent[find(a)] = find(e.id)
			}
		}
	}
	first := map[any]string{} // the lowest path names a unit
	for a, path := range changed {
		top := find(a)
		if known, ok := first[top]; !ok || path < known {
			first[top] = path
		}
	}
	out := map[string]unit{}
	for a := range changed {
		key := first[find(a)]
		out[key] = append(out[key], a)
	}
	return out
}

// decide settles what names there will be.
func (l *loss) decide(units map[string]unit) {
	l.kept = map[inode]names{}
	for id := range l.disk.folders {
		l.kept[id] = l.unchanged(id)
	}
	for id := range l.now {
		l.kept[id] = l.unchanged(id)
	}
	for path, u := range units {
		from := l.disk.folders
		if l.ask("names", path)&1 == 1 {
			from = l.now
		}
		for _, a := range u {
			if e, ok := from[a.folder][a.name]; ok {
				l.kept[a.folder][a.name] = e
			}
		}
	}
}

// unchanged are the names in a folder that stand for what they stood for, with the modes of now.
func (l *loss) unchanged(id inode) names {
	out := names{}
	for name, e := range l.now[id] {
		if l.disk.folders[id][name].id == e.id || alwaysDurable(name) {
			out[name] = e
		}
	}
	return out
}

// ask lets chance answer one question.
func (l *loss) ask(what, about string) uint64 {
	if l.chance == nil {
		return 0
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(what + "\x00" + about))
	return l.chance(sum.Sum64())
}

// placeFolder writes a folder as it will be. path is where it is on the disk.
func (l *loss) placeFolder(e entry, to, path string) error {
	list := l.kept[e.id]
	return l.image.folder(to, e, func() error {
		for _, name := range list.sorted() {
			if err := l.place(list[name], filepath.Join(to, name), filepath.Join(path, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *loss) place(e entry, to, path string) error {
	if isFresh, err := l.image.fresh(e, to); !isFresh {
		return err
	}
	switch {
	case e.mode.IsDir():
		return l.placeFolder(e, to, path)
	case e.mode&fs.ModeSymlink != 0:
		return os.Symlink(e.target, to)
	}
	c, changed, err := l.content(e, path)
	if err != nil {
		return err
	}
	return l.image.file(to, c, changed)
}

// content is what will be in a file. A file that was never synced is empty at worst.
func (l *loss) content(e entry, path string) (content, time.Time, error) {
	was, synced := l.disk.files[e.id]
	if !synced {
		was.mode = unknownMode
	}
	at, lives := l.paths[e.id]
	if !lives {
		return was, time.Time{}, nil
	}
	is, changed, err := readContent(at)
	if err != nil {
		return is, changed, err
	}
	if !synced {
		was.mode = is.mode
	}
	switch answer := l.ask("content", path); {
	case alwaysDurable(path) || answer&3 == 3 || string(was.data) == string(is.data) && was.mode == is.mode:
		return is, changed, nil
	case answer&3 == 0:
		return was, changed, nil
	case answer&3 == 1 && len(is.data) > len(was.data): // the end is missing
		is.data = slices.Concat(was.data, is.data[len(was.data):l.between(len(was.data), len(is.data), path)])
	default: // sectors are missing
		is.data = l.torn(was.data, is.data, path)
	}
	return is, changed, nil
}

// between draws a length from low to high.
func (l *loss) between(low, high int, path string) int {
	return low + int(l.ask("length", path)%uint64(high-low+1))
}

// torn takes each sector from before or from now. What neither has is zeros.
func (l *loss) torn(was, is []byte, path string) []byte {
	size := l.between(min(len(was), len(is)), max(len(was), len(is)), path)
	out := make([]byte, size)
	for at := 0; at < size; at += sectorBytes {
		from := was
		if l.ask("sector", path)>>(at/sectorBytes%64)&1 == 1 {
			from = is
		}
		if at < len(from) {
			end := min(at+sectorBytes, size)
			copy(out[at:end], from[at:])
		}
	}
	return out
}
