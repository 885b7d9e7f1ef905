// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/api"
	"fairlead/server/identity"
)

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// event is one server-sent event.
type event struct{ Name, ID, Data string }

// events reads server-sent events from a response.
func events(body io.Reader) func() (event, bool) {
	scanner := bufio.NewScanner(body)
	return func() (e event, ok bool) {
		for scanner.Scan() {
			name, value, _ := strings.Cut(scanner.Text(), ": ")
			switch name {
			case "event":
				e.Name = value
			case "id":
				e.ID = value
			case "data":
				e.Data = value
			case "":
				if strings.HasPrefix(scanner.Text(), ":") {
					return event{Name: "comment", Data: value}, true
				}
				if e != (event{}) {
					return e, true
				}
			}
		}
		return e, false
	}
}

func (s *site) open(path string, headers map[string]string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest("GET", "http://fairlead"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	response, err := api.Local(s.handler, identity.System()).RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

func (s *site) endTask(state deploy.TaskState) {
	s.t.Helper()
	err := s.store.Update(context.Background(), func(w store.Writer) error {
		task, err := w.Task("ServerTasks-1")
		if err != nil {
			return err
		}
		task.State, task.CompletedAt = state, s.wall()
		return w.PutTask(task)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func texts(t *testing.T, data string) (list []string) {
	t.Helper()
	var lines []api.LogLine
	if err := json.Unmarshal([]byte(data), &lines); err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		list = append(list, l.Text)
	}
	return list
}

func TestLogStreamFollowsResumesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.fill()
		s.logs.say("ServerTasks-1", "", "one")
		response := s.open("/api/tasks/ServerTasks-1/log", nil)
		defer response.Body.Close()
		if got := response.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("type %q", got)
		}
		next := events(response.Body)
		first, _ := next()
		if diff := cmp.Diff([]string{"one"}, texts(t, first.Data)); diff != "" || first.ID != "1" {
			t.Errorf("id %q (-want +got):\n%s", first.ID, diff)
		}
		s.logs.say("ServerTasks-1", "1/Machines-1", "two <script>\x1b[31m")
		second, _ := next()
		if diff := cmp.Diff([]string{"two <script>\x1b[31m"}, texts(t, second.Data)); diff != "" || second.ID != "2" {
			t.Errorf("id %q (-want +got):\n%s", second.ID, diff)
		}
		if e, _ := next(); e.Name != "comment" {
			t.Errorf("a silent stream shows %+v, want a heartbeat", e)
		}
		resumed := s.open("/api/tasks/ServerTasks-1/log?offset=0", map[string]string{"Last-Event-ID": "1"})
		defer resumed.Body.Close()
		again := events(resumed.Body)
		if e, _ := again(); e.ID != "2" || cmp.Diff([]string{"two <script>\x1b[31m"}, texts(t, e.Data)) != "" {
			t.Errorf("resumed from 1: %+v", e)
		}
		s.endTask(deploy.TaskSuccess)
		s.logs.finish("ServerTasks-1")
		for name, read := range map[string]func() (event, bool){"first": next, "resumed": again} {
			e, _ := read()
			if e.Name != "done" || !strings.Contains(e.Data, `"State":"Success"`) {
				t.Errorf("%s reader: %+v, want done", name, e)
			}
			if e, more := read(); more {
				t.Errorf("%s reader: %+v after done", name, e)
			}
		}
	})
}

// TestLogStreamEndsWithATaskThatNeverBegan: its log is never finished, as nobody opened it.
func TestLogStreamEndsWithATaskThatNeverBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.fill()
		response := s.open("/api/tasks/ServerTasks-1/log", nil)
		defer response.Body.Close()
		s.must(200, "POST", "/api/tasks/ServerTasks-1/cancel", nil)
		began := time.Now()
		if e, _ := events(response.Body)(); e.Name != "done" || !strings.Contains(e.Data, `"State":"Canceled"`) {
			t.Errorf("%+v, want done", e)
		}
		if waited := time.Since(began); waited > 6*time.Second {
			t.Errorf("the end took %v", waited)
		}
	})
}

// TestA6LogStreamEndsWithItsUser: the right to read is looked up again while the stream is open.
func TestA6LogStreamEndsWithItsUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.fill()
		r := s.request("GET", "/api/tasks/ServerTasks-1/log", nil)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		reader, writer := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.handler.ServeHTTP(pipeAnswer{header: http.Header{}, Writer: writer}, r.WithContext(ctx))
			_ = writer.Close()
		}()
		synctest.Wait() // the stream is open and silent
		keys, err := s.directory.Keys(ctx, identity.System(), identity.AdministratorID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.directory.DeleteKey(ctx, identity.System(), identity.AdministratorID, keys[0].ID); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if e, _ := events(reader)(); e.Name != "problem" {
			t.Errorf("%+v, want a problem", e)
		}
		if waited := time.Since(began); waited > 6*time.Second {
			t.Errorf("the end took %v, want at most the watch interval", waited)
		}
		_ = reader.Close()
		<-done
	})
}

type pipeAnswer struct {
	header http.Header
	io.Writer
}

func (p pipeAnswer) Header() http.Header { return p.header }
func (p pipeAnswer) WriteHeader(int)     {}

func TestL1RawLogShowsControlCharacters(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.logs.say("ServerTasks-1", "1", "a\x1b]0;title\x07\tb\u009b")
	a := s.call("GET", "/api/tasks/ServerTasks-1/raw", nil)
	if a.status != 200 || !strings.Contains(string(a.body), `a\x1b]0;title\x07`+"\t"+`b\x9b`) {
		t.Errorf("%d %q", a.status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("type %q", got)
	}
}

func TestLogOffsetsAreChecked(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, offset := range []string{"-1", "x", "99999999999999999999"} {
		s.must(400, "GET", "/api/tasks/ServerTasks-1/log?offset="+offset, nil)
	}
	s.must(404, "GET", "/api/tasks/ServerTasks-99/log", nil)
}
