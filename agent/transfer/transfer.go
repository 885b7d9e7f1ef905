// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package transfer is the agent's end of moving content: it serves blob.missing, blob.drop, blob.check,
// blob.put, blob.which, blob.patch, file.put and file.get.
//
// It does not unpack, and it does not know which ticket content is for.
//
//		<home>/blobs/<sha256>        whole, checked, durable
//		<home>/blobs/<sha256>.part   its beginning, as far as it came
//		<home>/blobs/<sha256>.plain  hash and size of the blob that stands for this package: its plain
//		                             form (archive.Plain), made of an older package and a delta
//		<home>/files/<path>          files people send and fetch
//		<home>/files/.incoming/      files on their way, emptied at start
//
//	 1. What has a blob's name has its hash, also after a power cut: the content is hashed while it
//	    arrives, synced, and only then renamed. What an earlier run of the agent left is read again.
//	 2. A beginning is kept as far as the running sums prove it, chunk by chunk of 4 MiB, so that a cut
//	    costs what was under way, and damage costs one chunk (proof.go).
//	 3. One writer for each hash. A second one is a Conflict.
//	 4. No byte is written before the disk is known to have room; see space.go.
//	 5. Cleaning removes the least recently wanted blobs, never one that a reader holds, that an order
//	    waits for, or that was asked for within the last hour.
//	 6. Paths go through archive.CheckPath and os.Root. Nothing is written through a link.
//	 7. Memory: 64 KiB for each transfer, whatever its size, and 1 MiB for each patch.
//
// A Store may be used by many goroutines. blob.go serves blobs, proof.go knows how far they
// are right, receive.go reads, hashes and writes, patch.go makes a package of an older
// one, cache.go cleans, space.go looks at the disk, file.go serves files.
package transfer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	blobsFolder = "blobs"
	filesFolder = "files"
	// incoming lies in the files folder, so that a rename stays inside one file system.
	incoming = ".incoming"
	partEnd  = ".part"
	// MaxContentBytes is the longest blob or file: 10 GiB.
	MaxContentBytes = 10 << 30
)

// Options make a Store. Disk and Wall must be set.
type Options struct {
	// MaxCacheBytes is how much all blobs may take before old ones are cleaned away; 0 means no
	// limit. Blobs in use do not count as old, so that the limit may be passed for a while.
	MaxCacheBytes int64
	Disk          host.Disk
	// Wall stamps when a blob was last wanted.
	Wall func() time.Time
	// Needed names the packages, by hash, that orders of this machine wait for. It must not call the Store.
	// Nil means that there are none.
	Needed func() []string
	// Space looks at the disk; nil means statfs.
	Space func(dir string) (Space, error)
}

// Store keeps blobs and files below one home.
type Store struct {
	home    string
	options Options
	blobs   *os.Root
	files   *os.Root
	buffers sync.Pool // of *[bufferBytes]byte

	mu       sync.Mutex
	writing  map[string]bool // hashes that a put is busy with; at most one for each open stream
	reserved int64           // bytes promised to running transfers and not written yet
	// proofs of unfinished blobs, by hash. Whoever is named in writing may change his.
	proofs map[string]*proof
}

// New opens the folders below the agent's home, which must exist, and makes those that are
// missing. Errors: Conflict (something else lies in their place), or the file system's.
func New(home string, o Options) (*Store, error) {
	if o.Space == nil {
		o.Space = statfs
	}
	if o.Needed == nil {
		o.Needed = func() []string { return nil }
	}
	if o.Wall == nil || o.Disk == nil {
		return nil, errkind.Internal.Errorf("open the transfer store of %s: no disk or no wall clock was given", home)
	}
	store := &Store{home: home, options: o, writing: map[string]bool{}, proofs: map[string]*proof{}}
	store.buffers.New = func() any { return new([bufferBytes]byte) }
	var err error
	if store.blobs, err = openFolder(o.Disk, filepath.Join(home, blobsFolder)); err != nil {
		return nil, err
	}
	if store.files, err = openFolder(o.Disk, filepath.Join(home, filesFolder)); err != nil {
		return nil, errors.Join(err, store.blobs.Close())
	}
	if err := errors.Join(store.files.RemoveAll(incoming), store.files.Mkdir(incoming, 0o700)); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

func openFolder(disk host.Disk, path string) (*os.Root, error) {
	if err := durable.MakeFolder(disk, path); err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errkind.Hinted(errkind.Conflict.Errorf("%s is a %s and not a folder", path, info.Mode().Type()),
			"remove it; the agent makes the folder itself")
	}
	return os.OpenRoot(path)
}

// Close lets the folders go. No transfer may run.
func (s *Store) Close() error { return errors.Join(s.blobs.Close(), s.files.Close()) }

// Register serves the methods.
func (s *Store) Register(m *contract.Mux) {
	contract.Handle(m, contract.BlobMissing, s.missing)
	contract.Handle(m, contract.BlobDrop, s.drop)
	contract.Handle(m, contract.BlobWhich, s.which)
	contract.HandleStream(m, contract.BlobCheck, s.check)
	contract.HandleStream(m, contract.BlobPut, s.put)
	contract.HandleStream(m, contract.BlobPatch, s.patch)
	contract.HandleStream(m, contract.FilePut, s.putFile)
	contract.HandleStream(m, contract.FileGet, s.getFile)
}

// Blob is a blob that is being read. Cleaning leaves it alone until Close, also when another
// process (the step runner) holds it.
type Blob struct {
	*os.File
	Size int64
}

// OpenBlob opens the blob with this hash in an agent's home. It may be called from any process.
// Errors: Invalid (no hash), NotFound, or the file system's.
func OpenBlob(home, sum string) (*Blob, error) {
	if err := archive.CheckSum(sum); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(home, blobsFolder, sum), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errkind.NotFound.Errorf("content %.12s… is not on this machine", sum)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = lock(f, syscall.LOCK_SH)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Blob{File: f, Size: info.Size()}, nil
}

// lock takes a file lock or says at once that it cannot be had.
func lock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// checkSize refuses what can never be taken.
func checkSize(size int64) error {
	if size < 0 || size > MaxContentBytes {
		return errkind.Invalid.Errorf("content of %d bytes: want 0 to %d", size, int64(MaxContentBytes))
	}
	return nil
}

var _ io.ReaderAt = (*Blob)(nil)
