// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/daemon"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/trust"
)

// joined makes a machine that has joined s.
func joined(t *testing.T, s *server) *machine {
	t.Helper()
	m := newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	if got := m.run(t, "join"); got.code != 0 {
		t.Fatal(got)
	}
	delete(m.env, "FAIRLEAD_TOKEN")
	return m
}

func pinOf(t *testing.T, m *machine) string {
	t.Helper()
	id, err := trust.LoadIdentity(filepath.Join(m.home, "identity.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return id.Pin.String()
}

func TestStatus(t *testing.T) {
	s := newServer(t)
	m := newMachine(t)
	check := func(when string, got result, code int, out, errs string) {
		t.Helper()
		if diff := cmp.Diff(result{code, out, errs}, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("status %s (-want +got):\n%s", when, diff)
		}
	}
	check("before joining", m.run(t, "status"), 3, "", "fairlead-agent: read "+m.home+"/agent.toml: there is no such file\n"+
		"  hint: this agent has not joined a server yet: FAIRLEAD_TOKEN=… fairlead-agent join; "+
		"if it has, name its home with --home\n")
	m = joined(t, s)
	check("before the first run", m.run(t, "status"), 5, "", "fairlead-agent: the agent in "+m.home+" has never run\n"+
		"  hint: start it: fairlead-agent run\n")
	clock := today().Local().Format(time.DateTime)
	top := "machine    web-01-example-com\nmode       polling\npin        " + pinOf(t, m) +
		"\nversion    1.2.3\nserver     " + s.address + "\n"
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	awaitState(t, m, "4.5.6")
	check("while it runs", m.run(t, "status"), 0, top+"agent      running since "+clock+"\nline       up since "+clock+
		" with "+s.address+"\npeer       fairlead-server 4.5.6\n", "")
	if code := a.stop(t); code != 0 {
		t.Errorf("run ended with %d; log:\n%s", code, a.log)
	}
	check("after the end", m.run(t, "status"), 5, top+"agent      not running\n",
		"fairlead-agent: the agent does not run\n  hint: start it: fairlead-agent run\n")
	if err := os.WriteFile(filepath.Join(m.home, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := m.run(t, "status"); got.code != 1 || !strings.Contains(got.err, "state.json") {
		t.Errorf("status with a broken state file: %+v", got)
	}
}

// awaitState waits until the state file holds the words: it is written after what it tells.
func awaitState(t *testing.T, m *machine, words ...string) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		text := m.files(t)["state.json"]
		missing := false
		for _, word := range words {
			missing = missing || !strings.Contains(text, word)
		}
		if !missing {
			return text
		}
	}
	t.Fatalf("%q never came; state:\n%s", words, m.files(t)["state.json"])
	return ""
}

// An agent that was revoked hears it from the server as a TLS alert behind the handshake.
func TestRefusedAgentSaysWhyAndWhatToDo(t *testing.T) {
	s := newServer(t)
	m := joined(t, s)
	s.accept = stranger
	a := m.start(t, "run")
	a.log.await(t, "line is down")
	got := m.run(t, "status")
	for _, want := range []string{
		"fairlead-agent: the line is down: ", "the other side refused this program's certificate", "joins again with a new token",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("status says %q, want %q", got.err, want)
		}
	}
	if got.code != 5 || !strings.Contains(got.out, "line       down (unknown_peer)\n") {
		t.Errorf("status = %+v", got)
	}
	a.stop(t)
}

// tarpit is a network whose connections, from some moment on, swallow what is written: the other
// side is gone and nobody says so.
type tarpit struct {
	host.Network
	stuck atomic.Bool
}

type tarpitConn struct {
	net.Conn
	pit *tarpit
}

func (p *tarpit) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.Network.DialContext(ctx, network, address)
	return &tarpitConn{conn, p}, err
}

func (c *tarpitConn) Write(p []byte) (int, error) {
	if c.pit.stuck.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestStopsAlthoughTheServerIsGone(t *testing.T) {
	s := newServer(t)
	m := joined(t, s)
	var pit tarpit
	m.net = func(real host.Network) host.Network {
		pit.Network = real
		return &pit
	}
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	awaitState(t, m, "4.5.6")
	pit.stuck.Store(true)
	began := time.Now()
	if code := a.stop(t); code != 0 {
		t.Errorf("run ended with %d", code)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestRunRefusesASecondAgent(t *testing.T) {
	m := joined(t, newServer(t))
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	if got := m.run(t, "run"); got.code != 6 || !strings.Contains(got.err, "is in use by process") {
		t.Errorf("run = %+v", got)
	}
	a.stop(t)
}

func TestNewRefusesBadSettings(t *testing.T) {
	m := joined(t, newServer(t))
	_, err := daemon.New(daemon.Options{Home: daemon.Home(m.home)}, m.real(nil))
	if errkind.Of(err) != errkind.Invalid {
		t.Errorf("New = %v", err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// open opens a session to a listening agent as its server does, and says hello.
func (s *server) open(t *testing.T, address, pin string) (session *link.Session, end func()) {
	t.Helper()
	want, err := trust.ParsePin(pin)
	if err != nil {
		t.Fatal(err)
	}
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: s.identity, Pins: []trust.Pin{want}, Role: trust.RoleAgent, Protocol: trust.LinkProtocol, Wall: today,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleAgent, Subject: "Machines-1"}, want),
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := dialler.Handshake(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		t.Fatal(err)
	}
	session = link.NewSession(conn, link.Options{Role: link.Caller, Settings: link.Settings{Binding: binding}})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = session.Run(ctx) })
	if _, err := contract.Hello.Call(ctx, session, contract.HelloArgs{ServerID: "srv-a", Version: "4.5.6"}); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(end)
	return session, end
}

func TestListen(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	address := freeAddress(t)
	a := m.start(t, "listen", "--listen", address, "--trust", s.identity.Pin.String())
	a.log.await(t, "listening for the server")
	pin := pinOf(t, m)
	want := "This machine's pin is " + pin + "\nAdd it at the server as a listening machine with this pin: " +
		"octopus deployment-target listening-tentacle create, or POST /api/Spaces-1/machines\n"
	if got := a.out.String(); got != want {
		t.Errorf("listen says %q, want %q", got, want)
	}
	if text := m.files(t)["agent.toml"]; !strings.Contains(text, "name = 'web-01-example-com'") {
		t.Errorf("agent.toml:\n%s", text)
	}
	if got := m.run(t, "status"); got.code != 5 || !strings.Contains(got.err, "the line is not up yet") {
		t.Errorf("status = %+v", got)
	}
	// A newer session takes over; the end of the older one does not look like the end of both.
	_, endFirst := s.open(t, address, pin)
	_, endSecond := s.open(t, address, pin)
	endFirst()
	a.log.await(t, "line ended")
	if got := m.run(t, "status"); got.code != 0 {
		t.Errorf("status with one of two sessions = %+v", got)
	}
	endSecond()
	awaitState(t, m, `"connected": false`)
	if got := m.run(t, "status"); got.code != 5 || !strings.Contains(got.err, "the line is down: line: the peer said goodbye") {
		t.Errorf("status after the sessions = %+v", got)
	}
	if code := a.stop(t); code != 0 {
		t.Errorf("listen ended with %d; log:\n%s", code, a.log)
	}
	b := m.start(t, "run")
	b.log.await(t, "listening for the server")
	b.stop(t)
}

// The report names the bash that scripts find, by the rule they find it by.
func TestHealthNamesTheShellOfScripts(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	address := freeAddress(t)
	a := m.start(t, "listen", "--listen", address, "--trust", s.identity.Pin.String())
	a.log.await(t, "listening for the server")
	session, end := s.open(t, address, pinOf(t, m))
	report, err := contract.Health.Call(t.Context(), session, contract.Nothing{})
	if err != nil {
		t.Fatal(err)
	}
	var says bytes.Buffer
	process, err := m.real(nil).Exec.Start(host.Command{
		Path: "bash", Args: []string{"-c", "echo $BASH $BASH_VERSION"}, Dir: "/", Stdout: &says,
		Env: []string{"PATH=" + host.SearchPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := process.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := report.Shell + " " + report.ShellVersion + "\n"; got != says.String() || report.ShellVersion == "" {
		t.Errorf("health names %q, scripts run %q", got, says.String())
	}
	end()
	a.stop(t)
}

func TestCacheLimitIsKept(t *testing.T) {
	s, m := newServer(t), newMachine(t)
	address := freeAddress(t)
	first := m.start(t, "listen", "--listen", address, "--trust", s.identity.Pin.String())
	first.log.await(t, "listening for the server")
	first.stop(t)
	path := filepath.Join(m.home, "agent.toml")
	text := strings.Replace(m.files(t)["agent.toml"], "cache_mb = 10240", "cache_mb = 1", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := m.start(t, "run")
	a.log.await(t, "listening for the server")
	session, end := s.open(t, address, pinOf(t, m))
	content := make([]byte, 1<<20+1)
	sum := sha256.Sum256(content)
	put := contract.BlobPutArgs{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
	_, err := contract.BlobPut.Send(t.Context(), session, put, bytes.NewReader(content))
	if errkind.Of(err) != errkind.Exhausted || errkind.Hint(err) != "raise cache_mb in agent.toml" {
		t.Errorf("put = %v, hint %q", err, errkind.Hint(err))
	}
	end()
	a.stop(t)
}

func TestListenMistakes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	pin := trust.Pin{1}.String()
	for name, test := range map[string]struct {
		args []string
		code int
		want string
		made bool
	}{
		"no pin":     {nil, 2, "fairlead-server status prints the pin", false},
		"wrong pin":  {[]string{"--trust", "12"}, 2, "--trust \"12\": want pin: pin \"12\" has 2 hex digits", false},
		"bad listen": {[]string{"--trust", pin, "--listen", "10933"}, 2, "listen: address", false},
		"port in use": {
			[]string{"--trust", pin, "--listen", busy.Addr().String()},
			6,
			"listen on " + busy.Addr().String() + ": bind: address already in use\n  hint: another program has this port", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			got := m.run(t, append([]string{"listen"}, test.args...)...)
			if got.code != test.code || !strings.Contains(got.err, test.want) {
				t.Errorf("listen = %+v, want code %d and %q", got, test.code, test.want)
			}
			if _, err := os.Stat(m.home); (err == nil) != test.made {
				t.Errorf("home there: %v", err == nil)
			}
		})
	}
}

func TestHelpShowsNoEmptyList(t *testing.T) {
	if got := newMachine(t).run(t, "listen", "--help"); got.code != 0 || strings.Contains(got.out, "[]") {
		t.Errorf("help = %+v", got)
	}
}
