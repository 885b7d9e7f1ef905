// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// sparesOf lists the spare shims of the agent with this home.
func sparesOf(t *testing.T, home string) (pids []int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		argv, _ := os.ReadFile(path)
		folder, _ := os.Readlink(filepath.Join(filepath.Dir(path), "cwd"))
		var pid int
		if strings.Contains(string(argv), "\x00shim\x00-") && folder == filepath.Join(home, "tickets") {
			if _, err := fmt.Sscanf(path, "/proc/%d/", &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func waitSpare(t *testing.T, home string) (pid int) {
	t.Helper()
	until(t, "a spare shim", func() bool {
		pids := sparesOf(t, home)
		if len(pids) > 1 {
			t.Fatalf("%d spare shims, want one at most", len(pids))
		}
		if len(pids) == 1 {
			pid = pids[0]
		}
		return len(pids) == 1
	})
	return pid
}

// newSpareAgent has carried a ticket out, so that a spare shim waits.
func newSpareAgent(t *testing.T) (*agent, int) {
	t.Helper()
	a := newAgentIn(t, t.TempDir(), host.Real(slog.New(slog.NewTextHandler(t.Output(), nil))), script.Options{})
	a.start(t, bash("first", "true"))
	if v := a.watch(t, "first").verdict; v.Outcome != contract.Succeeded {
		t.Fatalf("first: %+v", v)
	}
	return a, waitSpare(t, a.home)
}

func TestSpareShimCarriesTheNextOrderOut(t *testing.T) {
	a, spare := newSpareAgent(t)
	a.start(t, bash("next", "sleep 0.1; echo done"))
	if claim := waitClaim(t, a, "next"); claim.Pid != spare {
		t.Errorf("shim %d claimed it, want the spare one, %d", claim.Pid, spare)
	}
	if w := a.watch(t, "next"); w.verdict.Outcome != contract.Succeeded || w.text(contract.Stdout) != "done\n" {
		t.Errorf("verdict %+v, output %q", w.verdict, w.text(contract.Stdout))
	}
}

// A spare shim that somebody killed stands in nobody's way.
func TestDeadSpareShimIsNotAsked(t *testing.T) {
	a, spare := newSpareAgent(t)
	if err := kill(spare); err != nil {
		t.Fatal(err)
	}
	until(t, "its end", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", spare))
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
	a.start(t, bash("next", "echo done"))
	if w := a.watch(t, "next"); w.verdict.Outcome != contract.Succeeded {
		t.Errorf("verdict %+v, want succeeded", w.verdict)
	}
}

// Row 4: a shim without a word starts nothing and does not outlive its agent.
func TestSpareShimEndsWithItsAgent(t *testing.T) {
	for how, end := range map[string]func(*agentProcess){"killed": (*agentProcess).kill, "stopped": func(p *agentProcess) {
		_ = p.stdin.Close() // its main function returns
		p.owned.Wait()
		_ = p.cmd.Wait()
	}} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			p := startAgentProcess(t, home)
			fmt.Fprintln(p.stdin, "a")
			if line := <-p.lines; line != "a succeeded" {
				t.Errorf("%q", line)
			}
			waitSpare(t, home)
			end(p)
			until(t, "the end of the spare shim", func() bool { return len(sparesOf(t, home)) == 0 })
		})
	}
}

// spareMachine is one where a shim can be started before its ticket is known.
type spareMachine struct {
	*fakeMachine
	refuse bool         // StartSpare fails
	spares []*fakeSpare // guarded by mu
}

// fakeSpare is a process that waits in memory.
type fakeSpare struct {
	host.Process
	m     *spareMachine
	word  *io.PipeWriter
	told  string // guarded by mu, as is ended
	ended bool
}

func (m *spareMachine) StartSpare(c host.Command) (host.Spare, error) {
	if m.refuse {
		return nil, errkind.Exhausted.Errorf("start %q: no more processes", c.Path)
	}
	read, write := io.Pipe()
	one := &fakeSpare{m: m, word: write}
	var err error
	one.Process, err = m.fakeMachine.startProcess(false, func(p *fakeProcess) host.Exit {
		folder, err := script.AwaitTicket(read)
		if folder == "" || err != nil {
			return host.Exit{}
		}
		return m.runShim(p, folder)
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spares = append(m.spares, one)
	return one, err
}

func (s *fakeSpare) Tell(word string) error {
	s.m.mu.Lock()
	s.told = word
	s.m.mu.Unlock()
	_, err := io.WriteString(s.word, word)
	return errors.Join(err, s.word.Close())
}

func (s *fakeSpare) Dismiss() {
	_ = s.word.Close()
	_, _ = s.Wait()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.ended = true
}

// saw is how many spares there were, how many were told a ticket and how many dismissed, and how many shims
// were started without.
func (m *spareMachine) saw() (spares, told, ended, others int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.spares {
		if one.told != "" {
			told++
		}
		if one.ended {
			ended++
		}
	}
	return len(m.spares), told, ended, m.shims
}

func (m *spareMachine) want(t *testing.T, spares, told, ended, others int) {
	t.Helper()
	gotSpares, gotTold, gotEnded, gotOthers := m.saw()
	if gotSpares != spares || gotTold != told || gotEnded != ended || gotOthers != others {
		t.Errorf("%d spares of which %d were told a ticket and %d dismissed, %d other shims; want %d, %d, %d, %d",
			gotSpares, gotTold, gotEnded, gotOthers, spares, told, ended, others)
	}
}

// spareBubble runs f with an agent on a machine with spares.
func spareBubble(t *testing.T, refuse bool, f func(t *testing.T, m *spareMachine, a *agent)) {
	t.Helper()
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &spareMachine{fakeMachine: newMachine(lasting(time.Second)), refuse: refuse}
		env := m.env()
		env.Exec = m
		a := newAgentIn(t, home, env, script.Options{})
		f(t, m, a)
	})
}

func TestSpareShimIsKeptForAWhile(t *testing.T) {
	spareBubble(t, false, func(t *testing.T, m *spareMachine, a *agent) {
		a.start(t, bash("a", ""))
		<-time.After(2 * time.Second) // it took one
		succeeded(t, a, "a")
		m.want(t, 2, 1, 0, 0)
		<-time.After(28 * time.Second)
		m.want(t, 2, 1, 0, 0)
		<-time.After(2 * time.Second)
		m.want(t, 2, 1, 1, 0)
		a.start(t, bash("b", ""))
		<-time.After(2 * time.Second)
		succeeded(t, a, "b")
		m.want(t, 4, 2, 1, 0)
		a.stop()
		m.want(t, 4, 2, 2, 0)
	})
}

func TestOneSpareForManyOrders(t *testing.T) {
	spareBubble(t, false, func(t *testing.T, m *spareMachine, a *agent) {
		for _, id := range []string{"a", "b", "c"} {
			a.start(t, bash(id, ""))
		}
		<-time.After(3 * time.Second)
		succeeded(t, a, "a", "b", "c")
		if spares, told, ended, others := m.saw(); told+others != 3 || spares != told+1 || ended != 0 {
			t.Errorf("%d spares, %d told, %d dismissed, %d other shims; want 3 at work and one that waits",
				spares, told, ended, others)
		}
	})
}

func TestShimWithoutSpare(t *testing.T) {
	spareBubble(t, true, func(t *testing.T, m *spareMachine, a *agent) {
		a.start(t, bash("a", ""))
		<-time.After(2 * time.Second)
		succeeded(t, a, "a")
		m.want(t, 0, 0, 0, 1)
	})
}

func succeeded(t *testing.T, a *agent, ids ...contract.TicketID) {
	t.Helper()
	for _, id := range ids {
		if v := finished(t, a, id); v.Outcome != contract.Succeeded {
			t.Errorf("%s: %+v, want succeeded", id, v)
		}
	}
}

func TestHalfAWordIsNoTicket(t *testing.T) {
	for word, want := range map[string]string{"": "", "/home/t": "", "/home/t\n": "/home/t"} {
		folder, err := script.AwaitTicket(strings.NewReader(word))
		if folder != want || (err != nil) != (word != "" && want == "") {
			t.Errorf("AwaitTicket(%q) = %q, %v", word, folder, err)
		}
	}
	if _, err := script.AwaitTicket(bytes.NewReader(bytes.Repeat([]byte("x"), 5000))); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("5,000 bytes: %v, want Corrupt", err)
	}
}
