// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// holeText stands in a log at the place where a power cut left a hole.
const holeText = "A power failure left a gap in this log: %d bytes from here on were removed. " +
	"What machines printed comes again below."

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

// recover counts the whole lines and cuts what follows them. No stored line has a zero byte: where
// there is one, a power cut left a hole, and what lies behind it was not flushed either. A ticket
// must go on before the hole, so all of that is cut too, and said in a line.
func (w *Writer) recover() error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	holed := false
	s := newScan(w.file, 0, info.Size())
	for !holed {
		w.size = s.offset
		stored, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if holed = bytes.IndexByte(stored, 0) >= 0; !holed {
			w.count(decode(stored))
		}
	}
	if w.size == info.Size() {
		return nil
	}
	if err := w.file.Truncate(w.size); err != nil || !holed {
		return err
	}
	d := w.plan()
	lost := fmt.Sprintf(holeText, info.Size()-w.size)
	if err := w.put(d, Line{Category: Warning, Text: lost}, false); err != nil {
		return err
	}
	return w.commit(d)
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
