// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// starved is a listener for which there is no file so many times.
type starved struct {
	*pipes
	lacks atomic.Int64
}

func (s *starved) Accept() (net.Conn, error) {
	if s.lacks.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return s.pipes.Accept()
}

func TestLackOfFilesIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said lockedBuffer
		below := &starved{pipes: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}}
		below.lacks.Store(10)
		listener := port.Patient(below, slog.New(slog.NewTextHandler(&said, nil)))
		began := time.Now()
		for _, pause := range []time.Duration{0, time.Second, time.Minute, time.Minute} {
			time.Sleep(pause)
			go func() { below.conns <- named{nil, "10.0.0.1:1"} }()
			if _, err := listener.Accept(); err != nil {
				t.Fatal(err)
			}
			if pause == time.Second {
				below.lacks.Store(3) // again, while the first time is not over
			}
			if pause == 0 && time.Since(began) > 10*time.Second {
				t.Errorf("ten failures took %v", time.Since(began))
			}
			began = time.Now()
		}
		if text := said.String(); strings.Count(text, "new connections are not accepted") != 1 || strings.Count(text, "accepted again") != 1 ||
			!strings.Contains(text, "LimitNOFILE") {
			t.Errorf("the log:\n%s", text)
		}
		below.lacks.Store(1 << 30)
		ended := make(chan error)
		go func() {
			_, err := listener.Accept()
			ended <- err
		}()
		time.Sleep(time.Minute)
		below.lacks.Store(0)
		_ = listener.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a listener that was closed: %v", err)
		}
	})
}

const limitVariable = "FAIRLEAD_TEST_FILE_LIMIT"

// TestPortAtTheFileLimit runs itself in a process of its own, which may have 64 files open.
func TestPortAtTheFileLimit(t *testing.T) {
	if os.Getenv(limitVariable) != "" {
		insideTheFileLimit(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPortAtTheFileLimit$", "-test.v")
	child.Env = append(os.Environ(), limitVariable+"=64")
	out, err := child.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestPortAtTheFileLimit")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func insideTheFileLimit(t *testing.T) {
	t.Helper()
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	e := newEcho(t)
	first := e.dial(t)
	e.talk(t, first, "one")

	few := fill(t, 50) // of 64; 16 are left to what is at work
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that takes one of the last files: %d bytes, %v, want it refused", n, err)
	}
	_ = conn.Close()
	e.talk(t, first, "two")

	last := fill(t, 63)
	waiting, err := net.Dial("tcp", e.address) // the kernel answers
	if err != nil {
		t.Fatal(err)
	}
	for { // what was closed a moment late is taken too: none is left now
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = append(last, file)
	}
	e.talk(t, first, "three")
	empty(few, last)
	secure := e.shakeHands(t, waiting)
	e.talk(t, secure, "four")
	e.talk(t, first, "five")
	if text := e.log.String(); strings.Count(text, "too many open files; those") != 1 || !strings.Contains(text, "limit=64") {
		t.Errorf("the log:\n%s", text)
	}
}

// fill opens files up to one with that number.
func fill(t *testing.T, highest uintptr) (files []*os.File) {
	t.Helper()
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		if file.Fd() >= highest-1 {
			return files
		}
	}
}

func empty(lists ...[]*os.File) {
	for _, list := range lists {
		for _, file := range list {
			_ = file.Close()
		}
	}
}

// echo is a port on loopback that says everything again.
type echo struct {
	server, agent trust.Identity
	address       string
	log           lockedBuffer
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	e := &echo{}
	e.server, e.agent = identity(t, "server"), identity(t, "agent")
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{e.server} }, LinkRole: trust.RoleAgent, Wall: time.Now,
		Links: trust.AcceptOnly(trust.Grant{Role: trust.RoleAgent, Subject: "Machines-1"}, e.agent.Pin),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		_ = port.New(port.Terms{
			Door: door, MaxStrangers: 10, MaxStrangersPerSource: 10, Log: slog.New(slog.NewTextHandler(&e.log, nil)),
			Handlers: map[string]port.Handler{trust.LinkProtocol: func(ctx context.Context, conn *tls.Conn, _ trust.Peer) {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}},
		}).Serve(ctx, listener)
	})
	t.Cleanup(func() { stop(); group.Wait() })
	return e
}

func (e *echo) dial(t *testing.T) *tls.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	return e.shakeHands(t, conn)
}

func (e *echo) shakeHands(t *testing.T, conn net.Conn) *tls.Conn {
	t.Helper()
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: e.agent, Pins: []trust.Pin{e.server.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: time.Now,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "echo"}, e.server.Pin),
	})
	if err != nil {
		t.Fatal(err)
	}
	secure, _, err := dialler.Handshake(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return secure
}

func (e *echo) talk(t *testing.T, conn *tls.Conn, text string) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, err := io.WriteString(conn, text)
	heard := make([]byte, len(text))
	if err == nil {
		_, err = io.ReadFull(conn, heard)
	}
	if err != nil || string(heard) != text {
		t.Errorf("a line at the limit: %q, %v, want %q", heard, err, text)
	}
}
