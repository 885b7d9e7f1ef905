// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"fairlead/sim"
)

// shelf is a disk beside a slow model of it, which keeps every file and folder as a thing.
type shelf struct {
	t    *rapid.T
	base string
	disk *sim.Disk
	root *thing
	next byte
}

// thing is a file or a folder of the model: what it is, and what was synced of it.
type thing struct {
	isFolder   bool
	data, safe []byte
	in, safeIn map[string]*thing
	links      int // names it has now
}

func newFolder() *thing {
	return &thing{isFolder: true, in: map[string]*thing{}, safeIn: map[string]*thing{}, links: 1}
}

func newShelf(t *rapid.T, base string) *shelf {
	root := filepath.Join(base, "disk")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, base: base, disk: sim.NewDisk(root), root: newFolder()}
	s.must(s.disk.Settle(root))
	return s
}

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) path(name string) string { return filepath.Join(s.base, "disk", name) }

// folders lists the folders by path.
func (s *shelf) folders() map[string]*thing {
	out := map[string]*thing{}
	var visit func(at string, f *thing)
	visit = func(at string, f *thing) {
		out[at] = f
		for name, one := range f.in {
			if one.isFolder {
				visit(filepath.Join(at, name), one)
			}
		}
	}
	visit(".", s.root)
	return out
}

// spot draws a folder and a name in it.
func (s *shelf) spot(label string) (folder *thing, name, path string) {
	all := s.folders()
	at := rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(s.t, label+" folder")
	name = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(s.t, label)
	return all[at], name, filepath.Join(at, name)
}

func (s *shelf) step() {
	kinds := []string{"write", "append", "sync", "rename", "link", "remove", "mkdir", "syncfolder", "replace", "syncall"}
	folder, name, path := s.spot("name")
	one := folder.in[name]
	isFile := one != nil && !one.isFolder
	switch kind := rapid.SampledFrom(kinds).Draw(s.t, "kind"); {
	case kind == "write" && (one == nil || isFile):
		s.write(folder, name, path, os.O_TRUNC)
	case kind == "append" && isFile:
		s.write(folder, name, path, os.O_APPEND)
	case kind == "sync" && isFile:
		s.sync(one, path)
	case kind == "rename" && one != nil:
		s.rename(folder, name, path)
	case kind == "link" && isFile:
		if to, name, dest := s.spot("to"); to.in[name] == nil {
			s.must(os.Link(s.path(path), s.path(dest)))
			to.in[name] = one
			one.links++
		}
	case kind == "remove" && one != nil && len(one.in) == 0:
		s.must(os.Remove(s.path(path)))
		delete(folder.in, name)
		one.links--
	case kind == "mkdir" && one == nil && len(s.folders()) < 4:
		s.must(os.Mkdir(s.path(path), 0o700))
		folder.in[name] = newFolder()
	case kind == "syncfolder":
		s.syncFolder(folder, filepath.Dir(path))
	case kind == "replace" && isFile:
		s.write(folder, "new", filepath.Join(filepath.Dir(path), "new"), os.O_TRUNC)
		s.sync(folder.in["new"], filepath.Join(filepath.Dir(path), "new"))
		s.must(os.Rename(s.path(filepath.Join(filepath.Dir(path), "new")), s.path(path)))
		one.links--
		folder.in[name] = folder.in["new"]
		delete(folder.in, "new")
	case kind == "syncall" && rapid.IntRange(0, 9).Draw(s.t, "rare") == 0:
		s.syncAll()
	}
}

func (s *shelf) write(folder *thing, name, path string, flag int) {
	one := folder.in[name]
	if one == nil {
		one = &thing{links: 1}
		folder.in[name] = one
	}
	s.next++
	text := bytes.Repeat([]byte{s.next}, rapid.SampledFrom([]int{0, 10, 511, 512, 1500, 5000}).Draw(s.t, "bytes"))
	if flag == os.O_TRUNC {
		one.data = nil
	}
	one.data = slices.Concat(one.data, text)
	f, err := os.OpenFile(s.path(path), os.O_WRONLY|os.O_CREATE|flag, 0o600)
	s.must(err)
	_, err = f.Write(text)
	s.must(errors.Join(err, f.Close()))
}

func (s *shelf) sync(one *thing, path string) {
	f, err := os.OpenFile(s.path(path), os.O_WRONLY, 0)
	s.must(err)
	s.must(errors.Join(s.disk.Sync(f), f.Close()))
	one.safe = one.data
}

// rename moves a file anywhere and a folder within its own, over a file if there is one.
func (s *shelf) rename(folder *thing, name, path string) {
	one := folder.in[name]
	to, dest, at := s.spot("to")
	if one.isFolder {
		to, at = folder, filepath.Join(filepath.Dir(path), dest)
	}
	over := to.in[dest]
	if over == one || over != nil && (over.isFolder || one.isFolder) {
		return
	}
	s.must(os.Rename(s.path(path), s.path(at)))
	if over != nil {
		over.links--
	}
	delete(folder.in, name)
	to.in[dest] = one
}

func (s *shelf) syncFolder(folder *thing, at string) {
	if rapid.Bool().Draw(s.t, "by path") {
		s.must(s.disk.SyncFolder(s.path(at)))
	} else {
		f, err := os.Open(s.path(at))
		s.must(err)
		s.must(errors.Join(s.disk.Sync(f), f.Close()))
	}
	folder.safeIn = maps.Clone(folder.in)
}

func (s *shelf) syncAll() {
	f, err := os.Open(s.path("."))
	s.must(err)
	s.must(errors.Join(s.disk.SyncAll(f), f.Close()))
	for _, folder := range s.folders() {
		folder.safeIn = maps.Clone(folder.in)
		for _, one := range folder.in {
			one.safe = one.data
		}
	}
}

// allows reports whether a folder of an image may be what is left of one.
func (folder *thing) allows(at string) error {
	found, err := os.ReadDir(at)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, one := range found {
		name := one.Name()
		seen[name] = true
		why := folder.safeIn[name].mayBe(filepath.Join(at, name), one.IsDir())
		if why != nil && folder.in[name] != folder.safeIn[name] {
			why = folder.in[name].mayBe(filepath.Join(at, name), one.IsDir())
		}
		if why != nil {
			return why
		}
	}
	for name, one := range folder.safeIn {
		if one == folder.in[name] && !seen[name] {
			return fmt.Errorf("%s is lost: it was synced and still there", filepath.Join(at, name))
		}
	}
	return nil
}

func (one *thing) mayBe(at string, isFolder bool) error {
	if one == nil || one.isFolder != isFolder {
		return fmt.Errorf("%s is there, and never was", at)
	}
	if isFolder {
		return one.allows(at)
	}
	got, err := os.ReadFile(at)
	if err != nil {
		return err
	}
	now := one.data
	if one.links == 0 {
		now = one.safe // nothing else can be known of what was removed
	}
	if len(got) < min(len(one.safe), len(now)) || len(got) > max(len(one.safe), len(now)) {
		return fmt.Errorf("%s has %d bytes: %d were synced and %d lay there", at, len(got), len(one.safe), len(now))
	}
	for i := 0; i < len(got); i++ {
		if got[i] != byteAt(one.safe, i) && got[i] != byteAt(now, i) {
			return fmt.Errorf("%s: byte %d is %d; it was %d when synced and %d then", at, i, got[i], byteAt(one.safe, i), byteAt(now, i))
		}
	}
	return nil
}

func byteAt(data []byte, i int) byte {
	if i < len(data) {
		return data[i]
	}
	return 0
}

// equals compares a folder of an image with the model, to the last link.
func (folder *thing) equals(at string, safe bool, links map[*thing]os.FileInfo) error {
	want := folder.in
	if safe {
		want = folder.safeIn
	}
	found, err := os.ReadDir(at)
	if err != nil || len(found) != len(want) {
		return fmt.Errorf("%s holds %v, want %v: %w", at, found, slices.Sorted(maps.Keys(want)), err)
	}
	for name, one := range want {
		path := filepath.Join(at, name)
		if one.isFolder {
			if err := one.equals(path, safe, links); err != nil {
				return err
			}
			continue
		}
		data := one.data
		if safe {
			data = one.safe
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			return fmt.Errorf("%s holds %d bytes, want %d: %w", path, len(got), len(data), err)
		}
		info, err := os.Stat(path)
		if err != nil || links[one] != nil && !os.SameFile(info, links[one]) {
			return fmt.Errorf("%s is no hard link any more: %w", path, err)
		}
		links[one] = info
	}
	return nil
}

// TestPowerLossKeepsWhatWasSynced lets files be written, synced, renamed, linked and removed, and
// compares what power cuts leave with what the model says they may.
func TestPowerLossKeepsWhatWasSynced(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base, err := os.MkdirTemp("", "disk")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(base)
		s := newShelf(rt, base)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			s.step()
		}
		cut := func(name string, chance func(uint64) uint64) string {
			to := filepath.Join(base, name)
			if _, err := s.disk.PowerLoss(to, chance); err != nil {
				rt.Fatal(err)
			}
			return to
		}
		s.must(s.root.equals(cut("none", nil), true, map[*thing]os.FileInfo{}))
		s.must(s.root.equals(cut("all", func(uint64) uint64 { return ^uint64(0) }), false, map[*thing]os.FileInfo{}))
		for seed := range uint64(4) {
			at := cut(fmt.Sprintf("some-%d", seed), dice(seed))
			s.must(s.root.allows(at))
			s.must(sameTree(at, cut(fmt.Sprintf("again-%d", seed), dice(seed))))
		}
		copied := filepath.Join(base, "copy")
		s.must(s.disk.Copy(s.path("."), copied))
		s.must(s.root.equals(copied, false, map[*thing]os.FileInfo{}))
	})
}

// dice are a hash of seed and question.
func dice(seed uint64) func(uint64) uint64 {
	return func(n uint64) uint64 {
		n ^= seed * 0x9e3779b97f4a7c15
		n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
		n = (n ^ n>>27) * 0x94d049bb133111eb
		return n ^ n>>31
	}
}

func sameTree(a, b string) error {
	list, err := os.ReadDir(a)
	other, otherErr := os.ReadDir(b)
	if err != nil || otherErr != nil || len(list) != len(other) {
		return fmt.Errorf("%v and %v differ: %w", list, other, errors.Join(err, otherErr))
	}
	for _, one := range list {
		x, y := filepath.Join(a, one.Name()), filepath.Join(b, one.Name())
		if one.IsDir() {
			if err := sameTree(x, y); err != nil {
				return err
			}
			continue
		}
		p, err := os.ReadFile(x)
		q, otherErr := os.ReadFile(y)
		if err != nil || otherErr != nil || !bytes.Equal(p, q) {
			return fmt.Errorf("%s and %s differ: %w", x, y, errors.Join(err, otherErr))
		}
	}
	return nil
}

// plate is a disk with an empty folder, all of it durable.
func plate(t *testing.T) (disk *sim.Disk, root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	disk = sim.NewDisk(root)
	if err := disk.Settle(root); err != nil {
		t.Fatal(err)
	}
	return disk, root
}

func put(t *testing.T, disk *sim.Disk, path, text string) error {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return disk.Sync(f)
}

func has(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.40q, %v; want %.40q", filepath.Base(path), got, err, want)
	}
}

// TestARenameIsUndoneAsAWhole covers a file that replaces another: the power cut leaves the old name
// and the old file, or the new one, never both or neither.
func TestARenameIsUndoneAsAWhole(t *testing.T) {
	disk, root := plate(t)
	path := filepath.Join(root, "f")
	err := errors.Join(put(t, disk, path, "old"), put(t, disk, path+".tmp", "new"), disk.SyncFolder(root))
	if err := errors.Join(err, os.Rename(path+".tmp", path)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := range uint64(64) {
		to := fmt.Sprintf("%s-%d", root, seed)
		if _, err := disk.PowerLoss(to, dice(seed)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(to, "f"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = os.Lstat(filepath.Join(to, "f.tmp"))
		seen[fmt.Sprint(string(text), err == nil)]++
	}
	if seen["oldtrue"] < 10 || seen["newfalse"] < 10 || len(seen) != 2 {
		t.Errorf("64 power cuts left %v, want some of the two whole states", seen)
	}
}

func TestTheShapeOfFilesSurvives(t *testing.T) {
	disk, root := plate(t)
	holes, taken, tool := filepath.Join(root, "holes"), filepath.Join(root, "taken"), filepath.Join(root, "tool")
	for _, path := range []string{holes, taken, tool} {
		if err := put(t, disk, path, "x"); err != nil {
			t.Fatal(err)
		}
	}
	room, err := os.OpenFile(taken, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer room.Close()
	err = errors.Join(os.Truncate(holes, 1<<20), syscall.Fallocate(int(room.Fd()), 0, 0, 64<<10), os.Chmod(tool, 0o711),
		os.Symlink("nowhere", filepath.Join(root, "link")), os.WriteFile(filepath.Join(root, "fairlead.db-wal"), []byte("w"), 0o600))
	copied, cut := root+"-copy", root+"-cut"
	err = errors.Join(err, disk.Settle(root), os.WriteFile(filepath.Join(root, "fairlead.db"), []byte("db"), 0o600),
		os.Remove(filepath.Join(root, "fairlead.db-wal")), os.WriteFile(filepath.Join(root, "raw"), []byte("raw"), 0o711),
		disk.SyncFolder(root), disk.Copy(root, copied))
	if _, lost := disk.PowerLoss(cut, nil); errors.Join(err, lost) != nil {
		t.Fatal(err, lost)
	}
	blocks := func(path string) int64 {
		var stat syscall.Stat_t
		if err := syscall.Stat(path, &stat); err != nil {
			t.Fatal(err)
		}
		return stat.Blocks * 512
	}
	for _, at := range []string{copied, cut} {
		for _, name := range []string{"holes", "taken"} {
			was, is := blocks(filepath.Join(root, name)), blocks(filepath.Join(at, name))
			if was != is {
				t.Errorf("%s takes %d bytes of the disk and took %d", name, is, was)
			}
		}
		for _, name := range []string{"tool", "raw"} {
			if info, err := os.Stat(filepath.Join(at, name)); err != nil || info.Mode().Perm() != 0o711 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
		}
		if target, err := os.Readlink(filepath.Join(at, "link")); target != "nowhere" {
			t.Errorf("link to %q, %v", target, err)
		}
		if list, _ := os.ReadDir(at); len(list) != 6 {
			t.Errorf("%s holds %v: the write-ahead log is not to come back", filepath.Base(at), list)
		}
		has(t, filepath.Join(at, "fairlead.db"), "db")
	}
}

// TestAFailedSyncIsNotMended covers the sync that is tried again: it reports a success that is none.
func TestAFailedSyncIsNotMended(t *testing.T) {
	disk, root := plate(t)
	path := filepath.Join(root, "f")
	if err := errors.Join(put(t, disk, path, "first"), disk.SyncFolder(root)); err != nil {
		t.Fatal(err)
	}
	disk.FailSync(2)
	if err := put(t, disk, path, "First"); err != nil {
		t.Errorf("the first of two syncs: %v", err)
	}
	for range 2 {
		if err := put(t, disk, path, "second"); !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v, want EIO", err)
		}
	}
	if err := disk.SyncFolder(root); !errors.Is(err, syscall.EIO) {
		t.Errorf("folder: got %v, want EIO", err)
	}
	disk.FailSync(0)
	if err := put(t, disk, path, "second"); err != nil {
		t.Fatal(err)
	}
	next, err := disk.PowerLoss(root+"-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(root+"-1", "f"), "First\x00")
	if err := put(t, disk, path, "third!"); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.PowerLoss(root+"-2", nil); err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(root+"-2", "f"), "third!")
	if _, err := next.PowerLoss(root+"-3", nil); err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(root+"-3", "f"), "First\x00")
}

// TestACopyRemembersWhatWasSynced covers a killed program whose successor lives on a copy.
func TestACopyRemembersWhatWasSynced(t *testing.T) {
	disk, root := plate(t)
	home, again := filepath.Join(root, "home"), filepath.Join(root, "again")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(put(t, disk, filepath.Join(home, "kept"), "kept"), disk.SyncFolder(home),
		os.WriteFile(filepath.Join(home, "kept"), []byte("kept and more"), 0o600),
		os.WriteFile(filepath.Join(home, "lost"), []byte("lost"), 0o600),
		disk.Copy(home, again), disk.SyncFolder(root))
	if err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(again, "lost"), "lost")
	if _, err := disk.PowerLoss(root+"-cut", nil); err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(root+"-cut", "again", "kept"), "kept")
	one, err := os.Stat(filepath.Join(root+"-cut", "home", "kept"))
	two, otherErr := os.Stat(filepath.Join(root+"-cut", "again", "kept"))
	if errors.Join(err, otherErr) != nil || os.SameFile(one, two) {
		t.Errorf("the copy and the original are one file: %v, %v", err, otherErr)
	}
	if _, err := os.Stat(filepath.Join(root+"-cut", "again", "lost")); err == nil {
		t.Error("a file that was never synced survived in the copy")
	}
}
