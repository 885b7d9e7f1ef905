// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"fairlead/internal/errkind"
)

// The heads as this side writes them. They are put together and taken apart as text: a head has one
// member that matters, and reflection would cost as much for it as for what is inside. Heads in any
// other form (white space, another order, escapes) go through encoding/json.
const (
	requestBegin  = `{"method":"`
	requestMiddle = `","args":`
	resultBegin   = `{"result":`
)

// encodeRequest makes a request head with its length before it. Errors: Internal (args cannot be
// written as JSON), Exhausted (too long).
func encodeRequest(method string, args any) ([]byte, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, errkind.Internal.Errorf("call %s: encode arguments: %w", method, err)
	}
	if !isPlain(method) {
		return encodeHead(requestHead{Method: method, Args: raw})
	}
	b := make([]byte, 4, 4+len(requestBegin)+len(method)+len(requestMiddle)+len(raw)+1)
	b = append(b, requestBegin...)
	b = append(b, method...)
	b = append(b, requestMiddle...)
	b = append(b, raw...)
	return frameHead(append(b, '}'))
}

// encodeResult makes the head of an answer. Errors: as encodeRequest.
func encodeResult(result any) ([]byte, error) {
	raw, err := json.Marshal(result)
	if err != nil {
		return nil, errkind.Internal.Errorf("encode result: %w", err)
	}
	b := make([]byte, 4, 4+len(resultBegin)+len(raw)+1)
	b = append(b, resultBegin...)
	b = append(b, raw...)
	return frameHead(append(b, '}'))
}

// encodeError makes the head of an answer that is a refusal.
func encodeError(err error) ([]byte, error) { return encodeHead(responseHead{Error: toWire(err)}) }

func encodeHead(head any) ([]byte, error) {
	body, err := json.Marshal(head)
	if err != nil {
		return nil, errkind.Internal.Errorf("encode head: %w", err)
	}
	return frameHead(append(make([]byte, 4, 4+len(body)), body...))
}

// frameHead puts the length into the four bytes left for it.
func frameHead(b []byte) ([]byte, error) {
	size := len(b) - 4
	if size > MaxHeadBytes {
		return nil, errkind.Exhausted.Errorf("head has %d bytes: limit is %d", size, MaxHeadBytes)
	}
	binary.BigEndian.PutUint32(b, uint32(size))
	return b, nil
}

// isPlain reports whether a name stands in JSON as it is.
func isPlain(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && c != '.' {
			return false
		}
	}
	return name != ""
}

// open reads the head out of a document that checkShape has passed, if it has the usual form.
func (h *requestHead) open(body []byte) bool {
	rest, ok := bytes.CutPrefix(body, []byte(requestBegin))
	if !ok {
		return false
	}
	method, rest, ok := bytes.Cut(rest, []byte(requestMiddle))
	if !ok || !isPlain(string(method)) {
		return false
	}
	h.Method = string(method)
	h.Args, ok = lastValue(rest)
	return ok
}

func (h *responseHead) open(body []byte) bool {
	rest, ok := bytes.CutPrefix(body, []byte(resultBegin))
	if ok {
		h.Result, ok = lastValue(rest)
	}
	return ok
}

// lastValue cuts the value of the last member off the end of a valid document: the brace after it
// must be the last byte.
func lastValue(rest []byte) (json.RawMessage, bool) {
	depth, quoted := 0, false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && c == '}':
			return rest[:i], i == len(rest)-1
		case c == '}' || c == ']':
			depth--
		case depth == 0 && c == ',':
			return nil, false
		}
	}
	return nil, false
}
