// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unicode/utf8"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// claim says who may decide over a ticket. The shim's names its process; the agent's carries the
// verdict, since nothing will ever run.
type claim struct {
	Process host.ProcessID    `json:"process"`
	WallMS  int64             `json:"wall_ms"`
	Verdict *contract.Verdict `json:"verdict,omitempty"`
}

// take tries to make c the claim of the ticket; of all who try, one wins. It is durable when take
// returns. A shim's claim is not synced itself: after a power cut its name alone, with empty
// content, tells that a shim had it in another boot. The agent's verdict must survive.
func (f folder) take(disk host.Disk, c claim) (won bool, err error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return false, errkind.Internal.Errorf("encode claim: %w", err)
	}
	temp, err := f.draftClaim(disk, raw, c.Verdict != nil)
	switch {
	case err == nil:
		err = os.Link(temp, f.path("claim"))
		_ = os.Remove(temp)
	case c.Verdict != nil && c.Verdict.Outcome == contract.NotStarted:
		err = f.takeWithout()
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, storage("claim the ticket", err)
	}
	if err := disk.SyncFolder(string(f)); err != nil {
		return false, storage("claim the ticket", err)
	}
	return true, nil
}

// draftClaim writes a claim to a file that nobody knows, and returns its path.
func (f folder) draftClaim(disk host.Disk, raw []byte, sync bool) (path string, err error) {
	file, err := durable.Unfinished(f.path("claim"))
	if err != nil {
		return "", err
	}
	_, err = file.Write(raw)
	if err == nil && sync {
		err = disk.Sync(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// claim returns the claim, or nil. Content that is none counts as a shim's of another boot.
func (f folder) claim() (*claim, error) {
	raw, err := f.read("claim")
	if raw == nil || err != nil {
		return nil, err
	}
	c := new(claim)
	if err := contract.Decode(raw, c); err != nil {
		if f.isTakenWithout() {
			return &claim{Verdict: f.withoutClaim()}, nil
		}
		return new(claim), nil
	}
	return c, nil
}

// The exit record is a file of fixed size, so that a full disk cannot swallow a verdict:
//
//	offset size field
//	0      4    "FLX1"
//	4      4    length of the verdict, big-endian, 1 … 4056
//	8      32   SHA-256 of the verdict
//	40     …    verdict in JSON, then zeros
const (
	exitRecordBytes  = 4 << 10
	exitHeaderBytes  = 40
	exitMagic        = "FLX1"
	maxReasonBytes   = 512 // at worst each byte becomes six in JSON
	fallocateDefault = 0
)

// allocateExit makes room for the exit record. Two shims may do so at once, and one of them when the
// other has ended: what it wrote stays.
func (f folder) allocateExit() (*os.File, error) {
	file, err := os.OpenFile(f.path("exit"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, storage("make room for the exit record", err)
	}
	err = syscall.Fallocate(int(file.Fd()), fallocateDefault, 0, exitRecordBytes)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		err = f.fillExit()
	}
	if err != nil {
		return nil, errors.Join(storage("make room for the exit record", err), file.Close())
	}
	return file, nil
}

// fillExit makes the room where the file system cannot set it aside. It only appends.
func (f folder) fillExit() error {
	file, err := os.OpenFile(f.path("exit"), os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Size() < exitRecordBytes {
		_, err = file.Write(make([]byte, exitRecordBytes))
	}
	return errors.Join(err, file.Close())
}

// nameLog makes the log's name, so that it is durable with the claim: the log itself is opened by
// whoever wins. Two shims may do so at once.
func (f folder) nameLog() error {
	file, err := os.OpenFile(f.path("log"), os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return storage("make the log", err)
	}
	return file.Close()
}

// writeExit writes the verdict and makes it durable. One that could not be made durable is taken back:
// what the agent then finds says so.
func writeExit(disk host.Disk, file *os.File, v contract.Verdict) error {
	if err := putExit(file, v); err != nil {
		return err
	}
	err := disk.Sync(file)
	if err == nil {
		return nil
	}
	v.Reason = storageFailed + " on the machine, the verdict could not be saved (" + err.Error() +
		"); the script: " + said(v)
	v.Outcome, v.Code = contract.Indeterminate, 0
	return storage("save the exit record", errors.Join(err, putExit(file, v)))
}

// putExit writes the record in its place.
func putExit(file *os.File, v contract.Verdict) error {
	v.Reason = shorten(v.Reason, maxReasonBytes)
	raw, err := json.Marshal(v)
	if err != nil {
		return errkind.Internal.Errorf("encode verdict: %w", err)
	}
	record := make([]byte, exitRecordBytes)
	copy(record, exitMagic)
	binary.BigEndian.PutUint32(record[4:], uint32(len(raw)))
	sum := sha256.Sum256(raw)
	copy(record[8:], sum[:])
	copy(record[exitHeaderBytes:], raw)
	if _, err := file.WriteAt(record, 0); err != nil {
		return storage("write the exit record", err)
	}
	return nil
}

// hasExit tells whether the exit record was begun, at less cost than exit.
func (f folder) hasExit() (bool, error) {
	file, err := f.open("exit")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, storage("read exit", err)
	}
	defer syscall.Close(file)
	var magic [len(exitMagic)]byte
	n, err := readFrom(file, magic[:])
	if err != nil {
		return false, storage("read exit", err)
	}
	return string(magic[:n]) == exitMagic, nil
}

// exit returns the verdict in the exit record, or nil when there is none: not written, or torn.
func (f folder) exit() (*contract.Verdict, error) {
	if begun, err := f.hasExit(); !begun || err != nil {
		return nil, err
	}
	raw, err := f.read("exit")
	if len(raw) < exitHeaderBytes || err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(raw[4:])
	if string(raw[:4]) != exitMagic || size == 0 || size > uint32(len(raw)-exitHeaderBytes) {
		return nil, nil
	}
	body := raw[exitHeaderBytes : exitHeaderBytes+size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], raw[8:exitHeaderBytes]) {
		return nil, nil
	}
	v := new(contract.Verdict)
	if err := contract.Decode(body, v); err != nil {
		return nil, nil
	}
	return v, nil
}

// shorten cuts text to at most limit bytes, between characters.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
