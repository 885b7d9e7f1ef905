// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"os"

	"fairlead/internal/errkind"
	"fairlead/sim/worker"
)

// maxProcesses bounds the processes of one command.
const maxProcesses = 64

// crew is some workers and the folder of their homes.
type crew struct {
	workers []*worker.Worker
	homes   string
}

// hire makes n workers.
func hire(c worker.Command, n int, l worker.Limits) (*crew, error) {
	if n < 1 || n > maxProcesses {
		return nil, errkind.Invalid.Errorf("--processes %d: want 1 to %d", n, maxProcesses)
	}
	homes, err := worker.MakeHomes()
	if err != nil {
		return nil, err
	}
	crew := &crew{homes: homes}
	for i := range n {
		crew.workers = append(crew.workers, worker.New(c, l, homes, i))
	}
	return crew, nil
}

// with hires workers for f and lets them go after it.
func (d desk) with(n int, l worker.Limits, f func([]*worker.Worker) error) error {
	c, err := hire(d.far, n, l)
	if err != nil {
		return err
	}
	err = f(c.workers)
	return errors.Join(err, worker.CloseAll(c.workers), os.RemoveAll(c.homes))
}

// interrupted is the error of work that the caller ended, nil otherwise.
func interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return errkind.Canceled.Errorf("interrupted")
}
