// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// open takes a file over: it makes the folder entry durable, reads the file and cuts what is torn.
func (w *Writer) open(path string) error {
	doing := "open the log of task " + string(w.task)
	var err error
	if w.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return fault(doing, err)
	}
	if err = w.recover(); err == nil && w.size == 0 {
		err = w.folder.disk.SyncFolder(filepath.Dir(path))
	}
	if err == nil && w.finished {
		err = errkind.Conflict.Errorf("write the log of task %s: %w", w.task, errFinished)
	}
	if err != nil {
		return errors.Join(fault(doing, err), w.file.Close())
	}
	return nil
}

// recover counts the whole lines and cuts what follows them.
func (w *Writer) recover() error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	s := newScan(w.file, 0, info.Size())
	for {
		stored, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		w.count(decode(stored))
	}
	w.size = s.offset
	if w.size < info.Size() {
		return w.file.Truncate(w.size)
	}
	return nil
}

func (w *Writer) count(r row) {
	w.finished = r.Finished
	if r.Finished {
		return
	}
	if len(r.Mark) > 0 {
		w.marks[contract.TicketID(r.Ticket)] = mark{r.TicketEnd, r.Mark}
		return
	}
	w.last = max(w.last+1, r.Number)
	w.isCut = w.isCut || r.IsCut
	if r.Ticket != "" {
		ticket := contract.TicketID(r.Ticket)
		w.ends[ticket] = max(w.ends[ticket], r.TicketEnd)
	}
}
