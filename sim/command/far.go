// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/bubble"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/site"
	"fairlead/sim/worker"
)

const (
	farCommand = "far-side"
	// tellEvery is how often a run tells how far it is, in real time.
	tellEvery = 250 * time.Millisecond
	// traceBuffer is in bytes.
	traceBuffer = 1 << 20
	// here is the folder that the process is in, by a path that is the same in every process: programs
	// tell their paths, and what they tell is compared. Source: proc(5).
	here = "/proc/self/cwd"
)

// far is the far side of package worker.
func far() cli.Command {
	return cli.Command{
		Name: farCommand, Summary: "carry plans out that stand on standard input", Hidden: true,
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			return bubble.Main(func(t *testing.T) error {
				templates := site.NewTemplates(filepath.Join(here, "templates"))
				return worker.Serve(std.In, std.Out, func(o worker.Order, p plan.Plan, tell func(time.Duration)) report.Report {
					if err := os.Chdir(o.Homes); err != nil {
						return report.Report{Name: p.Name, Trouble: err.Error()}
					}
					defer runtime.GC() // nothing else collects between runs
					return carryOut(t, o, p, templates, tell)
				})
			})
		},
	}
}

// carryOut runs one plan and writes its files.
func carryOut(
	t *testing.T, o worker.Order, p plan.Plan, templates *site.Templates, tell func(time.Duration),
) report.Report {
	var began time.Time
	idle := bubble.Idle{Every: tellEvery, Tell: func(now time.Time) {
		if began.IsZero() {
			began = now
		}
		tell(now.Sub(began))
	}}
	options := site.Options{Dir: here, Templates: templates, Idle: idle.Round}
	var files outputs
	files.open(o.Trace, &options.Trace)
	files.open(o.Log, &options.Log)
	if o.Capture != "" {
		options.Capture = &netem.Capture{Comment: p.Name}
	}
	if files.err != nil {
		return report.Report{Name: p.Name, Hash: p.Hash(), Seed: p.Seed, Trouble: files.err.Error()}
	}
	r := site.Run(t, p, options)
	if options.Capture != nil {
		var out io.Writer
		files.open(o.Capture, &out)
		if out != nil {
			_, err := options.Capture.WriteTo(out)
			files.note(err)
		}
	}
	if files.close(); files.err != nil && r.Trouble == "" {
		r.Trouble = files.err.Error()
	}
	return r
}

// outputs are files that a run writes. The first error is kept.
type outputs struct {
	closers []func() error
	err     error
}

func (o *outputs) note(err error) {
	if err != nil && o.err == nil {
		o.err = errkind.Denied.Errorf("write what the run leaves behind: %w", err)
	}
}

// open makes a file and sets to; it does nothing for the path "".
func (o *outputs) open(path string, to *io.Writer) {
	if path == "" {
		return
	}
	file, err := os.Create(path)
	if err != nil {
		o.note(err)
		return
	}
	buffered := bufio.NewWriterSize(file, traceBuffer)
	o.closers = append(o.closers, func() error { return errors.Join(buffered.Flush(), file.Close()) })
	*to = buffered
}

func (o *outputs) close() {
	for _, c := range o.closers {
		o.note(c())
	}
}
