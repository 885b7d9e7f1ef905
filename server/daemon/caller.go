// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/host"
	"fairlead/server/api"
	"fairlead/server/identity"
)

// maxAnswerBytes bounds what a command reads of one answer.
const maxAnswerBytes = 16 << 20

// caller asks the REST surface as the administrator of this machine: over the admin socket while
// a server runs in the home, else inside this process, with the home opened for a moment.
type caller struct {
	web   http.Client
	close func()
}

func newCaller(ctx context.Context, o Options, env host.Env) (*caller, error) {
	if home.IsTaken(string(o.Home)) {
		socket := o.Home.admin()
		transport := &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAdmin(ctx, socket) },
		}
		return &caller{web: http.Client{Transport: transport}, close: func() {}}, nil
	}
	if _, err := os.Stat(o.Home.database()); err != nil {
		return nil, errkind.Hinted(errkind.NotFound.Errorf("no server has run in %s", o.Home),
			"name the server's home with --home, or start one there first: fairlead-server run --home %s", o.Home)
	}
	env.Log = slog.New(slog.DiscardHandler)
	d, err := New(ctx, o, env)
	if err != nil {
		return nil, err
	}
	local := api.Local(d.newWeb(nil), identity.System())
	return &caller{web: http.Client{Transport: local}, close: d.Close}, nil
}

// call sends in as JSON (nil for none) and reads the answer into out (nil to drop it). Errors:
// the kind that the status stands for, with the server's words.
func (c *caller) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return errkind.Internal.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, body)
	if err != nil {
		return errkind.Internal.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.web.Do(request)
	if ctx.Err() != nil && err != nil {
		return errkind.Canceled.Errorf("ask the server: %w", ctx.Err())
	}
	if err != nil {
		return errkind.Unavailable.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return errkind.Unavailable.Errorf("read the server's answer: %w", err)
	}
	if response.StatusCode >= 300 {
		return answerError(response, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return errkind.Corrupt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// answerError is the error that an answer tells of.
func answerError(response *http.Response, text []byte) error {
	var problem struct {
		ErrorMessage, HelpText string
		Errors                 []string
	}
	_ = json.Unmarshal(text, &problem)
	message := strings.Join(problem.Errors, "; ")
	if message == "" {
		message = problem.ErrorMessage
	}
	if message == "" {
		message = fmt.Sprintf("the server answered with status %d", response.StatusCode)
	}
	kind := errkind.Parse(response.Header.Get(api.KindHeader))
	if kind == errkind.Canceled { // the server stops; nobody here gave up
		kind = errkind.Unavailable
	}
	err := kind.Errorf("%s", message)
	if problem.HelpText != "" {
		err = errkind.Hinted(err, "%s", problem.HelpText)
	}
	return err
}
