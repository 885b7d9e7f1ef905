// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/headless"
	"fairlead/server/portal"
)

// TestBrowserFollowsALog lets a real browser follow a log from where the page ended, over a broken
// connection, to the end.
func TestBrowserFollowsALog(t *testing.T) {
	headless.Need(t)
	f := sample()
	// The page is printed a little after its second try, which comes 3 s after the first, and at the limit without one.
	tries, hold := 0, make(chan time.Time)
	f.hold = hold
	limit := time.AfterFunc(time.Minute, func() { close(hold) })
	f.follow = func(_ context.Context, offset int64, deliver func([]portal.LogLine, int64) error) error {
		line := portal.LogLine{At: now, Category: "Warning", Node: "2/Machines-1", Text: "streamed <b>one</b>"}
		if tries++; tries == 1 {
			if offset != int64(len(f.log)) {
				t.Errorf("the first try is from %d", offset)
			}
			_ = deliver([]portal.LogLine{line}, 500)
			return context.DeadlineExceeded // the connection breaks
		}
		if offset != 500 {
			t.Errorf("try %d is from %d", tries, offset)
		}
		f.mu.Lock()
		f.task.State, f.task.CompletedAt = deploy.TaskSuccess, now
		f.mu.Unlock()
		line.Text = "streamed two"
		limit.Reset(time.Second)
		return deliver([]portal.LogLine{line}, 600)
	}
	dom := browse(t, f, "/app/tasks/ServerTasks-41", "--dump-dom", "--timeout=70000")
	for _, want := range []string{
		`<span class="line-who">web-1</span><span class="line-word">warning</span><span class="line-text">streamed &lt;b&gt;one&lt;/b&gt;</span>`,
		`<span class="line-text">streamed two</span>`, ">Success</span>", `data-follow-toggle="" hidden`,
	} {
		if strings.Count(dom, want) == 0 && strings.Count(reordered(dom), want) == 0 {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(dom, "Cancel task") || strings.Count(dom, "streamed two") != 1 || tries != 2 {
		t.Errorf("after the end: %d tries\n%s", tries, dom)
	}
}

// reordered names the attributes of the toggle in the other order.
func reordered(dom string) string {
	return strings.ReplaceAll(dom, `hidden="" data-follow-toggle=""`, `data-follow-toggle="" hidden`)
}

func TestBrowserRunsNothingHostile(t *testing.T) {
	headless.Need(t)
	for _, text := range []string{
		`<script>document.documentElement.dataset.owned=1</script>`, `"><img src=x onerror="document.documentElement.dataset.owned=1">`,
	} {
		f := poisoned(text)
		f.task.State = deploy.TaskExecuting
		f.follow = func(_ context.Context, _ int64, deliver func([]portal.LogLine, int64) error) error {
			return deliver(f.log, 900)
		}
		for _, path := range paths {
			f.hold = time.After(time.Second)
			if dom := browse(t, f, path, "--dump-dom", "--timeout=20000"); strings.Contains(dom, "data-owned") || !strings.Contains(dom, "owned") {
				t.Errorf("%s runs %s", path, text)
			}
		}
	}
}

// TestBrowserShowsAnAnswerAsItComes: whoever looks at a question sees who answered it and how, and is asked no more.
func TestBrowserShowsAnAnswerAsItComes(t *testing.T) {
	headless.Need(t)
	f := sample()
	f.task.Answers = nil
	hold := make(chan time.Time)
	f.hold = hold
	limit := time.AfterFunc(time.Minute, func() { close(hold) })
	f.follow = func(ctx context.Context, _ int64, _ func([]portal.LogLine, int64) error) error {
		f.mu.Lock()
		f.task.Questions = nil
		f.task.Answers = []portal.Answer{{Title: "Go on?", Said: "cleo answered Retry. Notes: <i>twice</i>", At: now}}
		f.mu.Unlock()
		limit.Reset(4 * time.Second)
		<-ctx.Done()
		return ctx.Err()
	}
	dom := browse(t, f, "/app/tasks/ServerTasks-41", "--dump-dom", "--timeout=70000")
	if !strings.Contains(dom, "cleo answered Retry. Notes: &lt;i&gt;twice&lt;/i&gt;") {
		t.Error("the page does not say who answered")
	}
	if strings.Contains(dom, `name="choice"`) {
		t.Error("the page still asks")
	}
}

// TestBrowserShowsAQuestionAsItComes: the form is there without the page being opened again, beside one that was there.
func TestBrowserShowsAQuestionAsItComes(t *testing.T) {
	headless.Need(t)
	f := sample()
	choices := []deploy.Choice{deploy.ChoiceProceed}
	first := portal.Question{ID: "Interruptions-3", Title: "First?", MayAnswer: true, Choices: choices, AskedAt: now}
	second := first
	second.ID, second.Title = "Interruptions-4", "Second?"
	f.task.State, f.task.Questions = deploy.TaskExecuting, []portal.Question{first}
	hold := make(chan time.Time)
	f.hold = hold
	limit := time.AfterFunc(time.Minute, func() { close(hold) })
	f.follow = func(ctx context.Context, _ int64, _ func([]portal.LogLine, int64) error) error {
		f.mu.Lock()
		f.task.Questions = []portal.Question{first, second}
		f.mu.Unlock()
		limit.Reset(4 * time.Second)
		<-ctx.Done()
		return ctx.Err()
	}
	dom := browse(t, f, "/app/tasks/ServerTasks-41", "--dump-dom", "--timeout=70000")
	for _, id := range []string{"Interruptions-3", "Interruptions-4"} {
		if strings.Count(dom, `data-question="`+id+`"`) != 1 || strings.Count(dom, "/questions/"+id+`"`) != 1 {
			t.Errorf("the page does not ask %s once", id)
		}
	}
}

// TestBrowserFollowsAddressesOfClients opens what Octopus's command line client prints.
func TestBrowserFollowsAddressesOfClients(t *testing.T) {
	headless.Need(t)
	f := sample()
	for hash, want := range map[string]string{
		"#/Spaces-1/releases/Releases-21":                                               f.release.Project.Name + " " + f.release.Version,
		"#/Spaces-1/projects/shop/deployments/releases/1.4.2/deployments/Deployments-5": f.task.Description,
		"#/Spaces-1/tasks/ServerTasks-41":                                               f.task.Description,
		"#/Spaces-1/infrastructure/machines/Machines-1/settings":                        f.machine.Name,
		"#/Spaces-1/configuration/nothing-here":                                         "Dashboard",
	} {
		dom := browse(t, f, "/app"+hash, "--dump-dom", "--timeout=20000")
		if _, title, _ := strings.Cut(dom, "<title>"); !strings.HasPrefix(title, want) {
			t.Errorf("/app%s shows %.60q, want %q", hash, title, want)
		}
	}
	dom := browse(t, nil, "/app/sign-in#/Spaces-1/tasks/ServerTasks-41", "--dump-dom", "--timeout=20000")
	if strings.Count(dom, `value="/app/tasks/ServerTasks-41?space=Spaces-1"`) != 2 {
		t.Errorf("signing in does not lead to the task:\n%s", dom)
	}
}
