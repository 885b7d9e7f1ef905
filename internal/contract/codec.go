// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// MaxHeadBytes is the longest request or response head.
	MaxHeadBytes = 64 << 10
	// maxNesting is the deepest document.
	maxNesting = 32
)

type requestHead struct {
	Method string          `json:"method"`
	Args   json.RawMessage `json:"args"`
}

type responseHead struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *wireError      `json:"error,omitempty"`
}

// wireError carries a kind, a message and a hint across the line. Internal errors travel with
// their text: both ends belong to the same operator.
type wireError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

const maxErrorText = 4 << 10

func toWire(err error) *wireError {
	return &wireError{
		Kind:    errkind.Of(err).String(),
		Message: cut(err.Error(), maxErrorText),
		Hint:    cut(errkind.Hint(err), maxErrorText),
	}
}

func fromWire(w *wireError) error {
	err := errkind.Parse(w.Kind).Errorf("%s", w.Message)
	if w.Hint != "" {
		err = errkind.Hinted(err, "%s", w.Hint)
	}
	return err
}

func cut(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD") // as Decode wants it
}

// lastWriter is a stream that takes its last bytes together with its end, for less than the two
// cost one after the other.
type lastWriter interface{ WriteLast(p []byte) error }

// writeLast writes p and the end.
func writeLast(stream Stream, p []byte) error {
	if w, ok := stream.(lastWriter); ok {
		return w.WriteLast(p)
	}
	if _, err := stream.Write(p); err != nil {
		return err
	}
	return stream.CloseWrite()
}

// fullReader is a stream that wakes its reader when all he wants has come, and not for each piece.
type fullReader interface{ ReadFull(p []byte) (int, error) }

// ReadFull is io.ReadFull, by one wait where the reader has that.
func ReadFull(r io.Reader, p []byte) (int, error) {
	if full, ok := r.(fullReader); ok {
		return full.ReadFull(p)
	}
	return io.ReadFull(r, p)
}

// readHead reads one length-prefixed document into head. Errors: Corrupt, or the reader's.
func readHead(r io.Reader, head any) error {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return short("head length", err)
	}
	size := binary.BigEndian.Uint32(prefix[:])
	if size == 0 || size > MaxHeadBytes {
		return errkind.Corrupt.Errorf("head announces %d bytes: want 1 to %d", size, MaxHeadBytes)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return short("head", err)
	}
	if err := checkShape(body); err != nil {
		return err
	}
	if e, ok := head.(interface{ open(body []byte) bool }); ok && e.open(body) {
		return nil
	}
	return decode(body, head)
}

func short(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errkind.Corrupt.Errorf("%s: stream ended in the middle: %w", what, io.ErrUnexpectedEOF)
	}
	return err
}

// checker is a message whose members must fit each other. Decode asks it.
type checker interface{ check() error }

// Decode reads one strict JSON document into v: no unknown and no repeated members (case does not
// tell them apart), nothing after the document, valid UTF-8 without NUL, at most 32 levels.
// Errors: Corrupt.
func Decode(body []byte, v any) error {
	if err := checkShape(body); err != nil {
		return err
	}
	return decode(body, v)
}

// decode reads a document, or a value of one, that checkShape has passed.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // io.EOF is the clean end of what carries documents
	}
	if err != nil {
		return errkind.Corrupt.Errorf("decode %T: %w", v, err)
	}
	if c, ok := v.(checker); ok {
		return c.check()
	}
	return nil
}
