// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/daemon"
	"fairlead/internal/diagnosis"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/trust"
)

// boxAt puts a box on loopback; it gets each connection with its first byte.
func boxAt(t testing.TB, box func(conn net.Conn, first byte)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				first := make([]byte, 1)
				if _, err := io.ReadFull(conn, first); err == nil {
					box(&unread{Conn: conn, first: first}, first[0])
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return listener.Addr().String()
}

// unread gives one byte again.
type unread struct {
	net.Conn
	first []byte
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.first) > 0 && len(p) > 0 {
		n := copy(p, u.first)
		u.first = u.first[n:]
		return n, nil
	}
	return u.Conn.Read(p)
}

// speaks is a box that answers whatever comes with text.
func speaks(text string) func(net.Conn, byte) {
	return func(conn net.Conn, _ byte) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
	}
}

// endsTLS is a box with a key of its own that answers plain HTTP with text.
func endsTLS(t testing.TB, text string) func(net.Conn, byte) {
	t.Helper()
	own, err := trust.NewIdentity("box", today())
	if err != nil {
		t.Fatal(err)
	}
	return func(conn net.Conn, first byte) {
		if first != 0x16 {
			speaks(text)(conn, first)
			return
		}
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{own.Certificate}})
		_ = secure.Handshake() // the agent refuses it
		_, _ = io.Copy(io.Discard, conn)
	}
}

func checkup(t testing.TB, got result) (c daemon.Checkup) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.out), &c); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	return c
}

func stepNames(c daemon.Checkup) string {
	var names []string
	for _, s := range c.Steps {
		name := s.Name
		if !s.OK {
			name += "!"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestDoctorFindsNothing(t *testing.T) {
	s, p := newServer(t), newConnectProxy(t)
	t.Run("before joining", func(t *testing.T) {
		m := newMachine(t)
		m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
		got := m.run(t, "doctor", "--json")
		if c := checkup(t, got); got.code != 0 || !c.OK || stepNames(c) != "connect tls clock" || len(s.asked()) != 0 {
			t.Errorf("doctor = %+v; the server was asked %d times", got, len(s.asked()))
		}
		if files := m.files(t); len(files) != 0 {
			t.Errorf("doctor left %v", files)
		}
	})
	m := joined(t, s)
	t.Run("joined", func(t *testing.T) {
		got := m.run(t, "doctor", "--json")
		if c := checkup(t, got); got.code != 0 || !c.OK || c.Server != s.address || stepNames(c) != "connect tls welcome clock" {
			t.Errorf("doctor = %+v", got)
		}
	})
	t.Run("while the agent runs", func(t *testing.T) {
		a := m.start(t, "run")
		a.log.await(t, "line is up")
		if got := m.run(t, "doctor"); got.code != 0 || !strings.Contains(got.out, "The line can be opened.\n") {
			t.Errorf("doctor = %+v", got)
		}
		if got := m.run(t, "status"); got.code != 0 {
			t.Errorf("status after it = %+v", got)
		}
		a.stop(t)
	})
	t.Run("through a proxy", func(t *testing.T) {
		m.env["FAIRLEAD_PROXY_CREDENTIALS"] = proxyUser + ":" + proxyPassword
		got := m.run(t, "doctor", "--json", "--proxy", p.url())
		delete(m.env, "FAIRLEAD_PROXY_CREDENTIALS")
		if c := checkup(t, got); got.code != 0 || c.Proxy != p.url() || stepNames(c) != "connect proxy tls welcome clock" {
			t.Errorf("doctor = %+v", got)
		}
		if strings.Contains(got.out+got.err, proxyPassword) {
			t.Error("S5 doctor shows the password")
		}
	})
	t.Run("one address of two", func(t *testing.T) {
		m.net = func(network host.Network) host.Network {
			return names{network, map[string][]string{"deploy.example.com": {"127.0.0.2", "127.0.0.1"}}}
		}
		_, port, _ := net.SplitHostPort(s.address)
		got := m.run(t, "doctor", "--json", "--server", "deploy.example.com:"+port)
		if c := checkup(t, got); got.code != 0 || stepNames(c) != "name connect! connect tls welcome clock" {
			t.Errorf("doctor = %+v", got)
		}
	})
}

// names is a network with a DNS of its own.
type names struct {
	host.Network
	known map[string][]string
}

func (n names) LookupNetIP(_ context.Context, _, name string) (found []netip.Addr, err error) {
	if n.known[name] == nil {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	for _, text := range n.known[name] {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

func (n names) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	name, port, _ := net.SplitHostPort(address)
	for _, ip := range append(n.known[name], name) {
		if conn, err = n.Network.DialContext(ctx, network, net.JoinHostPort(ip, port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func TestDoctorNamesTheBox(t *testing.T) {
	s := newServer(t)
	portal := "HTTP/1.1 302 Found\r\nLocation: http://portal.hotel.example/\r\n\r\n"
	offloads := boxAt(t, speaks("HTTP/1.1 400 Bad Request\r\n\r\n"))
	for name, test := range map[string]struct {
		args  []string
		code  int
		cause diagnosis.Cause
		steps string
		says  []string // in the letter; none wants no letter
	}{
		"unknown name": {
			[]string{"--server", "nowhere.example.com:10943"}, 5, diagnosis.UnknownName, "name!", []string{"nowhere.example.com"},
		},
		"nobody listens": {
			[]string{"--server", "127.0.0.1:1"}, 5, diagnosis.PortClosed, "connect!", []string{"to 127.0.0.1:1, in which", "connection refused"},
		},
		"HTTP balancer": {[]string{"--server", offloads}, 1, diagnosis.TLSOffload, "connect tls!", []string{
			"The machine Web_01.example.com (127.0.0.1) needs a TCP connection to " + offloads,
			"That points at this: something in the path ends TLS",
			"Please pass this port through as plain TCP (layer 4)",
		}},
		"captive portal": {
			[]string{"--server", boxAt(t, endsTLS(t, portal))},
			4, diagnosis.CaptivePortal, "connect tls! question",
			[]string{"asked in plain HTTP, it answers 302 and leads to", "without signing in"},
		},
		"other server": {[]string{"--server", boxAt(t, endsTLS(t, "HTTP/1.1 404 x\r\n\r\n"))}, 4, diagnosis.WrongServer, "connect tls!", nil},
		"SSH server":   {[]string{"--server", boxAt(t, speaks("SSH-2.0-x\r\n"))}, 1, diagnosis.NotTLS, "connect tls!", nil},
		"cut":          {[]string{"--server", boxAt(t, speaks(""))}, 5, diagnosis.Cut, "connect tls!", []string{"PROXY header"}},
		"proxy forbids": {
			[]string{"--proxy", "http://" + boxAt(t, speaks("HTTP/1.1 403 Forbidden\r\n\r\n"))},
			4, diagnosis.ProxyRefused, "connect proxy!",
			[]string{"through the proxy http://127.0.0.1:", `forbids it (403 "Forbidden")`, "allow CONNECT"},
		},
		"no proxy there": {
			[]string{"--proxy", "socks5://127.0.0.1:1"}, 5, diagnosis.PortClosed, "connect!", []string{"the proxy socks5://127.0.0.1:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := joined(t, s)
			m.net = func(network host.Network) host.Network { return names{network, nil} }
			got := m.run(t, append([]string{"doctor", "--json"}, test.args...)...)
			c := checkup(t, got)
			if got.code != test.code || c.OK || c.Cause != test.cause || stepNames(c) != test.steps || c.Hint == "" {
				t.Errorf("doctor = %+v, want %d, %s and %q", got, test.code, test.cause, test.steps)
			}
			for _, word := range test.says {
				if !strings.Contains(c.Letter, word) {
					t.Errorf("letter %q does not say %q", c.Letter, word)
				}
			}
			if (c.Letter == "") != (test.says == nil) {
				t.Errorf("letter %q", c.Letter)
			}
		})
	}
	t.Run("not known here any more", func(t *testing.T) {
		m, s := newMachine(t), newServer(t)
		m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
		if got := m.run(t, "join"); got.code != 0 {
			t.Fatal(got)
		}
		s.accept = stranger
		got := m.run(t, "doctor", "--json")
		c := checkup(t, got)
		if got.code != 4 || c.Cause != diagnosis.UnknownPeer || stepNames(c) != "connect tls welcome! clock" || c.Letter != "" {
			t.Errorf("doctor = %+v", got)
		}
	})
}

// A server that knows the certificate may still send the machine away, after its hello.
func TestDoctorHearsTheGoodbye(t *testing.T) {
	for name, test := range map[string]struct {
		away link.Goodbye
		code int
		says []string
	}{
		"quarantine": {
			link.Goodbye{Code: link.GoodbyeRevoked, Text: "web-1 is in quarantine: two agents are alive with one key"},
			4,
			[]string{"two agents are alive with one key", "fairlead-server machine enable web-01-example-com"},
		},
		"busy": {
			link.Goodbye{Code: link.GoodbyeBusy, Text: "100 machines are saying hello already"},
			5,
			[]string{"saying hello already", "by itself"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			m := joined(t, s)
			s.away = &test.away
			got := m.run(t, "doctor")
			if got.code != test.code || !strings.Contains(got.out, "The line cannot be opened") {
				t.Errorf("doctor = %+v, want %d", got, test.code)
			}
			for _, word := range test.says {
				if !strings.Contains(got.err, word) {
					t.Errorf("doctor does not say %q: %s", word, got.err)
				}
			}
		})
	}
}

func TestDoctorHasNoWayToWalk(t *testing.T) {
	s := newServer(t)
	if got := newMachine(t).run(t, "doctor"); got.code != 3 || !strings.Contains(got.err, "has not joined a server yet") {
		t.Errorf("doctor before joining = %+v", got)
	}
	m := newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	if got := m.run(t, "join", "--listening", "--public-address", "web:10933"); got.code != 0 {
		t.Fatal(got)
	}
	if got := m.run(t, "doctor"); got.code != 2 || !strings.Contains(got.err, "this agent listens") {
		t.Errorf("doctor of a listening agent = %+v", got)
	}
	got := joined(t, s).run(t, "doctor", "--proxy", "http://a:"+proxyPassword+"@proxy:1")
	if got.code != 2 || strings.Contains(got.err, proxyPassword) {
		t.Errorf("doctor with a secret in the address = %+v", got)
	}
}

// What a person sees; addresses of the moment and times are taken out.
func TestDoctorTranscript(t *testing.T) {
	s := newServer(t)
	m := joined(t, s)
	box := boxAt(t, speaks("HTTP/1.1 400 Bad Request\r\n\r\n"))
	got := m.run(t, "doctor", "--server", box)
	text := strings.ReplaceAll(got.out, box, "203.0.113.5:10943")
	text = regexp.MustCompile(` +\d+\.\d ms`).ReplaceAllString(text, "  T ms")
	problem := `the other side does not speak TLS: it begins with "HTTP/": tls: first record does not look like a TLS handshake`
	text = strings.ReplaceAll(text, problem, "PROBLEM")
	text = regexp.MustCompile(` {2,}`).ReplaceAllString(text, "  ")
	want := `step  where  took  result
connect  203.0.113.5:10943  T ms  open
tls  203.0.113.5:10943  T ms  PROBLEM

The line cannot be opened: tls_offload

To send to the network team:

  The machine Web_01.example.com (127.0.0.1) needs a TCP connection to 203.0.113.5:10943, ` +
		`in which it speaks TLS 1.3 with the server itself. ` +
		`Instead: PROBLEM. ` +
		`That points at this: something in the path ends TLS, most likely a load balancer or reverse proxy that offloads it. ` +
		`Please pass this port through as plain TCP (layer 4), without TLS or HTTP on the way.
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("doctor (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got.err, "fairlead-agent: the line cannot be opened: "+problem+"\n  hint: something in the path ends TLS") {
		t.Errorf("standard error:\n%s", got.err)
	}
}

// A running agent that is sent away says in its status what is to be done at the server.
func TestStatusOfAMachineInQuarantine(t *testing.T) {
	s := newServer(t)
	m := joined(t, s)
	s.away = &link.Goodbye{Code: link.GoodbyeRevoked, Text: "web-1 is in quarantine: two agents are alive with one key"}
	a := m.start(t, "run")
	awaitState(t, m, "two agents are alive")
	got := m.run(t, "status")
	if got.code != 5 || !strings.Contains(got.err, "hint: ") ||
		!strings.Contains(got.err, "fairlead-server machine enable web-01-example-com") {
		t.Errorf("status = %+v", got)
	}
	a.stop(t)
}
