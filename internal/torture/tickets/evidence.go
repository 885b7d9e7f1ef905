// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/tasklog"
)

// effects is what one ticket's scripts wrote.
type effects struct {
	begun int
	ended []string // exit codes
}

// output is what the task's log holds of one ticket.
type output struct {
	lines    int // of the script
	verdicts int
}

// evidence is everything that is known when a run is over.
type evidence struct {
	tasks   []deploy.Task
	tickets []deploy.Ticket
	names   map[deploy.MachineID]string
	jobs    map[string]job               // by task, of those that were seen to end
	said    map[string]map[string]string // statuses by task and machine's name, as first told
	effects map[contract.TicketID]*effects
	outputs map[contract.TicketID]*output
	wanted  int // jobs that were seen to end
}

// gather stops all programs and reads the server's database, the tasks' logs, and what the scripts left.
func (a *arena) gather(ctx context.Context, w *work) (e *evidence, err error) {
	e = &evidence{
		names: map[deploy.MachineID]string{}, jobs: w.jobs, said: w.said,
		outputs: map[contract.TicketID]*output{}, wanted: w.ended(),
	}
	const keep = true
	if err := a.site.Close(ctx, keep); err != nil {
		return nil, err
	}
	if e.effects, err = readEffects(a.effects); err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, filepath.Join(a.site.ServerHome(), "fairlead.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	err = s.View(ctx, e.readStore)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	logs, err := tasklog.Open(filepath.Join(a.site.ServerHome(), "logs"), host.Fsync{}, time.Now)
	if err != nil {
		return nil, err
	}
	for _, task := range e.tasks {
		if err := e.readLog(logs, task.ID); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *evidence) readStore(r store.Reader) (err error) {
	if e.tasks, _, err = r.Tasks(store.TaskFilter{Kind: deploy.ScriptTask}); err != nil {
		return err
	}
	machines, err := r.Machines(store.MachineFilter{})
	if err != nil {
		return err
	}
	for _, m := range machines {
		e.names[m.ID] = m.Name
	}
	for _, task := range e.tasks {
		tickets, err := r.Tickets(task.ID)
		if err != nil {
			return err
		}
		e.tickets = append(e.tickets, tickets...)
	}
	return nil
}

// readLog counts the script's lines and the verdicts of each ticket.
func (e *evidence) readLog(logs *tasklog.Folder, task deploy.TaskID) error {
	lines, _, err := logs.Read(task, 0, math.MaxInt32)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", task, err)
	}
	for _, line := range lines {
		if line.Ticket == "" {
			continue
		}
		o := e.outputs[line.Ticket]
		if o == nil {
			o = &output{}
			e.outputs[line.Ticket] = o
		}
		switch {
		case line.Text == "out "+string(line.Ticket):
			o.lines++
		case isVerdict(line):
			o.verdicts++
		}
	}
	return nil
}

// isVerdict knows the words with which the server's engine closes a ticket.
func isVerdict(line tasklog.Line) bool {
	for _, words := range []string{
		"Succeeded", "The script succeeded", "Failed", "Canceled", "Timed out", "Not started", "Nobody can tell",
	} {
		if strings.HasPrefix(line.Text, words) {
			return true
		}
	}
	return false
}

// readEffects reads lines "s TICKET" (begun) and "e TICKET CODE" (ended).
func readEffects(path string) (map[contract.TicketID]*effects, error) {
	all := map[contract.TicketID]*effects{}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		if len(words) < 2 {
			return nil, fmt.Errorf("line %q in the file of effects", scanner.Text())
		}
		of := all[contract.TicketID(words[1])]
		if of == nil {
			of = &effects{}
			all[contract.TicketID(words[1])] = of
		}
		switch {
		case words[0] == "s" && len(words) == 2:
			of.begun++
		case words[0] == "e" && len(words) == 3:
			of.ended = append(of.ended, words[2])
		default:
			return nil, fmt.Errorf("line %q in the file of effects", scanner.Text())
		}
	}
	return all, scanner.Err()
}
