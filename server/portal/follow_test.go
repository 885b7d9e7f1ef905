// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

func contextFor(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 10*time.Millisecond)
}

// events takes a stream apart: one string "name id data" each; comments are "…".
func events(body string) (list []string) {
	for block := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		var name, id string
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			field, value, _ := strings.Cut(line, ": ")
			switch field {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				data = append(data, value)
			case "":
				name = "…"
			}
		}
		list = append(list, strings.TrimSpace(name+" "+id+" "+strings.Join(data, "\n")))
	}
	return list
}

// kinds keeps the first word of each event.
func kinds(list []string) string {
	var words []string
	for _, e := range list {
		word, _, _ := strings.Cut(e, " ")
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// asking is a request as Ann's browser sends it.
type asking struct{ *http.Request }

func request(path string) asking { return asking{signedIn(httptest.NewRequest("GET", path, nil))} }

func (a asking) within(ctx context.Context) asking { return asking{a.WithContext(ctx)} }

func (a asking) send(h http.Handler) answer { return send(h, a.Request) }

func TestFollowSendsLinesStateAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.follow = func(_ context.Context, offset int64, deliver func([]portal.LogLine, int64) error) error {
			if offset != 7 {
				t.Errorf("follows from %d", offset)
			}
			line := portal.LogLine{At: now, Category: "Error", Node: "2/Machines-1", Text: "</script>\x1b[31mred\x07\n"}
			if err := deliver([]portal.LogLine{line}, 70); err != nil {
				return err
			}
			time.Sleep(20 * time.Second) // virtual
			f.mu.Lock()
			f.task.State, f.task.CompletedAt = deploy.TaskSuccess, now
			f.mu.Unlock()
			return deliver([]portal.LogLine{{At: now, Category: "Info", Text: "done"}}, 90)
		}
		a := request("/app/tasks/ServerTasks-41/follow?offset=7").send(open(f, nil))
		list := events(a.body)
		if got := kinds(list); a.Code != 200 || got != "state lines … lines state done" && got != "state lines … state lines done" {
			t.Fatalf("%d %s\n%s", a.Code, got, a.body)
		}
		want := `lines 70 [{"clock":"14:30:00","full":"2026-11-22T14:30:00Z","category":"error","word":"error","node":"2/Machines-1",` +
			`"text":"\u003c/script\u003ered\\x07\\x0a"}]`
		if list[1] != want {
			t.Errorf("got  %s\nwant %s", list[1], want)
		}
		if !strings.HasPrefix(list[len(list)-1], "done 90") || !strings.Contains(a.body, "data-activity=\"Running\"") {
			t.Errorf("%s", a.body)
		}
		if h := a.Header(); h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
			t.Error(h)
		}
	})
}

func TestFollowGoesOnAfterTheLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.follow = func(_ context.Context, offset int64, _ func([]portal.LogLine, int64) error) error {
			if offset != 90 {
				t.Errorf("follows from %d", offset)
			}
			return nil
		}
		r := request("/app/tasks/ServerTasks-41/follow?offset=7")
		r.Header.Set("Last-Event-ID", "90")
		if got := kinds(events(r.send(open(f, nil)).body)); got != "state done" {
			t.Error(got)
		}
	})
}

func TestFollowEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.follow = func(ctx context.Context, _ int64, _ func([]portal.LogLine, int64) error) error {
			time.Sleep(41 * time.Second) // virtual
			f.mu.Lock()
			f.signedOut = true
			f.mu.Unlock()
			<-ctx.Done()
			return ctx.Err()
		}
		begin := time.Now()
		if got := kinds(events(request("/app/tasks/x/follow").send(open(f, nil)).body)); got != "state … … gone" {
			t.Error(got)
		}
		if took := time.Since(begin); took != 45*time.Second {
			t.Errorf("noticed after %s", took)
		}
	})
}

// TestA6FollowingEndsWithTheRight: who loses the permission sees no more after five seconds.
func TestA6FollowingEndsWithTheRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.isStrict, f.permissions = true, identity.NewSet(identity.TaskView)
		f.follow = func(ctx context.Context, _ int64, _ func([]portal.LogLine, int64) error) error {
			time.Sleep(3 * time.Second) // virtual
			f.mu.Lock()
			f.permissions = identity.Set{}
			f.mu.Unlock()
			<-ctx.Done()
			return ctx.Err()
		}
		begin := time.Now()
		if got := kinds(events(request("/app/tasks/x/follow").send(open(f, nil)).body)); got != "state" {
			t.Error(got)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("ended after %s", took)
		}
	})
}

func TestFollowEndsWithoutDoneWhenReadingFails(t *testing.T) {
	f := sample()
	f.follow = func(context.Context, int64, func([]portal.LogLine, int64) error) error { return errkind.Unavailable }
	if got := kinds(events(request("/app/tasks/x/follow").send(open(f, nil)).body)); got != "state" {
		t.Error(got)
	}
}

func TestFollowersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(sample(), func(o *portal.Options) { o.Followers = 2 })
		var group sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for range 2 {
			group.Go(func() { request("/app/tasks/x/follow").within(ctx).send(p) })
		}
		synctest.Wait()
		if a := request("/app/tasks/x/follow").send(p); a.Code != 503 {
			t.Errorf("the third follower: %d", a.Code)
		}
		stop()
		group.Wait()
	})
}

func TestFollowOfAnUnknownTask(t *testing.T) {
	f := sample()
	f.refuse = errkind.NotFound.Errorf("no task x")
	if a := request("/app/tasks/x/follow").send(open(f, nil)); a.Code != 404 {
		t.Error(a.Code)
	}
}

// TestFollowSendsTheQuestions with their forms, for who may answer; the page itself has them once.
func TestFollowSendsTheQuestions(t *testing.T) {
	for _, mayAnswer := range []bool{true, false} {
		f := sample()
		f.task.Questions = []portal.Question{{
			ID: "Interruptions-9", Title: "Go on?", Instructions: "Look at **all**", MayAnswer: mayAnswer, AskedAt: now,
			Choices: []deploy.Choice{deploy.ChoiceProceed, deploy.ChoiceAbort},
		}}
		f.follow = func(context.Context, int64, func([]portal.LogLine, int64) error) error { return nil }
		p := open(f, nil)
		_, sent, _ := strings.Cut(request("/app/tasks/ServerTasks-41/follow").send(p).body, "<template data-questions>")
		sent, _, _ = strings.Cut(sent, "</template>")
		form := `<form class="stack panel-act" method="post" action="/app/tasks/ServerTasks-41/questions/Interruptions-9">`
		if strings.Contains(sent, form) != mayAnswer || strings.Contains(sent, `name="notes"`) != mayAnswer ||
			!strings.Contains(sent, `data-question="Interruptions-9"`) || !strings.Contains(sent, "<strong>all</strong>") {
			t.Errorf("may answer: %t, sent: %s", mayAnswer, sent)
		}
		page := get(t, p, "/app/tasks/ServerTasks-41").body
		if strings.Count(page, `data-question="Interruptions-9"`) != 1 || strings.Contains(page, "<template") {
			t.Errorf("the page does not ask once: %s", page)
		}
		checkMarkup(t, page)
		checkMarkup(t, sent)
	}
}

// TestFollowLeavesAQuestionInSight: a page that asks does not scroll to the log's end by itself.
func TestFollowLeavesAQuestionInSight(t *testing.T) {
	f := sample()
	for _, asks := range []bool{true, false} {
		if !asks {
			f.task.Questions = nil
		}
		page := get(t, open(f, nil), "/app/tasks/ServerTasks-41").body
		if _, tick, _ := strings.Cut(page, "data-follow-toggle><input type=\"checkbox\""); strings.HasPrefix(tick, " checked") == asks {
			t.Errorf("asks: %t, toggle: %.20q", asks, tick)
		}
	}
}
