// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/sim/history"
)

// events is everything that happened: what was done, what the agents logged, and the starts that
// scripts noted. It adds to err what could not be read.
func (r *rig) events(err *error) []history.Event {
	all := r.book.Events()
	for _, a := range r.agents {
		said, readErr := r.logged(a.name)
		all, *err = append(all, said...), errors.Join(*err, readErr)
	}
	starts, readErr := r.starts()
	all, *err = append(all, starts...), errors.Join(*err, readErr)
	slices.SortStableFunc(all, func(a, b history.Event) int { return int(a.At - b.At) })
	return all
}

// logged are the events in the log of an agent.
func (r *rig) logged(name string) (events []history.Event, err error) {
	text, err := os.ReadFile(filepath.Join(r.dir, name+".log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	kinds := map[string]history.Kind{"line is up": history.LineUp, "line is down": history.LineDown}
	for line := range strings.Lines(string(text)) {
		var said struct {
			Time            time.Time
			Msg, Err, Cause string
		}
		if json.Unmarshal([]byte(line), &said) != nil {
			continue // a crash's last words
		}
		if kind, known := kinds[said.Msg]; known {
			events = append(events, history.Event{
				At: said.Time.Sub(r.began), Kind: kind, Who: name, Text: said.Err, Cause: said.Cause,
			})
		}
	}
	return events, nil
}

// startWords are those of a line that a script notes: op, machine, ticket, nanoseconds, process.
const startWords = 5

// starts are the starts that scripts noted.
func (r *rig) starts() (events []history.Event, err error) {
	text, err := os.ReadFile(r.startsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tasks := map[string]history.Event{}
	for _, e := range r.book.Events() {
		if name, is := strings.CutPrefix(e.Text, "script "); is && e.Kind == history.Answered {
			tasks[name] = e
		}
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) != startWords {
			return nil, fmt.Errorf("a script noted its start as %q: want %d words", line, startWords)
		}
		nanos, err := strconv.ParseInt(words[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("a script noted its start as %q: %w", line, err)
		}
		pid, err := strconv.Atoi(words[4])
		if err != nil {
			return nil, fmt.Errorf("a script noted its start as %q: %w", line, err)
		}
		events = append(events, history.Event{
			At: time.Unix(0, nanos).Sub(r.began), Kind: history.Started, Who: words[1], Task: tasks[words[0]].Task,
			Ticket: contract.TicketID(words[2]), N: pid,
		})
	}
	return events, nil
}

// keepLogs copies the logs of the programs to a folder.
func keepLogs(from, to string) error {
	logs, err := filepath.Glob(filepath.Join(from, "*.log"))
	if err != nil || os.MkdirAll(to, 0o700) != nil {
		return errors.Join(err, fmt.Errorf("keep logs in %s: it cannot be made", to))
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(path)), text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
