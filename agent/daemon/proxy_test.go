// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/daemon"
)

// The user and the password of the test's proxy.
const (
	proxyUser     = "agent"
	proxyPassword = "s3:cret"
)

// connectProxy is a proxy on loopback that does CONNECT, for who knows the password.
type connectProxy struct {
	address string
	answer  string // instead of a tunnel, when set

	mu    sync.Mutex
	asked []string // the addresses, in order
	open  map[net.Conn]bool
}

func newConnectProxy(t testing.TB) *connectProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &connectProxy{address: listener.Addr().String(), open: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.track(conn)
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for conn := range p.open {
			conn.Close()
		}
		p.mu.Unlock()
		serving.Wait()
	})
	return p
}

func (p *connectProxy) url() string { return "http://" + p.address }

func (p *connectProxy) track(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
}

func (p *connectProxy) addresses() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *connectProxy) serve(conn net.Conn) {
	defer conn.Close()
	read := bufio.NewReader(conn)
	var lines []string
	for {
		line, err := read.ReadString('\n')
		if err != nil {
			return
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			break
		}
		lines = append(lines, line)
	}
	words := strings.Fields(lines[0])
	want := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+proxyPassword))
	switch {
	case len(words) != 3 || words[0] != "CONNECT":
		fmt.Fprint(conn, "HTTP/1.1 405 Method Not Allowed\r\n\r\n")
	case !slices.Contains(lines, want):
		fmt.Fprint(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n\r\n")
	case p.answer != "":
		fmt.Fprint(conn, p.answer)
	default:
		p.tunnel(conn, read, words[1])
	}
}

func (p *connectProxy) tunnel(conn net.Conn, read io.Reader, to string) {
	far, err := net.Dial("tcp", to)
	if err != nil {
		fmt.Fprint(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	p.track(far)
	p.mu.Lock()
	p.asked = append(p.asked, to)
	p.mu.Unlock()
	fmt.Fprint(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, far)
		conn.Close()
	})
	_, _ = io.Copy(far, read)
	far.Close()
	back.Wait()
}

func TestAgentGoesThroughItsProxy(t *testing.T) {
	s, p, m := newServer(t), newConnectProxy(t), newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	m.env["FAIRLEAD_PROXY_CREDENTIALS"] = proxyUser + ":" + proxyPassword
	joined := m.run(t, "join", "--proxy", p.url())
	if joined.code != 0 {
		t.Fatal(joined)
	}
	delete(m.env, "FAIRLEAD_PROXY_CREDENTIALS")
	a := m.start(t, "run", "--verbose")
	a.log.await(t, "line is up")
	status := m.run(t, "status")
	if status.code != 0 || !strings.Contains(status.out, "proxy      "+p.url()+"\n") {
		t.Errorf("status = %+v", status)
	}
	a.stop(t)
	if diff := cmp.Diff([]string{s.address, s.address}, p.addresses()); diff != "" {
		t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
	}
	files := m.files(t)
	if got := files["proxy-credentials"]; got != proxyUser+":"+proxyPassword+"\n" {
		t.Errorf("proxy-credentials holds %q", got)
	}
	if info, err := os.Stat(filepath.Join(m.home, "proxy-credentials")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("proxy-credentials: %v, %v", info.Mode(), err)
	}
	delete(files, "proxy-credentials")
	files["out"], files["err"], files["log"], files["status"] = joined.out, joined.err, a.log.String(), status.out
	encoded := base64.StdEncoding.EncodeToString([]byte(proxyUser + ":" + proxyPassword))
	for where, text := range files {
		if strings.Contains(text, proxyPassword) || strings.Contains(text, encoded) {
			t.Errorf("S5 %s holds the password", where)
		}
	}
}

func TestJoinAndTheProxy(t *testing.T) {
	s, p := newServer(t), newConnectProxy(t)
	good := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(good, []byte(proxyUser+":"+proxyPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(loose, []byte(proxyUser+":"+proxyPassword), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args      []string
		variable  string
		code      int
		says      string // on standard error
		kept      string // in agent.toml
		keptFile  bool
		homeThere bool
	}{
		"S5 secret in the address": {
			[]string{"--proxy", "http://agent:" + proxyPassword + "@proxy:3128"}, "", 2, "holds a user or a password", "", false, false,
		},
		"no proxy address":      {[]string{"--proxy", "proxy:3128"}, "", 2, "write http://host:port", "", false, false},
		"credentials, no proxy": {nil, "agent:x", 2, "no proxy is named", "", false, false},
		"two credentials": {
			[]string{"--proxy", p.url(), "--proxy-credentials", good}, "agent:x", 2, "use one of the two", "", false, false,
		},
		"no credentials":    {[]string{"--proxy", p.url()}, "", 4, "wants credentials (407, it offers Basic", "", false, true},
		"wrong credentials": {[]string{"--proxy", p.url()}, "agent:wrong", 4, "refused the credentials", "", false, true},
		"malformed credentials": {
			[]string{"--proxy", p.url()}, "agent", 2, "FAIRLEAD_PROXY_CREDENTIALS: proxy credentials: want one line", "", false, false,
		},
		"readable file": {
			[]string{"--proxy", p.url(), "--proxy-credentials", loose}, "", 4, "has mode 0644, so others can read it", "", false, false,
		},
		"no file": {
			[]string{"--proxy", p.url(), "--proxy-credentials", "/nowhere/x"}, "", 3, "read proxy credentials", "", false, false,
		},
		"not a proxy": {[]string{"--proxy", "http://" + s.address}, "", 5, "closed the connection", "", false, true},
		"nothing there": {
			[]string{"--proxy", "socks5://127.0.0.1:1"}, "", 5, "reach proxy socks5://127.0.0.1:1: connect: connection refused", "", false, true,
		},
		"from a file": {
			[]string{"--proxy", p.url(), "--proxy-credentials", good}, "", 0, "", "proxy_credentials = '" + good + "'", false, true,
		},
		"from the environment": {
			[]string{"--proxy", p.url()}, proxyUser + ":" + proxyPassword, 0, "", "proxy = '" + p.url() + "'", true, true,
		},
		"listening": {
			[]string{"--proxy", p.url(), "--listening", "--public-address", "web:10933"},
			proxyUser + ":" + proxyPassword, 0, "", "mode = 'listening'", false, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.env["FAIRLEAD_TOKEN"], m.env["FAIRLEAD_PROXY_CREDENTIALS"] = s.token(t).Reveal(), test.variable
			got := m.run(t, append([]string{"join"}, test.args...)...)
			if got.code != test.code || !strings.Contains(got.err, test.says) || strings.Contains(got.err+got.out, proxyPassword) {
				t.Errorf("join = %+v, want %d and %q", got, test.code, test.says)
			}
			files := m.files(t)
			if _, err := os.Stat(m.home); (err == nil) != test.homeThere {
				t.Errorf("home there: %v, with %q", err == nil, slices.Sorted(maps.Keys(files)))
			}
			_, isKept := files["proxy-credentials"]
			if !strings.Contains(files["agent.toml"], test.kept) || isKept != test.keptFile {
				t.Errorf("agent.toml:\n%s\nproxy-credentials: %v", files["agent.toml"], isKept)
			}
			if name == "listening" && strings.Contains(files["agent.toml"], "proxy") {
				t.Errorf("agent.toml:\n%s", files["agent.toml"])
			}
		})
	}
}

func TestJoinAgainKeepsTheProxyUntilToldOtherwise(t *testing.T) {
	s, p, m := newServer(t), newConnectProxy(t), newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	m.env["FAIRLEAD_PROXY_CREDENTIALS"] = proxyUser + ":" + proxyPassword
	if got := m.run(t, "join", "--proxy", p.url()); got.code != 0 {
		t.Fatal(got)
	}
	before := m.files(t)
	delete(m.env, "FAIRLEAD_PROXY_CREDENTIALS")
	if got := m.run(t, "join"); got.code != 0 {
		t.Fatal(got)
	}
	if diff := cmp.Diff(before, m.files(t)); diff != "" || len(p.addresses()) != 2 {
		t.Errorf("asked %q; home (-before +after):\n%s", p.addresses(), diff)
	}
	if got := m.run(t, "join", "--proxy", "none"); got.code != 0 {
		t.Fatal(got)
	}
	if strings.Contains(m.files(t)["agent.toml"], "proxy") || len(p.addresses()) != 2 {
		t.Errorf("asked %q; agent.toml:\n%s", p.addresses(), m.files(t)["agent.toml"])
	}
}

func TestStatusSaysWhichBoxIsInTheWay(t *testing.T) {
	s, p, m := newServer(t), newConnectProxy(t), newMachine(t)
	m.env["FAIRLEAD_TOKEN"] = s.token(t).Reveal()
	m.env["FAIRLEAD_PROXY_CREDENTIALS"] = proxyUser + ":" + proxyPassword
	if got := m.run(t, "join", "--proxy", p.url()); got.code != 0 {
		t.Fatal(got)
	}
	p.answer = "HTTP/1.1 403 Forbidden\r\n\r\n"
	a := m.start(t, "run")
	a.log.await(t, `"cause":"proxy_refused"`)
	got := m.run(t, "status")
	if got.code != 5 || !strings.Contains(got.out, "line       down (proxy_refused)\n") ||
		!strings.Contains(got.err, "asked for "+s.address+`, forbids it (403 "Forbidden")`) ||
		!strings.Contains(got.err, "ask the network team to allow CONNECT to the server's address and port") {
		t.Errorf("status = %+v", got)
	}
	var state daemon.State
	err := json.Unmarshal([]byte(m.run(t, "status", "--json").out), &state)
	if err != nil || state.Cause != "proxy_refused" || state.Proxy != p.url() {
		t.Errorf("state %+v, %v", state, err)
	}
	a.stop(t)
}

func TestProxySettingsAreChecked(t *testing.T) {
	polling := "mode = 'polling'\nserver = 'deploy.example.com:10943'\n"
	for text, says := range map[string]string{
		polling + "proxy = 'http://proxy:3128'\n":                                        "",
		polling + "proxy = 'socks5://proxy:1080'\nproxy_credentials = 'secrets/proxy'\n": "",
		polling + "proxy = 'http://a:" + proxyPassword + "@proxy:3128'\n":                "proxy: proxy address holds a user or a password",
		polling + "proxy = 'none'\n":                                                     "proxy: proxy address begins neither",
		polling + "proxy_credentials = 'x'\n":                                            "proxy_credentials: there is no proxy",
		"mode = 'listening'\nlisten = '0.0.0.0:10933'\nproxy = 'http://proxy:3128'\n":    "a listening agent dials nobody",
	} {
		_, err := load(t, text)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
		if err != nil && strings.Contains(err.Error(), proxyPassword) {
			t.Errorf("S5 error %v repeats the secret", err)
		}
	}
}
