// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"fairlead/internal/errkind"
)

const (
	signature = "0d0a0d0a000d0a515549540a"
	four      = "c0000207" + "c6336401" + "c350" + "2abf" // 192.0.2.7:50000 to 198.51.100.1:10943
)

// six is the end of a header for IPv6: the client of these 32 digits, the server ::1, both ports.
func six(client string) string { return client + strings.Repeat("00", 15) + "01" + "c350" + "2abf" }

// The headers: text as it is, binary in hexadecimal.
func TestReadHeader(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"text, four":             {"PROXY TCP4 192.0.2.7 198.51.100.1 65535 10943\r\n", "192.0.2.7:65535"},
		"text, six":              {"PROXY TCP6 2001:db8::7 ::1 1 10943\r\n", "[2001:db8::7]:1"},
		"text, port 0":           {"PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n", "192.0.2.7:0"},
		"text, longest":          {"PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n", ""},
		"text, unknown":          {"PROXY UNKNOWN\r\n", ""},
		"binary, four":           {signature + "2111000c" + four, "192.0.2.7:50000"},
		"binary, six":            {signature + "21210024" + six("20010db8"+strings.Repeat("00", 11)+"07"), "[2001:db8::7]:50000"},
		"binary, mapped":         {signature + "21210024" + six(strings.Repeat("00", 10)+"ffffc0000207"), "192.0.2.7:50000"},
		"binary, extras":         {signature + "21110014" + four + "ea00020102" + "040000", "192.0.2.7:50000"},
		"binary, checksum":       {signature + "21110013" + four + "030004" + "b640e16a", "192.0.2.7:50000"},
		"binary, local":          {signature + "20000000", ""},
		"binary, local and more": {signature + "20110003" + "010203", ""},
		"binary, not said":       {signature + "21000000", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
				whole := bytes.NewReader(append(headerBytes(t, test.text), "behind"...))
				client, err := readHeader(wrap(whole))
				got := ""
				if client.IsValid() {
					got = client.String()
				}
				behind, _ := io.ReadAll(whole)
				if err != nil || got != test.want || string(behind) != "behind" {
					t.Errorf("client %q, %v, behind it %q", got, err, behind)
				}
			}
		})
	}
}

func headerBytes(t *testing.T, text string) []byte {
	t.Helper()
	if strings.HasPrefix(text, "PROXY") {
		return []byte(text)
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReadHeaderRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"empty":                   {"PROXY \r\n", "want TCP4"},
		"bare LF":                 {"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n" + strings.Repeat("x", 107), "no end within 107 bytes"},
		"108 bytes":               {"PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n", "no end within 107 bytes"},
		"UDP":                     {"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n", "want TCP4"},
		"lower case":              {"PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n", "want TCP4"},
		"two spaces":              {"PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n", "want TCP4"},
		"no port":                 {"PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n", "want TCP4"},
		"port 65536":              {"PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n", "no address and port"},
		"port 01":                 {"PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n", "no address and port"},
		"port +1":                 {"PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n", "no address and port"},
		"name":                    {"PROXY TCP4 localhost 198.51.100.1 1 2\r\n", "no address and port"},
		"six for four":            {"PROXY TCP4 ::1 198.51.100.1 1 2\r\n", "no address and port"},
		"zone":                    {"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "no address and port"},
		"bad own address":         {"PROXY TCP4 192.0.2.7 x 1 2\r\n", "no address and port"},
		"ends in text":            {"PROXY TCP4 192.", "cut short"},
		"ends at once":            {"PRO", "cut short"},
		"ends in binary":          {signature + "2111000c" + "c000", "cut short"},
		"ends before the length":  {signature + "21", "cut short"},
		"other signature":         {"0d0a0d0a000d0a515549540b" + "2111000c" + four, "begins with"},
		"version 1 in binary":     {signature + "1111000c" + four, "version 1"},
		"command 2":               {signature + "2211000c" + four, "command 2"},
		"UDP in binary":           {signature + "2112000c" + four, "family 0x12"},
		"unix":                    {signature + "213100d8" + strings.Repeat("00", 216), "family 0x31"},
		"short addresses":         {signature + "2111000b" + four, "11 bytes of addresses"},
		"2049 bytes":              {signature + "21110801" + four, "announces 2049 bytes: limit is 2048"},
		"half an extra":           {signature + "2111000e" + four + "0400", "in the middle of an extra"},
		"extra longer than it is": {signature + "21110010" + four + "04000201", "in the middle of extra 0x04"},
		"wrong checksum":          {signature + "21110013" + four + "030004" + "b640e16b", "checksum is wrong"},
		"short checksum":          {signature + "21110012" + four + "030003" + "b640e1", "checksum is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(test.text)
			if !strings.HasPrefix(test.text, "PRO") {
				raw = headerBytes(t, test.text)
			}
			client, err := readHeader(bytes.NewReader(raw))
			if errkind.Of(err) != errkind.Corrupt || !strings.Contains(err.Error(), test.says) {
				t.Errorf("client %v, %v: want %q", client, err, test.says)
			}
		})
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nx"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\xc0\x00\x02\x01\xc3\x50\x2a\xbf"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		left := bytes.NewReader(raw)
		client, err := readHeader(left)
		if read := len(raw) - left.Len(); read > fixedBytes+maxHeader2Bytes {
			t.Fatalf("read %d bytes", read)
		}
		if err != nil && (errkind.Of(err) != errkind.Corrupt || client.IsValid()) {
			t.Fatalf("client %v, %v", client, err)
		}
	})
}
