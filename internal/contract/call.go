// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"errors"
	"io"
)

// Stream is one call's two-way byte stream. Reads and writes fail once the stream was reset, its
// context ended or the session is over.
type Stream interface {
	io.Reader
	io.Writer
	// CloseWrite says that no more bytes come; the other side reads io.EOF.
	CloseWrite() error
	// Reset ends both directions at once and tells the other side why, in a short text. It is
	// harmless after the stream has ended and must be called by whoever opened it.
	Reset(reason string)
}

// Opener makes streams: a session of the line. Bulk streams never delay the others. The stream
// is reset when ctx ends. Errors: Unavailable (session over or draining), Exhausted (too many
// streams).
type Opener interface {
	Open(ctx context.Context, bulk bool) (Stream, error)
}

// Answer is what a call returned, and the bytes that follow it.
type Answer[R any] struct {
	Result R
	stream Stream
}

// Read reads the bytes after the answer's head.
func (a *Answer[R]) Read(p []byte) (int, error) { return a.stream.Read(p) }

// Close ends the call.
func (a *Answer[R]) Close() error {
	a.stream.Reset("done")
	return nil
}

// Call runs the method and returns its result alone. Errors: the agent's kind, or the stream's.
func (m Method[A, R]) Call(ctx context.Context, o Opener, args A) (R, error) {
	return m.Send(ctx, o, args, nil)
}

// Send runs the method with bytes after its head; body may be nil.
func (m Method[A, R]) Send(ctx context.Context, o Opener, args A, body io.Reader) (R, error) {
	answer, err := m.Exchange(ctx, o, args, body)
	if err != nil {
		var none R
		return none, err
	}
	defer answer.Close()
	return answer.Result, nil
}

// Exchange runs the method and leaves the answer's bytes to be read; the caller closes it. An
// agent that refuses early, without reading the body, is heard all the same.
func (m Method[A, R]) Exchange(ctx context.Context, o Opener, args A, body io.Reader) (*Answer[R], error) {
	head, err := encodeRequest(m.Name, args)
	if err != nil {
		return nil, err
	}
	stream, err := o.Open(ctx, m.Bulk)
	if err != nil {
		return nil, err
	}
	answer, err := m.converse(stream, head, body)
	if err != nil {
		stream.Reset("call failed")
		return nil, err
	}
	return answer, nil
}

func (m Method[A, R]) converse(stream Stream, head []byte, body io.Reader) (*Answer[R], error) {
	source := &bodySource{r: body}
	sendErr := source.sendTo(stream, head)
	if source.err != nil {
		return nil, source.err // the agent waits for bytes that never come: no answer either
	}
	var response responseHead
	if err := readHead(stream, &response); err != nil {
		if sendErr != nil {
			return nil, sendErr
		}
		return nil, err
	}
	if response.Error != nil {
		return nil, fromWire(response.Error)
	}
	if sendErr != nil {
		return nil, sendErr
	}
	answer := &Answer[R]{stream: stream}
	return answer, decode(response.Result, &answer.Result)
}

// bodySource tells a body that cannot be read from a stream that cannot be written.
type bodySource struct {
	r   io.Reader // nil for no body
	err error
}

func (b *bodySource) Read(p []byte) (n int, err error) {
	n, err = b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

func (b *bodySource) sendTo(stream Stream, head []byte) error {
	if b.r == nil {
		return writeLast(stream, head)
	}
	if _, err := stream.Write(head); err != nil {
		return err
	}
	if _, err := io.Copy(stream, b); err != nil {
		return err
	}
	return stream.CloseWrite()
}
