// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// patience bounds every wait of these tests; none comes near it.
const patience = 20 * time.Second

// today is the wall clock of all tests.
func today() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// output collects what a program writes and wakes those who wait for it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) String() string {
	text, _ := o.look()
	return text
}

func (o *output) look() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// await waits until the output holds each of the words.
func (o *output) await(t testing.TB, words ...string) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		text, changed := o.look()
		missing := ""
		for _, word := range words {
			if !strings.Contains(text, word) {
				missing = word
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("%q never came; output:\n%s", missing, text)
		}
	}
}

// machine is a host with an agent's home.
type machine struct {
	home string
	env  map[string]string
	in   string
	net  func(host.Network) host.Network // nil: as it is
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	return &machine{home: filepath.Join(t.TempDir(), "agent"), env: map[string]string{}}
}

func (m *machine) real(log *slog.Logger) host.Env {
	env := host.Real(log)
	env.Wall = today
	env.Facts = func() host.Facts {
		return host.Facts{Hostname: "Web_01.example.com", OS: "linux", Arch: "amd64", BootID: "boot-1"}
	}
	if m.net != nil {
		env.Net = m.net(env.Net)
	}
	return env
}

// result is what one command line came to.
type result struct {
	code     int
	out, err string
}

// run runs one command line to its end.
func (m *machine) run(t testing.TB, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code := m.main(ctx, cli.IO{Out: &out, Err: &errs}, args...)
	return result{code, out.String(), errs.String()}
}

func (m *machine) main(ctx context.Context, std cli.IO, args ...string) int {
	std.In = strings.NewReader(m.in)
	std.Getenv = func(name string) string {
		if name == "FAIRLEAD_AGENT_HOME" {
			return m.home
		}
		return m.env[name]
	}
	return daemon.Main(ctx, args, std, "1.2.3", m.real)
}

// started is a command that runs until it is told to stop.
type started struct {
	out, log *output
	cancel   context.CancelFunc
	done     chan int
}

func (m *machine) start(t testing.TB, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &started{out: newOutput(), log: newOutput(), cancel: cancel, done: make(chan int, 1)}
	var running sync.WaitGroup
	running.Go(func() { s.done <- m.main(ctx, cli.IO{Out: s.out, Err: s.log}, args...) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return s
}

// stop ends the command as a signal does and returns its exit code.
func (s *started) stop(t testing.TB) int {
	t.Helper()
	s.cancel()
	select {
	case code := <-s.done:
		return code
	case <-time.After(patience):
		t.Fatalf("it does not stop; log:\n%s", s.log)
		return -1
	}
}

// server is the server's end of lines and joins.
type server struct {
	identity trust.Identity
	address  string
	accept   trust.AcceptFunc
	admit    func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error)
	away     *link.Goodbye // to everybody; nil takes them

	mu       sync.Mutex
	requests []trust.JoinRequest
}

func newServer(t testing.TB) *server {
	t.Helper()
	id, err := trust.NewIdentity("server", today())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{identity: id}
	bundle := s.bundle(t)
	s.accept = func(trust.Pin) (trust.Grant, error) {
		return trust.Grant{Role: trust.RoleAgent, Subject: "Machines-1"}, nil
	}
	s.admit = func(_ trust.Peer, q trust.JoinRequest) (trust.JoinReply, error) {
		return trust.JoinReply{
			MachineID: "Machines-1", Name: q.Name, Environments: []string{"Production"}, Tags: []string{"web"},
			ServerID: "srv-a", Bundle: bundle,
		}, nil
	}
	s.listen(t)
	return s
}

func (s *server) bundle(t testing.TB) trust.SignedBundle {
	t.Helper()
	signed, err := trust.SignBundle(trust.Bundle{ServerID: "srv-a", Epoch: 1, IssuedAt: today(), Pins: []trust.BundlePin{
		{Pin: s.identity.Pin, Role: trust.RoleServer, NotAfter: s.identity.NotAfter()},
	}}, s.identity)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (s *server) listen(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{s.identity} },
		Links:      func(pin trust.Pin) (trust.Grant, error) { return s.accept(pin) }, LinkRole: trust.RoleAgent,
		Applicants: true, Wall: today,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		err := port.New(port.Terms{
			Door: door, MaxStrangers: 8, MaxStrangersPerSource: 8, Log: slog.New(slog.DiscardHandler),
			Handlers: map[string]port.Handler{
				trust.LinkProtocol: func(ctx context.Context, conn *tls.Conn, _ trust.Peer) { s.greet(ctx, t, conn) },
				trust.JoinProtocol: func(_ context.Context, conn *tls.Conn, peer trust.Peer) {
					defer conn.Close()
					_ = trust.ServeJoin(conn, peer, s.judge) // the agent's end is what is tested
				},
			},
		}).Serve(ctx, listener)
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
}

func (s *server) judge(peer trust.Peer, q trust.JoinRequest) (trust.JoinReply, error) {
	s.mu.Lock()
	s.requests = append(s.requests, q)
	s.mu.Unlock()
	return s.admit(peer, q)
}

func (s *server) asked() []trust.JoinRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// token makes a join token of the server.
func (s *server) token(t testing.TB) trust.Token {
	t.Helper()
	token, err := trust.NewToken(s.address, s.identity.Pin)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// greet is the server's side of a session: it says hello and stays.
func (s *server) greet(ctx context.Context, t testing.TB, conn *tls.Conn) {
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		t.Error(err)
		return
	}
	session := link.NewSession(conn, link.Options{Role: link.Caller, Settings: link.Settings{Binding: binding}})
	var calling sync.WaitGroup
	calling.Go(func() {
		if away := s.away; away != nil {
			session.Goodbye(away.Code, away.RetryAfter, away.Text)
			return
		}
		facts, err := contract.Hello.Call(ctx, session, contract.HelloArgs{ServerID: "srv-a", Version: "4.5.6", Machine: "web"})
		if err == nil && facts.Program != daemon.Program {
			t.Errorf("hello says program %q", facts.Program)
		}
	})
	_ = session.Run(ctx)
	calling.Wait()
}

// files reads every file of a home, by path.
func (m *machine) files(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(m.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, m.home+"/")] = string(text)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return found
}

// refuse makes a server that lets nobody join.
func refuse(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
	return trust.JoinReply{}, trust.TokenRefused()
}

// stranger is an AcceptFunc that knows nobody.
func stranger(pin trust.Pin) (trust.Grant, error) {
	return trust.Grant{}, errkind.Untrusted.Errorf("pin %s belongs to nobody known here", pin)
}
