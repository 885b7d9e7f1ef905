// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/proxy"
)

// site is a network where a scripted proxy stands.
type site struct {
	box    func(net.Conn)
	err    error
	group  sync.WaitGroup
	dialed []string
}

func (s *site) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	s.dialed = append(s.dialed, address)
	if s.err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: s.err}
	}
	near, far := net.Pipe()
	s.group.Go(func() {
		defer far.Close()
		s.box(far)
	})
	return near, nil
}

func (*site) Listen(context.Context, string, string) (net.Listener, error) { return nil, net.ErrClosed }

func (*site) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("this side resolves nothing behind the proxy")
}

// turn is what a proxy expects, byte for byte, and what it answers.
type turn struct{ hears, says string }

// scripted plays turns, then echoes.
func scripted(t *testing.T, turns ...turn) func(net.Conn) {
	return func(conn net.Conn) {
		for _, turn := range turns {
			heard := make([]byte, len(turn.hears))
			if n, err := io.ReadFull(conn, heard); err != nil || string(heard) != turn.hears {
				t.Errorf("the proxy heard %q, %v: want %q", heard[:n], err, turn.hears)
				return
			}
			if _, err := io.WriteString(conn, turn.says); err != nil {
				return // the other side has heard enough
			}
		}
		_, _ = io.CopyN(conn, conn, 4)
	}
}

const (
	asksHTTP    = "CONNECT deploy.example.com:10943 HTTP/1.1\r\nHost: deploy.example.com:10943\r\nUser-Agent: fairlead\r\n"
	asksWith    = asksHTTP + "Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n\r\n"
	asksWithout = asksHTTP + "\r\n"
	secret      = "pass:word"
	target      = "deploy.example.com:10943"
	interim     = "HTTP/1.1 100 x\r\n\r\n"
	asksSOCKS   = "\x05\x01\x00\x03\x12deploy.example.com\x2a\xbf"
	boundSOCKS  = "\x05\x00\x00\x01\x0a\x00\x00\x01\x04\x00"
)

func dial(t *testing.T, s *site, address, credentials, to string) (net.Conn, error) {
	t.Helper()
	p, err := proxy.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := proxy.Through(s, p, func() (c proxy.Credentials, err error) {
		if credentials == "" {
			return c, nil
		}
		return proxy.ParseCredentials(credentials)
	}).DialContext(t.Context(), "tcp", to)
	if err != nil && strings.Contains(err.Error()+errkind.Hint(err), secret) {
		t.Errorf("error %v holds the secret", err)
	}
	return conn, err
}

func TestTheWayIsOpen(t *testing.T) {
	for name, test := range map[string]struct {
		proxy, credentials, to, rest string
		turns                        []turn
	}{
		"CONNECT":                  {"http://proxy:3128", "", target, "", []turn{{asksWithout, "HTTP/1.1 200 Connection established\r\n\r\n"}}},
		"CONNECT with credentials": {"http://proxy:3128/", "user:" + secret, target, "", []turn{{asksWith, "HTTP/1.0 200\r\n\r\n"}}},
		"CONNECT, bytes behind": {
			"http://proxy:3128", "", target, "hello",
			[]turn{{asksWithout, "HTTP/1.1 100 Continue\r\n\r\n"}, {"", "HTTP/1.1 200 OK\r\nVia: x\r\n\r\nhello"}},
		},
		"SOCKS5": {"socks5://proxy:1080", "", target, "", []turn{{"\x05\x01\x00", "\x05\x00"}, {asksSOCKS, boundSOCKS}}},
		"SOCKS5 with credentials": {"socks5://proxy:1080", "user:" + secret, target, "", []turn{
			{"\x05\x02\x00\x02", "\x05\x02"}, {"\x01\x04user\x09pass:word", "\x01\x00"}, {asksSOCKS, boundSOCKS},
		}},
		"SOCKS5 that wants none": {"socks5://proxy:1080", "user:" + secret, target, "", []turn{
			{"\x05\x02\x00\x02", "\x05\x00"}, {asksSOCKS, "\x05\x00\x00\x03\x05proxy\x04\x00"},
		}},
		"SOCKS5 to IPv4": {"socks5://proxy:1080", "", "192.0.2.1:10943", "", []turn{
			{"\x05\x01\x00", "\x05\x00"}, {"\x05\x01\x00\x01\xc0\x00\x02\x01\x2a\xbf", boundSOCKS},
		}},
		"SOCKS5 to IPv6": {"socks5://proxy:1080", "", "[2001:db8::1]:10943", "", []turn{
			{"\x05\x01\x00", "\x05\x00"},
			{"\x05\x01\x00\x04\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x2a\xbf", "\x05\x00\x00\x04" + strings.Repeat("\x00", 18)},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{box: scripted(t, test.turns...)}
			conn, err := dial(t, s, test.proxy, test.credentials, test.to)
			if err != nil {
				t.Fatal(err)
			}
			rest := make([]byte, len(test.rest))
			if _, err := io.ReadFull(conn, rest); err != nil || string(rest) != test.rest {
				t.Errorf("behind the answer is %q, %v", rest, err)
			}
			echo := make([]byte, 4)
			if _, err := io.WriteString(conn, "ping"); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(conn, echo); err != nil || string(echo) != "ping" {
				t.Errorf("through the proxy comes %q, %v", echo, err)
			}
			conn.Close()
			s.group.Wait()
			if want := strings.Trim(test.proxy[strings.Index(test.proxy, "//")+2:], "/"); len(s.dialed) != 1 || s.dialed[0] != want {
				t.Errorf("dialled %q, want %q", s.dialed, want)
			}
		})
	}
}

func TestTheProxySaysNo(t *testing.T) {
	const http, socks, with = "http://proxy:3128", "socks5://proxy:1080", "user:" + secret
	methods, signIn := turn{"\x05\x01\x00", "\x05\x00"}, turn{"\x01\x04user\x09pass:word", "\x01\x01"}
	for name, test := range map[string]struct {
		proxy, credentials string
		turns              []turn
		kind               errkind.Kind
		cause              diagnosis.Cause
		says               string
	}{
		"407": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"}},
			errkind.Denied, diagnosis.ProxyAuth,
			"proxy http://proxy:3128, asked for deploy.example.com:10943, " +
				"wants credentials (407, it offers Negotiate, Basic; the agent speaks Basic)",
		},
		"407 again": {
			http, with,
			[]turn{{asksWith, "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n"}},
			errkind.Denied, diagnosis.ProxyAuth, "refused the credentials (407, it offers NTLM; the agent speaks Basic)",
		},
		"407 without a scheme": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 407 No\r\nProxy-Authenticate: \x1b[2J\r\n\r\n"}},
			errkind.Denied, diagnosis.ProxyAuth, "it offers no way that is known",
		},
		"403": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 403 Forbidden\r\n\r\n"}},
			errkind.Denied, diagnosis.ProxyRefused, `forbids it (403 "Forbidden")`,
		},
		"502": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 502 Bad Gateway\r\n\r\n"}},
			errkind.Unavailable, diagnosis.ProxyUpstream, "cannot reach it (502",
		},
		"503": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.0 503 Service Unavailable\r\n\r\n"}},
			errkind.Unavailable, diagnosis.ProxyUpstream, "cannot reach it (503",
		},
		"504": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 504 Gateway Timeout\r\n\r\n"}},
			errkind.Unavailable, diagnosis.ProxyUpstream, "cannot reach it (504",
		},
		"405": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 405 Method Not Allowed\r\n\r\n"}},
			errkind.Corrupt, diagnosis.NotProxy, "does not do CONNECT (405",
		},
		"redirect": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n"}},
			errkind.Denied, diagnosis.CaptivePortal, `answered 302 and leads to "http://login.example/"`,
		},
		"SSH": {http, "", []turn{{asksWithout, "SSH-2.0-OpenSSH_9.6\r\n"}}, errkind.Corrupt, diagnosis.NotProxy, "the answer is not HTTP"},
		"SOCKS for HTTP": {
			http, "", []turn{{asksWithout, "\x05\xff"}}, errkind.Corrupt, diagnosis.NotProxy, "the answer is not HTTP",
		},
		"endless head": {
			http, "",
			[]turn{{asksWithout, "HTTP/1.1 200 " + strings.Repeat("x", 16<<10)}},
			errkind.Exhausted, diagnosis.NotProxy, "more than 16384 bytes",
		},
		"endless interim": {
			http, "",
			[]turn{{asksWithout, interim}, {"", interim}, {"", interim}, {"", interim}},
			errkind.Corrupt, diagnosis.NotProxy, "4 times without a result",
		},
		"SOCKS5 wants a password": {
			socks, "",
			[]turn{{"\x05\x01\x00", "\x05\xff"}},
			errkind.Denied, diagnosis.ProxyAuth,
			"proxy socks5://proxy:1080, asked for deploy.example.com:10943, wants credentials",
		},
		"SOCKS5 wants GSSAPI": {
			socks, with,
			[]turn{{"\x05\x02\x00\x02", "\x05\xff"}},
			errkind.Denied, diagnosis.ProxyAuth, "neither nobody nor user and password",
		},
		"SOCKS5 wrong password": {
			socks, with,
			[]turn{{"\x05\x02\x00\x02", "\x05\x02"}, signIn},
			errkind.Denied, diagnosis.ProxyAuth, "refused the credentials",
		},
		"SOCKS5 chose what is not": {
			socks, "",
			[]turn{{"\x05\x01\x00", "\x05\x02"}},
			errkind.Corrupt, diagnosis.NotProxy, "was not offered (0x02)",
		},
		"SOCKS5 forbids": {
			socks, "",
			[]turn{methods, {asksSOCKS, "\x05\x02"}},
			errkind.Denied, diagnosis.ProxyRefused, "forbids it by its rules",
		},
		"SOCKS5 refused": {
			socks, "",
			[]turn{methods, {asksSOCKS, "\x05\x05"}},
			errkind.Unavailable, diagnosis.ProxyUpstream, "says: connection refused",
		},
		"SOCKS5 host": {
			socks, "",
			[]turn{methods, {asksSOCKS, "\x05\x04"}},
			errkind.Unavailable, diagnosis.ProxyUpstream, "says: host unreachable",
		},
		"SOCKS5 no CONNECT": {socks, "", []turn{methods, {asksSOCKS, "\x05\x07"}}, errkind.Corrupt, diagnosis.NotProxy, "reply 7"},
		"SOCKS5 reply 99":   {socks, "", []turn{methods, {asksSOCKS, "\x05\x63"}}, errkind.Corrupt, diagnosis.NotProxy, "reply 99"},
		"SOCKS5 bad bound address": {
			socks, "",
			[]turn{methods, {asksSOCKS, "\x05\x00"}, {"", "\x00\x09\x00"}},
			errkind.Corrupt, diagnosis.NotProxy, "an address of type 0x09",
		},
		"HTTP for SOCKS5": {socks, "", []turn{{"\x05\x01\x00", "HT"}}, errkind.Corrupt, diagnosis.NotProxy, `begins with "HT"`},
		"SOCKS5 then something new": {
			socks, "",
			[]turn{methods, {asksSOCKS, "xx"}},
			errkind.Corrupt, diagnosis.NotProxy, "did not answer as one of SOCKS5",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{box: scripted(t, test.turns...)}
			_, err := dial(t, s, test.proxy, test.credentials, target)
			if errkind.Of(err) != test.kind || diagnosis.Of(err) != test.cause || errkind.Hint(err) != test.cause.Sentence() {
				t.Errorf("%v: kind %v, cause %q, hint %q", err, errkind.Of(err), diagnosis.Of(err), errkind.Hint(err))
			}
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("error %q, want %q", err, test.says)
			}
			s.group.Wait()
		})
	}
}

func TestTheProxyEndsTheConnection(t *testing.T) {
	hears := func(bytes int, says string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, bytes))
			_, _ = io.WriteString(conn, says)
		}
	}
	for name, test := range map[string]struct {
		proxy string
		box   func(net.Conn)
	}{
		"at once":               {"http://proxy:3128", func(net.Conn) {}},
		"within the question":   {"http://proxy:3128", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4)) }},
		"after the question":    {"http://proxy:3128", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1024)) }},
		"within the first word": {"http://proxy:3128", hears(1024, "HTTP")},
		"within the answer":     {"http://proxy:3128", hears(1024, "HTTP/1.1 200 OK\r\nServer")},
		"at once, SOCKS5":       {"socks5://proxy:1080", func(net.Conn) {}},
		"within, SOCKS5":        {"socks5://proxy:1080", hears(3, "\x05")},
		"on request, SOCKS5":    {"socks5://proxy:1080", hears(3, "\x05\x00")},
		"within reply, SOCKS5":  {"socks5://proxy:1080", scripted(t, turn{"\x05\x01\x00", "\x05\x00"}, turn{asksSOCKS, "\x05\x00\x00\x01"})},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{box: func(conn net.Conn) { test.box(noEcho{conn}) }}
			_, err := dial(t, s, test.proxy, "", target)
			if errkind.Of(err) != errkind.Unavailable || diagnosis.Of(err) != diagnosis.ProxyClosed ||
				!strings.Contains(err.Error(), "proxy "+test.proxy+", asked for deploy.example.com:10943, closed the connection") {
				t.Errorf("%v: kind %v, cause %q", err, errkind.Of(err), diagnosis.Of(err))
			}
			s.group.Wait()
		})
	}
}

// noEcho ends a script where it would begin to echo.
type noEcho struct{ net.Conn }

func (noEcho) ReadFrom(io.Reader) (int64, error) { return 0, io.EOF }

func TestTheProxyCannotBeReached(t *testing.T) {
	s := &site{err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	_, err := dial(t, s, "socks5://proxy:1080", "", target)
	if diagnosis.Of(err) != diagnosis.PortClosed || err.Error() != "reach proxy socks5://proxy:1080: connect: connection refused" {
		t.Errorf("%v: cause %q", err, diagnosis.Of(err))
	}
}

func TestTheProxyIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{box: func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }}
		began := time.Now()
		_, err := dial(t, s, "http://proxy:3128", "", target)
		took := time.Since(began)
		if took != proxy.AnswerLimit || errkind.Of(err) != errkind.Timeout || diagnosis.Of(err) != diagnosis.ProxyUpstream {
			t.Errorf("after %v: %v, cause %q", took, err, diagnosis.Of(err))
		}
		s.group.Wait()
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{box: func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }}
		p, err := proxy.Parse("socks5://proxy:1080")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = proxy.Through(s, p, func() (proxy.Credentials, error) { return proxy.Credentials{}, nil }).DialContext(ctx, "tcp", target)
		if errkind.Of(err) != errkind.Canceled {
			t.Errorf("ended with %v", err)
		}
		s.group.Wait()
	})
}

func TestParse(t *testing.T) {
	for text, says := range map[string]string{
		"http://proxy:3128":                       "",
		"http://proxy:3128/":                      "",
		"socks5://[2001:db8::1]:1080":             "",
		"http://user:" + secret + "@proxy:3128":   "holds a user or a password",
		"socks5://user@proxy:1080":                "holds a user or a password",
		"http://user:pass%zzword@proxy:3128":      "is no URL",
		"https://proxy:3128":                      "reached over TLS is not supported",
		"socks4://proxy:1080":                     "begins neither",
		"proxy:3128":                              "begins neither",
		"http://proxy":                            "no port",
		"http://proxy:0":                          "no port",
		"http://proxy:70000":                      "no port",
		"http://:3128":                            "no host",
		"http://proxy:3128/pac":                   "more than a scheme",
		"http://proxy:3128?x":                     "more than a scheme",
		"":                                        "begins neither",
		"http://" + strings.Repeat("x", 300):      "is no URL",
		"http://proxy:3128\r\nX: y":               "is no URL",
		"http://pro xy:3128":                      "is no URL",
		"http://proxy:" + secret + "@elsewhere:1": "",
	} {
		p, err := proxy.Parse(text)
		if says == "" && err == nil {
			if p.String() != strings.TrimSuffix(text, "/") {
				t.Errorf("%q became %q", text, p)
			}
			continue
		}
		if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), says) || errkind.Hint(err) == "" {
			t.Errorf("%q: %v (hint %q), want %q", text, err, errkind.Hint(err), says)
		}
		for _, part := range []string{secret, "zzword"} {
			if strings.Contains(err.Error()+errkind.Hint(err), part) {
				t.Errorf("error %q repeats the secret", err)
			}
		}
	}
}

func TestCredentials(t *testing.T) {
	long := strings.Repeat("x", 256)
	for text, says := range map[string]string{
		"user:" + secret: "", "user:x\n": "", "user:x\r\n": "", "dömäne\\user:pässword": "",
		"": "want one line", "user": "want one line", ":x": "want one line", "user:": "want one line",
		"a:b\nc:d": "more than one line", "a:b\x00": "a control character", long + ":x": "255 bytes", "x:" + long: "255 bytes",
	} {
		c, err := proxy.ParseCredentials(text)
		if says != "" && (errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
		if says == "" && (err != nil || c.Reveal() != strings.TrimRight(text, "\r\n")) {
			t.Errorf("%q became %q, %v", text, c.Reveal(), err)
		}
	}
	c, err := proxy.ParseCredentials("user:" + secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%#v", c), fmt.Sprintf("%+v", c), c.LogValue().String()} {
		if strings.Contains(shown, secret) || strings.Contains(shown, "user") {
			t.Errorf("credentials print as %q", shown)
		}
	}
}

func TestCredentialsFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if c, err := proxy.ReadCredentials(write("good", "user:"+secret+"\n", 0o400)); err != nil || c.Reveal() != "user:"+secret {
		t.Errorf("read %q, %v", c.Reveal(), err)
	}
	long := write("big", strings.Repeat("x:", 4000), 0o600)
	open, two := write("open", "user:"+secret, 0o640), write("two", "user:"+secret+"\nmore\n", 0o600)
	for path, want := range map[string]errkind.Kind{
		filepath.Join(folder, "none"): errkind.NotFound,
		folder:                        errkind.Denied,
		open:                          errkind.Denied,
		two:                           errkind.Invalid,
		long:                          errkind.Invalid,
	} {
		_, err := proxy.ReadCredentials(path)
		if errkind.Of(err) != want || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
