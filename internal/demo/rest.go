// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// REST calls a server's REST surface with an API key.
type REST struct {
	base string // http://127.0.0.1:8065
	key  string
	web  http.Client
}

// NewREST speaks to the server at an address host:port.
func NewREST(address, key string) *REST { return NewRESTOver(&http.Transport{}, address, key) }

// NewRESTOver does so through a transport of the caller's.
func NewRESTOver(transport http.RoundTripper, address, key string) *REST {
	return &REST{base: "http://" + address, key: key, web: http.Client{Transport: transport}}
}

const maxAnswerBytes = 64 << 20

// StatusError is an answer that says no.
type StatusError struct {
	Method, Path string
	Status       int
	Message      string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s answered %d: %s", e.Method, e.Path, e.Status, e.Message)
}

// Get reads what lies at path into out.
func (r *REST) Get(ctx context.Context, path string, out any) error {
	return r.call(ctx, http.MethodGet, path, nil, out)
}

// Post sends in as JSON and reads the answer into out; nil drops it.
func (r *REST) Post(ctx context.Context, path string, in, out any) error {
	return r.call(ctx, http.MethodPost, path, in, out)
}

// Put replaces what lies at path.
func (r *REST) Put(ctx context.Context, path string, in, out any) error {
	return r.call(ctx, http.MethodPut, path, in, out)
}

// Delete takes away what lies at path.
func (r *REST) Delete(ctx context.Context, path string) error {
	return r.call(ctx, http.MethodDelete, path, nil, nil)
}

func (r *REST) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	return r.send(ctx, method, path, "application/json", body, out)
}

// Upload pushes a package file under a name such as "webapp.1.0.0.zip".
func (r *REST) Upload(ctx context.Context, name string, content io.Reader) error {
	path := spacePath("packages/raw?fileName=" + url.QueryEscape(name))
	return r.send(ctx, http.MethodPost, path, "application/octet-stream", content, nil)
}

func (r *REST) send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	const limit = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, err := r.open(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	switch to := out.(type) {
	case nil:
		return nil
	case *string:
		*to = string(text)
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// open sends a request and returns the answer with its body unread, or a StatusError.
func (r *REST) open(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Octopus-ApiKey", r.key)
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := r.web.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusal(method, path, response)
}

func refusal(method, path string, response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var problem struct {
		ErrorMessage string
		Errors       []string
	}
	e := &StatusError{Method: method, Path: path, Status: response.StatusCode, Message: strings.TrimSpace(string(text))}
	if json.Unmarshal(text, &problem) == nil && problem.ErrorMessage != "" {
		e.Message = strings.Join(append([]string{problem.ErrorMessage}, problem.Errors...), " ")
	}
	return e
}

func spacePath(rest string) string { return "/api/Spaces-1/" + rest }
