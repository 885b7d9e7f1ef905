// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package httphead_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/errkind"
	"fairlead/internal/httphead"
)

const limit = 512

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text, behind, reason string
		status               int
		schemes              []string
	}{
		"established": {"HTTP/1.1 200 Connection established\r\n\r\nhello", "hello", "Connection established", 200, nil},
		"no reason":   {"HTTP/1.0 200\r\n\r\n", "", "", 200, nil},
		"bare LF":     {"HTTP/1.0 502 Bad Gateway\nServer: x\n\n", "", "Bad Gateway", 502, nil},
		"two schemes": {
			"HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\nProxy-Authenticate:NTLM\r\n\r\n", "", "No", 407, []string{"Basic", "NTLM"},
		},
		"odd lines":    {"HTTP/1.1 407 No\r\nwhat is this\r\nProxy-Authenticate: Basic\r\n\r\n", "", "No", 407, []string{"Basic"}},
		"just in size": {"HTTP/1.1 200 " + strings.Repeat("x", limit-17) + "\r\n\r\n", "", strings.Repeat("x", limit-17), 200, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
			} {
				whole := strings.NewReader(test.text)
				head, behind, err := httphead.Read(wrap(whole), limit)
				left, _ := io.ReadAll(whole)
				if err != nil || head.Status != test.status || head.Reason != test.reason || string(behind)+string(left) != test.behind {
					t.Errorf("%s: head %+v, behind %q, %v", how, head, behind, err)
				}
				if diff := cmp.Diff(test.schemes, head.Values("Proxy-Authenticate")); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"SSH":           {"SSH-2.0-OpenSSH_9.6\r\n", errkind.Corrupt},
		"one bad byte":  {"\x05", errkind.Corrupt},
		"HTTP/2":        {"HTTP/2 200 OK\r\n\r\n", errkind.Corrupt},
		"no status":     {"HTTP/1.1\r\n\r\n", errkind.Corrupt},
		"status 99":     {"HTTP/1.1 099 x\r\n\r\n", errkind.Corrupt},
		"status +20":    {"HTTP/1.1 +20 x\r\n\r\n", errkind.Corrupt},
		"endless line":  {"HTTP/1.1 200 " + strings.Repeat("x", 2*limit), errkind.Exhausted},
		"one over size": {"HTTP/1.1 200 " + strings.Repeat("x", limit-16) + "\r\n\r\n", errkind.Exhausted},
		"nothing":       {"", io.EOF},
		"cut":           {"HTTP/1.1 200 OK\r\nServer: x\r\n", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			head, _, err := httphead.Read(strings.NewReader(test.text), limit)
			if !errors.Is(err, test.want) {
				t.Errorf("read %+v, %v: want %v", head, err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nDate: x\r\n\r\nrest")
	f.Fuzz(func(t *testing.T, text string) {
		whole := strings.NewReader(text)
		head, behind, err := httphead.Read(whole, limit)
		if read := len(text) - whole.Len(); read > limit {
			t.Fatalf("read %d bytes", read)
		}
		if err == nil && (head.Status < 100 || head.Status > 999 || !strings.HasSuffix(text[:len(text)-whole.Len()], string(behind))) {
			t.Fatalf("head %+v, behind %q", head, behind)
		}
	})
}
