// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"io"
	"net/http"
	"sync"

	"fairlead/server/identity"
)

// Local calls the handler inside the process, for a principal who needs no key: whoever can open
// the server's home folder is its administrator. No request from outside can carry a principal.
func Local(handler http.Handler, p identity.Principal) http.RoundTripper {
	return &local{handler: handler, principal: p}
}

// AsPrincipal answers every request as one from p, without a key: for a listener that only p can
// reach, such as a socket in the server's home.
func AsPrincipal(handler http.Handler, p identity.Principal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), localKey{}, p)))
	})
}

type local struct {
	handler   http.Handler
	principal identity.Principal
}

// RoundTrip runs the handler until the response's body is read to its end or closed.
func (l *local) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, stop := context.WithCancel(context.WithValue(r.Context(), localKey{}, l.principal))
	inside := r.Clone(ctx)
	inside.RequestURI, inside.RemoteAddr = r.URL.RequestURI(), "local:0"
	if inside.Body == nil {
		inside.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	answer := &localAnswer{header: http.Header{}, body: writer, begun: make(chan struct{})}
	body := &localBody{PipeReader: reader, stop: stop}
	body.handler.Go(func() {
		defer writer.Close()
		l.handler.ServeHTTP(answer, inside)
		answer.WriteHeader(http.StatusOK)
		_ = inside.Body.Close()
	})
	select {
	case <-answer.begun:
	case <-r.Context().Done():
		_ = body.Close()
		return nil, r.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: body, ContentLength: -1, Request: r,
	}, nil
}

// localAnswer is written by the handler's goroutine and read after begun is closed.
type localAnswer struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	begun  chan struct{}
	status int
	sent   http.Header
}

func (a *localAnswer) Header() http.Header { return a.header }

func (a *localAnswer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.begun)
	})
}

func (a *localAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// Flush does nothing: a pipe holds nothing back.
func (a *localAnswer) Flush() { a.WriteHeader(http.StatusOK) }

type localBody struct {
	*io.PipeReader
	stop    context.CancelFunc
	handler sync.WaitGroup
}

// Close ends the handler and waits for it.
func (b *localBody) Close() error {
	b.stop()
	err := b.PipeReader.Close()
	b.handler.Wait()
	return err
}
