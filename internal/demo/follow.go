// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LogLine is one line of a task's log as the server sends it.
type LogLine struct {
	Number   int64
	At       time.Time `json:"OccurredAt"`
	Category string
	// Node is "" for the task, "2" for step 2, "2/Machines-1" for step 2 on a machine.
	Node string
	Text string `json:"MessageText"`
}

// maxEventBytes is the longest server-sent event that is read.
const maxEventBytes = 16 << 20

// Follow hands out each line of a task's log as it appears, from the first, until the task has ended, and returns the
// task. A stream that breaks is opened again where it was, for as long as ctx allows: the server may be dead for a
// while. Errors of line end it.
func (r *REST) Follow(ctx context.Context, task string, line func(LogLine) error) (Task, error) {
	f := follower{line: line}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		err := r.stream(ctx, task, &f)
		refused, isRefused := errors.AsType[*StatusError](err)
		switch {
		case f.failed != nil:
			return Task{}, f.failed
		case f.done:
			return r.Task(ctx, task)
		case isRefused && refused.Status != http.StatusServiceUnavailable:
			return Task{}, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return Task{}, fmt.Errorf("follow %s: %w; the last stream ended with: %w", task, ctx.Err(), err)
		}
	}
}

// follower is how far a log was read.
type follower struct {
	line   func(LogLine) error
	offset int64
	done   bool
	failed error
}

// stream reads one connection's worth of events.
func (r *REST) stream(ctx context.Context, task string, f *follower) error {
	path := "/api/tasks/" + task + "/log?offset=" + strconv.FormatInt(f.offset, 10)
	response, err := r.open(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return readEvents(response.Body, f.take)
}

// event is one server-sent event.
type event struct{ name, id, data string }

// readEvents hands out whole events until take has had enough or the stream ends; one that was cut off is dropped.
func readEvents(stream io.Reader, take func(event) (more bool)) error {
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, maxEventBytes)
	var e event
	for scanner.Scan() {
		field, value, _ := strings.Cut(scanner.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case field == "" && value == "" && scanner.Text() == "":
			if e.name != "" && !take(e) {
				return nil
			}
			e = event{}
		case field == "event":
			e.name = value
		case field == "id":
			e.id = value
		case field == "data":
			e.data += value
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

func (f *follower) take(e event) (more bool) {
	switch e.name {
	case "lines":
		var lines []LogLine
		if f.failed = json.Unmarshal([]byte(e.data), &lines); f.failed != nil {
			return false
		}
		for _, l := range lines {
			if f.failed = f.line(l); f.failed != nil {
				return false
			}
		}
		f.offset, f.failed = parseOffset(e.id)
		return f.failed == nil
	case "done":
		var end struct{ IsCompleted bool }
		f.failed = json.Unmarshal([]byte(e.data), &end)
		f.done = end.IsCompleted // else the server stops, and the task goes on with the next one
		return false
	case "problem":
		return false
	}
	return true
}

func parseOffset(id string) (int64, error) {
	offset, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the id of an event is no offset: %w", err)
	}
	return offset, nil
}
