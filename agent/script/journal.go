// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	bellName   = ".bell"
	ledgerName = ".ledger"
	// emptySHA256 is the hash of a log without records.
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// folder is a ticket's folder.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) ticket() string { return filepath.Base(string(f)) }

// read returns a file's content, or nil when there is none.
func (f folder) read(name string) ([]byte, error) {
	file, err := f.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, storage("read "+name, err)
	}
	defer syscall.Close(file)
	var info syscall.Stat_t
	if err := syscall.Fstat(file, &info); err != nil {
		return nil, storage("read "+name, err)
	}
	if info.Size > contract.MaxOrderBytes {
		return nil, errkind.Corrupt.Errorf("read %s: %d bytes, more than anything written here", name, info.Size)
	}
	raw := make([]byte, info.Size)
	if n, err := readFrom(file, raw); err != nil || n < len(raw) {
		return nil, storage("read "+name, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return raw, nil
}

// open opens a file of the journal for reading. A running ticket is looked at each second, and
// os.Open would first try whether the kernel can poll the file: six calls more than the four it takes.
func (f folder) open(name string) (file int, err error) {
	for {
		file, err = syscall.Open(f.path(name), syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return -1, &fs.PathError{Op: "open", Path: f.path(name), Err: err}
		}
	}
}

// readFrom fills b from the beginning of a file; n is less than its length when the file ends.
func readFrom(file int, b []byte) (n int, err error) {
	for n < len(b) {
		more, err := syscall.Pread(file, b[n:], int64(n))
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return n, err
		case more == 0:
			return n, nil
		default:
			n += more
		}
	}
	return n, nil
}

func (f folder) has(name string) bool {
	_, err := os.Lstat(f.path(name))
	return err == nil
}

// replace writes a file whole or not at all, durable when it returns.
func (f folder) replace(disk host.Disk, name string, raw []byte) error {
	return durable.Replace(disk, f.path(name), raw)
}

// create makes the folder with one file in it, and a position unless that is 0, durable when it
// returns. On an error of kind Exhausted nothing of it is left, also after a power cut.
func (f folder) create(disk host.Disk, name string, raw []byte, position int64) error {
	err := os.Mkdir(string(f), 0o700)
	if errors.Is(err, fs.ErrExist) { // left by a crash before the intent, see recovery
		err = nil
	}
	if err == nil && position > 0 {
		err = f.markPosition(position)
	}
	if err == nil {
		err = f.replace(disk, name, raw)
	}
	if err == nil {
		err = disk.SyncFolder(filepath.Dir(string(f)))
	}
	if err == nil {
		return nil
	}
	left := os.RemoveAll(string(f))
	if left == nil {
		left = disk.SyncFolder(filepath.Dir(string(f)))
	}
	if left != nil {
		return errkind.Internal.Errorf("keep the order: %w; and what was written cannot be removed for good: %w", err, left)
	}
	return storage("not started: keep the order", err)
}

// storage gives an error of the file system its kind and, for a full disk, a hint.
func storage(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EMFILE) {
		return errkind.Hinted(errkind.Exhausted.Errorf("%s: %w", what, err), "free space on the agent's disk: df -h, df -i")
	}
	return errkind.Internal.Errorf("%s: %w", what, err)
}

func (f folder) order() (contract.Order, error) {
	raw, err := f.read("order.json")
	if err != nil {
		return contract.Order{}, err
	}
	if raw == nil {
		return contract.Order{}, errkind.NotFound.Errorf("ticket %s: no order", f.ticket())
	}
	return ParseOrder(raw)
}

// cancelRequest is a durable request to end a ticket.
type cancelRequest struct {
	By      string `json:"by"`
	GraceMS int64  `json:"grace_ms"`
}

func (f folder) cancel() *cancelRequest {
	raw, err := f.read("cancel")
	if raw == nil || err != nil {
		return nil
	}
	c := new(cancelRequest)
	if contract.Decode(raw, c) != nil {
		return nil
	}
	return c
}

// verdict is the agent's own last word, or nil.
func (f folder) verdict() *contract.Verdict {
	raw, err := f.read("verdict")
	if raw == nil || err != nil {
		return nil
	}
	v := new(contract.Verdict)
	if contract.Decode(raw, v) != nil {
		return nil
	}
	return v
}

// markLaunched notes that one more shim may come to be in this boot. It needs no sync: a shim does
// not outlive the boot either. A note torn by a crash counts as none, which costs nothing: the
// claim lets one shim start the script, however many there are.
func (f folder) markLaunched(bootID string) error {
	note := fmt.Sprintf("%s %d\n", bootID, f.launchesIn(bootID)+1)
	if err := os.WriteFile(f.path("launched"), []byte(note), 0o600); err != nil {
		return storage("note the launch", err)
	}
	return nil
}

func (f folder) launchesIn(bootID string) int {
	raw, err := f.read("launched")
	boot, count, ok := strings.Cut(strings.TrimSpace(string(raw)), " ")
	if err != nil || !ok || boot != bootID {
		return 0
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return n
}

func (f folder) noteProcess(id host.ProcessID) {
	if raw, err := json.Marshal(id); err == nil {
		_ = os.WriteFile(f.path("process"), raw, 0o600) // only helps to clean up after a dead shim
	}
}

func (f folder) process() (host.ProcessID, bool) {
	var id host.ProcessID
	raw, err := f.read("process")
	if raw == nil || err != nil || contract.Decode(raw, &id) != nil {
		return host.ProcessID{}, false
	}
	return id, true
}

const maxTroubleBytes = 400

func (f folder) noteTrouble(err error) {
	_ = os.WriteFile(f.path("trouble"), []byte(shorten(err.Error(), maxTroubleBytes)), 0o600)
}

func (f folder) trouble() string {
	raw, err := f.read("trouble")
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

func itoa(n int) string { return strconv.Itoa(n) }
