// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
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
	profile := ""
	return cli.Command{
		Name: farCommand, Summary: "carry plans out that stand on standard input", Hidden: true,
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&profile, "cpuprofile", "", "write where the processor's time goes into `file`.PID")
		},
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			return bubble.Main(func(t *testing.T) error {
				finish, err := startProfile(profile)
				if err != nil {
					return err
				}
				return errors.Join(worker.Serve(std.In, std.Out, serve(t)), finish())
			})
		},
	}
}

// serve carries out what is ordered, one plan after the other, with one set of templates.
func serve(t *testing.T) worker.Runner {
	templates := site.NewTemplates(filepath.Join(here, "templates"))
	return func(o worker.Order, p plan.Plan, tell func(time.Duration)) report.Report {
		if err := os.Chdir(o.Homes); err != nil {
			return report.Report{Name: p.Name, Trouble: err.Error()}
		}
		before := processorTime()
		r := carryOut(t, o, p, templates, tell)
		runtime.GC() // nothing else collects between runs
		r.CPU = processorTime() - before
		return r
	}
}

// processorTime is what this process has taken of the processors, its system calls included.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it has no way to fail with a valid pointer
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// startProfile begins a profile of the process; finish writes it. It does nothing for the path "".
func startProfile(path string) (finish func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path + "." + strconv.Itoa(os.Getpid()))
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		return nil, errkind.Denied.Errorf("write a profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
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
