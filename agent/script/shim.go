// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/agent/variables"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/masking"
)

const (
	// lockRetry lies between two tries for the isolation lock.
	lockRetry = 50 * time.Millisecond
	// cancelLook is how often a shim looks for a cancel whose ring was lost.
	cancelLook = 2 * time.Second
	// drainWait is how long output is read after the script ended while a process it left behind
	// holds the pipe.
	drainWait = 2 * time.Second
)

// Words that ring the agent's bell, each followed by the ticket.
const (
	ringLog   = "log "
	ringState = "state "
)

// ShimEnv is what a shim asks of its machine.
type ShimEnv struct {
	Exec  host.Exec
	Bells host.Bells
	Disk  host.Disk
	Wall  func() time.Time
	// Point marks crash points; nil does nothing.
	Point func(name string)
	// Process is the shim's own id; zero means this program, as host.Current tells.
	Process host.ProcessID
	// LogLimitBytes is the longest log; 0 means 256 MiB.
	LogLimitBytes int64
}

// shim is one run of RunShim.
type shim struct {
	ShimEnv
	dir   folder
	order contract.Order
	// shown are the order's variables as its script gets them, unshown why some stay as they are.
	shown   map[string]string
	unshown []string
	// secrets is what nothing that the shim writes may hold.
	secrets  *masking.Set
	exit     *os.File
	cgroup   string        // folder of the script's control group; "" for none
	isLocked bool          // it holds the isolation lock
	rung     chan struct{} // its bell
}

// RunShim carries the order in the ticket folder dir out, if it wins the claim, and returns when
// the verdict is durable. An earlier end of ctx is a cancel with the order's grace. A ticket that
// somebody else claimed is no error. Errors mean that no exit record was written: nothing was
// started if the claim was not won, which the agent will find out.
func RunShim(ctx context.Context, dir string, env ShimEnv) error {
	if env.Point == nil {
		env.Point = func(string) {}
	}
	if env.LogLimitBytes == 0 {
		env.LogLimitBytes = maxLogBytes
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return errkind.Internal.Errorf("shim: %w", err)
	}
	if env.Process.Pid == 0 {
		if env.Process, err = host.Current(); err != nil {
			return err
		}
	}
	s := &shim{ShimEnv: env, dir: folder(path), rung: make(chan struct{}, 1)}
	if s.order, err = s.dir.order(); err == nil && string(s.order.Ticket) != s.dir.ticket() {
		err = errkind.Corrupt.Errorf("folder %q holds the order of ticket %s", path, s.order.Ticket)
	}
	if err == nil {
		vars := variables.Here(filepath.Dir(filepath.Dir(path)), s.order.Variables)
		s.shown, s.unshown = variables.Shown(vars, nil, s.order.Sensitive, s.Wall())
		s.secrets, err = secretsOf(&s.order, s.shown)
	}
	if err != nil {
		s.dir.noteTrouble(err)
		return err
	}
	s.Point("script.shim")
	var owned sync.WaitGroup
	defer owned.Wait()
	defer s.listen(&owned)()
	return s.run(ctx)
}

// listen opens the shim's bell, on which cancels are announced, and returns what ends it. Without
// a bell the shim looks by itself.
func (s *shim) listen(owned *sync.WaitGroup) (stop func()) {
	bell, err := s.Bells.Open(s.dir.path("shim.bell"))
	if err != nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	owned.Go(func() {
		for {
			if _, err := bell.Wait(ctx); err != nil {
				return
			}
			select {
			case s.rung <- struct{}{}:
			default:
			}
		}
	})
	return func() {
		cancel()
		_ = bell.Close()
	}
}

func (s *shim) ring(word string) {
	s.Bells.Ring(filepath.Join(filepath.Dir(string(s.dir)), bellName), word+string(s.order.Ticket))
}

func (s *shim) run(ctx context.Context) (err error) {
	defer s.ring(ringState)
	if s.exit, err = s.dir.allocateExit(); err != nil {
		s.dir.noteTrouble(err)
		return err
	}
	defer s.exit.Close()
	if err := s.dir.nameLog(); err != nil {
		s.dir.noteTrouble(err)
		return err
	}
	locks, err := s.lock(ctx)
	if err != nil {
		s.dir.noteTrouble(err)
		return err
	}
	defer locks.release()
	s.Point("script.locked")
	won, err := s.dir.take(s.Disk, claim{Process: s.Process, WallMS: s.Wall().UnixMilli()})
	if err != nil {
		s.dir.noteTrouble(err)
		return err
	}
	if !won {
		return nil
	}
	s.Point("script.claimed")
	s.ring(ringState)
	s.isLocked = locks != nil
	verdict := s.carryOut(ctx)
	err = writeExit(s.Disk, s.exit, verdict)
	s.Point("script.exit")
	return err
}

// lock waits for the isolation lock. A cancel ends the wait without it: the claim decides what becomes of it.
func (s *shim) lock(ctx context.Context) (fileLocks, error) {
	retry := time.NewTimer(lockRetry)
	defer retry.Stop()
	for {
		locks, ok, err := tryLock(filepath.Dir(string(s.dir)), s.order.Isolation)
		if ok || err != nil {
			return locks, err
		}
		if ctx.Err() != nil || s.dir.cancel() != nil || s.dir.has("claim") {
			return nil, nil
		}
		retry.Reset(lockRetry)
		select {
		case <-retry.C:
		case <-s.rung:
		case <-ctx.Done():
		}
	}
}

// carryOut runs the claimed order and says how it ended. The log is durable when it returns.
func (s *shim) carryOut(ctx context.Context) contract.Verdict {
	wake := make(chan struct{}, 1)
	log, err := openRecorder(s.Disk, s.dir.path("log"), s.LogLimitBytes, s.secrets, s.Wall, wake)
	if err != nil {
		return contract.Verdict{Outcome: contract.NotStarted, Reason: err.Error(), LogSHA256: emptySHA256}
	}
	if n := s.secrets.Short(); n > 0 {
		const text = "%d sensitive values have less than %d bytes and are not hidden in the output"
		log.remark(fmt.Sprintf(text, n, masking.MinBytes))
	}
	for _, problem := range s.unshown {
		log.remark(problem)
	}
	log.spoken.known, _ = secretValues(&s.order, s.shown) // which secretsOf has read
	verdict := s.runScript(ctx, log, wake)
	s.Point("script.ended")
	log.explain(&verdict)
	var lost error
	if verdict.Result, lost = s.keepResult(ctx, log); lost != nil {
		doubt(&verdict, "what the script handed over could not be saved", lost)
	}
	s.Point("script.result")
	verdict.LogEnd, verdict.LogSHA256, err = log.close()
	if log.lost != "" {
		// The log itself may be too full to say so, and the exit record has its place on the disk.
		verdict.Reason = strings.TrimPrefix(verdict.Reason+"; output was "+log.lost, "; ")
	}
	if err != nil {
		doubt(&verdict, "the log could not be saved", err)
	}
	verdict.Reason = log.hide(verdict.Reason)
	s.Point("script.log")
	return verdict
}

// doubt says that something the verdict stands on was lost.
func doubt(v *contract.Verdict, what string, err error) {
	said := strings.TrimSpace(string(v.Outcome) + " " + v.Reason)
	v.Outcome, v.Reason = contract.Indeterminate, what+" ("+err.Error()+"); the script: "+said
}

func (s *shim) runScript(ctx context.Context, log *recorder, wake chan struct{}) contract.Verdict {
	if c := s.dir.cancel(); c != nil {
		return contract.Verdict{Outcome: contract.Canceled, Reason: "canceled by " + c.By + " before it was started"}
	}
	if ctx.Err() != nil {
		return contract.Verdict{Outcome: contract.Canceled, Reason: "the shim was told to end before it started the script"}
	}
	if !s.isLocked {
		return contract.Verdict{
			Outcome: contract.NotStarted, Reason: "the wait for the isolation lock was ended by a cancel that cannot be read",
		}
	}
	command, err := s.prepare()
	if err == nil {
		command.Stdout, command.Stderr = source{log, contract.Stdout}, source{log, contract.Stderr}
		s.cgroup = s.dir.enclose(s.Exec, s.Process.BootID)
		command.Cgroup = s.cgroup
		s.Point("script.exec")
		var process host.Process
		if process, err = s.Exec.Start(command); err == nil {
			s.dir.noteProcess(process.ID())
			s.Point("script.running")
			return s.supervise(ctx, process, log, wake)
		}
	}
	log.remark("not started: " + err.Error())
	return contract.Verdict{Outcome: contract.NotStarted, Reason: err.Error()}
}

// prepare fills the work folder and describes the process to start.
func (s *shim) prepare() (host.Command, error) {
	env, err := environment(s.shown)
	if err != nil {
		return host.Command{}, err
	}
	work := folder(s.dir.path("work"))
	if err := os.Mkdir(string(work), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return host.Command{}, storage("make the work folder", err)
	}
	command := host.Command{Dir: string(work), Env: env, Detached: true, DrainWait: drainWait}
	if s.order.Package != nil {
		command.Path, command.Args = s.Exec.Self(), []string{"step", string(s.dir)}
		return command, nil
	}
	preamble, err := variables.Write(string(work), s.shown)
	if err != nil {
		return host.Command{}, err
	}
	body := s.order.Script.Body
	command.Path, command.Args = s.order.Script.Interpreter, []string{work.path("body.sh")}
	if command.Path == "bash" {
		command.Env = append(command.Env, variables.Setting(preamble))
	} else {
		body = shPrefix(preamble) + body
	}
	if err := os.WriteFile(work.path("body.sh"), []byte(body), 0o600); err != nil {
		return host.Command{}, storage("write the script", err)
	}
	return command, nil
}

// shPrefix loads the preamble on the script's own first line, so that line numbers in messages
// stay right. A plain sh lacks shopt: there names are found in their exact spelling only.
func shPrefix(preamble string) string {
	quoted := "'" + strings.ReplaceAll(preamble, "'", `'\''`) + "'"
	return "command -v shopt >/dev/null 2>&1 || shopt() { :; }; . " + quoted + "; "
}
