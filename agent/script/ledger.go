// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/host"
)

const (
	// maxLedgerLines is how many forgotten tickets are remembered at least; the file is cut back
	// to that many when it has a tenth more.
	maxLedgerLines = 100_000
	// maxTaskCount is how many tasks' epochs are remembered.
	maxTaskCount = 10_000
)

// ledger remembers what must outlive a ticket's folder: that it was forgotten, so that it never
// starts again, and the highest epoch of each task. It is a text file of lines
//
//	forgot <ticket> <epoch> <task, quoted>
//	epoch - <epoch> <task, quoted>
//	at - <position of the journal> ""
//
// where a last line without its end was torn by a crash and is ignored. Tickets are kept in
// memory as the first 8 bytes of their SHA-256: 100,000 of them take about 2 MB, and two that
// collide by chance mean one start refused in 10^14.
type ledger struct {
	disk      host.Disk
	path      string
	named     bool // its name is durable: whoever made the file may have died before it was
	lines     int
	forgotten map[uint64]struct{}
	epochs    map[string]int64
	tasks     []string // keys of epochs in the order of their arrival
	position  int64    // highest of the journal's that the file names
	limit     int      // maxLedgerLines, less in tests
}

func openLedger(disk host.Disk, path string, limit int) (*ledger, error) {
	l := &ledger{disk: disk, path: path, limit: limit, forgotten: map[uint64]struct{}{}, epochs: map[string]int64{}}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, storage("read the ledger", err)
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1]
	if len(whole) < len(raw) {
		if err := os.Truncate(path, int64(len(whole))); err != nil {
			return nil, storage("mend the ledger", err)
		}
	}
	for line := range strings.Lines(string(whole)) {
		l.take(strings.TrimSuffix(line, "\n"))
	}
	return l, nil
}

// take learns one line; a line that is none was written by a newer version and is skipped.
func (l *ledger) take(line string) {
	word, rest, _ := strings.Cut(line, " ")
	ticket, rest, _ := strings.Cut(rest, " ")
	number, quoted, _ := strings.Cut(rest, " ")
	epoch, err := strconv.ParseInt(number, 10, 64)
	if word == "at" {
		l.position = max(l.position, epoch) // 0 when it cannot be read
		return
	}
	l.lines++
	if err != nil {
		return
	}
	if task, err := strconv.Unquote(quoted); err == nil {
		l.raise(task, epoch)
	}
	if word == "forgot" {
		l.forgotten[ticketKey(ticket)] = struct{}{}
	}
}

func ticketKey(ticket string) uint64 {
	sum := sha256.Sum256([]byte(ticket))
	return binary.BigEndian.Uint64(sum[:])
}

func (l *ledger) knows(id contract.TicketID) bool {
	_, ok := l.forgotten[ticketKey(string(id))]
	return ok
}

// raise remembers the epoch in memory and reports whether it is news.
func (l *ledger) raise(task string, epoch int64) bool {
	old, known := l.epochs[task]
	if task == "" || known && old >= epoch {
		return false
	}
	if !known {
		l.tasks = append(l.tasks, task)
	}
	l.epochs[task] = epoch
	if len(l.tasks) > maxTaskCount {
		delete(l.epochs, l.tasks[0])
		l.tasks = l.tasks[1:]
	}
	return true
}

func forgotLine(id contract.TicketID, task string, epoch int64) string {
	return fmt.Sprintf("forgot %s %d %s\n", id, epoch, strconv.Quote(task))
}

func epochLine(task string, epoch int64) string {
	return fmt.Sprintf("epoch - %d %s\n", epoch, strconv.Quote(task))
}

// write makes one line durable. It does not touch the memory; one caller at a time.
func (l *ledger) write(line string) error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return storage("write the ledger", err)
	}
	info, err := file.Stat()
	if err == nil {
		if _, err = file.WriteString(line); err != nil {
			err = errors.Join(err, file.Truncate(info.Size())) // no torn line in the middle
		}
	}
	if err == nil {
		err = l.disk.Sync(file)
	}
	if err == nil && !l.named {
		err = l.disk.SyncFolder(filepath.Dir(l.path))
		l.named = err == nil
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return storage("write the ledger", err)
	}
	return nil
}

// crowded reports whether the file should be cut back.
func (l *ledger) crowded() bool { return l.lines > l.limit+l.limit/10 }

// cutBack keeps the newest lines of the file and returns the ledger that they make. Epochs are
// bounded by themselves and stay. One caller at a time, who puts the result in place.
func (l *ledger) cutBack() (*ledger, error) {
	file, err := os.Open(l.path)
	if err != nil {
		return nil, storage("shorten the ledger", err)
	}
	defer file.Close()
	kept, err := newestLines(file, l.limit)
	if err != nil {
		return nil, storage("shorten the ledger", err)
	}
	dir := folder(filepath.Dir(l.path))
	text := strings.Join(kept, "") + atLine(l.position)
	if err := dir.replace(l.disk, filepath.Base(l.path), []byte(text)); err != nil {
		return nil, storage("shorten the ledger", err)
	}
	return openLedger(l.disk, l.path, l.limit)
}

// newestLines reads the last lines of a ledger, at most limit, without those on positions: the highest
// is written anew.
func newestLines(r io.Reader, limit int) (kept []string, err error) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return kept, nil // a line without its end is none
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(line, "at ") {
			continue
		}
		if kept = append(kept, line); len(kept) > limit {
			kept = kept[1:]
		}
	}
}
