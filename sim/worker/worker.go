// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/plan"
)

// Command starts the far side: a program that calls Serve.
type Command struct {
	Path string
	Args []string
	Env  []string // nil is the environment of this process
}

// Limits of a worker. The zero value has the defaults.
type Limits struct {
	// Silence is how long a run's own time may stand still, in real time; 0 means 90 s. Whole is how
	// long a run may take; 0 means 15 min.
	Silence, Whole time.Duration
	// Runs is how many runs a process has before it is replaced; 0 means 400.
	Runs int
}

const (
	defaultSilence = 90 * time.Second
	defaultWhole   = 15 * time.Minute
	defaultRuns    = 400
	// startLimit is how long a process may take until it is there.
	startLimit = 90 * time.Second
	// farewell is how long a process without work may take to end.
	farewell = 5 * time.Second
)

func (l Limits) orDefaults() Limits {
	if l.Silence == 0 {
		l.Silence = defaultSilence
	}
	if l.Whole == 0 {
		l.Whole = defaultWhole
	}
	if l.Runs == 0 {
		l.Runs = defaultRuns
	}
	return l
}

// Worker carries plans out, one after the other.
type Worker struct {
	command Command
	limits  Limits
	homes   string
	process *process
	number  int
}

// New makes a worker whose homes lie in a folder of their own below homes. place tells workers beside
// each other apart.
func New(c Command, l Limits, homes string, place int) *Worker {
	return &Worker{command: c, limits: l.orDefaults(), homes: filepath.Join(homes, "w"+strconv.Itoa(place))}
}

// Run carries one plan out. tell, if not nil, gets the time that has passed in the run. The end of ctx
// ends the run. Errors: Internal, when no process could be started; then there is no outcome.
func (w *Worker) Run(ctx context.Context, p plan.Plan, files Files, tell func(time.Duration)) (Outcome, error) {
	if w.process == nil {
		if err := os.MkdirAll(w.homes, 0o700); err != nil {
			return Outcome{}, errkind.Internal.Errorf("make a folder for homes: %w", err)
		}
		var err error
		if w.process, err = start(w.command); err != nil {
			return Outcome{}, err
		}
	}
	w.number++
	o := w.await(ctx, Order{Number: w.number, Plan: string(p.Format()), Homes: w.homes, Files: files}, tell)
	if o.Fate != Done {
		o.Report.Name, o.Report.Hash, o.Report.Seed = p.Name, p.Hash(), p.Seed
	}
	if o.Fate == Done && w.process.runs < w.limits.Runs {
		return o, nil
	}
	return o, w.end(farewell)
}

// await hands an order to the process and waits for its end.
func (w *Worker) await(ctx context.Context, order Order, tell func(time.Duration)) Outcome {
	p := w.process
	if p.runs == 0 {
		if o := w.ready(ctx); o.Fate != Done {
			return o
		}
	}
	if p.order(order) != nil {
		return w.crashed()
	}
	whole, silence := time.NewTimer(w.limits.Whole), time.NewTimer(w.limits.Silence)
	defer whole.Stop()
	defer silence.Stop()
	last := time.Duration(-1)
	for {
		select {
		case r, open := <-p.replies:
			switch {
			case !open:
				return w.crashed()
			case r.Number != order.Number:
				return w.confused(r, order.Number)
			case r.Report != nil:
				return Outcome{Report: *r.Report}
			case r.At > last:
				last = r.At
				silence.Reset(w.limits.Silence)
				if tell != nil {
					tell(r.At)
				}
			}
		case <-silence.C:
			return w.hung("its time stood still for " + w.limits.Silence.String())
		case <-whole.C:
			return w.hung("it took more than " + w.limits.Whole.String())
		case <-ctx.Done():
			p.kill()
			return Outcome{Fate: Stopped}
		}
	}
}

// ready waits until a new process is there: on a busy machine that takes longer than a run may be silent.
func (w *Worker) ready(ctx context.Context) Outcome {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case r, open := <-w.process.replies:
		switch {
		case !open:
			return w.crashed()
		case r.Number != 0 || r.Report != nil:
			return w.confused(r, 0)
		}
		return Outcome{}
	case <-limit.C:
		return w.hung("it did not start within " + startLimit.String())
	case <-ctx.Done():
		w.process.kill()
		return Outcome{Fate: Stopped}
	}
}

// confused ends a process that answered what it was not asked.
func (w *Worker) confused(r Reply, asked int) Outcome {
	w.process.kill()
	said := fmt.Sprintf("it answered order %d, and was asked for order %d\n", r.Number, asked)
	return Outcome{Fate: Crashed, Said: said + w.process.said.String()}
}

func (w *Worker) crashed() Outcome {
	w.process.kill()
	return Outcome{Fate: Crashed, Said: w.process.said.String()}
}

func (w *Worker) hung(why string) Outcome {
	w.process.stacks()
	return Outcome{Fate: Hung, Said: why + "\n" + w.process.said.String()}
}

// end ends the process and removes its homes.
func (w *Worker) end(limit time.Duration) error {
	if w.process != nil {
		w.process.end(limit)
		w.process = nil
	}
	if err := os.RemoveAll(w.homes); err != nil {
		return errkind.Internal.Errorf("remove the homes of runs: %w", err)
	}
	return nil
}

// Close ends the process.
func (w *Worker) Close() error { return w.end(farewell) }

// CloseAll closes workers and returns their errors as one.
func CloseAll(workers []*Worker) error {
	errs := make([]error, len(workers))
	for i, w := range workers {
		errs[i] = w.Close()
	}
	return errors.Join(errs...)
}
