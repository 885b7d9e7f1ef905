// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"unicode"

	"fairlead/internal/errkind"
)

const (
	// maxFieldBytes is the longest user, password or host. Source: RFC 1929, RFC 1928 5.
	maxFieldBytes = 255
	// maxFileBytes bounds what is read of a file: two fields, the colon and an end of line.
	maxFileBytes = 2*maxFieldBytes + 3
	mask         = "[proxy credentials]"
)

// Credentials are a user and a password; the zero value is none. They print as a mask.
type Credentials struct{ user, password string }

func (c Credentials) set() bool { return c.user != "" }

// String is a mask.
func (c Credentials) String() string { return mask }

// GoString is a mask.
func (c Credentials) GoString() string { return mask }

// LogValue is a mask.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(mask) }

// Reveal is "user:password", to be stored.
func (c Credentials) Reveal() string { return c.user + ":" + c.password }

// ParseCredentials reads one line "user:password", each of 1 to 255 bytes; the password may hold
// colons. The error does not repeat the text. Errors: Invalid.
func ParseCredentials(text string) (Credentials, error) {
	line := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	user, password, hasColon := strings.Cut(line, ":")
	switch {
	case !hasColon || user == "" || password == "":
		return Credentials{}, errkind.Invalid.Errorf("proxy credentials: want one line user:password")
	case len(user) > maxFieldBytes || len(password) > maxFieldBytes:
		return Credentials{}, errkind.Invalid.Errorf("proxy credentials: user or password is longer than %d bytes",
			maxFieldBytes)
	case strings.ContainsFunc(line, unicode.IsControl):
		return Credentials{}, errkind.Invalid.Errorf("proxy credentials: more than one line, or a control character")
	}
	return Credentials{user, password}, nil
}

// ReadCredentials reads a file that nobody but its owner can read. Errors: NotFound, Denied, Invalid.
func ReadCredentials(path string) (Credentials, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Credentials{}, errkind.NotFound.Errorf("read proxy credentials: %w", err)
	}
	if err != nil {
		return Credentials{}, errkind.Denied.Errorf("read proxy credentials: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return Credentials{}, errkind.Denied.Errorf("read proxy credentials: %w", err)
	case !info.Mode().IsRegular():
		return Credentials{}, errkind.Denied.Errorf("read proxy credentials: %s is no regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		err := errkind.Denied.Errorf("read proxy credentials: %s has mode %04o, so others can read it",
			path, info.Mode().Perm())
		return Credentials{}, errkind.Hinted(err, "chmod 600 %s", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return Credentials{}, errkind.Denied.Errorf("read proxy credentials: %w", err)
	}
	c, err := ParseCredentials(string(text))
	if err != nil {
		return c, errkind.Hinted(errkind.Of(err).Errorf("%s: %w", path, err),
			"write user:password as the only line of the file")
	}
	return c, nil
}
