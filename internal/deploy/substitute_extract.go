// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// versionFilter takes a part of a version; numbers that are not there are 0, words are empty.
func versionFilter(name, value string) (result string, known bool) {
	part, is := strings.CutPrefix(name, "version")
	if !is {
		return "", false
	}
	numbers, label, metadata := versionParts(value)
	prefix, counter := label, ""
	if at := strings.IndexAny(label, ".-_"); at >= 0 {
		prefix, counter = label[:at], label[at+1:]
	}
	switch part {
	case "major":
		return numbers[0], true
	case "minor":
		return numbers[1], true
	case "patch":
		return numbers[2], true
	case "revision":
		return numbers[3], true
	case "prerelease":
		return label, true
	case "prereleaseprefix":
		return prefix, true
	case "prereleasecounter":
		return counter, true
	case "metadata":
		return metadata, true
	}
	return "", false
}

// versionParts splits a version of any of the usual kinds, or something like it.
func versionParts(version string) (numbers [4]string, label, metadata string) {
	numbers = [4]string{"0", "0", "0", "0"}
	rest, metadata, _ := strings.Cut(strings.TrimSpace(version), "+")
	if plain := strings.TrimLeft(rest, "vV"); plain != "" && plain[0] >= '0' && plain[0] <= '9' {
		rest = plain
	}
	for i := range numbers {
		end := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if end == 0 {
			break
		}
		numbers[i], rest = rest[:end], rest[end:]
		if len(rest) < 2 || rest[0] != '.' || rest[1] < '0' || rest[1] > '9' {
			break
		}
		rest = rest[1:]
	}
	return numbers, strings.TrimLeft(rest, ".-_"), metadata
}

// hash is in hex. Arguments: how many bytes of it, and how the value becomes bytes (utf8, unicode,
// base64), in any order.
func (in filterInput) hash(name string) (string, bool) {
	if len(in.args) > 2 {
		return "", false
	}
	raw, size := []byte(in.value), -1
	encoded := false
	for _, a := range in.args {
		if n, err := strconv.Atoi(a); err == nil {
			if n <= 0 || size > 0 {
				return "", false
			}
			size = n
			continue
		}
		var ok bool
		if raw, ok = encodeBytes(in.value, a); !ok || encoded {
			return "", false
		}
		encoded = true
	}
	h := newHash(name)
	h.Write(raw)
	sum := h.Sum(nil)
	if size > 0 && size < len(sum) {
		sum = sum[:size]
	}
	return hex.EncodeToString(sum), true
}

func newHash(name string) hash.Hash {
	switch name {
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	}
	return sha256.New()
}

// littleUTF16 is what .NET calls UTF-16, little end first.
const littleUTF16 = "unicode"

// textEncoding is how a text becomes the bytes that base64 is of, unless the argument says otherwise.
func (in filterInput) textEncoding() (name string, ok bool) {
	if len(in.args) == 0 {
		return "utf8", true
	}
	name = strings.ToLower(in.args[0])
	return name, len(in.args) == 1 && (name == "utf8" || name == "utf-8" || name == littleUTF16)
}

func (in filterInput) toBase64() (string, bool) {
	encoding, ok := in.textEncoding()
	if !ok {
		return "", false
	}
	raw, ok := encodeBytes(in.value, encoding)
	return base64.StdEncoding.EncodeToString(raw), ok
}

// fromBase64 takes texts only.
func (in filterInput) fromBase64() (string, bool) {
	encoding, ok := in.textEncoding()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(in.value))
	if !ok || err != nil {
		return "", false
	}
	if encoding != littleUTF16 {
		return string(raw), utf8.Valid(raw)
	}
	if len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units)), true
}

func encodeBytes(value, encoding string) ([]byte, bool) {
	switch strings.ToLower(encoding) {
	case "utf8", "utf-8":
		return []byte(value), true
	case littleUTF16:
		var raw []byte
		for _, unit := range utf16.Encode([]rune(value)) {
			raw = binary.LittleEndian.AppendUint16(raw, unit)
		}
		return raw, true
	case "base64":
		raw, err := base64.StdEncoding.DecodeString(value)
		return raw, err == nil
	}
	return nil, false
}

// uriPart takes a part of an address. As in Octopus an error is written where the part would be.
func (in filterInput) uriPart() string {
	if len(in.args) == 0 {
		return "[UriPart error: no argument given]"
	}
	part := in.args[0]
	u, err := url.Parse(in.value)
	if err != nil {
		return "[UriPart " + part + " error: this is no URI]"
	}
	if strings.EqualFold(part, "IsAbsoluteUri") {
		return strconv.FormatBool(u.IsAbs())
	}
	if !u.IsAbs() {
		return "[UriPart " + part + " error: This operation is not supported for a relative URI.]"
	}
	text, known := uriPartOf(u, strings.ToLower(part))
	if !known {
		return "[UriPart " + part + " error: argument '" + part + "' not supported]"
	}
	return text
}

func uriPartOf(u *url.URL, part string) (text string, known bool) {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	query, fragment := "", ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	if u.Fragment != "" {
		fragment = "#" + u.EscapedFragment()
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	authority := u.Host
	if u.Port() == defaultPort(u.Scheme) {
		authority = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	switch part {
	case "absolutepath", "path":
		return path, true
	case "absoluteuri":
		return u.String(), true
	case "authority":
		return authority, true
	case "dnssafehost", "host":
		return u.Hostname(), true
	case "fragment":
		return fragment, true
	case "hostandport":
		return net.JoinHostPort(u.Hostname(), port), true
	case "pathandquery":
		return path + query, true
	case "port":
		return port, true
	case "query":
		return query, true
	case "scheme":
		return u.Scheme, true
	case "schemeandserver":
		return u.Scheme + "://" + authority, true
	case "userinfo":
		return u.User.String(), true
	}
	return uriTest(u, part)
}

func uriTest(u *url.URL, part string) (text string, known bool) {
	address, err := netip.ParseAddr(u.Hostname())
	switch part {
	case "hostnametype":
		switch {
		case err == nil && address.Is4():
			return "IPv4", true
		case err == nil:
			return "IPv6", true
		}
		return "Dns", true
	case "isdefaultport":
		return strconv.FormatBool(u.Port() == "" || u.Port() == defaultPort(u.Scheme)), true
	case "isfile":
		return strconv.FormatBool(u.Scheme == "file"), true
	case "isloopback":
		loop := err == nil && address.IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
		return strconv.FormatBool(loop), true
	case "isunc":
		return strconv.FormatBool(u.Scheme == "file" && u.Host != ""), true
	}
	return "", false
}

// defaultPort is what a scheme means without a port; -1 where there is none, as System.Uri has it.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	case "ftp":
		return "21"
	}
	return "-1"
}
