// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// openBareWeb names the server whose answers the floor gives again.
type openBareWeb struct {
	HTTP, Key string
	Paths     []string
}

// bareWebRole is the floor of the REST surface: net/http, and the same answers ready in memory.
func bareWebRole() *role {
	r := newRole()
	var work sync.WaitGroup
	var server http.Server
	on(r, "open", func(ctx context.Context, o openBareWeb) (any, error) {
		answers, err := fetchAll(ctx, o)
		if err != nil {
			return nil, err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		server.Handler = answers
		work.Go(func() { _ = server.Serve(listener) }) // it ends with the process or with close
		return listener.Addr().String(), nil
	})
	on(r, "close", func(context.Context, struct{}) (any, error) {
		err := server.Close()
		work.Wait()
		return nil, err
	})
	return r
}

// answersInMemory are bodies by path and query.
type answersInMemory map[string][]byte

func (a answersInMemory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := a[r.URL.RequestURI()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // who asked has gone
}

func fetchAll(ctx context.Context, o openBareWeb) (answersInMemory, error) {
	answers := answersInMemory{}
	for _, path := range o.Paths {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.HTTP+path, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-Octopus-ApiKey", o.Key)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("GET %s: %s: %.200s", path, response.Status, body)
		}
		answers[path] = body
	}
	return answers, nil
}
