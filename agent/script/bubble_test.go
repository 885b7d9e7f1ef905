// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"

	"github.com/google/go-cmp/cmp"
)

// fakeMachine has processes and bells in memory, so that time is virtual. A shim is the real
// RunShim in a goroutine; a script is a function.
type fakeMachine struct {
	script func(p *fakeProcess, c host.Command) host.Exit
	// deafShims start and do nothing; noShims cannot be started.
	deafShims, noShims bool

	mu     sync.Mutex
	last   int
	living map[int]*fakeProcess
	bells  map[string]chan string
	shims  int
}

type fakeProcess struct {
	id      host.ProcessID
	signals chan host.Signal
	killed  chan struct{}
	ended   chan struct{}
	exit    host.Exit
	kill    func()
}

func newMachine(f func(p *fakeProcess, c host.Command) host.Exit) *fakeMachine {
	return &fakeMachine{script: f, living: map[int]*fakeProcess{}, bells: map[string]chan string{}}
}

func (m *fakeMachine) env() host.Env {
	return host.Env{
		Disk: host.Fsync{},
		Exec: m, Bells: m, Wall: func() time.Time { return time.Now().UTC() }, Log: quiet(), Point: func(string) {},
		Facts: func() host.Facts { return host.Facts{BootID: "boot"} },
		Rand:  func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
	}
}

func (m *fakeMachine) Self() string { return "self" }

func (m *fakeMachine) Start(c host.Command) (host.Process, error) {
	isShim := c.Path == "self" && c.Args[0] == "shim"
	if isShim && m.noShims {
		return nil, errkind.Exhausted.Errorf("start %q: no more processes", c.Path)
	}
	return m.startProcess(isShim, func(p *fakeProcess) host.Exit {
		if isShim {
			return m.runShim(p, c.Args[1])
		}
		return m.script(p, c)
	})
}

func (m *fakeMachine) startProcess(isShim bool, run func(*fakeProcess) host.Exit) (host.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	p := &fakeProcess{
		id: host.ProcessID{Pid: m.last, Start: "1", BootID: "boot"}, signals: make(chan host.Signal, 8),
		killed: make(chan struct{}), ended: make(chan struct{}),
	}
	p.kill = sync.OnceFunc(func() { close(p.killed) })
	m.living[p.id.Pid] = p
	if isShim {
		m.shims++
	}
	go func() {
		p.exit = run(p)
		m.mu.Lock()
		delete(m.living, p.id.Pid)
		m.mu.Unlock()
		close(p.ended)
	}()
	return p, nil
}

func (m *fakeMachine) runShim(p *fakeProcess, dir string) host.Exit {
	if m.deafShims {
		<-p.killed
		return host.Exit{Code: -1, Signal: "killed"}
	}
	env := script.ShimEnv{Exec: m, Bells: m, Disk: host.Fsync{}, Wall: m.env().Wall, Process: p.id}
	if err := script.RunShim(context.Background(), dir, env); err != nil {
		return host.Exit{Code: 1}
	}
	return host.Exit{}
}

func (p *fakeProcess) ID() host.ProcessID { return p.id }

func (p *fakeProcess) Wait() (host.Exit, error) {
	<-p.ended
	return p.exit, nil
}

func (m *fakeMachine) Alive(id host.ProcessID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.living[id.Pid] != nil
}

func (m *fakeMachine) Signal(id host.ProcessID, sig host.Signal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.living[id.Pid]
	if p == nil {
		return nil
	}
	if sig == host.Kill {
		p.kill()
	}
	select {
	case p.signals <- sig:
	default:
	}
	return nil
}

func (m *fakeMachine) Open(path string) (host.Bell, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	words := make(chan string, 1)
	m.bells[path] = words
	return fakeBell{words: words, closed: make(chan struct{})}, nil
}

func (m *fakeMachine) Ring(path, word string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case m.bells[path] <- word: // a nil channel is never ready
	default:
	}
}

type fakeBell struct {
	words  chan string
	closed chan struct{}
}

func (b fakeBell) Wait(ctx context.Context) (string, error) {
	select {
	case word := <-b.words:
		return word, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-b.closed:
		return "", net.ErrClosed
	}
}

func (b fakeBell) Close() error {
	close(b.closed)
	return nil
}

// inBubble runs f with an agent on m, in virtual time.
func inBubble(t *testing.T, m *fakeMachine, o script.Options, f func(t *testing.T, a *agent)) {
	t.Helper()
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f(t, startIn(t, m, home, o))
	})
}

func startIn(t *testing.T, m *fakeMachine, home string, o script.Options) *agent {
	t.Helper()
	s, err := script.New(home, m.env(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var owned sync.WaitGroup
	owned.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	a := &agent{Service: s, home: home, stop: sync.OnceFunc(func() { cancel(); owned.Wait() })}
	t.Cleanup(a.stop)
	return a
}

// lasting is a script that writes one line and takes a while.
func lasting(d time.Duration) func(*fakeProcess, host.Command) host.Exit {
	return func(p *fakeProcess, c host.Command) host.Exit {
		_, _ = io.WriteString(c.Stdout, "up\n")
		<-time.After(d)
		return host.Exit{}
	}
}

// stubborn is a script that only KILL ends.
func stubborn(p *fakeProcess, _ host.Command) host.Exit {
	<-p.killed
	return host.Exit{Code: -1, Signal: "killed"}
}

func finished(t *testing.T, a *agent, id contract.TicketID) contract.Verdict {
	t.Helper()
	s, err := a.Status(t.Context(), id)
	if err != nil || s.Verdict == nil {
		t.Fatalf("Status(%s) = %+v, %v, want a verdict", id, s, err)
	}
	return *s.Verdict
}

func TestWaiterIsToldWhoHoldsTheLock(t *testing.T) {
	inBubble(t, newMachine(lasting(time.Hour)), script.Options{}, func(t *testing.T, a *agent) {
		alone := func(id string) contract.Order {
			o := bash(id, "x")
			o.Name, o.Isolation.Level = "Deploy "+id, contract.IsolationFull
			return o
		}
		a.start(t, alone("a"))
		synctest.Wait()
		since := time.Now().UTC().Format(time.TimeOnly)
		a.start(t, alone("b"))
		a.start(t, alone("c"))
		var owned sync.WaitGroup
		owned.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Hour)
			defer cancel()
			w, err := watch(ctx, a.Service, "c", 0, nil)
			if err != nil {
				t.Errorf("follow c: %v", err)
				return
			}
			var sentences []string
			for _, s := range w.statuses {
				sentences = append(sentences, string(s.State)+" "+s.WaitingFor)
			}
			b := time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC).Format("15")
			for i, want := range []string{
				`waiting waits for "Deploy a" (ticket a), which runs alone on this machine since ` + since,
				`waiting waits for "Deploy b" (ticket b), which runs alone on this machine since ` + b,
			} {
				if !strings.HasPrefix(sentences[i], want) {
					t.Errorf("status %d: %q, want %q", i, sentences[i], want)
				}
			}
		})
		owned.Wait()
	})
}

func TestTimeOutAndGraceAreExact(t *testing.T) {
	inBubble(t, newMachine(stubborn), script.Options{}, func(t *testing.T, a *agent) {
		order := bash("a", "x")
		order.TimeoutMS, order.GraceMS = 5_000, 10_000
		began := time.Now()
		a.start(t, order)
		w, err := watch(t.Context(), a.Service, "a", 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); w.verdict.Outcome != contract.TimedOut || took < 15*time.Second || took > 15100*time.Millisecond {
			t.Errorf("verdict %+v after %v, want timed-out after 15 s", w.verdict, took)
		}
	})
}

func TestShimThatNeverBeginsIsFenced(t *testing.T) {
	m := newMachine(stubborn)
	m.deafShims = true
	inBubble(t, m, script.Options{}, func(t *testing.T, a *agent) {
		a.start(t, bash("a", "x"))
		<-time.After(9900 * time.Millisecond)
		synctest.Wait()
		if s, err := a.Status(t.Context(), "a"); err != nil || s.State != contract.Waiting {
			t.Errorf("after 9.9 s: %+v, %v, want waiting", s, err)
		}
		<-time.After(400 * time.Millisecond)
		synctest.Wait()
		if v := finished(t, a, "a"); v.Outcome != contract.NotStarted {
			t.Errorf("verdict %+v, want not-started", v)
		}
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.living) != 0 {
			t.Error("the fenced shim still lives")
		}
	})
}

func TestShimThatCannotBeStarted(t *testing.T) {
	m := newMachine(stubborn)
	m.noShims = true
	inBubble(t, m, script.Options{}, func(t *testing.T, a *agent) {
		a.start(t, bash("a", "x"))
		synctest.Wait()
		if v := finished(t, a, "a"); v.Outcome != contract.NotStarted || !strings.Contains(v.Reason, "no more processes") {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestPartialLineWaitsAQuarterOfASecond(t *testing.T) {
	m := newMachine(func(p *fakeProcess, c host.Command) host.Exit {
		_, _ = io.WriteString(c.Stdout, "Continue? ")
		<-time.After(time.Minute)
		_, _ = io.WriteString(c.Stdout, "yes\n")
		return host.Exit{}
	})
	inBubble(t, m, script.Options{}, func(t *testing.T, a *agent) {
		began := time.Now()
		a.start(t, bash("a", "x"))
		type piece struct {
			text  string
			flags uint8
			after time.Duration
		}
		var got []piece
		_, err := watch(t.Context(), a.Service, "a", 0, func(r contract.Record) {
			got = append(got, piece{string(r.Text), r.Flags, time.Since(began).Round(50 * time.Millisecond)})
		})
		want := []piece{{"Continue? ", contract.FlagMore, 250 * time.Millisecond}, {"yes", 0, time.Minute}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(piece{})); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestCanceledWhileItWaits(t *testing.T) {
	m := newMachine(lasting(time.Hour))
	inBubble(t, m, script.Options{}, func(t *testing.T, a *agent) {
		for _, id := range []string{"a", "b", "c"} {
			o := bash(id, "x")
			o.Isolation = contract.Isolation{Level: contract.IsolationNamed, Name: "db"}
			a.start(t, o)
			synctest.Wait()
		}
		if _, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: "b", By: "mia"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v := finished(t, a, "b"); v.Outcome != contract.Canceled {
			t.Errorf("verdict %+v, want canceled", v)
		}
		if err := a.Forget(t.Context(), "a"); errkind.Of(err) != errkind.Conflict {
			t.Errorf("Forget of a running ticket = %v, want Conflict", err)
		}
		<-time.After(2*time.Hour + time.Minute)
		synctest.Wait()
		for _, id := range []contract.TicketID{"a", "c"} {
			if v := finished(t, a, id); v.Outcome != contract.Succeeded {
				t.Errorf("%s: %+v, want succeeded", id, v)
			}
		}
		if m.shims != 2 {
			t.Errorf("%d shims, want 2", m.shims)
		}
	})
}

// A lock's holder and the order that waits for it survive the agent, in their order.
func TestQueueSurvivesTheAgent(t *testing.T) {
	m := newMachine(lasting(time.Hour))
	inBubble(t, m, script.Options{}, func(t *testing.T, a *agent) {
		for _, id := range []string{"a", "b"} {
			o := bash(id, "x")
			o.Isolation.Level = contract.IsolationFull
			a.start(t, o)
			synctest.Wait()
		}
		a.stop()
		<-time.After(10 * time.Minute)
		b := startIn(t, m, a.home, script.Options{})
		s, err := b.Status(t.Context(), "b")
		if err != nil || s.State != contract.Waiting || !strings.Contains(s.WaitingFor, "(ticket a), which runs alone") {
			t.Errorf("Status(b) = %+v, %v", s, err)
		}
		<-time.After(51 * time.Minute)
		synctest.Wait()
		if finished(t, b, "a").Outcome != contract.Succeeded || len(b.Running()) != 1 {
			t.Errorf("running %v, want b", b.Running())
		}
		<-time.After(2 * time.Hour)
		synctest.Wait()
		if v := finished(t, b, "b"); v.Outcome != contract.Succeeded {
			t.Errorf("b: %+v", v)
		}
	})
}

func TestTooManyTickets(t *testing.T) {
	inBubble(t, newMachine(lasting(time.Hour)), script.Options{MaxUnfinished: 2, MaxKept: 3}, func(t *testing.T, a *agent) {
		a.start(t, bash("a", "x"))
		a.start(t, bash("b", "x"))
		full := func(id, why string) {
			t.Helper()
			_, err := a.Start(t.Context(), encode(bash(id, "x")))
			if errkind.Of(err) != errkind.Exhausted || err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("Start(%s) = %v, want Exhausted: %s", id, err, why)
			}
		}
		full("c", "2 tickets are unfinished")
		<-time.After(2 * time.Hour)
		synctest.Wait()
		a.start(t, bash("c", "x"))
		<-time.After(2 * time.Hour)
		synctest.Wait()
		full("d", "3 tickets are kept")
		if _, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: "e"}); errkind.Of(err) != errkind.Exhausted {
			t.Errorf("Cancel of one more = %v, want Exhausted", err)
		}
		if err := a.Forget(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		a.start(t, bash("d", "x"))
		<-time.After(2 * time.Hour)
	})
}
