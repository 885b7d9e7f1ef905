// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/download"
)

const tasksPerPage = 50

// taskFilters are the words of ?show=.
var taskFilters = map[string]TaskQuery{
	"":          {},
	"active":    {Active: true},
	"asking":    {IsAsking: true},
	"failed":    {States: []deploy.TaskState{deploy.TaskFailed, deploy.TaskTimedOut}},
	"succeeded": {States: []deploy.TaskState{deploy.TaskSuccess}},
	"canceled":  {States: []deploy.TaskState{deploy.TaskCanceled}},
}

type taskList struct {
	Show  string
	All   []Task
	Total int
	Pager pager
}

func (p *Portal) tasks(v *visit) error {
	number, err := pageNumber(v)
	if err != nil {
		return err
	}
	show := v.FormValue("show")
	q, ok := taskFilters[show]
	if !ok {
		return errkind.Invalid.Errorf("tasks to show: %.20q is none of active, asking, failed, succeeded, canceled", show)
	}
	q.Skip, q.Take = (number-1)*tasksPerPage, tasksPerPage
	list, total, err := p.source.Tasks(v.Context(), v.who, q)
	if err != nil {
		return err
	}
	data := view{Title: "Tasks", Nav: "tasks", Refresh: refreshIdle, Data: taskList{
		Show: show, All: list, Total: total,
		Pager: pager{Number: number, More: q.Skip+len(list) < total, query: v.URL.Query()},
	}}
	for _, t := range list {
		if !t.State.IsCompleted() {
			data.Refresh = refreshBusy
		}
	}
	return p.ok(v, "tasks", data)
}

// pageLogBytes of the log are part of a task's page; rawLogBytes are read at once.
const (
	pageLogBytes = 512 << 10
	rawLogBytes  = 256 << 10
)

// taskView is a task's page with a part of its log.
type taskView struct {
	TaskDetail
	Node  string // only lines at and below this place; "" all
	From  int64
	Next  int64 // where the log goes on
	Lines []LogLine
	// Streamed is set in a followed log: the running time is left to the browser.
	Streamed bool
	// More is set when the part ended because it was long.
	More bool
}

// Live tells whether there is more to come.
func (t taskView) Live() bool { return !t.State.IsCompleted() }

// Who names the place of a line: "Deploy web · web-1".
func (t TaskDetail) Who(node string) string {
	for _, step := range t.Steps {
		if step.Node == node {
			return step.Name
		}
		for _, m := range step.Machines {
			if m.Node == node {
				return m.Name
			}
		}
	}
	return ""
}

// within tells whether a line's place is at or below a node.
func within(place, node string) bool {
	return node == "" || place == node || strings.HasPrefix(place, node+"/")
}

func (p *Portal) task(v *visit) error {
	id := deploy.TaskID(v.PathValue("task"))
	from, err := offset(v.FormValue("from"))
	if err != nil {
		return err
	}
	detail, err := p.source.Task(v.Context(), v.who, id)
	if space := p.spaceOfTask(v, id, err); space != "" {
		return redirect(v, v.addressIn(space))
	}
	if err != nil {
		return err
	}
	t := taskView{TaskDetail: detail, Node: v.FormValue("node"), From: from}
	lines, next, err := p.source.ReadLog(v.Context(), v.who, id, from, pageLogBytes)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	t.Next = max(next, from)
	t.More = t.Next-from >= pageLogBytes/2 && len(lines) > 0
	for _, line := range lines {
		if within(line.Node, t.Node) {
			t.Lines = append(t.Lines, line)
		}
	}
	return p.ok(v, "task", view{Title: t.Description, Nav: "tasks", Data: t})
}

// spaceOfTask is the other space of the reader in which the task is; "" if there is none. Ids
// are counted through all spaces, and an address that somebody passes on names no space as a rule.
func (p *Portal) spaceOfTask(v *visit, id deploy.TaskID, missing error) deploy.SpaceID {
	if kind := errkind.Of(missing); kind != errkind.NotFound && kind != errkind.Denied {
		return ""
	}
	for _, s := range v.spaces {
		if s.ID == v.who.SpaceID() {
			continue
		}
		if _, err := p.source.Task(v.Context(), v.who.In(s.ID), id); err == nil {
			return s.ID
		}
	}
	return ""
}

// offset reads a place in a log. Errors: Invalid.
func offset(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errkind.Invalid.Errorf("log offset %.30q: want a number from 0", text)
	}
	return n, nil
}

// rawLog sends the whole log as text, one line each: time, category, place, text.
func (p *Portal) rawLog(v *visit) error {
	detail, err := p.source.Task(v.Context(), v.who, deploy.TaskID(v.PathValue("task")))
	if err != nil {
		return err
	}
	lines, next, err := p.source.ReadLog(v.Context(), v.who, detail.ID, 0, rawLogBytes)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	h := v.ResponseWriter.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": fileName(detail.ID)}))
	out := http.NewResponseController(v.ResponseWriter)
	for err == nil && len(lines) > 0 {
		if _, err := v.ResponseWriter.Write(p.rawLines(detail, lines)); err != nil {
			return nil // the browser is gone
		}
		_ = out.Flush() // a writer that cannot flush sends later
		lines, next, err = p.source.ReadLog(v.Context(), v.who, detail.ID, next, rawLogBytes)
	}
	if err != nil && errkind.Of(err) != errkind.NotFound {
		panic(http.ErrAbortHandler) // the status is sent: a broken connection is the only way to say it
	}
	return nil
}

// artifact sends a file that a script handed over.
func (p *Portal) artifact(v *visit) error {
	a, content, err := p.source.OpenArtifact(v.Context(), v.who, deploy.TaskID(v.PathValue("task")),
		deploy.ArtifactID(v.PathValue("artifact")))
	if err != nil {
		return err
	}
	defer content.Close()
	download.Serve(v.ResponseWriter, v.Request, download.File{Name: a.Name, SHA256: a.SHA256, At: a.KeptAt}, content)
	return nil
}

// fileName keeps of an id what is plain in a file name.
func fileName(id deploy.TaskID) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, string(id)) + ".log.txt"
}

func (p *Portal) rawLines(detail TaskDetail, lines []LogLine) []byte {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(p.local(line.At).Format("2006-01-02T15:04:05.000Z07:00"))
		b.WriteString("  " + line.Category + strings.Repeat(" ", max(0, 9-len(line.Category))) + "  ")
		if who := detail.Who(line.Node); who != "" {
			b.WriteString(visible(who) + "  ")
		}
		b.WriteString(visible(strings.TrimSuffix(line.Text, "\r")) + "\n")
	}
	return []byte(b.String())
}
