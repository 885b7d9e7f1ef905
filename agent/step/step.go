// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"fairlead/agent/transfer"
	"fairlead/agent/variables"
	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Options are what Run needs. Out, Err, Exec, Disk and Wall must be set.
type Options struct {
	Home string // the agent's home folder
	Dir  string // the ticket's folder, which holds order.json
	// Out takes one line for each stage and the hooks' output, Err warnings, the reason of a
	// failure and the hooks' errors.
	Out, Err io.Writer
	Exec     host.Exec
	Disk     host.Disk
	Wall     func() time.Time
	// Point marks crash points; nil means none.
	Point func(name string)
	// Env reads the environment that the shim built for this order; hooks get PATH, HOME, LANG and
	// USER from it, besides the order's variables named env:…. Nil means an empty one.
	Env func(name string) string
	// Limits bound what a package may unpack to; the zero value means archive.DefaultLimits.
	Limits archive.Limits
}

// The names that hooks and substitution find besides the order's own variables.
const (
	varInstallDir = "Octopus.Action.Package.InstallationDirectoryPath"
	varPackageID  = "Octopus.Action.Package.PackageId"
	varVersion    = "Octopus.Action.Package.PackageVersion"
	varCurrent    = "Fairlead.Current.Path"
	varCustomDir  = "Octopus.Action.Package.CustomInstallationDirectory"
	// varPrevious and varPreviousSuccess begin what is told of the last installation before this one.
	varPrevious        = "Octopus.Tentacle.PreviousInstallation."
	varPreviousSuccess = "Octopus.Tentacle.PreviousSuccessfulInstallation."
	// outInstallDir is the output variable that says where the package is.
	outInstallDir = "Package.InstallationDirectoryPath"
)

// The hooks, in the package's top folder.
const (
	hookBefore = "PreDeploy.sh"
	hookDeploy = "Deploy.sh"
	hookAfter  = "PostDeploy.sh"
	hookFailed = "DeployFailed.sh"
)

// Run carries the order in Dir out and returns the exit code: 0, the code of the hook that failed,
// or 1. It has said why on Err.
func Run(ctx context.Context, o Options) int {
	if o.Point == nil {
		o.Point = func(string) {}
	}
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	if o.Limits == (archive.Limits{}) {
		o.Limits = archive.DefaultLimits()
	}
	err := run(ctx, o)
	if err == nil {
		return 0
	}
	fmt.Fprintf(o.Err, "failed: %v\n", err)
	if hint := errkind.Hint(err); hint != "" {
		fmt.Fprintf(o.Err, "hint: %s\n", hint)
	}
	if failed, ok := errors.AsType[*hookError](err); ok && failed.exit.Code > 0 {
		return failed.exit.Code
	}
	return 1
}

func run(ctx context.Context, o Options) error {
	order, err := readOrder(filepath.Join(o.Dir, "order.json"))
	if err != nil {
		return err
	}
	s := &step{Options: o, order: order, pack: *order.Package}
	if s.pack.Run != nil {
		return s.runScript(ctx)
	}
	if s.place, err = openPlace(ctx, o, s.pack); err != nil {
		return err
	}
	defer s.place.close()
	if isThere, err := s.isThere(ctx); isThere || err != nil {
		return err
	}
	if err := s.install(ctx); err != nil {
		return errors.Join(err, s.fail(ctx, err))
	}
	if err := s.retain(ctx); err != nil {
		s.warn("old installations stay: %v", err)
	}
	return nil
}

func readOrder(path string) (contract.Order, error) {
	var order contract.Order
	raw, err := os.ReadFile(path)
	if err != nil {
		return order, err
	}
	if err := contract.Decode(raw, &order); err != nil {
		return order, err
	}
	p := order.Package
	if p == nil {
		return order, errkind.Invalid.Errorf("order %s holds no package", order.Ticket)
	}
	for name, value := range map[string]string{"id": p.ID, "version": p.Version, "environment": p.Environment} {
		if value == "" {
			return order, errkind.Invalid.Errorf("order %s: the package's %s is empty", order.Ticket, name)
		}
	}
	if p.Keep < 0 {
		return order, errkind.Invalid.Errorf("order %s: keep %d: want 0 or more", order.Ticket, p.Keep)
	}
	_, err = archive.ParseFormat(p.Format)
	if err = errors.Join(err, checkGlobs(p.SubstituteIn), checkGlobs(p.ConfigureIn)); err != nil {
		return order, err
	}
	if p.Run != nil && !fs.ValidPath(p.Run.Path) {
		return order, errkind.Invalid.Errorf("order %s: script %.200q: want a path inside of the package",
			order.Ticket, p.Run.Path)
	}
	return order, checkCopy(p.Copy)
}

// step is one order under way.
type step struct {
	Options
	order contract.Order
	pack  contract.Package
	place *place

	folder   string // name of the installation in the place; "" before it is there
	dir      string // where hooks run: the installation, then its copy, or the package of a script
	preamble string
	values   *deploy.Values    // with the raw values, which files expand
	shown    map[string]string // the values as hooks get them
	previous string            // what current named before
	switched bool
}

func (s *step) say(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

func (s *step) warn(format string, args ...any) { fmt.Fprintf(s.Err, "warning: "+format+"\n", args...) }

// install does everything up to the journal's word that it succeeded.
func (s *step) install(ctx context.Context) error {
	if err := s.unpack(ctx); err != nil {
		return err
	}
	s.Point("step.unpacked")
	if err := s.prepareHooks(); err != nil {
		return err
	}
	var hooks contract.Hooks
	if s.pack.Hooks != nil {
		hooks = *s.pack.Hooks
	}
	for _, stage := range []func(context.Context) error{
		func(ctx context.Context) error { return s.stage(ctx, hookBefore, hooks.PreDeploy) },
		s.substitute,
		s.configure,
		s.copy,
		func(ctx context.Context) error { return s.stage(ctx, hookDeploy, hooks.Deploy) },
		s.use,
		func(ctx context.Context) error { return s.stage(ctx, hookAfter, hooks.PostDeploy) },
	} {
		if err := ctx.Err(); err != nil {
			return errkind.Canceled.Errorf("the order was canceled: %w", err)
		}
		if err := stage(ctx); err != nil {
			return err
		}
	}
	s.Point("step.deployed")
	if err := s.note(ctx, succeeded); err != nil {
		return err
	}
	s.tell(s.dir)
	return nil
}

// tell sets the output variable that later steps find the package by.
func (s *step) tell(dir string) {
	name, value := base64.StdEncoding.EncodeToString([]byte(outInstallDir)), base64.StdEncoding.EncodeToString([]byte(dir))
	s.say("##octopus[setVariable name='%s' value='%s']", name, value)
}

// openPackage reads the package's table of contents. Done gives the file back.
func (s *step) openPackage() (packed *archive.Archive, done func(), err error) {
	blob, format, err := transfer.OpenPackage(s.Home, s.pack)
	if err != nil {
		return nil, nil, err
	}
	if packed, err = archive.Open(blob, blob.Size, format); err != nil {
		_ = blob.Close()
		return nil, nil, err
	}
	return packed, func() { _ = blob.Close() }, nil
}

// unpackInto says of what goes wrong in which package it does. Its hash is that of the feed, so one that is damaged
// came there so.
func (s *step) unpackInto(ctx context.Context, packed *archive.Archive, root *os.Root) (archive.Summary, error) {
	sum, err := archive.Unpack(ctx, packed, root, s.Limits, nil)
	if err == nil {
		return sum, nil
	}
	err = fmt.Errorf("unpack %s %s: %w", s.pack.ID, s.pack.Version, err)
	if errkind.Of(err) == errkind.Corrupt && errkind.Hint(err) == "" {
		err = errkind.Hinted(err,
			"it was pushed damaged: push it again, whole, as a new version or with overwriteMode=OverwriteExisting")
	}
	return sum, err
}

// unpack makes the installation's folder, whole or not at all.
func (s *step) unpack(ctx context.Context) error {
	packed, done, err := s.openPackage()
	if err != nil {
		return err
	}
	defer done()
	partial, root, err := s.place.makePartial()
	if err != nil {
		return err
	}
	defer root.Close()
	sum, err := s.unpackInto(ctx, packed, root)
	if err == nil {
		err = syncAll(s.Disk, root)
	}
	if err != nil {
		return errors.Join(err, s.place.root.RemoveAll(partial))
	}
	s.Point("step.partial")
	folder, err := s.place.freeName(s.pack.Version)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, folder); err != nil {
		return err
	}
	if err := s.place.adopt(partial, folder); err != nil {
		return err
	}
	s.folder, s.dir = folder, s.place.path(folder)
	s.say("unpacked %s %s: %s, %s, to %s", s.pack.ID, s.pack.Version,
		counted(sum.Files, "file"), sizeWord(sum.Bytes), s.place.path(folder))
	if sum.Dropped > 0 {
		s.warn("%s left out: a package brings files, folders and links only", counted(sum.Dropped, "special file"))
	}
	return nil
}

// prepareHooks writes the variables down for bash and for substitution.
func (s *step) prepareHooks() error {
	vars, own := variables.Here(s.Home, s.order.Variables), map[string]string{}
	own[varInstallDir] = s.dir
	own[varPackageID], own[varVersion] = s.pack.ID, s.pack.Version
	if s.pack.Copy != nil {
		own[varCustomDir] = s.pack.Copy.Path
	}
	if s.place != nil {
		own[varCurrent] = s.place.path(currentName)
		if err := s.previousInstallations(own); err != nil {
			return err
		}
	}
	now := s.Wall()
	var problems []string
	s.shown, problems = variables.Shown(vars, own, s.order.Sensitive, now)
	for _, problem := range problems {
		s.warn("%s", problem)
	}
	maps.Copy(vars, own)
	s.values = deploy.NewValues(vars).At(now)
	work := filepath.Join(s.Dir, "work")
	if err := os.MkdirAll(work, 0o700); err != nil {
		return err
	}
	var err error
	s.preamble, err = variables.Write(work, s.shown)
	return err
}

// use makes the installation the current one.
func (s *step) use(context.Context) error {
	previous, err := s.place.current()
	if err != nil {
		return err
	}
	if err := syncAll(s.Disk, s.place.root); err != nil { // what hooks and substitution wrote
		return err
	}
	s.Point("step.switch")
	if err := s.place.setCurrent(s.folder); err != nil {
		return err
	}
	s.previous, s.switched = previous, true
	s.Point("step.switched")
	if previous == "" {
		s.say("switched current to %s", s.folder)
	} else {
		s.say("switched current from %s to %s", previous, s.folder)
	}
	return nil
}

// fail undoes what can be undone and says so. It goes on when ctx has ended: cancel comes with a
// grace.
func (s *step) fail(ctx context.Context, cause error) error {
	var err error
	if s.switched {
		if err = s.place.setCurrent(s.previous); err == nil {
			s.switched = false
			if s.previous == "" {
				s.say("removed current: nothing was there before")
			} else {
				s.say("switched current back to %s", s.previous)
			}
		}
	}
	s.Point("step.undone")
	if s.folder == "" {
		return err
	}
	result := failed
	if errors.Is(cause, context.Canceled) || ctx.Err() != nil {
		result = canceled
	} else if s.preamble != "" {
		body := ""
		if s.pack.Hooks != nil {
			body = s.pack.Hooks.DeployFailed
		}
		if hookErr := s.stage(ctx, hookFailed, body); hookErr != nil {
			s.warn("%v", hookErr)
		}
	}
	return errors.Join(err, s.note(ctx, result))
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// sizeWord is a size for people: 512 bytes, 34 KB, 1.2 MB, with 1,000 to a step.
func sizeWord(n int64) string {
	switch {
	case n < 1000:
		return counted(int(n), "byte")
	case n < 1_000_000:
		return fmt.Sprintf("%d KB", (n+500)/1000)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
