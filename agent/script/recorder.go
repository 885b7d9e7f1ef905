// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"fairlead/internal/contract"
	"fairlead/internal/host"
	"fairlead/internal/masking"
)

const (
	// maxLogBytes is the longest log of one ticket.
	maxLogBytes = 256 << 20
	// logReserveBytes at the end of that are for Fairlead's own remarks.
	logReserveBytes = 8 << 10
	// partialWait is how long an unfinished line waits for its newline.
	partialWait = 250 * time.Millisecond
)

// recorder writes a ticket's log: service messages are taken out, secrets are hidden, then lines of
// output become records, each write of the script's one write of ours, so that the file ends between
// records unless a write was torn. A log that cannot be written is cut; the script is never held up by it.
type recorder struct {
	disk    host.Disk
	file    *os.File
	wall    func() time.Time
	began   time.Time
	limit   int64
	secrets *masking.Set
	wake    chan<- struct{} // told, without waiting, after each change

	mu      sync.Mutex // guards what follows
	masks   [2]masker  // of stdout and stderr; nil when there is nothing to hide
	clean   []byte     // what a masker has let pass
	isBlind bool       // a masker has failed, or cannot look for a value
	spoken  spoken     // by service messages
	at      stamp      // of what is being recorded
	size    int64
	sum     hash.Hash
	batch   []byte // records that are not written yet
	lines   [3]line
	cut     bool
	diskErr error
	lost    string // set by close: what was not kept, in a sentence
}

// stamp is the time of all lines that one write of the script brought.
type stamp struct{ wallMS, monoUS int64 }

// line is the unfinished line of one source (index source-1).
type line struct {
	text  []byte
	since time.Time // of its first byte
	open  bool      // the last record had FlagMore
	// turned says that the line was recorded, for another level begins, and its end may be to come.
	turned bool
	lost   struct{ lines, bytes int64 }
}

func openRecorder(
	disk host.Disk, path string, limit int64, secrets *masking.Set, wall func() time.Time, wake chan<- struct{},
) (*recorder, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, storage("open the log", err)
	}
	r := &recorder{
		disk: disk, file: file, wall: wall, began: time.Now(), limit: limit, secrets: secrets, wake: wake, sum: sha256.New(),
	}
	if !secrets.Empty() {
		r.masks = [2]masker{secrets.Stream(), secrets.Stream()}
	}
	return r, nil
}

// source is the writer for one of the script's streams.
type source struct {
	r  *recorder
	id contract.Source
}

// Write never fails and never waits for a reader.
func (s source) Write(p []byte) (int, error) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.stampLocked()
	s.r.spoken.parsers[s.id-1].Write(p, heard(s))
	s.r.flushLocked()
	return len(p), nil
}

func (r *recorder) stampLocked() {
	r.at = stamp{r.wall().UnixMilli(), time.Since(r.began).Microseconds()}
}

// remark adds a line of Fairlead's own.
func (r *recorder) remark(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stampLocked()
	r.remarkLocked(r.secrets.Text(text))
	r.flushLocked()
}

func (r *recorder) remarkLocked(text string) {
	r.batch = contract.AppendRecord(r.batch, contract.Record{
		Source: contract.Agent, WallMS: r.at.wallMS, MonoUS: r.at.monoUS, Text: []byte(shorten(text, logReserveBytes/8)),
	})
}

func (r *recorder) splitLocked(id contract.Source, p []byte) {
	l := &r.lines[id-1]
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		switch {
		case l.turned && i == 0: // the end of a line that is recorded
		case len(l.text) == 0:
			r.lineLocked(id, p[:i])
		default:
			l.text = append(l.text, p[:i]...)
			r.lineLocked(id, l.text)
			l.text = l.text[:0]
		}
		p, l.turned = p[i+1:], false
	}
	if len(p) == 0 {
		return
	}
	l.turned = false
	if len(l.text) == 0 {
		l.since = time.Now()
	}
	l.text = append(l.text, p...)
	for len(l.text) >= contract.MaxRecordText {
		end := wholeRunes(l.text[:contract.MaxRecordText])
		r.recordLocked(id, contract.FlagMore, l.text[:end])
		l.text = append(l.text[:0], l.text[end:]...)
		l.since = time.Now()
	}
}

// wholeRunes is the length of text without a character that only begins at its end: its other
// bytes are still to come, and half a character would be shown as a wrong one.
func wholeRunes(text []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if start := len(text) - back; utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				return start
			}
			break
		}
	}
	return len(text)
}

// lineLocked records a whole line or the end of one, in pieces if it is long.
func (r *recorder) lineLocked(id contract.Source, text []byte) {
	for len(text) > contract.MaxRecordText {
		end := wholeRunes(text[:contract.MaxRecordText])
		r.recordLocked(id, contract.FlagMore, text[:end])
		text = text[end:]
	}
	r.recordLocked(id, 0, text)
}

func (r *recorder) recordLocked(id contract.Source, flags uint8, text []byte) {
	l := &r.lines[id-1]
	l.open = flags&contract.FlagMore != 0
	if id != contract.Agent {
		flags |= contract.LevelFlags(r.spoken.levels[id-1])
	}
	before := len(r.batch)
	record := contract.Record{Source: id, Flags: flags, WallMS: r.at.wallMS, MonoUS: r.at.monoUS, Text: text}
	end := record.End() + r.size + int64(before)
	if !r.cut && end > r.limit-logReserveBytes {
		r.cut = true
		r.remarkLocked(fmt.Sprintf("the log has reached its limit of %d bytes: what follows is counted, not kept", r.limit))
	}
	if r.cut {
		l.lost.bytes += int64(len(text))
		if !l.open {
			l.lost.lines++
		}
		return
	}
	r.batch = contract.AppendRecord(r.batch, record)
	if len(r.batch) >= 4*contract.MaxRecordText {
		r.flushLocked()
	}
}

// flushLocked writes the batch where the last whole record ended.
func (r *recorder) flushLocked() {
	if len(r.batch) > 0 && r.diskErr == nil {
		if _, err := r.file.WriteAt(r.batch, r.size); err != nil {
			r.cut, r.diskErr = true, err
			_ = r.file.Truncate(r.size)
		} else {
			r.sum.Write(r.batch)
			r.size += int64(len(r.batch))
		}
	}
	if r.diskErr != nil && len(r.batch) > 0 {
		r.countLostLocked()
	}
	r.batch = r.batch[:0]
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// countLostLocked counts the records of a batch that the disk refused.
func (r *recorder) countLostLocked() {
	for rest := r.batch; len(rest) > 0; {
		record, after, ok, err := contract.ParseRecord(rest, 0)
		if !ok || err != nil {
			return
		}
		l := &r.lines[record.Source-1]
		l.lost.bytes += int64(len(record.Text))
		if record.Flags&contract.FlagMore == 0 {
			l.lost.lines++
		}
		rest = after
	}
}

// partials records unfinished lines that have waited long enough and returns when the next one
// will have, or the zero time.
func (r *recorder) partials(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var next time.Time
	for i := range r.lines {
		l := &r.lines[i]
		if len(l.text) == 0 {
			continue
		}
		due := l.since.Add(partialWait)
		if now.Before(due) {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		if end := wholeRunes(l.text); end > 0 {
			r.stampLocked()
			r.recordLocked(contract.Source(i+1), contract.FlagMore, l.text[:end])
			l.text = append(l.text[:0], l.text[end:]...)
			r.flushLocked()
		}
		l.since = now
	}
	return next
}

// lossLocked says in a sentence what was not kept, and why; "" when everything was.
func (r *recorder) lossLocked() string {
	out, errs := r.lines[contract.Stdout-1].lost, r.lines[contract.Stderr-1].lost
	if out.bytes+errs.bytes+out.lines+errs.lines == 0 {
		return ""
	}
	why := ""
	switch {
	case r.diskErr != nil:
		why = " because of the disk: " + r.diskErr.Error()
	case r.isBlind:
		why = " because the sensitive values could not be hidden in it"
	}
	return fmt.Sprintf("not kept%s: %d lines, %d bytes of stdout; %d lines, %d bytes of stderr",
		why, out.lines, out.bytes, errs.lines, errs.bytes)
}

// close ends all lines, counts what was not kept, and syncs the log.
func (r *recorder) close() (end int64, hash string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stampLocked()
	for i := range r.masks {
		id := contract.Source(i + 1)
		r.spoken.parsers[i].Close(heard{r, id})
		r.splitLocked(id, r.hiddenLocked(id, nil, true))
	}
	for i := range r.lines {
		l := &r.lines[i]
		if len(l.text) > 0 || l.open {
			r.lineLocked(contract.Source(i+1), l.text)
			l.text = nil
		}
	}
	r.flushLocked()
	if r.lost = r.lossLocked(); r.lost != "" {
		r.diskErr = nil // one more try: there may be room again
		r.remarkLocked(r.lost)
		r.flushLocked()
	}
	err = r.disk.Sync(r.file)
	if closeErr := r.file.Close(); err == nil {
		err = closeErr
	}
	return r.size, hex.EncodeToString(r.sum.Sum(nil)), err
}
