// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// What a disk asks of the kernel, with as few calls as there can be: a run asks some thousand times, and
// package os takes six calls where three will do.

const (
	// listBytes is the room for a folder's entries that one call fills.
	listBytes = 8 << 10
	// entryHeadBytes is where a name begins in struct linux_dirent64. Source: getdents64(2).
	entryHeadBytes = 19
	entryKindAt    = 18
	entrySizeAt    = 16
)

// openAt opens a path for reading.
func openAt(path string, flags int) (fd int, err error) {
	for {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|flags, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		return fd, nil
	}
}

// madeMode is what makeAt gives a file.
const madeMode fs.FileMode = 0o600

// makeAt makes a file for writing that must not exist.
func makeAt(path string) (fd int, err error) {
	for {
		fd, err = syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, uint32(madeMode))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "make", Path: path, Err: err}
		}
		return fd, nil
	}
}

// writeAt writes all of data into an open file.
func writeAt(fd int, data []byte, at int64) error {
	for len(data) > 0 {
		n, err := syscall.Pwrite(fd, data, at)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("write %d bytes at %d of an open file: %w", len(data), at, err)
		}
		data, at = data[n:], at+int64(n)
	}
	return nil
}

func statOf(fd int) (*syscall.Stat_t, error) {
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("look at an open file: %w", err)
	}
	return &stat, nil
}

func isFolder(s *syscall.Stat_t) bool { return s.Mode&syscall.S_IFMT == syscall.S_IFDIR }

// hasHoles reports whether less room is taken than the content needs. A file of which room was
// taken before it was written has none.
func hasHoles(s *syscall.Stat_t) bool { return s.Blocks*512 < s.Size }

// readContent reads a file, and when it was changed.
func readContent(path string) (c content, changed time.Time, err error) {
	fd, err := openAt(path, 0)
	if err != nil {
		return c, changed, err
	}
	defer syscall.Close(fd)
	stat, err := statOf(fd)
	if err != nil {
		return c, changed, err
	}
	if stat.Size > maxSyncedBytes {
		return c, changed, fmt.Errorf("read %s of %d bytes: the simulated disk remembers %d at most",
			path, stat.Size, maxSyncedBytes)
	}
	c = content{
		data: make([]byte, stat.Size), mode: fs.FileMode(stat.Mode) & fs.ModePerm, sparse: hasHoles(stat),
	}
	read := 0
	for read < len(c.data) {
		n, err := syscall.Pread(fd, c.data[read:], int64(read))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return c, changed, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			break // it has become shorter
		}
		read += n
	}
	c.data = c.data[:read]
	return c, time.Unix(stat.Mtim.Unix()), nil
}

// listed is an entry of a folder: 0 is the kind of a file.
type listed struct {
	name string
	kind fs.FileMode
}

// entriesOf lists the files, folders and symbolic links of an open folder.
func entriesOf(fd int) (list []listed, err error) {
	var room [listBytes]byte
	for {
		n, err := syscall.ReadDirent(fd, room[:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return list, err
		}
		for rest := room[:n]; len(rest) > entryHeadBytes; {
			size := int(binary.NativeEndian.Uint16(rest[entrySizeAt:]))
			one := listed{name: text(rest[entryHeadBytes:size])}
			isKept := one.name != "." && one.name != ".."
			switch rest[entryKindAt] {
			case syscall.DT_REG:
			case syscall.DT_DIR:
				one.kind = fs.ModeDir
			case syscall.DT_LNK:
				one.kind = fs.ModeSymlink
			case syscall.DT_UNKNOWN:
				return nil, fmt.Errorf("the file system does not tell files from folders: %w", syscall.ENOTSUP)
			default:
				isKept = false
			}
			if isKept {
				list = append(list, one)
			}
			rest = rest[size:]
		}
	}
}

// text is what stands before the first NUL.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
