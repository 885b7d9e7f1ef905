// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"encoding/json"
	"io"

	"fairlead/internal/errkind"
)

// Call is one call as the agent sees it.
type Call[A, R any] struct {
	Args A
	// Body is what follows the request head.
	Body   io.Reader
	stream Stream
	last   []byte // the head of an answer that nothing follows
}

// Reply sends the result; what is written to the returned writer follows it.
func (c *Call[A, R]) Reply(result R) (io.Writer, error) {
	head, err := encodeResult(result)
	if err != nil {
		return nil, err
	}
	_, err = c.stream.Write(head)
	return c.stream, err
}

// Mux maps method names to handlers. Fill it before the first Serve.
type Mux struct {
	handlers map[string]func(context.Context, json.RawMessage, Stream) error
}

// Methods lists the names that are served.
func (m *Mux) Methods() []string {
	names := make([]string, 0, len(m.handlers))
	for name := range m.handlers {
		names = append(names, name)
	}
	return names
}

// Handle serves a method with a plain function of its arguments.
func Handle[A, R any](m *Mux, method Method[A, R], f func(context.Context, A) (R, error)) {
	HandleStream(m, method, func(ctx context.Context, c *Call[A, R]) error {
		result, err := f(ctx, c.Args)
		if err != nil {
			return err
		}
		c.last, err = encodeResult(result)
		return err
	})
}

// HandleStream serves a method that reads or writes bytes besides its heads. An error before
// Reply is sent as the answer; an error after it resets the stream.
func HandleStream[A, R any](m *Mux, method Method[A, R], f func(context.Context, *Call[A, R]) error) {
	if m.handlers == nil {
		m.handlers = map[string]func(context.Context, json.RawMessage, Stream) error{}
	}
	m.handlers[method.Name] = func(ctx context.Context, raw json.RawMessage, stream Stream) error {
		call := &Call[A, R]{Body: stream}
		out := &answerStream{Stream: stream}
		call.stream = out
		err := decode(raw, &call.Args)
		if err == nil {
			err = f(ctx, call)
		}
		switch {
		case err == nil && call.last != nil:
			return writeLast(stream, call.last)
		case err == nil:
			return stream.CloseWrite()
		case out.wrote:
			return err
		}
		return refuse(stream, err)
	}
}

func refuse(stream Stream, why error) error {
	head, err := encodeError(why)
	if err != nil {
		return err
	}
	return writeLast(stream, head)
}

// answerStream remembers whether the answer has begun.
type answerStream struct {
	Stream
	wrote bool
}

func (s *answerStream) Write(p []byte) (int, error) {
	s.wrote = true
	return s.Stream.Write(p)
}

// Serve answers one stream and returns when the answer is complete. The error is for the log:
// the caller has been told, or cannot be.
func (m *Mux) Serve(ctx context.Context, stream Stream) error {
	defer stream.Reset("served")
	var head requestHead
	if err := readHead(stream, &head); err != nil {
		return err
	}
	handler, ok := m.handlers[head.Method]
	if !ok {
		err := errkind.NotFound.Errorf("method %.80q: this agent does not serve it", head.Method)
		return refuse(stream, err)
	}
	return handler(ctx, head.Args, stream)
}
