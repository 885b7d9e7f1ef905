// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// Times of a followed log.
const (
	followTick       = time.Second      // how often the task's state may be sent
	followLook       = 5 * time.Second  // how often the session is looked at
	followBeat       = 15 * time.Second // how often a comment is sent
	followWriteLimit = 30 * time.Second // a browser that does not read for so long is left
)

// batch is a piece of a log, or its end.
type batch struct {
	lines []LogLine
	next  int64
	ended bool
	err   error
}

// stream is one followed log.
type stream struct {
	p      *Portal
	v      *visit
	who    identity.Principal
	id     deploy.TaskID
	offset int64
	state  []byte // as it was last sent
	ticks  int
}

// follow sends a task's log and state as server-sent events, from ?offset= or, when a browser
// comes back, from the last event's id:
//
//	event: lines  id: offset after them  data: JSON array of shown lines
//	event: state  data: HTML of the task's head and tree, and of its questions in a template
//	event: done   the log is finished
//	event: gone   the session has ended
func (p *Portal) follow(v *visit) error {
	select {
	case p.followers <- struct{}{}:
		defer func() { <-p.followers }()
	default:
		return errkind.Unavailable.Errorf("%d logs are followed already: this is the limit", cap(p.followers))
	}
	from := v.FormValue("offset")
	if last := v.Request.Header.Get("Last-Event-ID"); last != "" {
		from = last
	}
	start, err := offset(from)
	if err != nil {
		return err
	}
	s := &stream{p: p, v: v, who: v.who, id: deploy.TaskID(v.PathValue("task")), offset: start}
	if _, err := p.source.Task(v.Context(), v.who, s.id); err != nil || v.Method == http.MethodHead {
		return err
	}
	h := v.ResponseWriter.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for proxies that would wait for more
	v.ResponseWriter.WriteHeader(http.StatusOK)
	s.run()
	return nil
}

// run reads in one goroutine and writes in this one.
func (s *stream) run() {
	ctx, stop := context.WithCancel(s.v.Context())
	var reader sync.WaitGroup
	defer reader.Wait()
	defer stop()
	batches := make(chan batch)
	who := s.who
	reader.Go(func() { s.read(ctx, who, batches) })
	ticker := time.NewTicker(followTick)
	defer ticker.Stop()
	going := s.sendState(ctx)
	for going {
		select {
		case b := <-batches:
			going = s.send(ctx, b)
		case <-ticker.C:
			going = s.tick(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *stream) read(ctx context.Context, who identity.Principal, out chan<- batch) {
	deliver := func(b batch) error {
		select {
		case out <- b:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := s.p.source.FollowLog(ctx, who, s.id, s.offset, func(lines []LogLine, next int64) error {
		return deliver(batch{lines: lines, next: next})
	})
	_ = deliver(batch{ended: true, err: err}) // with ctx over nobody listens
}

// send writes a batch; it returns false when that was the last thing to say.
func (s *stream) send(ctx context.Context, b batch) bool {
	switch {
	case b.ended && b.err != nil:
		return false // the browser comes back with the last id
	case b.ended:
		s.sendState(ctx)
		s.write(fmt.Sprintf("event: done\nid: %d\ndata: {}\n\n", s.offset))
		return false
	}
	data, err := json.Marshal(s.p.shownLines(b.lines))
	if err != nil {
		return false
	}
	s.offset = b.next
	return s.write(fmt.Sprintf("event: lines\nid: %d\ndata: %s\n\n", b.next, data))
}

// shownLine is a log line as the script puts it on the page.
type shownLine struct {
	Clock    string `json:"clock"`
	Full     string `json:"full"`
	Category string `json:"category"`
	Word     string `json:"word,omitempty"`
	Node     string `json:"node"`
	Text     string `json:"text"`
	More     bool   `json:"more,omitempty"`
}

func (p *Portal) shownLines(lines []LogLine) []shownLine {
	out := make([]shownLine, len(lines))
	for i, l := range lines {
		out[i] = shownLine{
			Clock: p.clock(l.At), Full: l.At.UTC().Format(time.RFC3339),
			Category: strings.ToLower(l.Category), Word: loudWord(l.Category),
			Node: l.Node, Text: shown(l.Text), More: l.More,
		}
	}
	return out
}

func (s *stream) tick(ctx context.Context) bool {
	if s.ticks++; s.ticks%int(followLook/followTick) != 0 {
		return s.sendState(ctx)
	}
	who, err := s.p.source.BySession(ctx, s.p.cookie(s.v.Request))
	if err != nil {
		if errkind.Of(err) == errkind.Untrusted {
			s.write("event: gone\ndata: {}\n\n")
		}
		return false
	}
	s.who = who.In(s.who.SpaceID()) // he may have lost rights
	s.v.who = s.who
	if s.ticks%int(followBeat/followTick) == 0 && !s.write(": still here\n\n") {
		return false
	}
	return s.sendState(ctx)
}

// sendState sends the task's head and tree if they look other than before.
func (s *stream) sendState(ctx context.Context) bool {
	detail, err := s.p.source.Task(ctx, s.who, s.id)
	if err != nil {
		return false
	}
	html, err := s.p.render(s.v, "task", "state", view{Data: taskView{TaskDetail: detail, Streamed: true}})
	if err != nil || bytes.Equal(html, s.state) {
		return err == nil
	}
	s.state = html
	var event strings.Builder
	event.WriteString("event: state\n")
	for line := range strings.Lines(string(html)) {
		event.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	return s.write(event.String() + "\n")
}

func (s *stream) write(event string) bool {
	out := http.NewResponseController(s.v.ResponseWriter)
	_ = out.SetWriteDeadline(time.Now().Add(followWriteLimit)) // not every writer has one
	if _, err := s.v.ResponseWriter.Write([]byte(event)); err != nil {
		return false
	}
	return out.Flush() == nil
}
