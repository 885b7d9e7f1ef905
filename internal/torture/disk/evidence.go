// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/demo"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// effects is what one ticket's scripts wrote.
type effects struct{ begun, ended int }

// evidence is everything that is known when a run is over.
type evidence struct {
	acked   []string // tasks that the server said it had taken
	tasks   map[string]deploy.Task
	tickets []deploy.Ticket
	effects map[contract.TicketID]effects
}

// gather waits for the end of all tasks, stops the programs and reads what they and the scripts left.
func (s *site) gather(ctx context.Context, acked []string) (*evidence, error) {
	last := ""
	err := demo.Await(ctx, 2*recoverLimit, "the end of all tasks", func(ctx context.Context) (bool, error) {
		for _, id := range acked {
			task, err := s.demo.REST.Task(ctx, id)
			if said, is := errors.AsType[*demo.StatusError](err); is && said.Status == 404 {
				continue // the judgement says so
			}
			if err != nil || !task.IsCompleted {
				last = fmt.Sprintf("%s is %s", id, task.State)
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, last)
	}
	if err := s.stop(); err != nil {
		return nil, err
	}
	e := &evidence{acked: acked, tasks: map[string]deploy.Task{}}
	if e.effects, err = readEffects(s.effects); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(s.demo.ServerHome(), "fairlead.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	err = db.View(ctx, e.readStore)
	return e, errors.Join(err, db.Check(ctx), db.Close())
}

func (e *evidence) readStore(r store.Reader) error {
	tasks, _, err := r.Tasks(store.TaskFilter{Kind: deploy.ScriptTask})
	if err != nil {
		return err
	}
	for _, task := range tasks {
		e.tasks[string(task.ID)] = task
		tickets, err := r.Tickets(task.ID)
		if err != nil {
			return err
		}
		e.tickets = append(e.tickets, tickets...)
	}
	return nil
}

// readEffects reads lines "s TICKET" (begun) and "e TICKET CODE" (ended).
func readEffects(path string) (map[contract.TicketID]effects, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	all := map[contract.TicketID]effects{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		if len(words) < 2 || words[0] != "s" && words[0] != "e" {
			return nil, fmt.Errorf("line %q in the file of effects", scanner.Text())
		}
		of := all[contract.TicketID(words[1])]
		if words[0] == "s" {
			of.begun++
		} else {
			of.ended++
		}
		all[contract.TicketID(words[1])] = of
	}
	return all, scanner.Err()
}
