// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package view

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"fairlead/sim/trace"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

//go:embed page.js
var scriptText string

// sheet is what the page is made of.
type sheet struct {
	Title      string
	Facts      []fact
	Violations []violation
	LeftOut    []string
	Style      template.CSS
	Script     template.JS
	Run        *timeline
}

// fact is a figure at the head of the page.
type fact struct {
	Name, Value string
	Bad         bool
}

// violation is one that a reader can go to.
type violation struct{ At, Who, What string }

// Write reads a trace and writes the page. Errors: those of a trace.Reader; the writer's.
func Write(w io.Writer, r io.Reader) error {
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	lines, err := trace.NewReader(r)
	if err != nil {
		return err
	}
	run, err := read(lines)
	if err != nil {
		return err
	}
	s := sheet{
		Title: lines.Head.Name, Facts: facts(lines.Head, run), LeftOut: run.LeftOut, Run: run,
		Style: template.CSS(styleText), Script: template.JS(scriptText),
	}
	if s.Title == "" {
		s.Title = "a run without a name"
	}
	for _, v := range run.Violations {
		one := violation{At: length(v.At), What: v.Text}
		if v.Host != everywhere {
			one.Who = run.Hosts[v.Host].Name
		}
		s.Violations = append(s.Violations, one)
	}
	if err := page.Execute(w, s); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// facts are the figures that a reader looks for first.
func facts(h trace.Head, run *timeline) []fact {
	lost, ends := 0, map[string]int{}
	for i := range run.Connections {
		lost += run.Connections[i].Lost
		ends[run.Connections[i].End]++
	}
	list := []fact{
		{Name: "violations", Value: fmt.Sprint(len(run.Violations)), Bad: len(run.Violations) > 0},
		{Name: "virtual time", Value: length(run.End)},
		{Name: "machines", Value: fmt.Sprint(len(run.Hosts))},
		{Name: "connections", Value: fmt.Sprint(len(run.Connections))},
		{Name: "reset or silent", Value: fmt.Sprint(ends[reset] + ends[timedOut])},
		{Name: "packets lost", Value: fmt.Sprint(lost)},
		{Name: "faults", Value: fmt.Sprint(len(run.Faults))},
		{Name: "seed", Value: fmt.Sprint(h.Seed)},
	}
	for _, f := range []fact{
		{Name: "scenario", Value: h.Hash}, {Name: "program", Value: h.Program}, {Name: "Go", Value: h.Go},
	} {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	if !h.Wall.IsZero() {
		list = append(list, fact{Name: "clock at the start", Value: h.Wall.UTC().Format(time.DateTime)})
	}
	return list
}
