// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package httphead reads the head of an HTTP/1 answer: what a proxy says to CONNECT, what a box
// says that stands where the server should. It takes the place of net/http, which the agent does
// not link.
//
// It reads no bodies and writes no requests.
//
//  1. No more than the limit is read, and nothing is waited for once it cannot be HTTP.
//  2. What came behind the head is given back, not lost.
package httphead

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

const (
	version   = "HTTP/"
	readBytes = 1024
	// maxShownBytes is how much of an answer that is not HTTP is quoted.
	maxShownBytes = 24
)

// Head is a status line with its fields.
type Head struct {
	Status int    // 100 to 999
	Reason string // as it came; may be empty
	fields []field
}

type field struct{ name, value string }

// Values lists the values of a field, in their order; the case of names does not matter.
func (h Head) Values(name string) (values []string) {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// Value is the first value of a field, or "".
func (h Head) Value(name string) string {
	for _, value := range h.Values(name) {
		return value
	}
	return ""
}

// Read reads one head of at most limit bytes and returns what was read behind it. Errors: Corrupt
// (no HTTP/1), Exhausted (over the limit), io.EOF and those of r. The caller bounds the time.
func Read(r io.Reader, limit int) (head Head, behind []byte, err error) {
	var text []byte
	buffer := make([]byte, readBytes)
	for {
		n, err := r.Read(buffer[:min(readBytes, limit-len(text))])
		text = append(text, buffer[:n]...)
		if !isHTTP(text) {
			return head, nil, errkind.Corrupt.Errorf("the answer is not HTTP: it begins with %q",
				text[:min(len(text), maxShownBytes)])
		}
		if end := endOf(text); end > 0 {
			head, err := parse(string(text[:end]))
			return head, text[end:], err
		}
		switch {
		case errors.Is(err, io.EOF) && len(text) > 0:
			return head, nil, io.ErrUnexpectedEOF
		case err != nil:
			return head, nil, err
		case len(text) >= limit:
			return head, nil, errkind.Exhausted.Errorf("the head of the answer has more than %d bytes", limit)
		}
	}
}

func isHTTP(text []byte) bool {
	n := min(len(text), len(version))
	return string(text[:n]) == version[:n]
}

// endOf is where the head ends: behind an empty line; 0 while it has not come.
func endOf(text []byte) int {
	for at := 0; ; {
		line := bytes.IndexByte(text[at:], '\n')
		if line < 0 {
			return 0
		}
		if at > 0 && len(bytes.TrimRight(text[at:at+line], "\r")) == 0 {
			return at + line + 1
		}
		at += line + 1
	}
}

func parse(text string) (head Head, err error) {
	first, rest, _ := strings.Cut(text, "\n")
	words := strings.SplitN(strings.TrimRight(first, "\r"), " ", 3)
	if len(words) < 2 || len(words[0]) != len("HTTP/1.1") || words[0][:len("HTTP/1.")] != "HTTP/1." {
		return head, errkind.Corrupt.Errorf("the answer begins with %.80q: want a status line of HTTP/1", first)
	}
	status, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || len(words[1]) != 3 || status < 100 {
		return head, errkind.Corrupt.Errorf("the answer has status %.20q: want a number of three digits", words[1])
	}
	head.Status = int(status)
	if len(words) == 3 {
		head.Reason = words[2]
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":"); ok {
			head.fields = append(head.fields, field{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return head, nil
}
