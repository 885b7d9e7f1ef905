// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
)

const (
	// watchInterval is how often a stream looks whether its reader may still read, and whether
	// the task has ended without finishing its log.
	watchInterval = 5 * time.Second
	// heartbeatEvery counts watches between two signs of life on a silent stream: 15 s.
	heartbeatEvery = 3
	// writeTimeout ends a stream whose reader has stopped reading.
	writeTimeout = 30 * time.Second
	// rawReadBytes is read from a log at once.
	rawReadBytes = 256 << 10
)

// rawLog streams the whole log as text.
func (a *api) rawLog(c *call) error {
	task, err := a.Catalog.Task(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	control := http.NewResponseController(c.w)
	var whole pieces
	for offset := int64(0); c.ctx().Err() == nil; {
		lines, next, err := a.Logs.Read(task.ID, offset, rawReadBytes)
		if err != nil && offset == 0 {
			c.w.Header().Del("Content-Type")
			return err
		}
		if err != nil || len(lines) == 0 || next <= offset {
			// The status has been sent; a short answer is all that can be said.
			writeRaw(c.w, whole.rest())
			return nil
		}
		offset = next
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		var complete []LogLine
		for _, line := range lines {
			if line, ok := whole.add(line); ok {
				complete = append(complete, line)
			}
		}
		if !writeRaw(c.w, complete) {
			return nil
		}
	}
	return nil
}

// writeRaw writes lines as text and reports whether the reader still takes them.
func writeRaw(w io.Writer, lines []LogLine) bool {
	for _, line := range lines {
		if _, err := fmt.Fprintf(w, "%s  %-9s %-16s %s\n",
			line.At.UTC().Format(time.RFC3339), line.Category, line.Node, tasklog.Visible(line.Text)); err != nil {
			return false
		}
	}
	return true
}

// batch is some lines of a log and the offset after them.
type batch struct {
	lines []LogLine
	next  int64
}

// followLog sends the log as server-sent events. The id of an event is the offset after its
// lines, so that a reader who lost the stream goes on where it was.
func (a *api) followLog(c *call) error {
	offset, err := c.logOffset()
	if err != nil {
		return err
	}
	task, err := a.Catalog.Task(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	s := &stream{api: a, call: c, task: task.ID, offset: offset, control: http.NewResponseController(c.w)}
	if err := s.run(); err != nil && c.ctx().Err() == nil {
		_ = s.send("problem", obj{"ErrorMessage": err.Error()})
	}
	return nil
}

// logOffset reads where to begin; Last-Event-ID, which browsers send by themselves, wins.
func (c *call) logOffset() (int64, error) {
	text := c.r.Header.Get("Last-Event-ID")
	if text == "" {
		text = c.query()["offset"]
	}
	if text == "" {
		return 0, nil
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 {
		return 0, errkind.Invalid.Errorf("the offset is %.40q: want 0 or the id of an event", text)
	}
	return offset, nil
}

// stream is one reader of a log. Its handler's goroutine is the only one that writes.
type stream struct {
	api     *api
	call    *call
	task    deploy.TaskID
	offset  int64
	control *http.ResponseController
}

func (s *stream) run() error {
	task, err := s.follow()
	if err != nil {
		return err
	}
	if task.State.IsCompleted() { // what came between the last batch and the end
		if err := s.drain(); err != nil {
			return err
		}
	}
	return s.send("done", obj{"State": task.State, "IsCompleted": task.State.IsCompleted(), "ErrorMessage": task.Error})
}

// follow sends batches until the log is finished or the task has ended.
func (s *stream) follow() (deploy.Task, error) {
	ctx, stop := context.WithCancel(s.call.ctx())
	batches := make(chan batch)
	var group sync.WaitGroup
	var ended error
	group.Go(func() {
		defer close(batches)
		ended = s.api.Logs.Follow(ctx, s.task, s.offset, func(lines []LogLine, next int64) error {
			select {
			case batches <- batch{lines, next}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	defer group.Wait()
	defer stop()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	if task, err := s.look(); err != nil || task.State.IsCompleted() {
		return task, err
	}
	for ticks := 1; ; {
		select {
		case b, open := <-batches:
			if !open {
				return s.afterEnd(ended)
			}
			if err := s.sendLines(b); err != nil {
				return deploy.Task{}, err
			}
		case <-ticker.C:
			task, err := s.look()
			if err != nil || task.State.IsCompleted() {
				return task, err
			}
			if ticks++; ticks%heartbeatEvery == 0 {
				if err := s.write(": still here\n\n"); err != nil {
					return deploy.Task{}, err
				}
			}
		}
	}
}

// afterEnd waits, briefly, for the state that goes with a finished log.
func (s *stream) afterEnd(ended error) (deploy.Task, error) {
	if ended != nil && !errors.Is(ended, io.EOF) {
		return deploy.Task{}, ended
	}
	ticker := time.NewTicker(watchInterval / 50)
	defer ticker.Stop()
	for range 50 {
		task, err := s.look()
		if err != nil || task.State.IsCompleted() {
			return task, err
		}
		select {
		case <-ticker.C:
		case <-s.call.ctx().Done():
			return task, s.call.ctx().Err()
		}
	}
	return s.look()
}

// look asks anew who reads, and where the task stands.
func (s *stream) look() (deploy.Task, error) {
	principal, err := s.api.authenticate(s.call)
	if err != nil {
		return deploy.Task{}, err
	}
	here := s.call.principal.SpaceID()
	return s.api.Catalog.Task(s.call.ctx(), principal.In(here), string(s.task))
}

// drain sends what is left of a log that is finished.
func (s *stream) drain() error {
	for {
		lines, next, err := s.api.Logs.Read(s.task, s.offset, rawReadBytes)
		if err != nil || len(lines) == 0 || next <= s.offset {
			return err
		}
		if err := s.sendLines(batch{lines, next}); err != nil {
			return err
		}
	}
}

func (s *stream) sendLines(b batch) error {
	s.offset = b.next
	return s.send("lines", list(b.lines))
}

func (s *stream) send(event string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return errkind.Internal.Errorf("encode a %s event: %w", event, err)
	}
	return s.write(fmt.Sprintf("event: %s\nid: %d\ndata: %s\n\n", event, s.offset, text))
}

func (s *stream) write(text string) error {
	// Not every writer has deadlines; those without cannot hang on a network.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := io.WriteString(s.call.w, text); err != nil {
		return errkind.Canceled.Errorf("write to the reader of %s: %w", s.task, err)
	}
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errkind.Canceled.Errorf("write to the reader of %s: %w", s.task, err)
	}
	return nil
}
