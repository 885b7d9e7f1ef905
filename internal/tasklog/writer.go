// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"bytes"
	"errors"
	"os"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// cutText stands in a log at the place where it reached its limit.
const cutText = "The log has reached its size limit: what machines print from here on is left out."

var errFinished = errkind.Conflict.Errorf("the log is finished")

// Writer appends to one log. A task has one at a time.
type Writer struct {
	folder *Folder
	task   deploy.TaskID
	tail   *tail
	file   *os.File

	mu       sync.Mutex // guards what follows
	size     int64
	last     int64 // number of the last line
	ends     map[contract.TicketID]int64
	marks    map[contract.TicketID]mark
	isCut    bool // the limit was reached
	finished bool
	closed   bool
	broken   error // why nothing can be appended any more
}

// Writer opens the log of a task for appending, making it if need be. It reads the whole file: it
// cuts a line that a crash tore and learns how much of each ticket the file holds. Errors:
// Conflict (has a writer, or is finished), Invalid (bad id), Exhausted, Denied.
func (f *Folder) Writer(task deploy.TaskID) (*Writer, error) {
	path, err := f.path(task)
	if err != nil {
		return nil, err
	}
	t := f.use(task)
	if !f.claim(t) {
		f.leave(task, t)
		return nil, errkind.Conflict.Errorf("write the log of task %s: it has a writer", task)
	}
	w := &Writer{folder: f, task: task, tail: t, ends: map[contract.TicketID]int64{}, marks: map[contract.TicketID]mark{}}
	if err := w.open(path); err != nil {
		f.release(t)
		f.leave(task, t)
		return nil, err
	}
	f.publish(t, w.size)
	return w, nil
}

func (f *Folder) claim(t *tail) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.writing {
		return false
	}
	// Followers see nothing new before the file is mended.
	t.writing, t.end = true, 0
	return true
}

func (f *Folder) release(t *tail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.writing = false
	t.wake()
}

func (f *Folder) publish(t *tail, end int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.end = end
	t.wake()
}

// Append assigns the numbers and writes the lines in one write. A line with a TicketEnd that the
// log holds already is left out. Beyond the size limit lines from tickets are counted as stored
// but left out, after a line that says so. Errors: Invalid (text longer than MaxTextBytes),
// Conflict (finished), Exhausted (disk full; nothing was appended), Unavailable (closed, or an
// earlier error left the file in doubt).
func (w *Writer) Append(lines ...Line) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	d := w.plan()
	size := 0
	for _, l := range lines {
		size += len(l.Text) + rowBytes
	}
	d.text.Grow(size)
	for _, l := range lines {
		if err := w.add(d, l); err != nil {
			return err
		}
	}
	return w.commit(d)
}

// draft is what an append is going to write.
type draft struct {
	text  bytes.Buffer
	last  int64
	ends  map[contract.TicketID]int64
	isCut bool
}

func (w *Writer) plan() *draft {
	return &draft{last: w.last, isCut: w.isCut, ends: map[contract.TicketID]int64{}}
}

func (w *Writer) add(d *draft, l Line) error {
	if len(l.Text) > MaxTextBytes {
		return errkind.Invalid.Errorf("append to the log of task %s: the text has %d bytes, want at most %d",
			w.task, len(l.Text), MaxTextBytes)
	}
	if l.Ticket != "" {
		if l.TicketEnd > 0 && l.TicketEnd <= max(w.ends[l.Ticket], d.ends[l.Ticket]) {
			return nil
		}
		d.ends[l.Ticket] = max(l.TicketEnd, d.ends[l.Ticket])
	}
	used := w.size + int64(d.text.Len())
	if used >= w.folder.limit && !d.isCut {
		d.isCut = true
		if err := w.put(d, Line{Category: Warning, Text: cutText}, true); err != nil {
			return err
		}
	}
	if d.isCut && (l.Ticket != "" || used >= w.folder.limit+reserveBytes) {
		return nil
	}
	return w.put(d, l, false)
}

func (w *Writer) put(d *draft, l Line, isCut bool) error {
	if l.At.IsZero() {
		l.At = w.folder.wall()
	}
	d.last++
	l.Number = d.last
	r := rowOf(l)
	r.IsCut = isCut
	return encode(&d.text, r)
}

// commit writes the draft and makes it known. What a failed write left is cut off again.
func (w *Writer) commit(d *draft) error {
	if d.text.Len() == 0 {
		w.remember(d)
		return nil
	}
	err := w.write(d.text.Bytes())
	if durable.IsFull(err) && w.broken == nil && w.folder.MakeRoom != nil && w.folder.MakeRoom() {
		err = w.write(d.text.Bytes())
	}
	if err != nil {
		return fault("append to the log of task "+string(w.task), err)
	}
	w.size += int64(d.text.Len())
	w.remember(d)
	w.folder.publish(w.tail, w.size)
	return nil
}

// write puts text behind what there is, all of it or nothing.
func (w *Writer) write(text []byte) error {
	n, err := w.file.WriteAt(text, w.size)
	if err != nil && n > 0 {
		if cerr := w.file.Truncate(w.size); cerr != nil {
			w.broken = errors.Join(err, cerr)
		}
	}
	return err
}

func (w *Writer) remember(d *draft) {
	w.last, w.isCut = d.last, d.isCut
	for ticket, end := range d.ends {
		w.ends[ticket] = max(end, w.ends[ticket])
	}
}

func (w *Writer) usable() error {
	switch {
	case w.broken != nil:
		return errkind.Unavailable.Errorf("the log of task %s cannot be written any more: %w", w.task, w.broken)
	case w.closed:
		return errkind.Unavailable.Errorf("append to the log of task %s: its writer is closed", w.task)
	case w.finished:
		return errkind.Conflict.Errorf("append to the log of task %s: %w", w.task, errFinished)
	}
	return nil
}

// TicketEnd is how much of a ticket's log is stored: where to go on from.
func (w *Writer) TicketEnd(ticket contract.TicketID) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ends[ticket]
}

// mark is how far a ticket's stream was checked.
type mark struct {
	end   int64
	state []byte
}

// Mark keeps the state of a check of the ticket's stream up to end, for whoever goes on after a
// restart. It is left out where the log has reached its size limit. Errors: as Append.
func (w *Writer) Mark(ticket contract.TicketID, end int64, state []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil || w.isCut {
		return err
	}
	d := w.plan()
	if err := encode(&d.text, row{Ticket: string(ticket), TicketEnd: end, Mark: state}); err != nil {
		return err
	}
	if err := w.commit(d); err != nil {
		return err
	}
	w.marks[ticket] = mark{end, state}
	return nil
}

// Marked is the last mark of a ticket; without one the check begins at 0 without a state.
func (w *Writer) Marked(ticket contract.TicketID) (end int64, state []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.marks[ticket]
	return m.end, m.state
}

// Flush makes everything appended so far durable. After an error nothing more can be written: a
// second try could report a success that is none.
func (w *Writer) Flush() error {
	w.mu.Lock()
	broken := w.broken
	w.mu.Unlock()
	if broken != nil {
		return errkind.Unavailable.Errorf("the log of task %s cannot be written any more: %w", w.task, broken)
	}
	err := w.folder.disk.Sync(w.file)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		w.mu.Lock()
		w.broken = err
		w.mu.Unlock()
	}
	return fault("store the log of task "+string(w.task), err)
}

// Finish marks the log as complete, durably. Followers end after its last line.
func (w *Writer) Finish() error {
	w.mu.Lock()
	if w.finished {
		w.mu.Unlock()
		return nil
	}
	err := w.usable()
	d := w.plan()
	if err == nil {
		err = encode(&d.text, row{Finished: true})
	}
	if err == nil {
		err = w.commit(d)
	}
	if err == nil {
		w.finished = true
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.Flush()
}

// Close ends the writer. Another may take the log over.
func (w *Writer) Close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.mu.Unlock()
	if again {
		return nil
	}
	w.folder.release(w.tail)
	w.folder.leave(w.task, w.tail)
	return fault("close the log of task "+string(w.task), w.file.Close())
}
